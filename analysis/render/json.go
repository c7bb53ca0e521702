package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A Hex is a number that JSON has as a string in hexadecimal, "0x7e0": an
// address, a handle, an access mask or other bits. JSON's numbers lose digits
// above 2^53, and nobody knows these in decimal.
type Hex uint64

// MarshalText writes the number.
func (h Hex) MarshalText() ([]byte, error) { return []byte(words.Hex(h)), nil }

// hexes are numbers as JSON has them.
func hexes[T ~uint32 | ~uint64](numbers []T) []Hex {
	list := make([]Hex, len(numbers))
	for i, n := range numbers {
		list[i] = Hex(n)
	}
	return list
}

// A stream is a list in a report whose elements come one by one.
type stream interface {
	// elements calls element with each. What could not be read is noted in the
	// report, whose errors are written behind the list.
	elements(element func(any))
}

// A stopper is a stream that may be interrupted.
type stopper interface{ failure() error }

// writeJSON writes a report as one object, a line for each field and for each
// element of a list. Its fields are those of the report's struct with a tag,
// in the same order, behind "schema".
func writeJSON(b *bufio.Writer, r Report) error {
	j := newJSONWriter(b)
	b.WriteByte('{')
	j.field("schema")
	j.value(r.schema())
	if !j.object(reflect.Indirect(reflect.ValueOf(r))) {
		return j.err // an object that has no end is not mistaken for an answer
	}
	b.WriteString("\n}\n")
	return j.err
}

// object writes the fields of a report, also those that are embedded. It returns
// false if a list came to no end.
func (j *jsonWriter) object(v reflect.Value) bool {
	for i := range v.NumField() {
		typ, f := v.Type().Field(i), v.Field(i)
		tag, ok := typ.Tag.Lookup("json")
		if typ.Anonymous && !ok && f.Kind() == reflect.Struct {
			if !j.object(f) {
				return false
			}
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		if !ok || name == "-" || option != "" && f.IsZero() {
			continue
		}
		j.field(name)
		switch value := f.Interface().(type) {
		case stream:
			j.list(value.elements)
			if s, ok := value.(stopper); ok && j.err == nil {
				j.err = s.failure()
			}
			if j.err != nil {
				return false
			}
		case *analysis.Problems:
			j.list(each(reflect.ValueOf(value.Lines())))
		default:
			if f.Kind() == reflect.Slice {
				j.list(each(f))
			} else {
				j.value(value)
			}
		}
	}
	return true
}

// each calls element with the elements of a slice.
func each(slice reflect.Value) func(element func(any)) {
	return func(element func(any)) {
		for i := range slice.Len() {
			element(slice.Index(i).Interface())
		}
	}
}

// A jsonWriter writes an object field by field. The first error sticks.
type jsonWriter struct {
	w      *bufio.Writer
	fields int
	err    error

	buf bytes.Buffer // of enc
	enc *json.Encoder
}

func newJSONWriter(b *bufio.Writer) *jsonWriter {
	j := &jsonWriter{w: b}
	j.enc = json.NewEncoder(&j.buf)
	j.enc.SetEscapeHTML(false)
	return j
}

func (j *jsonWriter) field(name string) {
	if j.fields > 0 {
		j.w.WriteByte(',')
	}
	j.fields++
	j.w.WriteString("\n  \"" + name + "\": ")
}

func (j *jsonWriter) list(each func(element func(any))) {
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

// value writes a value as json.Marshal does, but with lists that are never null,
// without the escapes for HTML, with text that is no Unicode in the form of
// [words.JSONText], and with escapes for what a terminal must not see, which are
// the same JSON value. What a pointer points to may be changed.
func (j *jsonWriter) value(value any) {
	if j.err != nil {
		return
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Pointer {
		v = reflect.New(v.Type())
		v.Elem().Set(reflect.ValueOf(value))
	}
	if fillLists(v) {
		v = lossless(v)
	}
	j.buf.Reset()
	if j.err = j.enc.Encode(v.Interface()); j.err == nil {
		j.w.Write(words.EscapeJSON(bytes.TrimSuffix(j.buf.Bytes(), []byte("\n"))))
	}
}

// fillLists replaces lists that are nil by empty ones. It returns true if there is
// text that json.Marshal would write with a loss.
func fillLists(v reflect.Value) (loss bool) {
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		return words.JSONText(s) != s
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && fillLists(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && fillLists(f) {
				loss = true
			}
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			if fillLists(v.Index(i)) {
				loss = true
			}
		}
	}
	return loss
}

// lossless copies a value with all that it points to. The texts of the copy are in
// the form of [words.JSONText]; those of the report stay.
func lossless(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.String:
		c.SetString(words.JSONText(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(lossless(v.Elem()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			c.Set(lossless(v.Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := c.Field(i); f.CanSet() {
				f.Set(lossless(v.Field(i)))
			}
		}
	case reflect.Slice:
		c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			c.Index(i).Set(lossless(v.Index(i)))
		}
	}
	return c
}
