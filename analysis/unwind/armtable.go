package unwind

import (
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

const armEntrySize = 8 // of .pdata on ARM and ARM64, in bytes

// An armImage is an image of ARM or ARM64 whose unwind data are read.
type armImage struct {
	code  CodeReader
	table exceptionTable
}

// read fills p with what is loaded at an RVA.
func (img armImage) read(p []byte, rva uint32) error {
	if !readFull(img.code, p, img.table.base+minidump.VA(rva)) {
		return fmt.Errorf("unwind data at %s: %w", img.table.base+minidump.VA(rva), minidump.ErrNotCaptured)
	}
	return nil
}

// entry finds the last entry of the table whose function begins at or below an
// RVA. On ARM, bit 0 of begin says that it is Thumb code.
func (img armImage) entry(rva uint32) (begin, data uint32, ok bool, err error) {
	start := uint32(img.table.start - img.table.base)
	read := func(i int) (begin, data uint32) {
		var buf [armEntrySize]byte
		if err == nil {
			err = img.read(buf[:], start+uint32(i)*armEntrySize)
		}
		return binary.LittleEndian.Uint32(buf[:]), binary.LittleEndian.Uint32(buf[4:])
	}
	i := sort.Search(img.table.count, func(i int) bool {
		begin, data := read(i)
		return begin&^1 > rva || begin == 0 && data == 0 // linkers fill up with zeros
	})
	if i == 0 || err != nil {
		return 0, 0, false, err
	}
	begin, data = read(i - 1)
	return begin, data, err == nil, err
}
