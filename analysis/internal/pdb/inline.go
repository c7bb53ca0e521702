package pdb

import (
	"cmp"
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// site is one inlined call: the code of a function that comes from another one.
type site struct {
	inlinee uint32 // id of the function that is called
	outer   int    // index of the call that this one is within; -1 for none
	first   int    // of its rows in those of the function
	end     int
	from    uint32 // where the first of its code begins
	to      uint32 // where the last of its code ends
}

// row is a piece of code, by its offset in the function, and its line in the function that is called.
type row struct {
	start, end uint32
	place
}

// at returns the line of a call at an offset.
func (f *function) at(s site, off uint32) (place, bool) {
	for _, r := range f.rows[s.first:s.end] {
		if off >= r.start && off < r.end {
			return r.place, true
		}
	}
	return place{}, false
}

// inlineeLine is where an inlined function is declared: the base that the annotations of a site count from.
type inlineeLine struct {
	inlinee uint32
	place
}

// siteAt returns the index of the innermost call at an offset, or -1: the first one that covers it, or of the calls that
// this one made in turn the first that does, and so on. What made the call need not cover the offset itself: LLVM gives
// no range to code without a line, whatever was inlined into it. From low on to high, excluded, no row begins or ends.
func (f *function) siteAt(off uint32) (found int, low, high uint32) {
	found, high = -1, math.MaxUint32
	edge := func(at uint32) bool {
		if at > off {
			high = min(high, at)
			return false
		}
		low = max(low, at)
		return true
	}
	for i := range f.sites {
		s := &f.sites[i]
		if !edge(s.from) || edge(s.to) {
			continue
		}
		covers := false
		for _, r := range f.rows[s.first:s.end] {
			if edge(r.start) && !edge(r.end) {
				covers = true
			}
		}
		if covers && (found < 0 || f.within(i, found)) {
			found = i
		}
	}
	return found, low, high
}

// within reports whether a call was made, directly or not, by the call caller.
func (f *function) within(call, caller int) bool {
	for call > caller { // callers stand before what they call
		call = f.sites[call].outer
	}
	return call == caller
}

// readSites decodes the inlined calls of a function from the records behind its own. Scopes nest; the walk keeps its
// place in a list, not by calling itself.
func (f *function) readSites(w *window) error {
	open := []int{-1} // of each scope, the innermost call that it is in
	for len(open) > 0 && w.left() >= recordHead {
		r, err := w.record()
		if err != nil {
			return err
		}
		switch inner := open[len(open)-1]; {
		case r.closes():
			open = open[:len(open)-1]
		case r.kind == symInlineSite || r.kind == symInlineSite2:
			if err := f.readSite(r, inner); err != nil {
				return err
			}
			open = append(open, len(f.sites)-1)
		case r.opens():
			open = append(open, inner)
		}
	}
	return nil
}

// readSite decodes an S_INLINESITE record, of a call within the call outer.
func (f *function) readSite(r record, outer int) error {
	c := &r.body
	c.Skip(8) // offsets of related records: parent, end
	s := site{inlinee: c.U32(), outer: outer, first: len(f.rows)}
	if r.kind == symInlineSite2 {
		c.Skip(4) // invocations
	}
	if c.Err() != nil {
		return c.Err()
	}
	t, err := f.m.tables()
	if err != nil {
		return err
	}
	lines, err := t.inlineeLines()
	if err != nil {
		return err
	}
	var base place // zero when the module does not say
	i, ok := slices.BinarySearchFunc(lines, s.inlinee, func(l inlineeLine, id uint32) int { return cmp.Compare(l.inlinee, id) })
	if ok {
		base = lines[i].place
	}
	f.rows = annotated(f.rows, c, base)
	s.end = len(f.rows)
	for i, r := range f.rows[s.first:s.end] {
		if i == 0 || r.start < s.from {
			s.from = r.start
		}
		s.to = max(s.to, r.end)
	}
	f.sites = append(f.sites, s)
	return nil
}

// readInlineeLines reads the DEBUG_S_INLINEELINES subsections.
func (m *module) readInlineeLines(parts []extent) (out []inlineeLine, err error) {
	const extraFiles = 1 // CV_INLINEE_SOURCE_LINE_SIGNATURE_EX
	for _, part := range parts {
		sig, err := m.s.u32(part.off)
		if err != nil {
			return nil, err
		}
		err = m.eachPart([]extent{{part.off + 4, part.end}}, func(c *bounded.Cursor) {
			out = append(out, inlineeLine{c.U32(), place{c.U32(), c.U32()}})
			if sig == extraFiles {
				c.Skip(4 * int(min(c.U32(), 1<<28)))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	byID := func(a, b inlineeLine) int { return cmp.Compare(a.inlinee, b.inlinee) }
	if !slices.IsSortedFunc(out, byID) {
		slices.SortStableFunc(out, byID)
	}
	return out, nil
}

// Opcodes of binary annotations (BinaryAnnotationOpcode).
const (
	annotEnd                       = 0
	annotCodeOffset                = 1
	annotChangeCodeOffsetBase      = 2
	annotChangeCodeOffset          = 3
	annotChangeCodeLength          = 4
	annotChangeFile                = 5
	annotChangeLineOffset          = 6
	annotChangeCodeOffsetAndLine   = 11
	annotChangeCodeLengthAndOffset = 12
)

// annotated runs the binary annotations of an inline site, a little program that draws a table of code ranges and
// lines, and adds it to rows. Code offsets count from the start of the function.
func annotated(rows []row, c *bounded.Cursor, at place) []row {
	var code uint32 // where the program is
	var next row    // the row that is being drawn
	open := false
	closeAt := func(end uint32) {
		if next.end = end; open && end > next.start {
			rows = append(rows, next)
		}
		open = false
	}
	for {
		op, ok := compressed(c)
		if !ok || op == annotEnd {
			return rows
		}
		arg, ok := compressed(c)
		if !ok {
			return rows
		}
		switch op {
		case annotCodeOffset, annotChangeCodeOffset, annotChangeCodeOffsetAndLine:
			if op == annotChangeCodeOffsetAndLine {
				at.line += uint32(signed(arg >> 4))
				arg &= 15
			}
			code += arg
			closeAt(code)
			next, open = row{start: code, place: at}, true
		case annotChangeCodeLength:
			code += arg
			closeAt(code)
		case annotChangeCodeLengthAndOffset:
			delta, _ := compressed(c)
			code += delta
			closeAt(code)
			if code+arg > code {
				rows = append(rows, row{code, code + arg, at})
			}
		case annotChangeCodeOffsetBase:
			code = arg
		case annotChangeFile:
			at.file = arg
		case annotChangeLineOffset:
			at.line += uint32(signed(arg))
		}
	}
}

// compressed reads an unsigned number of one, two or four bytes (CVUncompressData).
func compressed(c *bounded.Cursor) (uint32, bool) {
	if c.Left() == 0 {
		return 0, false // the end of most programs; no error is made of it
	}
	b := uint32(c.U8())
	switch {
	case b&0x80 == 0:
	case b&0xc0 == 0x80:
		b = b&0x3f<<8 | uint32(c.U8())
	case b&0xe0 == 0xc0:
		b = b&0x1f<<24 | uint32(c.U8())<<16 | uint32(c.U8())<<8 | uint32(c.U8())
	default:
		return 0, false
	}
	return b, c.Err() == nil
}

// signed turns a number around its sign, which is kept in the lowest bit.
func signed(n uint32) int32 {
	if n&1 != 0 {
		return -int32(n >> 1)
	}
	return int32(n >> 1)
}
