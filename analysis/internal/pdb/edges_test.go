package pdb_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// lookups writes what a PDB says of addresses: "name+0x1 file:2".
func lookups(t *testing.T, f *pdb.File, addresses ...uint32) []string {
	t.Helper()
	var out []string
	for _, rva := range addresses {
		s, ok, err := f.Lookup(rva)
		text := fmt.Sprintf("%s+%#x %s:%d", s.Name, s.Displacement, s.File, s.Line)
		if !ok {
			text = "none"
		}
		if err != nil {
			text += " " + err.Error()
		}
		out = append(out, text)
	}
	return out
}

// TestNoPadding has functions that follow each other without a byte between
// them, in three modules, and the last one to the last byte of its section.
func TestNoPadding(t *testing.T) {
	t.Parallel()
	proc := func(name string, seg uint16, off, size uint32) pdbtest.Proc {
		return pdbtest.Proc{Name: name, Extent: pdbtest.Extent{Seg: seg, Off: off, Size: size},
			Lines: []pdbtest.Line{{File: name + ".c", Line: off + 1}}}
	}
	p := pdbtest.PDB{Age: 1,
		Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x40}, {RVA: 0x1040, Size: 0x10}},
		Modules: []pdbtest.Module{
			{Name: "x", Procs: []pdbtest.Proc{proc("a", 1, 0, 0x10), proc("b", 1, 0x10, 0x10)}},
			{Name: "y", Procs: []pdbtest.Proc{proc("c", 1, 0x20, 0x20)}},
			{Name: "z", Procs: []pdbtest.Proc{proc("d", 2, 0, 0x10)}},
		},
	}
	addresses := []uint32{0xfff, 0x1000, 0x100f, 0x1010, 0x101f, 0x1020, 0x103f, 0x1040, 0x104f, 0x1050}
	want := []string{"none", "a+0x0 a.c:1", "a+0xf a.c:1", "b+0x0 b.c:17", "b+0xf b.c:17",
		"c+0x0 c.c:33", "c+0x1f c.c:33", "d+0x0 d.c:1", "d+0xf d.c:1", "none"}
	f := open(t, p.Bytes())
	for range 3 { // from the list, from its pieces, from the sorted records
		if diff := cmp.Diff(want, lookups(t, f, addresses...)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestGaps has code that no function covers, before, between and behind those
// of its module, and no public symbols.
func TestGaps(t *testing.T) {
	t.Parallel()
	p := pdbtest.PDB{Age: 1,
		Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x1000}},
		Modules: []pdbtest.Module{{Name: "x", Procs: []pdbtest.Proc{
			{Name: "a", Extent: pdbtest.Extent{Seg: 1, Off: 0x10, Size: 0x10}},
			{Name: "b", Extent: pdbtest.Extent{Seg: 1, Off: 0x30, Size: 0x10}},
		}, Extra: []pdbtest.Extent{{Seg: 1, Off: 0x20, Size: 0x10}, {Seg: 1, Off: 0x40, Size: 0x10}}}},
	}
	want := []string{"none", "a+0x0 :0", "a+0xf :0", "none", "none", "b+0x0 :0", "b+0xf :0", "none", "none"}
	f := open(t, p.Bytes())
	got := lookups(t, f, 0x100f, 0x1010, 0x101f, 0x1020, 0x102f, 0x1030, 0x103f, 0x1040, 0x1050)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestColumns has lines with columns, of several files, and then lines without.
func TestColumns(t *testing.T) {
	t.Parallel()
	p := sample()
	want := lookups(t, open(t, p.Bytes()), 0x1010, 0x1018, 0x102f, 0x1040, 0x1041, 0x1044)
	for i := range p.Modules[0].Procs {
		p.Modules[0].Procs[i].Columns = true
	}
	got := lookups(t, open(t, p.Bytes()), 0x1010, 0x1018, 0x102f, 0x1040, 0x1041, 0x1044)
	if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(got[1], "b.h:3") {
		t.Errorf("(-without columns +with):\n%s", diff)
	}
}

// TestNoNames has lines, and no names of their files.
func TestNoNames(t *testing.T) {
	t.Parallel()
	p := sample()
	p.NoNames = true
	f := open(t, p.Bytes())
	want := []string{"ns::first+0x0 :10", "ns::first+0x8 :3", "second+0xb :22"}
	if diff := cmp.Diff(want, lookups(t, f, 0x1010, 0x1018, 0x104b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s, _, err := f.Lookup(0x104b)
	if frames := []pdb.Frame{{Function: "ns::Class::member", Line: 201}, {Function: "outer", Line: 102}}; err != nil || !cmp.Equal(frames, s.Inlined) {
		t.Errorf("inlined %+v, %v; want %+v", s.Inlined, err, frames)
	}
}

// TestLastBytes asks at the edges of sections: in the headers, at their first
// and last byte, and behind them.
func TestLastBytes(t *testing.T) {
	t.Parallel()
	p := pdbtest.PDB{Age: 1,
		Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x100}, {RVA: 0x2000, Size: 1}, {RVA: 0x3000, Size: 0x10}},
		Publics:  []pdbtest.Public{{Name: "first", Seg: 1}, {Name: "lone", Seg: 2}, {Name: "late", Seg: 3, Off: 0xf}},
	}
	want := []string{"none", "none", "first+0x0 :0", "first+0xff :0", "none", "none", "lone+0x0 :0", "none", "none", "late+0x0 :0", "none", "none"}
	got := lookups(t, open(t, p.Bytes()), 0, 0xfff, 0x1000, 0x10ff, 0x1100, 0x1fff, 0x2000, 0x2001, 0x3000, 0x300f, 0x3010, 0xffffffff)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// streamOf returns a stream of a PDB with blocks of 4096 bytes that lie in
// order: where its size stands in the directory, and its bytes.
func streamOf(b []byte, number int) (size []byte, data []byte) {
	le := binary.LittleEndian
	directory := int(le.Uint32(b[le.Uint32(b[52:])*4096:])) * 4096
	entry := directory + 4 + 4*int(le.Uint32(b[directory:]))
	for s := range number {
		entry += 4 * int((le.Uint32(b[directory+4+4*s:])+4095)/4096)
	}
	size = b[directory+4+4*number:]
	at := 4096 * int(le.Uint32(b[entry:]))
	return size, b[at : at+int(le.Uint32(size))]
}

// TestRecordLengths has every length for which a record is too short to have a
// kind, or a function's is too short for its fields.
func TestRecordLengths(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	p := pdbtest.PDB{Age: 1,
		Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x100}},
		Modules: []pdbtest.Module{{Name: "x", Procs: []pdbtest.Proc{
			{Name: "a", Extent: pdbtest.Extent{Seg: 1, Size: 0x10}},
			{Name: "t", Kind: 0x1102, Extent: pdbtest.Extent{Seg: 1, Off: 0x20, Size: 0x10}},
		}}},
	}
	whole := p.Bytes()
	_, data := streamOf(whole, pdbtest.FirstModule)
	const proc = 4
	thunk := proc + 2 + int(le.Uint16(data[proc:])) + 4 // behind the record and its end
	if kind := le.Uint16(data[thunk+2:]); kind != 0x1102 {
		t.Fatalf("no thunk at %#x, but %#x", thunk, kind)
	}
	for _, tt := range []struct {
		at     int
		length uint16
		bad    bool
	}{
		{proc, 0, true}, {proc, 1, true}, {proc, 36, true}, {proc, 37, false},
		{thunk, 0, true}, {thunk, 22, true}, {thunk, 23, false},
	} {
		broken := p.Bytes()
		_, data := streamOf(broken, pdbtest.FirstModule)
		le.PutUint16(data[tt.at:], tt.length)
		f := open(t, broken)
		_, _, err := f.Lookup(0x1020)
		var e *bounded.Error
		want := fmt.Sprintf("module 0 at %#x: record of %d bytes", tt.at, tt.length+2)
		// One that is long enough for its fields ends in the middle of what follows it; that the next record is
		// broken then is another error.
		if is := errors.As(err, &e) && strings.HasPrefix(e.Error(), want); is != tt.bad {
			t.Errorf("length %d at %#x: %v", tt.length, tt.at, err)
		}
	}
}

