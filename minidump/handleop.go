package minidump

import (
	"fmt"
	"iter"
)

// An OperationType says what was done with a handle (the OPERATION_DB_* values
// of avrfsdk.h).
type OperationType uint32

// The operations that Windows records.
const (
	OperationUnused OperationType = 0
	OperationOpen   OperationType = 1
	OperationClose  OperationType = 2
	OperationBadRef OperationType = 3 // use of a value that is not an open handle
)

// String returns the word that !htrace prints, such as "OPEN".
func (t OperationType) String() string {
	switch t {
	case OperationOpen:
		return "OPEN"
	case OperationClose:
		return "CLOSE"
	case OperationBadRef:
		return "BADREF"
	}
	return fmt.Sprintf("OperationType(%d)", uint32(t))
}

// maxTraces is the number of return addresses in a record (AVRF_MAX_TRACES).
const maxTraces = 32

// A HandleOperation is one record of the handle trace
// (AVRF_HANDLE_OPERATION, 288 bytes).
type HandleOperation struct {
	Handle          uint64
	ProcessID       uint32 // of the caller: another process's id means that it put the handle here with DuplicateHandle
	ThreadID        uint32 // of the caller
	OperationType   OperationType
	Depth           uint32 // as declared; Frames clips it
	Index           uint32 // identifies the stack, or 0
	ReturnAddresses [maxTraces]VA
}

// Frames returns the return addresses that mean something, innermost first.
func (o *HandleOperation) Frames() []VA {
	n := min(o.Depth, maxTraces)
	if n == 0 {
		n = maxTraces
	}
	for i, a := range o.ReturnAddresses[:n] {
		if a == 0 {
			return o.ReturnAddresses[:i]
		}
	}
	return o.ReturnAddresses[:n]
}

// A HandleOperationList is the trace of opened and closed handles, from
// Application Verifier's Handles check or "!htrace -enable"
// (MINIDUMP_HANDLE_OPERATION_LIST). Records come in the order of the file;
// the format does not say whether that is oldest or newest first.
type HandleOperationList struct {
	SizeOfHeader    uint32 // bytes
	SizeOfEntry     uint32 // bytes
	NumberOfEntries uint32 // as declared; the file may hold fewer

	f     *File
	table table
}

// HandleOperations reads the header of the HandleOperationList. The error
// wraps [ErrNoStream] if the process was not traced.
func (f *File) HandleOperations() (*HandleOperationList, error) {
	t, err := f.exTable(HandleOperationListStream, 32, false, "handle operations")
	if err != nil {
		return nil, err
	}
	d, err := f.find(HandleOperationListStream)
	if err != nil {
		return nil, err
	}
	return &HandleOperationList{
		SizeOfHeader:    uint32(t.off - int64(d.RVA)),
		SizeOfEntry:     uint32(t.stride),
		NumberOfEntries: uint32(t.declared),
		f:               f, table: t,
	}, nil
}

// All iterates over the operations in the order of the file, reading it
// window by window. An error, yielded last, says why it ended early. The
// pointer is valid until the next step.
func (l *HandleOperationList) All() iter.Seq2[*HandleOperation, error] {
	return func(yield func(*HandleOperation, error) bool) {
		var op HandleOperation
		stopped := false
		err := l.f.until(l.table, func(c *cursor) bool {
			op.decode(c)
			stopped = !yield(&op, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// decode overwrites o with the record at c.
func (o *HandleOperation) decode(c *cursor) {
	*o = HandleOperation{
		Handle:        c.u64(),
		ProcessID:     c.u32(),
		ThreadID:      c.u32(),
		OperationType: OperationType(c.u32()),
	}
	c.skip(4)
	o.Depth, o.Index = c.u32(), c.u32()
	for i := range o.ReturnAddresses {
		if c.left() < 8 {
			break // entries shorter than today's hold fewer addresses
		}
		o.ReturnAddresses[i] = c.va()
	}
}
