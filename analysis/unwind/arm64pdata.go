package unwind

import (
	"encoding/binary"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// The unwind data of ARM64 images is documented in Microsoft's "ARM64 exception
// handling" (https://learn.microsoft.com/cpp/build/arm64-exception-handling):
// an entry of .pdata has 8 bytes, the RVA of a function and either packed unwind
// data or the RVA of a record in .xdata.

// arm64Instr is the size of an instruction in bytes; unwind data count them.
const arm64Instr = 4

// arm64Ops finds how to get from code to its caller. ok is false if the image's table
// has nothing about the code: its function has no frame, and the return address
// is in lr. The error says that this cannot be known.
func (img armImage) arm64Ops(pc minidump.VA) (ops []arm64Op, ok bool, err error) {
	rva := uint32(pc - img.table.base)
	begin, data, ok, err := img.entry(rva)
	if err != nil || !ok {
		return nil, false, err
	}
	if begin%arm64Instr != 0 {
		return nil, false, fmt.Errorf(".pdata: a function begins at %#x, between instructions", begin)
	}
	at := int((rva - begin) / arm64Instr)
	switch flag := data & 3; flag {
	case 0:
		r, err := img.arm64Record(data)
		if err != nil {
			return nil, false, err
		}
		return r.ops(at)
	case 1, 2:
		p := arm64Packed(data)
		if at >= p.bits(2, 11) {
			return nil, false, nil
		}
		ops, err := p.ops(at)
		return ops, err == nil, err
	}
	return nil, false, fmt.Errorf(".pdata: entry of the function at %#x has the reserved flag 3", begin)
}

// An arm64Record is the unwind data of a function in .xdata.
type arm64Record struct {
	img      armImage
	length   int    // of the function, in instructions
	inHeader bool   // there is one epilog, at the end of the function, and no list
	epilogs  int    // how many; the index of the codes of the only one
	scopes   uint32 // RVA of their list
	codes    []byte
}

// arm64Record reads a record.
func (img armImage) arm64Record(rva uint32) (r arm64Record, err error) {
	var word [4]byte
	next := func() uint32 {
		if err == nil {
			err = img.read(word[:], rva)
		}
		rva += 4
		return binary.LittleEndian.Uint32(word[:])
	}
	header := next()
	r.img, r.length, r.inHeader = img, int(header&(1<<18-1)), header>>21&1 != 0
	epilogs, words := header>>22&31, header>>27
	if header>>22 == 0 {
		extension := next()
		epilogs, words = extension&0xffff, extension>>16&0xff
	}
	if err != nil {
		return r, err
	}
	if version := header >> 18 & 3; version != 0 {
		return r, fmt.Errorf(".xdata: version %d is not documented", version)
	}
	r.epilogs, r.scopes = int(epilogs), rva
	if !r.inHeader {
		rva += 4 * epilogs
	}
	r.codes = make([]byte, 4*words)
	return r, img.read(r.codes, rva)
}

// ops picks the codes that undo what had been done before the instruction at. ok is
// false if the function does not reach that far.
func (r arm64Record) ops(at int) (ops []arm64Op, ok bool, err error) {
	if at >= r.length {
		return nil, false, nil
	}
	prolog := arm64Codes(r.codes, 0)
	if n := prolog.length(); at < n {
		return prolog.skip(n - at), true, prolog.err
	}
	epilog, done, err := r.epilog(at)
	if err != nil || done >= 0 {
		return epilog.skip(done), true, err
	}
	return prolog.ops, true, prolog.err
}

// epilog finds the epilog that an instruction belongs to, and how many
// instructions of it had been executed; that is negative if there is none.
func (r arm64Record) epilog(at int) (s arm64Sequence, done int, err error) {
	if r.inHeader {
		s := arm64Codes(r.codes, r.epilogs)
		if start := r.length - s.length() - 1; at >= start {
			return s, at - max(start, 0), s.err
		}
		return s, -1, nil
	}
	const step = 1024 // scopes read at once
	buf := make([]byte, 4*min(r.epilogs, step))
	for i := range r.epilogs {
		if i%step == 0 {
			buf = buf[:4*min(r.epilogs-i, step)]
			if err := r.img.read(buf, r.scopes+4*uint32(i)); err != nil {
				return s, -1, err
			}
		}
		start, index := arm64Scope(binary.LittleEndian.Uint32(buf[4*(i%step):]))
		if at < start {
			break // they stand in ascending order
		}
		s := arm64Codes(r.codes, index)
		if at <= start+s.length() {
			return s, at - start, s.err
		}
	}
	return s, -1, nil
}

// arm64Scope decodes where an epilog begins, in instructions, and its codes.
func arm64Scope(word uint32) (start, index int) { return int(word & (1<<18 - 1)), int(word >> 22) }