// TestCutSites cuts what follows a function's record off, byte by byte: inline
// sites end anywhere, and no place gives another inlined call than it has.
func TestCutSites(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	p := sample()
	p.Modules = p.Modules[:1]
	p.Modules[0].Procs, p.Publics = p.Modules[0].Procs[1:2], nil
	whole := p.Bytes()
	s, _, err := open(t, whole).Lookup(0x104b)
	if err != nil || len(s.Inlined) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	_, dbi := streamOf(whole, pdbtest.StreamDBI)
	symbols := int(le.Uint32(dbi[64+36:]))
	partial, failed := 0, 0
	for n := 4; n < symbols; n++ {
		cut := p.Bytes()
		_, dbi := streamOf(cut, pdbtest.StreamDBI)
		le.PutUint32(dbi[64+36:], uint32(n)) // symbols end here,
		le.PutUint32(dbi[64+40:], uint32(symbols-n))
		f := open(t, cut)
		got, ok, err := f.Lookup(0x104b)
		if err != nil {
			failed++
		}
		if len(got.Inlined) > 0 && len(got.Inlined) < 2 {
			partial++
		}
		for i, frame := range got.Inlined {
			if want := s.Inlined[len(s.Inlined)-len(got.Inlined)+i]; frame != want {
				t.Errorf("cut at %d: %+v, want %+v", n, frame, want)
			}
		}
		if ok && got.Name != "second" && got.Name != "" { // the line alone is right, too
			t.Errorf("cut at %d: %q", n, got.Name)
		}
	}
	if partial == 0 || failed == 0 {
		t.Errorf("%d cuts between the sites, %d within records: these are not the sample's", partial, failed)
	}
}

