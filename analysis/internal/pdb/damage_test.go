package pdb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// answer is what Lookup gives.
type answer struct {
	Symbol pdb.Symbol
	OK     bool
	Err    error
}

var sampleAddresses = []uint32{0x1208, 0x1060, 0x1010, 0x1018, 0x1044, 0x104b, 0x1103, 0x2018, 0x104c, 0x1030, 0x100f}

// failing is a file of which the n-th read fails, and if it stays broken those
// after it too.
type failing struct {
	data   []byte
	n      int
	stays  bool
	failed bool
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.n--; f.n == -1 || f.n < 0 && f.stays {
		f.failed = true
		return 0, errFlaky
	}
	return bytes.NewReader(f.data).ReadAt(p, off)
}

// TestEveryRead lets each read fail in turn: whatever is being done then says
// so, and what was found before is right.
func TestEveryRead(t *testing.T) {
	t.Parallel()
	handles, err := os.ReadFile(filepath.Join("../../../testdata/symbols/pdb", "handles64.pdb"))
	if err != nil {
		t.Fatal(err)
	}
	small := sample()
	small.BlockSize, small.Scatter = 512, true
	moved := sample()
	moved.BlockSize = 1024
	moved.OMAPToSource = [][2]uint32{{0x1000, 0x1000}}
	moved.OMAPFromSource = [][2]uint32{{0x1000, 0x1000}}
	long := sample()
	long.BlockSize = 512
	for i := range uint32(600) {
		long.Modules[0].Procs[2].Lines = append(long.Modules[0].Procs[2].Lines, pdbtest.Line{Off: i / 40, File: "d.c", Line: i})
	}
	many := pdbtest.PDB{Age: 1, BlockSize: 512, Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x100000}}, Modules: []pdbtest.Module{{}}}
	for i := range uint32(300) {
		many.Modules[0].Procs = append(many.Modules[0].Procs, pdbtest.Proc{
			Name: fmt.Sprintf("function_%d", i), Extent: pdbtest.Extent{Seg: 1, Off: 0x100 * i, Size: 0x80}})
		if i < 150 { // so many streams that their sizes take more than a block
			many.Modules = append(many.Modules, pdbtest.Module{Name: "m", Procs: []pdbtest.Proc{{
				Name: "f", Extent: pdbtest.Extent{Seg: 1, Off: 0x80000 + 0x100*i, Size: 0x80},
				Lines: []pdbtest.Line{{File: fmt.Sprintf("folder/with/a/long/name/%d.c", i), Line: i}}}}})
		}
		many.Publics = append(many.Publics, pdbtest.Public{Name: fmt.Sprintf("public_%d", i), Seg: 1, Off: 0x100*i + 0x80})
	}
	for name, tt := range map[string]struct {
		data      []byte
		addresses []uint32
	}{
		"many":  {many.Bytes(), []uint32{0x1080, 0x1000 + 299*0x100, 0x1000 + 150*0x100, 0x1080 + 222*0x100, 0x81000 + 100*0x100}},
		"lines": {long.Bytes(), []uint32{0x1080, 0x1088}},
		"small": {small.Bytes(), sampleAddresses}, "moved": {moved.Bytes(), sampleAddresses},
		"clang": {handles, []uint32{0x1000, 0x1234, 0x1500, 0x1777}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := open(t, tt.data)
			for i := 0; ; i++ {
				n := i / 2
				r := &failing{data: tt.data, n: n, stays: i%2 > 0}
				f, err := pdb.NewFile(r, int64(len(tt.data)))
				if r.failed {
					if !errors.Is(err, errFlaky) {
						t.Fatalf("read %d fails: NewFile: %v", n, err)
					}
					continue
				}
				for _, rva := range tt.addresses {
					got, ok, err := f.Lookup(rva)
					if r.failed {
						if !errors.Is(err, errFlaky) {
							t.Errorf("read %d fails: Lookup(%#x): %+v, %v", n, rva, got, err)
						}
						want, _, _ := whole.Lookup(rva)
						if ok && got.Name != want.Name && got.Name != "" && got.Kind != pdb.KindPublic {
							t.Errorf("read %d fails: Lookup(%#x): %+v, want %+v", n, rva, got, want)
						}
						break
					}
				}
				if !r.failed {
					if n < 9 {
						t.Errorf("only %d reads", n)
					}
					return
				}
			}
		})
	}
}

