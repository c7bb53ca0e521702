package unwind

import (
	"encoding/binary"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// The unwind data of 32-bit ARM are documented in Microsoft's "ARM exception
// handling" (https://learn.microsoft.com/cpp/build/arm-exception-handling). They
// are like those of ARM64, for Thumb code whose instructions have two or four bytes.

// An arm32Rule is what unwind data say of a place in code.
type arm32Rule struct {
	ops   []arm32Op   // none where the return address is in lr
	start minidump.VA // of the function; 0 if it is not known, as that of fragments
	err   error       // nothing can be known
}

// arm32Rule finds how to get from code to its caller.
func (img armImage) arm32Rule(pc minidump.VA) (rule arm32Rule) {
	rva := uint32(pc - img.table.base)
	e, ok, err := img.entry(rva)
	if err != nil || !ok {
		rule.err = err
		return rule
	}
	return img.arm32Entry(e, rva)
}

// arm32Entry follows an entry, whose function begins at or below an RVA.
func (img armImage) arm32Entry(e armEntry, rva uint32) (rule arm32Rule) {
	begin, data := e.begin, e.data
	begin &^= 1
	at := int(rva - begin)
	length, fragment := 2*arm32Packed(data).bits(2, 11), data&3 == 2
	switch flag := data & 3; flag {
	case 0:
		var r arm32Record
		if r, rule.err = img.arm32Record(data); rule.err == nil {
			rule.ops, rule.err = r.ops(at)
		}
		length, fragment = r.length, r.fragment
	case 1, 2:
		if at < length {
			rule.ops, rule.err = arm32Packed(data).ops(at)
		}
	default:
		rule.err = fmt.Errorf(".pdata: entry of the function at %#x has the reserved flag 3", begin)
	}
	if at < length && !fragment && rule.err == nil {
		rule.start = img.table.base + minidump.VA(begin)
	}
	return rule
}

// An arm32Record is the unwind data of a function in .xdata.
type arm32Record struct {
	img      armImage
	length   int    // of the function, in bytes
	fragment bool   // there is no prolog
	inHeader bool   // there is one epilog, at the end of the function, and no list
	epilogs  int    // how many; the index of the codes of the only one
	scopes   uint32 // RVA of their list
	codes    []byte
}

// arm32Record reads a record.
func (img armImage) arm32Record(rva uint32) (r arm32Record, err error) {
	var word [4]byte
	next := func() uint32 {
		if err == nil {
			err = img.read(word[:], rva)
		}
		rva += 4
		return binary.LittleEndian.Uint32(word[:])
	}
	header := next()
	r.img, r.length = img, 2*int(header&(1<<18-1))
	r.inHeader, r.fragment = header>>21&1 != 0, header>>22&1 != 0
	epilogs, words := header>>23&31, header>>28
	if header>>23 == 0 {
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

// ops picks the codes that undo what had been done before the byte at.
func (r arm32Record) ops(at int) ([]arm32Op, error) {
	if at >= r.length {
		return nil, nil
	}
	prolog := arm32Codes(r.codes, 0)
	if n := prolog.length(); at < n && !r.fragment {
		return prolog.skip(n - at), prolog.err
	}
	epilog, done, err := r.epilog(at)
	if err != nil || done >= 0 {
		return epilog.skip(done), err
	}
	return prolog.ops, prolog.err
}

// epilog finds the epilog that an instruction belongs to, and how many bytes of it
// had been executed; that is negative if there is none. An epilog that depends
// on a condition is taken to be executed.
func (r arm32Record) epilog(at int) (s arm32Sequence, done int, err error) {
	if r.inHeader {
		s := arm32Codes(r.codes, r.epilogs)
		if start := r.length - s.length() - s.end; at >= start {
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
		start, index := arm32Scope(binary.LittleEndian.Uint32(buf[4*(i%step):]))
		if at < start {
			break // they stand in ascending order
		}
		s := arm32Codes(r.codes, index)
		if at < start+s.length()+s.end {
			return s, at - start, s.err
		}
	}
	return s, -1, nil
}

// arm32Scope decodes where an epilog begins, in bytes, and its codes.
func arm32Scope(word uint32) (start, index int) { return 2 * int(word&(1<<18-1)), int(word >> 24) }