// TestShortSites makes the records of inline sites too short for their fields.
func TestShortSites(t *testing.T) {
	t.Parallel()
	for _, kind := range []uint16{0x114d, 0x115d} {
		fields := 12
		if kind == 0x115d {
			fields = 16
		}
		for n := range fields + 1 {
			p := sample()
			p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Kind: kind, Inlinee: 0x1000, Annotations: []byte{3, 0, 4, 0x40}}}
			data := p.Bytes()
			_, records := streamOf(data, pdbtest.FirstModule)
			at := -1
			for i := 4; i+4 < len(records); i += 2 + int(binary.LittleEndian.Uint16(records[i:])) {
				if binary.LittleEndian.Uint16(records[i+2:]) == kind {
					at = i
					break
				}
			}
			if at < 0 {
				t.Fatal("no site")
			}
			// The record ends early; what is left of it is a record of its own that nobody knows.
			rest := int(binary.LittleEndian.Uint16(records[at:])) - 2 - n
			binary.LittleEndian.PutUint16(records[at:], uint16(2+n))
			left := records[at+4+n:]
			if rest < 4 {
				continue
			}
			binary.LittleEndian.PutUint16(left, uint16(rest-2))
			binary.LittleEndian.PutUint16(left[2:], 0x7777)
			_, _, err := open(t, data).Lookup(0x1044)
			var e *bounded.Error
			if n < fields && (!errors.As(err, &e) || !strings.Contains(err.Error(), "bytes wanted")) {
				t.Errorf("%#x of %d bytes: %v", kind, n, err)
			}
		}
	}
}

