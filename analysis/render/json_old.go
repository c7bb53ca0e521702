package render

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A JSONWriter writes one JSON object field by field, so that a list of
// millions of elements never has to be in memory. Each field and each element
// of a list begins a line. The first error sticks and is returned by Close.
type JSONWriter struct {
	w      *bufio.Writer
	fields int
	err    error
}

// NewJSONWriter begins an object whose first field is "schema".
func NewJSONWriter(w io.Writer, schema string) *JSONWriter {
	j := &JSONWriter{w: bufio.NewWriterSize(w, 64<<10)}
	j.w.WriteByte('{')
	j.Field("schema", schema)
	return j
}

// Field writes one field.
func (j *JSONWriter) Field(name string, value any) {
	j.name(name)
	j.value(value)
}

// List writes a field that is a list. each is called with a function that
// writes one element.
func (j *JSONWriter) List(name string, each func(element func(value any))) {
	j.name(name)
	j.w.WriteByte('[')
	n := 0
	each(func(value any) {
		if n > 0 {
			j.w.WriteByte(',')
		}
		n++
		j.w.WriteString("\n    ")
		j.value(value)
	})
	if n > 0 {
		j.w.WriteString("\n  ")
	}
	j.w.WriteByte(']')
}

// Strings writes a field that is a list of strings.
func (j *JSONWriter) Strings(name string, list []string) {
	j.List(name, func(element func(any)) {
		for _, s := range list {
			element(s)
		}
	})
}

// Close ends the object and returns the first error.
func (j *JSONWriter) Close() error {
	j.w.WriteString("\n}\n")
	if err := j.w.Flush(); j.err == nil {
		j.err = err
	}
	return j.err
}

func (j *JSONWriter) name(name string) {
	if j.fields > 0 {
		j.w.WriteByte(',')
	}
	j.fields++
	fmt.Fprintf(j.w, "\n  %q: ", name)
}

func (j *JSONWriter) value(value any) {
	if j.err != nil {
		return
	}
	w := newJSONWriter(j.w)
	w.value(value)
	j.err = w.err
}

// hexNumber writes a number as a string, since JSON numbers lose digits above
// 2^53.
func hexNumber[T ~uint32 | ~uint64](n T) string { return fmt.Sprintf("%#x", uint64(n)) }

// What follows is older than package words, and used by the reports that have
// not been converted yet.

var count = words.Count[uint64]

func countOf(n uint64, thing string) string { return words.Plural(n, thing) }

var typeLabel = words.Type

var percent = words.Percent

func signed(n int64) string { return words.Growth(n) }

func timestamp(t time.Time) string { return words.Timestamp(t) }

func seconds(n uint32) string { return words.Duration(time.Duration(n) * time.Second) }

// jsonKind is a kind of handles as the answers of diff and check have it.
type jsonKind struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Merged     bool   `json:"merged"`
	Access     string `json:"access"`
	State      string `json:"state,omitempty"`
	Attributes string `json:"attributes,omitempty"`
}

func newJSONKind(k analysis.HandleKind, merged bool) jsonKind {
	j := jsonKind{Type: k.Type, Name: k.Name, Merged: merged, Access: hexNumber(k.GrantedAccess), State: k.State}
	if k.Attributes != 0 {
		j.Attributes = hexNumber(k.Attributes)
	}
	return j
}

type jsonType struct {
	Type  string `json:"type"`
	Count uint64 `json:"count"`
}
