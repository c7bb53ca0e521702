package minidump

import (
	"encoding/binary"
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

// MaxTraces is the number of return addresses that a record has room for
// (AVRF_MAX_TRACES).
const MaxTraces = 32

// A HandleOperation is one record of the handle trace
// (AVRF_HANDLE_OPERATION, 288 bytes).
type HandleOperation struct {
	Handle          uint64
	ProcessID       uint32 // of the caller: another process's id means that it put the handle here with DuplicateHandle
	ThreadID        uint32 // of the caller
	OperationType   OperationType
	Depth           uint32        // frames of the stack, as declared; Frames clips it
	Index           uint32        // identifies the stack, or 0
	ReturnAddresses [MaxTraces]VA // innermost first; zero beyond Depth, whatever the file has there; see Frames
}

// Frames returns the return addresses that mean something, innermost first: at
// most 32, which is [MaxTraces], and none from the first that is zero. With a
// Depth of 0, which some writers leave, it is only the zero that ends them. They
// are part of o.
func (o *HandleOperation) Frames() []VA {
	n := min(o.Depth, MaxTraces)
	if n == 0 {
		n = MaxTraces
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
	return &HandleOperationList{
		SizeOfHeader:    t.header,
		SizeOfEntry:     uint32(t.stride),
		NumberOfEntries: uint32(t.declared),
		f:               f, table: t,
	}, nil
}

// Len returns how many of the declared operations are in the file, with an
// error if that is not all of them. The iterators make just so many steps.
func (l *HandleOperationList) Len() (int, error) { return l.table.len(l.f.size) }

// All iterates over the operations in the order of the file, reading it
// window by window. Every step is an operation, so that there are
// [HandleOperationList.Len] steps; one that could not be read is zero and comes
// with an error that wraps [ErrUnreadable]. The pointer is never nil, and valid
// until the next step.
func (l *HandleOperationList) All() iter.Seq2[*HandleOperation, error] {
	return l.operations(l.table)
}

// Range is All for the operations from the start-th up to, not including, the
// end-th, counted from 0, so that several readers can share a long trace. It
// keeps within Len.
func (l *HandleOperationList) Range(start, end int) iter.Seq2[*HandleOperation, error] {
	return l.operations(l.table.part(start, end, l.f.size))
}

func (l *HandleOperationList) operations(t table) iter.Seq2[*HandleOperation, error] {
	return steps(l.f, t, func() func(record []byte, o *HandleOperation) error { return decodeOperation })
}

// operationSize is the size of a whole record, which is decoded without asking
// for each of its 40 values whether it is there: traces are long.
const operationSize = 32 + 8*MaxTraces

// decodeOperation overwrites o with a record.
func decodeOperation(record []byte, o *HandleOperation) error {
	if len(record) < operationSize { // entries shorter than today's hold fewer addresses
		var whole [operationSize]byte
		copy(whole[:], record)
		record = whole[:]
	}
	b := (*[operationSize]byte)(record)
	o.Handle = binary.LittleEndian.Uint64(b[0:])
	o.ProcessID = binary.LittleEndian.Uint32(b[8:])
	o.ThreadID = binary.LittleEndian.Uint32(b[12:])
	o.OperationType = OperationType(binary.LittleEndian.Uint32(b[16:]))
	o.Depth = binary.LittleEndian.Uint32(b[24:])
	o.Index = binary.LittleEndian.Uint32(b[28:])
	n := MaxTraces
	if o.Depth > 0 && o.Depth < MaxTraces {
		n = int(o.Depth)
	}
	a := b[32:]
	for i := range o.ReturnAddresses[:n] {
		o.ReturnAddresses[i] = VA(binary.LittleEndian.Uint64(a[8*i:]))
	}
	clear(o.ReturnAddresses[n:])
	return nil
}