// TestContributions has the newer form of section contributions, and none: then
// there are public symbols only.
func TestContributions(t *testing.T) {
	t.Parallel()
	addresses := []uint32{0x1010, 0x104b, 0x1103, 0x1208, 0x2018, 0x100f}
	want := lookups(t, open(t, sample().Bytes()), addresses...)
	p := sample()
	p.ContributionsV2 = true
	if diff := cmp.Diff(want, lookups(t, open(t, p.Bytes()), addresses...)); diff != "" {
		t.Errorf("(-older +newer):\n%s", diff)
	}
	p = sample()
	p.NoContributions = true
	want = []string{"?first@ns@@YAXXZ+0x0 :0", "?first@ns@@YAXXZ+0x3b :0", "?first@ns@@YAXXZ+0xf3 :0", "asm_entry+0x8 :0", "alias+0x8 :0", "none"}
	if diff := cmp.Diff(want, lookups(t, open(t, p.Bytes()), addresses...)); diff != "" {
		t.Errorf("without contributions (-want +got):\n%s", diff)
	}
}

// TestCutTables cuts the tables of lines off, byte by byte. The function keeps
// its name, and what else is said of it is right.
func TestCutTables(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	p := sample()
	p.Modules, p.Publics = p.Modules[:1], nil
	want := answerOf(open(t, p.Bytes()), 0x104b)
	_, dbi := streamOf(p.Bytes(), pdbtest.StreamDBI)
	c13 := int(le.Uint32(dbi[64+44:]))
	cuts := map[string]int{}
	for n := range c13 {
		data := p.Bytes()
		_, dbi := streamOf(data, pdbtest.StreamDBI)
		le.PutUint32(dbi[64+44:], uint32(n))
		got := answerOf(open(t, data), 0x104b)
		var e *bounded.Error
		switch {
		case got.Symbol.Name != "second":
			t.Errorf("cut at %d: %+v, %v", n, got.Symbol, got.Err)
		case errors.As(got.Err, &e) && strings.HasPrefix(e.Msg, "subsection cut short"):
			cuts[fmt.Sprintf("%s, %s", "head", e.Msg[len(e.Msg)-12:])]++
		case errors.As(got.Err, &e) && strings.HasPrefix(e.Msg, "subsection"):
			cuts["body"]++
		case errors.As(got.Err, &e):
			cuts["other"]++
		case got.Err != nil:
			t.Errorf("cut at %d: %v", n, got.Err)
		default: // at the end of a table
			cuts["between"]++
		}
		if s := got.Symbol; s.Line != 0 && s.Line != want.Symbol.Line || s.File != "" && s.File != want.Symbol.File {
			t.Errorf("cut at %d: %s:%d, want %s:%d", n, s.File, s.Line, want.Symbol.File, want.Symbol.Line)
		}
	}
	for left := 1; left < 8; left++ {
		if key := fmt.Sprintf("head, %d bytes left", left); cuts[key] != 4 {
			t.Errorf("%d tables of 4 with %d bytes of their head: %v", cuts[key], left, cuts)
		}
	}
	if cuts["between"]+cuts["other"] != 4 { // without tables, or without that of the files
		t.Errorf("not 4 cuts between tables: %v", cuts)
	}
}

func answerOf(f *pdb.File, rva uint32) answer {
	s, ok, err := f.Lookup(rva)
	return answer{s, ok, err}
}

// TestFileNames has names of files at the edges of the pieces in which they are
// read, the last of them at the end of its stream.
func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 126, 127, 128, 129, 255, 256, 257, 1000} {
		p := sample()
		name := strings.Repeat("d/", n/2) + strings.Repeat("c", n%2)
		p.Modules[0].Procs[0].Lines = []pdbtest.Line{{File: "x.c", Line: 1}, {Off: 1, File: name, Line: 2}}
		s, _, err := open(t, p.Bytes()).Lookup(0x1011)
		if s.File != name || s.Line != 2 || err != nil {
			t.Errorf("%d bytes: %q:%d, %v", n, s.File, s.Line, err)
		}
	}
}

