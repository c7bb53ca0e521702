package analysis

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Problem is one kind of trouble with an input: all errors of one stream that
// differ in offsets and numbers only.
type Problem struct {
	First error  // the first of them; its text is one line
	Count uint64 // how many there are
	Mixed bool   // they are of more kinds than are told apart
}

func (p Problem) String() string {
	switch {
	case p.Count == 1:
		return p.First.Error()
	case p.Mixed:
		return fmt.Sprintf("%v (and %s of several kinds)", p.First, words.Plural(p.Count-1, "more error"))
	}
	return fmt.Sprintf("%v (and %s like it)", p.First, words.Plural(p.Count-1, "more error"))
}

// A PartialError says that records could not be read whole, a problem for each
// kind. What could be read is part of the result that comes with it.
type PartialError struct{ Problems []Problem }

// Count is how many errors there were.
func (e *PartialError) Count() (n uint64) {
	for _, p := range e.Problems {
		n += p.Count
	}
	return n
}

func (e *PartialError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.String()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the first error of each kind.
func (e *PartialError) Unwrap() []error {
	list := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		list[i] = p.First
	}
	return list
}

// Flatten splits an error into its problems: those of a [*PartialError], and
// errors that were joined, also where more text was put before them. nil has
// none.
func Flatten(err error) []Problem {
	var all Failures
	all.Note(err)
	return all.list
}

// split calls add with the problems of an error that stands for several, and
// reports whether it is one.
func split(err error, add func(Problem)) bool {
	switch e := err.(type) {
	case *PartialError:
		for _, p := range e.Problems {
			add(p)
		}
		return true
	case *minidump.FormatError: // which has a cause, and no parts
		return false
	case interface{ Unwrap() []error }:
		parts := e.Unwrap()
		if text := err.Error(); text != joined(parts, "; ") && text != joined(parts, "\n") {
			return false // an error and its cause
		}
		for _, part := range parts {
			for _, p := range Flatten(part) {
				add(p)
			}
		}
		return true
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		if inner == nil {
			return false
		}
		prefix, ok := strings.CutSuffix(err.Error(), inner.Error())
		if !ok {
			return false
		}
		return split(inner, func(p Problem) {
			p.First = &prefixed{prefix, p.First}
			add(p)
		})
	}
	return false
}

func joined(errs []error, separator string) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, separator)
}

// A prefixed error is a part of one that had more text before all its parts.
type prefixed struct {
	prefix string
	error
}

func (e *prefixed) Error() string { return e.prefix + e.error.Error() }
func (e *prefixed) Unwrap() error { return e.error }

// kindOf is equal for errors that are counted together.
func kindOf(err error) string {
	if format, ok := err.(*minidump.FormatError); ok {
		return format.Kind() // millions may pass here
	}
	var format *minidump.FormatError
	if errors.As(err, &format) {
		return format.Kind()
	}
	return numbers.ReplaceAllString(err.Error(), "#")
}

var numbers = regexp.MustCompile(`0x[0-9a-f]+|[0-9]+`)

// mostKinds is how many kinds of errors are told apart. The reader has fewer; the
// texts of causes come from outside.
const mostKinds = 64

// Failures collects the errors of one reading. It counts them by kind and keeps the
// first of each, so that a dump in which every record is broken costs no more than
// a good one. The zero value is ready for use.
type Failures struct {
	list  []Problem
	kinds []string // of list
}

// Note counts an error, which may stand for several; nil is none.
func (f *Failures) Note(err error) {
	if err != nil && !split(err, f.count) {
		f.count(Problem{First: err, Count: 1})
	}
}

func (f *Failures) count(p Problem) {
	kind := kindOf(p.First)
	i := slices.Index(f.kinds, kind)
	switch {
	case i >= 0:
		f.list[i].Count += p.Count
	case len(f.kinds) < mostKinds:
		f.list, f.kinds = append(f.list, p), append(f.kinds, kind)
	default:
		last := &f.list[mostKinds-1]
		last.Count += p.Count
		last.Mixed = true
	}
}

// add counts the errors of other, which come after those of f.
func (f *Failures) add(other Failures) {
	for _, p := range other.list {
		f.count(p)
	}
}

// Err is nil without errors, else a [*PartialError].
func (f *Failures) Err() error {
	if len(f.list) == 0 {
		return nil
	}
	return &PartialError{f.list}
}
