package analysis

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/minidump"
)

// NestedExceptions returns the exceptions within an exception, the outer ones
// first: those whose records in the memory of the process its ExceptionRecord
// leads to (EXCEPTION_RECORD32 and 64 of winnt.h). pointerSize is that of the
// process. The error wraps [minidump.ErrNotCaptured] if the dump does not hold
// one; a record that leads back to an earlier one ends the list.
func NestedExceptions(memory *minidump.Memory, e *minidump.Exception, pointerSize int) ([]minidump.Exception, error) {
	var nested []minidump.Exception
	seen := map[minidump.VA]bool{0: true}
	for addr := e.ExceptionRecord; !seen[addr]; {
		seen[addr] = true
		record, err := readExceptionRecord(memory, addr, pointerSize)
		if err != nil {
			return nested, err
		}
		nested = append(nested, *record)
		addr = record.ExceptionRecord
	}
	return nested, nil
}

// readExceptionRecord reads one record. Parameters that were not captured are
// left out.
func readExceptionRecord(memory *minidump.Memory, addr minidump.VA, ptr int) (*minidump.Exception, error) {
	const maxParameters = 15
	head := 8 + 3*ptr // code, flags, record, address, and the number in a pointer's place
	buf := make([]byte, head+maxParameters*ptr)
	n, err := memory.ReadAt(buf, addr)
	if n < head {
		return nil, err
	}
	word := func(at int) uint64 {
		if ptr == 4 {
			return uint64(binary.LittleEndian.Uint32(buf[at:]))
		}
		return binary.LittleEndian.Uint64(buf[at:])
	}
	e := &minidump.Exception{
		ExceptionCode:    minidump.ExceptionCode(binary.LittleEndian.Uint32(buf)),
		ExceptionFlags:   binary.LittleEndian.Uint32(buf[4:]),
		ExceptionRecord:  minidump.VA(word(8)),
		ExceptionAddress: minidump.VA(word(8 + ptr)),
		NumberParameters: binary.LittleEndian.Uint32(buf[8+2*ptr:]),
	}
	for at := head; at+ptr <= n && len(e.ExceptionInformation) < int(min(e.NumberParameters, maxParameters)); at += ptr {
		e.ExceptionInformation = append(e.ExceptionInformation, word(at))
	}
	return e, nil
}