// TestShortStreams cuts each stream off at every length. An answer is the right
// one, or there is an error.
func TestShortStreams(t *testing.T) {
	t.Parallel()
	p := sample()
	whole := open(t, p.Bytes())
	want := map[uint32]answer{}
	for _, rva := range sampleAddresses {
		s, ok, err := whole.Lookup(rva)
		want[rva] = answer{s, ok, err}
	}
	// The number of sections and of entries in OMAPs is that of their streams' sizes, and a map of named streams that
	// cannot be read is as good as none.
	streams := map[int]string{
		pdbtest.StreamDBI: "DBI", pdbtest.StreamIPI: "IPI", pdbtest.StreamTPI: "TPI", pdbtest.StreamNames: "names",
		pdbtest.StreamRecords: "records", pdbtest.StreamPublics: "publics", pdbtest.StreamIPIHash: "hash",
		pdbtest.FirstModule: "module", pdbtest.FirstModule + 1: "thunks",
	}
	for number, name := range streams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, stream := streamOf(p.Bytes(), number)
			failures := 0
			for n := range len(stream) {
				data := p.Bytes()
				size, _ := streamOf(data, number)
				if binary.LittleEndian.PutUint32(size, uint32(n)); n == 0 {
					continue // moves the blocks of all streams behind it
				}
				f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					failures++
					continue
				}
				for rva, want := range want {
					s, ok, err := f.Lookup(rva)
					var e *bounded.Error
					if err != nil && !errors.As(err, &e) {
						t.Errorf("cut at %d: %#x: %v", n, rva, err)
					}
					if err != nil {
						failures++
						continue
					}
					if diff := cmp.Diff(want, answer{s, ok, err}); diff != "" {
						t.Errorf("cut at %d: %#x without an error (-want +got):\n%s", n, rva, diff)
					}
				}
			}
			if failures == 0 && number != pdbtest.StreamIPIHash {
				t.Error("nobody missed anything")
			}
		})
	}
}

// TestDirectoryTooShort has room for all streams' sizes and all but one of
// their blocks.
func TestDirectoryTooShort(t *testing.T) {
	t.Parallel()
	data := sample().Bytes()
	size := data[44:]
	binary.LittleEndian.PutUint32(size, binary.LittleEndian.Uint32(size)-4)
	_, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
	var e *bounded.Error
	if !errors.As(err, &e) || e.Part != "directory" {
		t.Errorf("%v", err)
	}
}

// TestBlocksOutside has a stream whose blocks follow each other, to behind the
// end of the file.
func TestBlocksOutside(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	p := pdbtest.PDB{Age: 1, Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x1000}}}
	f := pdbtest.Proc{Name: "f", Extent: pdbtest.Extent{Seg: 1, Size: 0x1000}}
	for i := range uint32(2000) {
		f.Lines = append(f.Lines, pdbtest.Line{Off: i, File: "f.c", Line: i + 1})
	}
	p.Modules = []pdbtest.Module{{Name: "m", Procs: []pdbtest.Proc{f}}}
	data := p.Bytes()
	directory := 4096 * int(le.Uint32(data[4096*int(le.Uint32(data[52:])):]))
	blocks := directory + int(le.Uint32(data[44:])) - 4*4 // the last stream's, of four blocks
	count := le.Uint32(data[40:])
	le.PutUint32(data[blocks+4:], count-1) // the two in the middle of the table of lines
	le.PutUint32(data[blocks+8:], count)
	_, _, err := open(t, data).Lookup(0x1000)
	want := fmt.Sprintf("cannot read: blocks %d to %d of %d", count-1, count, count)
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestNoStreams takes each stream away: none is like one that is missing.
func TestNoStreams(t *testing.T) {
	t.Parallel()
	for number := pdbtest.StreamInfo; number <= pdbtest.FirstModule; number++ {
		p := sample()
		if number == pdbtest.StreamToSource || number == pdbtest.StreamFromSource {
			p.OMAPToSource, p.OMAPFromSource = [][2]uint32{{0, 1}}, [][2]uint32{{0, 1}}
		}
		data := p.Bytes()
		// A stream without blocks has no entries in the lists behind: the others move.
		le := binary.LittleEndian
		directory := 4096 * int(le.Uint32(data[4096*int(le.Uint32(data[52:])):]))
		end := directory + int(le.Uint32(data[44:]))
		size, _ := streamOf(data, number)
		entry := directory + 4 + 4*int(le.Uint32(data[directory:]))
		for s := range number {
			entry += 4 * int((le.Uint32(data[directory+4+4*s:])+4095)/4096)
		}
		blocks := int(le.Uint32(size)+4095) / 4096
		copy(data[entry:end], data[entry+4*blocks:end])
		le.PutUint32(size, 1<<32-1)
		f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
		for _, rva := range sampleAddresses {
			if err == nil {
				_, _, err = f.Lookup(rva)
			}
		}
		optional := number == pdbtest.StreamIPIHash || number == pdbtest.StreamTPIHash ||
			number == pdbtest.StreamFrames || number == pdbtest.StreamOldFrames // these have no names
		if want := fmt.Sprintf("no stream %d", number); (err == nil || !bytes.Contains([]byte(err.Error()), []byte(want))) && !optional {
			t.Errorf("without stream %d: %v", number, err)
		}
	}
}

