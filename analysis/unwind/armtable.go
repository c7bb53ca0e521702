package unwind

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/analysis/symbol"
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
func (img armImage) entry(rva uint32) (e armEntry, ok bool, err error) {
	start := uint32(img.table.start - img.table.base)
	read := func(i int) armEntry {
		var buf [armEntrySize]byte
		if err == nil {
			err = img.read(buf[:], start+uint32(i)*armEntrySize)
		}
		return armEntry{binary.LittleEndian.Uint32(buf[:]), binary.LittleEndian.Uint32(buf[4:])}
	}
	i := sort.Search(img.table.count, func(i int) bool {
		e := read(i)
		return e.begin&^1 > rva || e == armEntry{} // linkers fill up with zeros
	})
	if i == 0 || err != nil {
		return e, false, err
	}
	e = read(i - 1)
	return e, err == nil, err
}

// An armEntry is an entry of a table of functions.
type armEntry struct{ begin, data uint32 }

// armDynamics are the function tables in use of code made at run time, by that code.
type armDynamics map[codeRange]armDynamic

// An armDynamic is the entries of such a table, by ascending address. They are as
// many as the file holds.
type armDynamic struct {
	base    minidump.VA
	entries []armEntry
}

// find searches the last entry whose function begins at or below an address. ok is
// false if there is none, known if there is no table that could have it.
func (d armDynamics) find(runtime *symbol.RuntimeCode, addr minidump.VA) (base minidump.VA, e armEntry, ok, known bool) {
	t, size := runtime.Table(addr)
	if t == nil {
		return 0, e, false, false
	}
	code := codeRange{t.MinimumAddress, t.MaximumAddress - 1}
	table, ok := d[code]
	if !ok {
		table = readArmDynamic(t, size)
		d[code] = table
	}
	rva := uint64(addr - table.base)
	if len(table.entries) == 0 || rva > 1<<32-1 {
		return 0, e, false, false
	}
	i := sort.Search(len(table.entries), func(i int) bool { return table.entries[i].begin&^1 > uint32(rva) })
	if i == 0 {
		return 0, e, false, true
	}
	return table.base, table.entries[i-1], true, true
}

// readArmDynamic reads the entries, each of size bytes. What cannot be read is left
// out.
func readArmDynamic(t *minidump.FunctionTable, size int) armDynamic {
	table := armDynamic{base: t.BaseAddress}
	if size != armEntrySize {
		return table // entries of another processor
	}
	r := bufio.NewReader(t.Entries)
	var buf [armEntrySize]byte
	for {
		if _, err := io.ReadFull(r, buf[:]); err != nil {
			break
		}
		table.entries = append(table.entries, armEntry{binary.LittleEndian.Uint32(buf[:]), binary.LittleEndian.Uint32(buf[4:])})
	}
	slices.SortStableFunc(table.entries, func(a, b armEntry) int { return cmp.Compare(a.begin, b.begin) })
	return table
}
