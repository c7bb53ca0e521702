package htrace

import (
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// An InvalidHandle is the handle that STATUS_INVALID_HANDLE is about.
type InvalidHandle struct {
	Handle uint64
	// Evidence says why it is taken for that one.
	Evidence string
	// Life are the positions of its operations in the trace, the newest first.
	Life []int
}

// FindInvalidHandle finds out which handle an exception is about whose code is
// STATUS_INVALID_HANDLE: by its only parameter, or else, as Windows itself
// raises it without one, by the last bad reference of the thread that the trace
// t has. t may be nil. ok is false if neither tells.
func FindInvalidHandle(e *minidump.Exception, t *Trace) (h InvalidHandle, ok bool) {
	if e.ExceptionCode != minidump.StatusInvalidHandle {
		return h, false
	}
	switch {
	case len(e.ExceptionInformation) == 1:
		h.Handle, h.Evidence = e.ExceptionInformation[0], "the exception's parameter"
	case t != nil:
		if h.Handle, ok = t.lastBadReference(e.ThreadID); !ok {
			return h, false
		}
		h.Evidence = fmt.Sprintf("the last bad reference of thread %d in the handle trace", e.ThreadID)
	default:
		return h, false
	}
	if t != nil {
		h.Life = t.Life(h.Handle)
		slices.Reverse(h.Life)
	}
	return h, true
}

// lastBadReference returns the handle that a thread last used although it was not
// open.
func (t *Trace) lastBadReference(thread uint32) (handle uint64, ok bool) {
	for i := t.Len() - 1; i >= 0; i-- {
		op := t.Operation(i)
		if op.OperationType == minidump.OperationBadRef && op.ThreadID == thread {
			return op.Handle, true
		}
	}
	return 0, false
}
