package dumptest

import (
	"bufio"
	"iter"
	"slices"
)

// Operation types of [HandleOperation].
const (
	OperationOpen   = 1
	OperationClose  = 2
	OperationBadRef = 3
)

// HandleOperation is an AVRF_HANDLE_OPERATION of 288 bytes, the same on 32- and
// 64-bit systems.
type HandleOperation struct {
	Handle    uint64
	ProcessID uint32
	ThreadID  uint32
	Type      uint32   // OperationOpen, …
	Stack     []uint64 // return addresses, innermost first; at most 32
	Index     uint32   // BackTrace.Index
	Depth     *uint32  // BackTrace.Depth; nil means the length of Stack
}

// HandleOperationList is a MINIDUMP_HANDLE_OPERATION_LIST. Its order is the
// order in the file; writers differ on whether the newest comes first.
type HandleOperationList struct {
	Operations []HandleOperation
	// Each is used when Operations is nil; see [HandleData.Each].
	Each      iter.Seq[HandleOperation]
	EntrySize int // 0 means 288
}

const operationSize = 288

func (l *HandleOperationList) place(p *plan) (int64, int64) {
	each := l.Each
	if l.Operations != nil || each == nil {
		each = slices.Values(l.Operations)
	}
	entry := or(l.EntrySize, operationSize)
	count := 0
	for op := range each {
		if len(op.Stack) > 32 {
			p.fail("handle operation %d has %d return addresses; there is room for 32", count, len(op.Stack))
			return 0, 0
		}
		if p.anchors != nil {
			p.mark(p.end+16+int64(count)*int64(entry), "HandleOperationList[%d]", count)
		}
		count++
	}
	padding := p.padding
	start, size := p.end, 16+int64(count)*int64(entry)
	p.generate(size, func(w *bufio.Writer) error {
		var b bytesOf
		b.u32(16)
		b.u32(uint32(entry))
		b.u32(uint32(count))
		b.u32(0) // Reserved
		if _, err := w.Write(b); err != nil {
			return err
		}
		for op := range each {
			b = b[:0]
			op.append(&b)
			if _, err := w.Write(fit(b, entry, padding)); err != nil {
				return err
			}
		}
		return nil
	})
	return start, size
}

func (op HandleOperation) append(b *bytesOf) {
	depth := uint32(len(op.Stack))
	if op.Depth != nil {
		depth = *op.Depth
	}
	b.u64(op.Handle)
	b.u32(op.ProcessID)
	b.u32(op.ThreadID)
	b.u32(op.Type)
	b.u32(0) // Spare0
	b.u32(depth)
	b.u32(op.Index)
	for i := range 32 {
		if i < len(op.Stack) {
			b.u64(op.Stack[i])
		} else {
			b.u64(0)
		}
	}
}
