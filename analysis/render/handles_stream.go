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
	walk    HandleWalk
	failed  func(error)
	stopped error
}

// NewHandleStream returns the handles of a walk. failed gets what could not be
// read, once for each time that the report is written; it adds that to the
// errors of the report, which come behind the handles.
func NewHandleStream(walk HandleWalk, failed func(error)) *HandleStream {
	return &HandleStream{walk: walk, failed: failed}
}

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
	if err != nil {
		s.failed(err)
	}
	return nil
}

func (s *HandleStream) elements(element func(any)) {
	var j Handle
	s.each(func(h *minidump.Handle) { // failure has the error
		j = NewHandle(h)
		element(&j)
	})
}

func (s *HandleStream) failure() error { return s.stopped }
