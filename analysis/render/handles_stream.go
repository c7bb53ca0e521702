package render

import (
	"context"
	"errors"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleWalk calls visit for handles until it returns false. Its error says
// what could not be read, or that it was interrupted.
type HandleWalk func(visit func(*minidump.Handle) bool) error

// A HandleStream is handles that are read while they are written, since there
// may be millions.
type HandleStream struct {
	walk HandleWalk
	// errs, of the report, gets what could not be read.
	errs    *[]string
	problem error
	stopped error
}

// NewHandleStream returns the handles of a walk. What could not be read is added
// to the errors of the report that it belongs to, unless worse is known.
func NewHandleStream(walk HandleWalk, known error, errs *[]string) *HandleStream {
	s := &HandleStream{walk: walk, errs: errs}
	s.note(known)
	return s
}

// Problem returns what could not be read of the dump; it is known in full once
// the report has been written.
func (s *HandleStream) Problem() error { return s.problem }

// each visits the handles. It returns an error if it ended early.
func (s *HandleStream) each(visit func(*minidump.Handle)) error {
	err := s.walk(func(h *minidump.Handle) bool {
		visit(h)
		return true
	})
	var unsorted *analysis.SortError
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &unsorted) {
		s.stopped = err
		return err
	}
	s.note(err)
	return nil
}

// note keeps the error that says more: parts of the list are read several times.
func (s *HandleStream) note(err error) {
	if err == nil || s.problem != nil && failures(err) <= failures(s.problem) {
		return
	}
	if n := len(*s.errs); s.problem != nil && n > 0 {
		(*s.errs)[n-1] = err.Error()
	} else {
		*s.errs = append(*s.errs, err.Error())
	}
	s.problem = err
}

// failures is the number of errors that an error stands for.
func failures(err error) uint64 {
	var partial *analysis.PartialError
	if errors.As(err, &partial) {
		return partial.Count
	}
	return 1
}

func (s *HandleStream) elements(element func(any)) {
	var j Handle
	s.each(func(h *minidump.Handle) { // failure has the error
		j = NewHandle(h)
		element(&j)
	})
}

func (s *HandleStream) failure() error { return s.stopped }
