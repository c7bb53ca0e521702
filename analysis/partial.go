package analysis

import "fmt"

// A PartialError says that several records could not be read whole. What could
// be read is part of the result that comes with it.
type PartialError struct {
	Count uint64 // how many errors there were
	First error
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("%v (and %d more errors like it)", e.First, e.Count-1)
}

// Unwrap returns the first error.
func (e *PartialError) Unwrap() error { return e.First }

// Failures counts errors and remembers the first, so that a dump in which
// every record is broken costs no more than a good one. The zero value is
// ready for use.
type Failures struct {
	count uint64
	first error
}

// Note counts an error; nil is none.
func (f *Failures) Note(err error) {
	if err == nil {
		return
	}
	if f.count++; f.first == nil {
		f.first = err
	}
}

// add counts the errors of other, which come after those of f.
func (f *Failures) add(other Failures) {
	f.count += other.count
	if f.first == nil {
		f.first = other.first
	}
}

// Err is nil without errors, the error if there was one, else a
// [*PartialError].
func (f *Failures) Err() error {
	if f.count > 1 {
		return &PartialError{Count: f.count, First: f.first}
	}
	return f.first
}