// TestClassNames has every kind of type that functions are members of, and
// every form of number in front of its name.
func TestClassNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pdbtest.Class
		want string // name of the inlined function; "" for an error
	}{
		{pdbtest.Class{Kind: 0x1504}, "n::f"}, {pdbtest.Class{Kind: 0x1505}, "n::f"}, {pdbtest.Class{Kind: 0x1506}, "n::f"},
		{pdbtest.Class{Kind: 0x1507}, "n::f"}, {pdbtest.Class{Kind: 0x1519}, "n::f"}, {pdbtest.Class{Kind: 0x1503}, "f"},
		{pdbtest.Class{Size: []byte{0xff, 0x7f}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x00, 0x80, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x01, 0x80, 1, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x02, 0x80, 1, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x03, 0x80, 1, 1, 1, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x04, 0x80, 1, 1, 1, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x09, 0x80, 1, 1, 1, 1, 1, 1, 1, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x0a, 0x80, 1, 1, 1, 1, 1, 1, 1, 1}}, "n::f"},
		{pdbtest.Class{Kind: 0x1506, Size: []byte{0x04, 0x80, 1, 1, 1, 1}}, "n::f"},
		{pdbtest.Class{Kind: 0x1608}, "n::f"}, {pdbtest.Class{Kind: 0x1609}, "n::f"}, {pdbtest.Class{Kind: 0x160a}, "n::f"},
		{pdbtest.Class{Kind: 0x160b}, "n::f"},
		{pdbtest.Class{Kind: 0x1609, Members: []byte{0x19, 0}, Size: []byte{0xcc, 2}}, "n::f"},
		{pdbtest.Class{Kind: 0x1608, Members: []byte{0x02, 0x80, 1, 0xff}, Size: []byte{0x04, 0x80, 1, 1, 1, 1}}, "n::f"},
		{pdbtest.Class{Size: []byte{0x05, 0x80, 1, 1, 1, 1}}, ""},
		{pdbtest.Class{Kind: 0x1609, Members: []byte{0x05, 0x80, 1, 1, 1, 1}}, ""},
	}
	for _, tt := range tests {
		p := sample()
		tt.Name = "n"
		p.Types = []pdbtest.Class{{Name: "other"}, tt.Class, {Name: "last"}}
		p.Functions = []pdbtest.FuncID{{Name: "f", Class: 0x1001, File: "b.h", Line: 1}}
		p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Inlinee: 0x1000, Annotations: []byte{3, 0, 4, 0x10}}}
		s, _, err := open(t, p.Bytes()).Lookup(0x1044)
		if tt.want == "" {
			wantPart(t, err, "TPI", "numeric leaf 0x8005")
		} else if err != nil || len(s.Inlined) != 1 || s.Inlined[0].Function != tt.want {
			t.Errorf("%+v: %+v, %v; want %q", tt.Class, s.Inlined, err, tt.want)
		}
	}
}

// wantPart wants an error about a part of the file.
func wantPart(t *testing.T, err error, part, msg string) {
	t.Helper()
	var e *bounded.Error
	if !errors.As(err, &e) || e.Part != part || e.Msg != msg {
		t.Errorf("error %v, want %q of %s", err, msg, part)
	}
}

