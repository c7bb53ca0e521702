package pdb

import (
	"cmp"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// site is one inlined call at an address.
type site struct {
	inlinee uint32 // id in the IPI stream
	place
}

// inlineeLine is where an inlined function is declared: the base that the annotations of a site count from.
type inlineeLine struct {
	inlinee uint32
	place
}

// inlineSites finds the inlined calls at offset off of a function, outermost first. Scopes nest; the walk keeps its
// place by counting, not by calling itself.
func (m *module) inlineSites(p item, off uint32) ([]site, error) {
	w := m.s.window(int64(p.off), m.symbolsEnd)
	if _, err := w.record(); err != nil {
		return nil, err
	}
	var sites []site
	// The innermost site found is open until the depth falls below inside. Inside other sites nothing is looked for.
	depth, inside, outside := 1, 0, 0
	for depth > 0 && w.left() >= 4 {
		r, err := w.record()
		if err != nil {
			return nil, err
		}
		switch {
		case r.closes():
			depth--
			if outside > depth {
				outside = 0
			}
			if inside > depth {
				return sites, nil // its callers' other calls are elsewhere
			}
		case r.opens():
			depth++
			if r.kind != symInlineSite && r.kind != symInlineSite2 || outside > 0 {
				continue
			}
			s, ok, err := m.siteAt(r, off)
			if err != nil {
				return nil, err
			}
			if ok {
				sites, inside = append(sites, s), depth
			} else {
				outside = depth
			}
		}
	}
	return sites, nil
}

// siteAt decodes an S_INLINESITE record and reports whether, and with which line, it covers offset off of its function.
func (m *module) siteAt(r record, off uint32) (site, bool, error) {
	c := r.body
	c.Skip(8) // offsets of related records: parent, end
	s := site{inlinee: c.U32()}
	if r.kind == symInlineSite2 {
		c.Skip(4) // invocations
	}
	if c.Err() != nil {
		return site{}, false, c.Err()
	}
	base, err := m.inlineeLine(s.inlinee)
	if err != nil {
		return site{}, false, err
	}
	var ok bool
	s.place, ok = annotated(c, base, off)
	return s, ok, nil
}

// inlineeLine returns the declaration of an inlinee; zero when the module does not say.
func (m *module) inlineeLine(id uint32) (place, error) {
	m.inlineeOnce.Do(func() { m.inlineeLines, m.inlineeErr = m.readInlineeLines() })
	i, ok := slices.BinarySearchFunc(m.inlineeLines, id, func(l inlineeLine, id uint32) int { return cmp.Compare(l.inlinee, id) })
	if !ok {
		return place{}, m.inlineeErr
	}
	return m.inlineeLines[i].place, m.inlineeErr
}

// readInlineeLines reads the DEBUG_S_INLINEELINES subsections.
func (m *module) readInlineeLines() ([]inlineeLine, error) {
	var out []inlineeLine
	for _, part := range m.inlinees {
		c, err := m.s.cursor(part.off, part.end-part.off)
		if err != nil {
			return nil, err
		}
		const extraFiles = 1 // CV_INLINEE_SOURCE_LINE_SIGNATURE_EX
		sig := c.U32()
		for c.Left() > 0 && c.Err() == nil {
			out = append(out, inlineeLine{c.U32(), place{c.U32(), c.U32()}})
			if sig == extraFiles {
				c.Skip(4 * int(min(c.U32(), 1<<28)))
			}
		}
		if c.Err() != nil {
			return nil, c.Err()
		}
	}
	slices.SortStableFunc(out, func(a, b inlineeLine) int { return cmp.Compare(a.inlinee, b.inlinee) })
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
// lines, until it comes to the range that holds offset off. Code offsets count from the start of the function.
func annotated(c *bounded.Cursor, at place, off uint32) (place, bool) {
	var code, start uint32 // where the program is; where the row that is being drawn begins
	var row place          // its line
	open := false
	covers := func(end uint32) bool { return open && off >= start && off < end }
	for {
		op, ok := compressed(c)
		if !ok || op == annotEnd {
			break
		}
		arg, ok := compressed(c)
		if !ok {
			break
		}
		switch op {
		case annotCodeOffset, annotChangeCodeOffset, annotChangeCodeOffsetAndLine:
			if op == annotChangeCodeOffsetAndLine {
				at.line += uint32(signed(arg >> 4))
				arg &= 15
			}
			if code += arg; covers(code) {
				return row, true
			}
			start, row, open = code, at, true
		case annotChangeCodeLength:
			if code += arg; covers(code) {
				return row, true
			}
			open = false
		case annotChangeCodeLengthAndOffset:
			delta, _ := compressed(c)
			if code += delta; covers(code) {
				return row, true
			}
			open = false
			if off >= code && off-code < arg {
				return at, true
			}
		case annotChangeCodeOffsetBase:
			code = arg
		case annotChangeFile:
			at.file = arg
		case annotChangeLineOffset:
			at.line += uint32(signed(arg))
		}
	}
	return place{}, false
}

// compressed reads an unsigned number of one, two or four bytes (CVUncompressData).
func compressed(c *bounded.Cursor) (uint32, bool) {
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
