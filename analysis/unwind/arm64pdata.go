package unwind

import (
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

// The unwind data of ARM64 images is documented in Microsoft's "ARM64 exception
// handling" (https://learn.microsoft.com/cpp/build/arm64-exception-handling):
// an entry of .pdata has 8 bytes, the RVA of a function and either packed unwind
// data or the RVA of a record in .xdata.

// arm64Instr is the size of an instruction in bytes; unwind data count them.
const arm64Instr = 4

const arm64EntrySize = 8 // of .pdata, in bytes

// An arm64Image is an image whose unwind data are read.
type arm64Image struct {
	code  CodeReader
	table exceptionTable
}

// read fills p with what is loaded at an RVA.
func (img arm64Image) read(p []byte, rva uint32) error {
	if !readFull(img.code, p, img.table.base+minidump.VA(rva)) {
		return fmt.Errorf("unwind data at %s: %w", img.table.base+minidump.VA(rva), minidump.ErrNotCaptured)
	}
	return nil
}

// entry finds the last entry of the table whose function begins at or below an
// RVA.
func (img arm64Image) entry(rva uint32) (begin, data uint32, ok bool, err error) {
	start := uint32(img.table.start - img.table.base)
	read := func(i int) (begin, data uint32) {
		var buf [arm64EntrySize]byte
		if err == nil {
			err = img.read(buf[:], start+uint32(i)*arm64EntrySize)
		}
		return binary.LittleEndian.Uint32(buf[:]), binary.LittleEndian.Uint32(buf[4:])
	}
	i := sort.Search(img.table.count, func(i int) bool {
		begin, data := read(i)
		return begin > rva || begin == 0 && data == 0 // linkers fill up with zeros
	})
	if i == 0 || err != nil {
		return 0, 0, false, err
	}
	begin, data = read(i - 1)
	return begin, data, err == nil, err
}

// rule finds how to get from code to its caller. ok is false if the image's table
// has nothing about the code: its function has no frame, and the return address
// is in lr. The error says that this cannot be known.
func (img arm64Image) rule(pc minidump.VA) (ops []arm64Op, ok bool, err error) {
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
		return img.full(data, at)
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

// full reads the record in .xdata of a function, and picks the unwind
// codes that undo what had been done before the instruction at.
func (img arm64Image) full(rva uint32, at int) (ops []arm64Op, ok bool, err error) {
	var word [4]byte
	next := func() uint32 {
		if err == nil {
			err = img.read(word[:], rva)
		}
		rva += 4
		return binary.LittleEndian.Uint32(word[:])
	}
	header := next()
	length := int(header & (1<<18 - 1))
	inHeader := header>>21&1 != 0
	epilogs, size := int(header>>22&31), 4*int(header>>27)
	if header>>22 == 0 {
		extension := next()
		epilogs, size = int(extension&0xffff), 4*int(extension>>16&0xff)
	}
	switch version := header >> 18 & 3; {
	case err != nil:
		return nil, false, err
	case at >= length:
		return nil, false, nil
	case version != 0:
		return nil, false, fmt.Errorf(".xdata: version %d is not documented", version)
	}
	scopes := rva
	if !inHeader {
		rva += 4 * uint32(epilogs)
	}
	codes := make([]byte, size)
	if err := img.read(codes, rva); err != nil {
		return nil, false, err
	}
	prolog := arm64Codes(codes, 0)
	if n := prolog.length(); at < n {
		return prolog.skip(n - at), true, prolog.err
	}
	epilog, done, err := img.epilog(codes, scopes, epilogs, inHeader, length, at)
	if err != nil || done >= 0 {
		return epilog.skip(done), true, err
	}
	return prolog.ops, true, prolog.err
}

// epilog finds the epilog that an instruction belongs to, and how many
// instructions of it had been executed; that is negative if there is none.
func (img arm64Image) epilog(codes []byte, scopes uint32, n int, inHeader bool, length, at int) (arm64Sequence, int, error) {
	if inHeader {
		s := arm64Codes(codes, n)
		if start := length - s.length() - 1; at >= start {
			return s, at - max(start, 0), s.err
		}
		return arm64Sequence{}, -1, nil
	}
	const step = 1024 // scopes read at once
	buf := make([]byte, 4*min(n, step))
	for i := range n {
		if i%step == 0 {
			buf = buf[:4*min(n-i, step)]
			if err := img.read(buf, scopes+4*uint32(i)); err != nil {
				return arm64Sequence{}, -1, err
			}
		}
		scope := binary.LittleEndian.Uint32(buf[4*(i%step):])
		start := int(scope & (1<<18 - 1))
		if at < start {
			break // they stand in ascending order
		}
		s := arm64Codes(codes, int(scope>>22))
		if at <= start+s.length() {
			return s, at - start, s.err
		}
	}
	return arm64Sequence{}, -1, nil
}