// TestManyTypes looks records up through a sparse index of many entries, first,
// last and in between.
func TestManyTypes(t *testing.T) {
	t.Parallel()
	const n = 3000
	p := sample()
	p.Types, p.Functions = nil, nil
	for i := range uint32(n) {
		p.Types = append(p.Types, pdbtest.Class{Name: fmt.Sprintf("class_%d", i)})
		p.Functions = append(p.Functions, pdbtest.FuncID{Name: fmt.Sprintf("f%d", i), Class: 0x1000 + (i*7+1)%n, File: "b.h", Line: i})
	}
	for _, i := range []uint32{0, 1, 2, 340, 341, 342, 343, 1500, n - 2, n - 1} {
		p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Inlinee: 0x1000 + i, Annotations: []byte{3, 0, 4, 0x10}}}
		s, _, err := open(t, p.Bytes()).Lookup(0x1044)
		want := []pdb.Frame{{Function: fmt.Sprintf("class_%d::f%d", (i*7+1)%n, i), File: "b.h", Line: int(i)}}
		if diff := cmp.Diff(want, s.Inlined); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Inlinee: 0x1000 + n, Annotations: []byte{3, 0, 4, 0x10}}}
	_, _, err := open(t, p.Bytes()).Lookup(0x1044)
	wantPart(t, err, "IPI", fmt.Sprintf("no record %#x", 0x1000+n))
}

// TestSparseIndex has an index that is wrong: the reader believes it, and says
// what it did not find.
func TestSparseIndex(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	for name, tt := range map[string]struct {
		change func(index, ids []byte)
		msg    string // "" if the answer is right all the same
	}{
		"right":                {func([]byte, []byte) {}, ""},
		"behind the records":   {func(index, _ []byte) { le.PutUint32(index[4:], 1<<20) }, "record 0x1001 is not where the index says"},
		"behind what is asked": {func(index, _ []byte) { le.PutUint32(index, 0x1002) }, ""},
		"in a record":          {func(index, _ []byte) { le.PutUint32(index[4:], 2) }, "record of 5635 bytes"},
		"outside its stream":   {func(_, ids []byte) { le.PutUint32(ids[44:], 1<<20) }, ""}, // then there is none
	} {
		p := sample()
		p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Inlinee: 0x1001, Annotations: []byte{3, 0, 4, 0x10}}}
		data := p.Bytes()
		_, index := streamOf(data, pdbtest.StreamIPIHash)
		_, ids := streamOf(data, pdbtest.StreamIPI)
		tt.change(index, ids)
		s, _, err := open(t, data).Lookup(0x1044)
		if tt.msg == "" {
			if err != nil || len(s.Inlined) != 1 || s.Inlined[0].Function != "ns::Class::member" {
				t.Errorf("%s: %+v, %v", name, s.Inlined, err)
			}
			continue
		}
		var e *bounded.Error
		if !errors.As(err, &e) || e.Part != "IPI" || !strings.HasPrefix(e.Msg, tt.msg) {
			t.Errorf("%s: %v, want %q", name, err, tt.msg)
		}
	}
}

// TestLongLines has a function with more lines than are read at once, in blocks
// that follow each other in the file and in blocks that do not.
func TestLongLines(t *testing.T) {
	t.Parallel()
	const n = 40_000 // 320,000 bytes
	for _, scatter := range []bool{false, true} {
		p := pdbtest.PDB{Age: 1, BlockSize: 512, Scatter: scatter, Sections: []pdbtest.Section{{RVA: 0x1000, Size: n}}}
		f := pdbtest.Proc{Name: "f", Extent: pdbtest.Extent{Seg: 1, Size: n}}
		for i := range uint32(n) {
			f.Lines = append(f.Lines, pdbtest.Line{Off: i, File: fmt.Sprintf("%d.c", i/10_000), Line: i + 1})
		}
		p.Modules = []pdbtest.Module{{Name: "m", Procs: []pdbtest.Proc{f}}}
		file := open(t, p.Bytes())
		for i := uint32(0); i < n; i += 997 {
			s, _, err := file.Lookup(0x1000 + i)
			if want := fmt.Sprintf("%d.c", i/10_000); err != nil || s.Line != int(i+1) || s.File != want {
				t.Errorf("scattered %v: %#x: %+v, %v", scatter, i, s, err)
			}
		}
	}
}

// TestSectionSizes has a section whose size is only that in the file, as old
// linkers wrote it.
func TestSectionSizes(t *testing.T) {
	t.Parallel()
	p := pdbtest.PDB{Age: 1,
		Sections: []pdbtest.Section{{RVA: 0x1000, Raw: 0x200}, {RVA: 0x2000, Size: 1, Raw: 0x200}},
		Publics:  []pdbtest.Public{{Name: "a", Seg: 1}, {Name: "b", Seg: 2}, {Name: "nowhere", Seg: 3}},
	}
	want := []string{"a+0x1ff :0", "none", "b+0x0 :0", "none"}
	if diff := cmp.Diff(want, lookups(t, open(t, p.Bytes()), 0x11ff, 0x1200, 0x2000, 0x2001)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
