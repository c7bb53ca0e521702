package pdb

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

const (
	linesHeaderSize = 12 // CV_DebugSLinesHeader_t
	lineSize        = 8  // CV_Line_t
	columnSize      = 4  // CV_Column_t
	linesHaveColumn = 1  // CV_LINES_HAVE_COLUMNS

	// Line numbers that stand for code without a line: step into it always, or never.
	lineAlwaysStepInto = 0xfeefee
	lineNeverStepInto  = 0xf00f00
)

// place is a line of a source file, the file as its offset in the file checksums.
type place struct{ file, line uint32 }

// lineTable holds the lines of a function, by their place in it.
type lineTable struct {
	item
	m       *module
	entries []lineEntry
}

type lineEntry struct {
	off uint32 // in the function
	place
}

// lineAt finds the line of an address: the last entry at or before it, in whichever of the files that contributed to
// the function.
func (m *module) lineAt(a address) (place, bool, error) {
	t := m.f.lastLines.Load()
	if t == nil || t.m != m || !t.covers(a) {
		all, err := m.tables()
		if err != nil {
			return place{}, false, err
		}
		it, ok := all.lines.find(a)
		if !ok {
			return place{}, false, nil
		}
		if t, err = m.readLines(it); err != nil {
			return place{}, false, err
		}
		m.f.lastLines.Store(t)
	}
	want := a.off - t.origin().off
	i := sort.Search(len(t.entries), func(i int) bool { return t.entries[i].off > want }) - 1
	// Entries for one offset: a function whose first line makes no code. Its opening line is what its start is
	// called, every later address has the last.
	for i > 0 && t.entries[i].off == want && t.entries[i-1].off == want {
		i--
	}
	if i < 0 || t.entries[i].line == lineAlwaysStepInto || t.entries[i].line == lineNeverStepInto {
		return place{}, false, nil
	}
	return t.entries[i].place, true, nil
}

// readLines decodes a DEBUG_S_LINES subsection.
func (m *module) readLines(it item) (*lineTable, error) {
	c, err := m.s.cursor(int64(it.off), int64(it.size))
	if err != nil {
		return nil, err
	}
	c.Skip(6) // offset, section
	perLine := lineSize
	if c.U16()&linesHaveColumn != 0 {
		perLine += columnSize
	}
	c.Skip(4) // size
	t := &lineTable{item: it, m: m}
	for c.Left() > 0 && c.Err() == nil {
		file, count := c.U32(), int64(c.U32())
		c.Skip(4) // size of this block
		left := int64(c.Left())
		if count*int64(perLine) > left {
			return nil, m.s.fail(c.Off(), "%d lines in %d bytes", count, left)
		}
		t.entries = slices.Grow(t.entries, int(count))
		entries := c.Take(int(count) * lineSize)
		c.Skip(int(count) * (perLine - lineSize)) // columns
		for ; len(entries) > 0; entries = entries[lineSize:] {
			line := binary.LittleEndian.Uint32(entries[4:]) & 0xffffff
			t.entries = append(t.entries, lineEntry{binary.LittleEndian.Uint32(entries), place{file, line}})
		}
	}
	byOffset := func(a, b lineEntry) int { return cmp.Compare(a.off, b.off) }
	if !slices.IsSortedFunc(t.entries, byOffset) {
		slices.SortStableFunc(t.entries, byOffset)
	}
	return t, c.Err()
}

// sourceFile returns the name of a file of a module's checksum table, "" when the PDB has no table of names.
func (m *module) sourceFile(file uint32) (string, error) {
	if m.f.namesStream < 0 {
		return "", nil
	}
	t, err := m.tables()
	if err != nil {
		return "", err
	}
	at := t.checksums.off + int64(file)
	if at+4 > t.checksums.end {
		return "", m.s.fail(at, "file checksum outside the table")
	}
	off, err := m.s.u32(at)
	if err != nil {
		return "", err
	}
	name, err := m.f.fileName(off)
	return name.text, err
}

// fileName returns a name from the /names stream.
func (f *File) fileName(off uint32) (named, error) {
	return f.fileNames.get(off, func(off uint32) (named, error) {
		s, err := f.names()
		if err != nil {
			return named{}, err
		}
		const header = 12 // signature, version of the hash, bytes of strings
		size, err := s.u32(8)
		if err != nil {
			return named{}, err
		}
		name, err := s.cstring(header+int64(off), min(header+int64(size), s.size))
		return named{name, int64(len(name))}, err
	})
}
