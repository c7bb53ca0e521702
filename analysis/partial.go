package analysis

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// A PartialError says that several records could not be read whole. What could
// be read is part of the result that comes with it.
type PartialError struct {
	Count uint64 // how many errors there were
	First error
}

func (e *PartialError) Error() string {
	if e.Count == 1 {
		return e.First.Error()
	}
	return fmt.Sprintf("%v (and %s like it)", e.First, words.Plural(e.Count-1, "more error"))
}

// Unwrap returns the first error.
func (e *PartialError) Unwrap() error { return e.First }

// failures counts errors and keeps the first, so that a dump in which every
// record is broken costs no more than a good one. The zero value is ready for
// use.
type failures struct{ PartialError }

// note counts an error; nil is none.
func (f *failures) note(err error) {
	if err == nil {
		return
	}
	if f.Count++; f.First == nil {
		f.First = err
	}
}

// add counts the errors of other, which come after those of f.
func (f *failures) add(other failures) {
	f.Count += other.Count
	if f.First == nil {
		f.First = other.First
	}
}

// err is nil without errors, else a [*PartialError].
func (f *failures) err() error {
	if f.Count == 0 {
		return nil
	}
	return &PartialError{Count: f.Count, First: f.First}
}
