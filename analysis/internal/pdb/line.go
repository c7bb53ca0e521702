package pdb

import "encoding/binary"

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

// lineAt finds the line of an address: the last entry at or before it, in whichever of the files that contributed to
// the function.
func (m *module) lineAt(a address) (place, bool, error) {
	if err := m.tables(); err != nil {
		return place{}, false, err
	}
	table, ok, err := m.lines.find(a)
	if err != nil || !ok {
		return place{}, false, err
	}
	want := a.off - table.start.off
	c, err := m.s.cursor(int64(table.off), int64(table.size))
	if err != nil {
		return place{}, false, err
	}
	c.Skip(6) // offset, section
	perLine := lineSize
	if c.U16()&linesHaveColumn != 0 {
		perLine += columnSize
	}
	c.Skip(4) // size
	var best place
	var bestOff uint32
	found := false
	for c.Left() > 0 && c.Err() == nil {
		file, count := c.U32(), int64(c.U32())
		c.Skip(4) // size of this block
		left := int64(c.Left())
		if count*int64(perLine) > left {
			return place{}, false, m.s.fail(c.Off(), "%d lines in %d bytes", count, left)
		}
		entries := c.Take(int(count) * lineSize)
		c.Skip(int(count) * (perLine - lineSize)) // columns
		for ; len(entries) > 0; entries = entries[lineSize:] {
			off := binary.LittleEndian.Uint32(entries)
			// Entries for one offset: a function whose first line makes no code. Its opening line is what its
			// start is called, every later address has the last.
			if off > want || found && (off < bestOff || off == bestOff && off == want) {
				continue
			}
			bestOff, found = off, true
			best = place{file, binary.LittleEndian.Uint32(entries[4:]) & 0xffffff}
		}
	}
	if best.line == lineAlwaysStepInto || best.line == lineNeverStepInto {
		found = false
	}
	return best, found, c.Err()
}

// nameOf returns the offset in /names that a file of the checksum table has.
func (m *module) nameOf(file uint32) (uint32, error) {
	at := m.checksums.off + int64(file)
	if at+4 > m.checksums.end {
		return 0, m.s.fail(at, "file checksum outside the table")
	}
	return m.s.u32(at)
}

// fileName reads a source file's name from the /names stream.
func (f *File) fileName(off uint32) (string, error) {
	s, err := f.msf.stream(f.namesStream, "/names")
	if err != nil {
		return "", err
	}
	const header = 12 // signature, version of the hash, bytes of strings
	size, err := s.u32(8)
	if err != nil {
		return "", err
	}
	return s.cstring(header+int64(off), min(header+int64(size), s.size))
}
