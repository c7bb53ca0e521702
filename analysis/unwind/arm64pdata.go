package unwind

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// The unwind data of ARM64 images is documented in Microsoft's "ARM64 exception
// handling" (https://learn.microsoft.com/cpp/build/arm64-exception-handling):
// an entry of .pdata has 8 bytes, the RVA of a function and either packed unwind
// data or the RVA of a record in .xdata.

// arm64Instr is the size of an instruction in bytes; unwind data count them.
const arm64Instr = 4

// An arm64Rule is what unwind data say of a place in code.
type arm64Rule struct {
	ops   []arm64Op
	frame bool        // there is an entry; without one the return address is in lr
	start minidump.VA // of the function; 0 if it is not known, as that of fragments
	err   error       // nothing can be known
}

// arm64Rule finds how to get from code to its caller.
func (img armImage) arm64Rule(pc minidump.VA) (rule arm64Rule) {
	rva := uint32(pc - img.table.base)
	e, ok, err := img.entry(rva)
	if err != nil || !ok {
		rule.err = err
		return rule
	}
	return img.arm64Entry(e, rva)
}

// arm64Entry follows an entry, whose function begins at or below an RVA.
func (img armImage) arm64Entry(e armEntry, rva uint32) (rule arm64Rule) {
	begin, data := e.begin, e.data
	if begin%arm64Instr != 0 {
		rule.err = fmt.Errorf(".pdata: a function begins at %#x, between instructions", begin)
		return rule
	}
	at := int((rva - begin) / arm64Instr)
	fragment := data&3 == 2
	switch flag := data & 3; flag {
	case 0:
		r, err := img.arm64Record(data)
		if err != nil {
			rule.err = err
			return rule
		}
		rule.ops, rule.frame, rule.err = r.ops(at)
		fragment = slices.ContainsFunc(arm64Codes(r.codes, 0).ops, func(op arm64Op) bool { return op.kind == arm64EndC })
	case 1, 2:
		p := arm64Packed(data)
		if rule.frame = at < p.bits(2, 11); rule.frame {
			rule.ops, rule.err = p.ops(at)
		}
	default:
		rule.err = fmt.Errorf(".pdata: entry of the function at %#x has the reserved flag 3", begin)
	}
	if rule.frame && !fragment {
		rule.start = img.table.base + minidump.VA(begin)
	}
	return rule
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
