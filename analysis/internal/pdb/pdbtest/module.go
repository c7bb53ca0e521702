package pdbtest

import (
	"bytes"
	"cmp"
	"slices"
)

// strings is the table of source file names.
type strings struct {
	text []byte
	at   map[string]uint32
}

func newStrings() *strings { return &strings{text: []byte{0}, at: map[string]uint32{}} }

func (s *strings) add(name string) uint32 {
	at, ok := s.at[name]
	if !ok {
		at = uint32(len(s.text))
		s.at[name] = at
		s.text = append(s.text, text(name)...)
	}
	return at
}

func (s *strings) stream() []byte {
	b := append(u32(0xeffeeffe, 1, uint32(len(s.text))), s.text...)
	return append(b, u32(0, 0)...)
}

// Sizes of a module stream's parts cannot be told from the stream, so they stand in a trailer, which
// Bytes moves into the module's record in the DBI stream.
const trailer = 8

// module returns a module's stream: symbol records, then C13 subsections.
func (p PDB) module(m Module, names *strings) []byte {
	symbols := u32(4)
	var lines []byte
	files := &checksums{names: names, at: map[string]uint32{}}
	for _, f := range m.Procs {
		symbols = append(symbols, f.records()...)
		if f.Lines != nil {
			lines = append(lines, f.lines(files)...)
		}
	}
	for _, t := range m.Trampolines {
		symbols = append(symbols, record(0x112c, u16(t.Kind, uint16(t.Size)), u32(t.Off, t.TargetOff), u16(t.Seg, t.TargetSeg))...)
	}
	inlinees := u32(0)
	for i, f := range p.Functions {
		inlinees = append(inlinees, u32(uint32(0x1000+i), files.add(f.File), f.Line)...)
	}
	for _, f := range m.Inlinees {
		inlinees = append(inlinees, u32(f.ID, files.add(f.File), f.Line)...)
	}
	c13 := slices.Concat(lines, subsection(0xf4, files.table), subsection(0xf6, inlinees))
	if m.Imports != nil {
		var body []byte
		for _, i := range m.Imports {
			body = append(append(body, u32(names.add(i.Module), uint32(len(i.IDs)))...), u32(i.IDs...)...)
		}
		c13 = append(c13, subsection(0xf7, body)...)
	}
	if m.Exports != nil {
		c13 = append(c13, subsection(0xf8, pairs(m.Exports))...)
	}
	return slices.Concat(symbols, c13, u32(uint32(len(symbols)), uint32(len(c13))))
}

// checksums is a module's table of source files.
type checksums struct {
	names *strings
	table []byte
	at    map[string]uint32
}

func (c *checksums) add(name string) uint32 {
	at, ok := c.at[name]
	if !ok {
		at = uint32(len(c.table))
		c.at[name] = at
		c.table = append(append(c.table, u32(c.names.add(name))...), 0, 0, 0, 0) // no checksum, padding
	}
	return at
}

func subsection(kind uint32, body []byte) []byte {
	b := append(u32(kind, uint32(len(body))), body...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (f Proc) records() []byte {
	kind := cmp.Or(f.Kind, 0x1110)
	if kind == NoRecord {
		return nil
	}
	if kind == 0x1102 {
		return append(record(kind, u32(0, 0, 0, f.Off), u16(f.Seg, uint16(f.Size)), []byte{0}, text(f.Name)), record(6)...)
	}
	b := record(kind, u32(0, 0, 0, f.Size, 0, 0, 0, f.Off), u16(f.Seg), []byte{0}, text(f.Name))
	for _, s := range f.Sites {
		b = append(b, s.records()...)
	}
	end := uint16(6)
	if kind == 0x1146 || kind == 0x1147 {
		end = 0x114f
	}
	return append(b, record(end)...)
}

func (s Site) records() []byte {
	kind := cmp.Or(s.Kind, 0x114d)
	head := u32(0, 0, s.Inlinee)
	if kind == 0x115d {
		head = append(head, u32(1)...)
	}
	b := record(kind, head, s.Annotations)
	for _, inner := range s.Sites {
		b = append(b, inner.records()...)
	}
	return append(b, record(0x114e)...)
}

// lines returns a DEBUG_S_LINES subsection, with a block for every run of lines of one file.
func (f Proc) lines(files *checksums) []byte {
	perLine, flags := 8, uint16(0)
	if f.Columns {
		perLine, flags = 12, 1
	}
	body := slices.Concat(u32(f.Off), u16(f.Seg, flags), u32(f.Size))
	for rest := f.Lines; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].File == rest[0].File {
			n++
		}
		body = append(body, u32(files.add(rest[0].File), uint32(n), uint32(12+perLine*n))...)
		for _, l := range rest[:n] {
			body = append(body, u32(l.Off, l.Line|1<<31)...)
		}
		if f.Columns {
			body = append(body, slices.Repeat(u16(5, 9), n)...) // first and last column of each line
		}
		rest = rest[n:]
	}
	return subsection(0xf2, body)
}

// dbi returns the DBI stream, and cuts the trailers off the modules' streams.
func (p PDB) dbi(streams [][]byte) []byte {
	var modules []byte
	type contribution struct {
		Extent
		module int
	}
	var all []contribution
	for i, m := range p.Modules {
		s := streams[FirstModule+i]
		cut := len(s) - trailer
		streams[FirstModule+i] = s[:cut]
		symbols, c13 := le.Uint32(s[cut:]), le.Uint32(s[cut+4:])
		info := slices.Concat(make([]byte, 34), u16(uint16(FirstModule+i)), u32(symbols, 0, c13), make([]byte, 16),
			text(m.Name), text(m.Name))
		for len(info)%4 != 0 {
			info = append(info, 0)
		}
		modules = append(modules, info...)
		for _, f := range m.Procs {
			all = append(all, contribution{f.Extent, i})
		}
		for _, e := range m.Extra {
			all = append(all, contribution{e, i})
		}
	}
	slices.SortStableFunc(all, func(a, b contribution) int {
		return cmp.Or(cmp.Compare(a.Seg, b.Seg), cmp.Compare(a.Off, b.Off))
	})
	contributions := u32(0xeffe0000 + 19970605)
	if p.ContributionsV2 {
		contributions = u32(0xeffe0000 + 20140516)
	}
	for _, c := range all {
		entry := slices.Concat(u16(c.Seg, 0), u32(c.Off, c.Size, 0x60000020), u16(uint16(c.module), 0), u32(0, 0))
		contributions = append(contributions, entry...)
		if p.ContributionsV2 {
			contributions = append(contributions, u32(uint32(c.Seg))...)
		}
	}
	if p.NoContributions {
		contributions = nil
	}
	headers := slices.Repeat([]uint16{0xffff}, 11)
	headers[5] = StreamSections
	if p.Frames != nil {
		headers[9] = StreamFrames
	}
	if p.OldFrames != nil {
		headers[0] = StreamOldFrames
	}
	if p.OMAPToSource != nil {
		headers[3], headers[4] = StreamToSource, StreamFromSource
		if !p.CurrentSections {
			headers[10] = StreamSections
		}
	}
	optional := u16(headers...)
	head := slices.Concat(u32(0xffffffff, 19990903, p.Age), u16(0xffff, 0, StreamPublics, 0, StreamRecords, 0),
		u32(uint32(len(modules)), uint32(len(contributions)), 0, 0, 0, 0, uint32(len(optional)), 0), u16(0, p.Machine), u32(0))
	return bytes.Join([][]byte{head, modules, contributions, optional}, nil)
}