// TestFileChecksums asks for entries at the end of the table of files.
func TestFileChecksums(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	p := sample()
	const blockFile = 8 + 12 // in a table of lines: head, offset, section, flags, size
	lines := func(data []byte) []byte {
		_, dbi := streamOf(data, pdbtest.StreamDBI)
		_, module := streamOf(data, pdbtest.FirstModule)
		return module[le.Uint32(dbi[64+36:]):]
	}
	size := uint32(0)
	for b := lines(p.Bytes()); ; b = b[8+(le.Uint32(b[4:])+3)&^3:] {
		if le.Uint32(b) == 0xf4 {
			size = le.Uint32(b[4:])
			break
		}
	}
	for file, msg := range map[uint32]string{0: "", size - 4: "", size - 3: "file checksum outside the table", size: "file checksum outside the table", 1<<32 - 1: "file checksum outside the table"} {
		data := p.Bytes()
		le.PutUint32(lines(data)[blockFile:], file)
		_, _, err := open(t, data).Lookup(0x1010)
		if msg == "" && err != nil {
			t.Errorf("file %#x: %v", file, err)
		} else if msg != "" {
			wantPart(t, err, "module 0", msg)
		}
	}
}

// TestCutInlinees has a table of inlined functions whose last entry is cut off,
// and one with a list of further files for each.
func TestCutInlinees(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	p := sample()
	table := func(data []byte) []byte {
		_, dbi := streamOf(data, pdbtest.StreamDBI)
		_, module := streamOf(data, pdbtest.FirstModule)
		for b := module[le.Uint32(dbi[64+36:]):]; ; b = b[8+(le.Uint32(b[4:])+3)&^3:] {
			if le.Uint32(b) == 0xf6 {
				return b
			}
		}
	}
	for cut := range uint32(12) {
		data := p.Bytes()
		b := table(data)
		le.PutUint32(b[4:], le.Uint32(b[4:])-cut)
		_, dbi := streamOf(data, pdbtest.StreamDBI)
		le.PutUint32(dbi[64+44:], le.Uint32(dbi[64+44:])-cut)
		_, _, err := open(t, data).Lookup(0x1044)
		var e *bounded.Error
		if cut == 0 && err != nil || cut > 0 && (!errors.As(err, &e) || !strings.HasPrefix(e.Msg, "4 bytes wanted")) {
			t.Errorf("%d bytes cut off: %v", cut, err)
		}
	}
	data := p.Bytes()
	b := table(data)
	// Two entries with lists of one file and of none take the place of three without.
	for i, v := range []uint32{1, 0x1000, 8, 500, 1, 0, 0x1001, 8, 600, 0} {
		le.PutUint32(b[8+4*i:], v)
	}
	s, _, err := open(t, data).Lookup(0x104b)
	want := []pdb.Frame{{Function: "ns::Class::member", File: "b.h", Line: 601}, {Function: "outer", File: "b.h", Line: 502}}
	if diff := cmp.Diff(want, s.Inlined); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestDebugHeader has an optional debug header of every length: it names the
// stream of the sections with its sixth field.
func TestDebugHeader(t *testing.T) {
	t.Parallel()
	for n := range uint32(12) {
		data := sample().Bytes()
		_, dbi := streamOf(data, pdbtest.StreamDBI)
		binary.LittleEndian.PutUint32(dbi[48:], 2*n)
		want := "none"
		if n > 5 {
			want = "asm_entry+0x8 :0"
		}
		if got := lookups(t, open(t, data), 0x1208); got[0] != want {
			t.Errorf("%d fields: %s, want %s", n, got[0], want)
		}
	}
}

// TestEmptyLines has a function with a table of lines that holds none.
func TestEmptyLines(t *testing.T) {
	t.Parallel()
	p := sample()
	p.Modules[0].Procs[0].Lines = []pdbtest.Line{}
	want := []string{"ns::first+0x0 :0", "second+0x0 c:\\src\\a.c:20"}
	if diff := cmp.Diff(want, lookups(t, open(t, p.Bytes()), 0x1010, 0x1040)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
