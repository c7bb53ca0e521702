package pdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// sample has one of everything that clang and lld do not make.
func sample() pdbtest.PDB {
	line := func(off, n uint32) pdbtest.Line { return pdbtest.Line{Off: off, File: `c:\src\a.c`, Line: n} }
	at := func(off, size uint32) pdbtest.Extent { return pdbtest.Extent{Seg: 1, Off: off, Size: size} }
	return pdbtest.PDB{
		GUID:    [16]byte{0xc0, 0xb0, 0xc5, 0xd2, 0x8c, 0x6a, 0x3d, 0x4d, 0x9d, 0x5c, 1, 2, 3, 4, 5, 6},
		Age:     3,
		InfoAge: 7,
		Machine: 0x8664,
		Sections: []pdbtest.Section{
			{RVA: 0x1000, Size: 0x1000},
			{RVA: 0x2000, Size: 0x100},
		},
		Modules: []pdbtest.Module{
			{Name: "a.obj", Procs: []pdbtest.Proc{
				{Name: "ns::first", Kind: 0x1147, Extent: at(0x10, 0x20), Lines: []pdbtest.Line{
					line(0, 10), {Off: 8, File: "b.h", Line: 3}, line(0x10, 0xf00f00), line(0x18, 12)}},
				{Name: "second", Kind: 0x1146, Extent: at(0x40, 0x40), Lines: []pdbtest.Line{line(0, 20), line(0, 21), line(4, 22)},
					Sites: []pdbtest.Site{
						// line +2, [4,0x14): length 0x10; [0x20,0x28) of line +5, by length and offset at once
						{Inlinee: 0x1000, Annotations: []byte{6, 4, 3, 4, 4, 0x10, 6, 6, 12, 8, 0xc}, Sites: []pdbtest.Site{
							{Inlinee: 0x1001, Kind: 0x115d, Annotations: []byte{11, 0x28, 4, 4}}, // [8,0xc), line +1
							{Inlinee: 0x1002, Annotations: []byte{3, 0x80, 0xc, 4, 4}},           // [0xc,0x10), a long number
						}},
					}},
				{Name: "dispatcher", Kind: 0x1155, Extent: at(0x80, 0x10)},
			}},
			{Name: "Import:x.dll", Procs: []pdbtest.Proc{{Name: "CloseHandle", Kind: 0x1102, Extent: at(0x100, 6)}}},
			{Name: "asm.obj", Extra: []pdbtest.Extent{at(0x200, 0x40), {Seg: 2, Off: 0x10, Size: 0x20}}},
		},
		Publics: []pdbtest.Public{
			{Name: "?first@ns@@YAXXZ", Seg: 1, Off: 0x10},
			{Name: "asm_entry", Seg: 1, Off: 0x200},
			{Name: "table", Seg: 2, Off: 0x10},
			{Name: "alias", Seg: 2, Off: 0x10},
		},
		Types: []pdbtest.Class{{Name: "ns::Class"}},
		Functions: []pdbtest.FuncID{
			{Name: "outer", File: "b.h", Line: 100},
			{Name: "member", Class: 0x1000, File: "b.h", Line: 200},
			{Name: "last", File: `c:\src\a.c`, Line: 300},
		},
	}
}

func open(t testing.TB, data []byte) *pdb.File {
	t.Helper()
	f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestIdentity(t *testing.T) {
	f := open(t, sample().Bytes())
	got := fmt.Sprintf("%s %d %d %#x", f.GUID, f.Age, f.InfoAge, f.Machine)
	if want := "D2C5B0C0-6A8C-4D3D-9D5C-010203040506 3 7 0x8664"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	const a = `c:\src\a.c`
	tests := map[uint32]pdb.Symbol{
		0x1010: {Name: "ns::first", Kind: pdb.KindGlobalProc, RVA: 0x1010, Size: 0x20, File: a, Line: 10},
		0x101a: {Name: "ns::first", Kind: pdb.KindGlobalProc, RVA: 0x1010, Size: 0x20, Displacement: 10, File: "b.h", Line: 3},
		0x1022: {Name: "ns::first", Kind: pdb.KindGlobalProc, RVA: 0x1010, Size: 0x20, Displacement: 0x12}, // hidden code
		0x102f: {Name: "ns::first", Kind: pdb.KindGlobalProc, RVA: 0x1010, Size: 0x20, Displacement: 0x1f, File: a, Line: 12},
		0x1040: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, File: a, Line: 20},
		0x1041: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 1, File: a, Line: 21},
		0x1044: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 4, File: a, Line: 22,
			Inlined: []pdb.Frame{{Function: "outer", File: "b.h", Line: 102}}},
		0x104b: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 11, File: a, Line: 22,
			Inlined: []pdb.Frame{{Function: "ns::Class::member", File: "b.h", Line: 201}, {Function: "outer", File: "b.h", Line: 102}}},
		0x104c: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 12, File: a, Line: 22,
			Inlined: []pdb.Frame{{Function: "last", File: a, Line: 300}, {Function: "outer", File: "b.h", Line: 102}}},
		0x1054: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 0x14, File: a, Line: 22},
		0x1060: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 0x20, File: a, Line: 22,
			Inlined: []pdb.Frame{{Function: "outer", File: "b.h", Line: 105}}},
		0x1068: {Name: "second", Kind: pdb.KindLocalProc, RVA: 0x1040, Size: 0x40, Displacement: 0x28, File: a, Line: 22},
		0x1088: {Name: "dispatcher", Kind: pdb.KindLocalProc, RVA: 0x1080, Size: 0x10, Displacement: 8},
		0x1103: {Name: "CloseHandle", Kind: pdb.KindThunk, RVA: 0x1100, Size: 6, Displacement: 3},
		0x1208: {Name: "asm_entry", Kind: pdb.KindPublic, RVA: 0x1200, Displacement: 8},
		0x2018: {Name: "alias", Kind: pdb.KindPublic, RVA: 0x2010, Displacement: 8},
		0x1030: {}, // behind the code of a function that has a public symbol
		0x2030: {}, // behind data
		0x1240: {}, // behind code that has nothing else
		0x100f: {}, // before the first symbol
		0x200f: {}, // before the first symbol of its section
		0x2100: {}, // behind the last section
		0x0010: {}, // the headers
	}
	layouts := map[string]func(*pdbtest.PDB){
		"plain":     func(*pdbtest.PDB) {},
		"scattered": func(p *pdbtest.PDB) { p.BlockSize, p.Scatter = 512, true },
	}
	for size := 512; size <= 32768; size *= 2 {
		layouts[fmt.Sprintf("blocks of %d", size)] = func(p *pdbtest.PDB) { p.BlockSize = size }
	}
	for name, change := range layouts {
		t.Run(name, func(t *testing.T) {
			p := sample()
			change(&p)
			f := open(t, p.Bytes())
			for rva, want := range tests {
				got, ok, err := f.Lookup(rva)
				if err != nil {
					t.Errorf("%#x: %v", rva, err)
				}
				if diff := cmp.Diff(want, got); diff != "" || ok != (want.Name != "") {
					t.Errorf("%#x, found %v (-want +got):\n%s", rva, ok, diff)
				}
			}
		})
	}
}

// TestOMAP looks addresses up in an image whose second function was moved to the front after linking, and cut in two.
// The PDB of one has the section headers from before that, as Microsoft's tools write it; that of another has not.
func TestOMAP(t *testing.T) {
	t.Parallel()
	p := sample()
	p.OMAPToSource = [][2]uint32{{0x1000, 0x1040}, {0x1030, 0}, {0x1040, 0x1010}, {0x1060, 0}, {0x1f00, 0x1070}, {0x1f10, 0}}
	p.OMAPFromSource = [][2]uint32{{0x1000, 0}, {0x1010, 0x1040}, {0x1030, 0}, {0x1040, 0x1000}, {0x1070, 0x1f00}, {0x1080, 0}}
	for _, p.CurrentSections = range []bool{false, true} {
		f := open(t, p.Bytes())
		want := map[uint32]string{
			0x1000: "second 0x1000+0x0, line 20",
			0x1021: "second 0x1000+0x21, line 22",
			0x1048: "ns::first 0x1040+0x8, line 3",
			0x1f04: "second 0x1000+0x34, line 22",
			0x1070: "none", // code that came from nowhere
			0x1010: "second 0x1000+0x10, line 22",
		}
		for rva, want := range want {
			s, ok, err := f.Lookup(rva)
			got := fmt.Sprintf("%s %#x+%#x, line %d", s.Name, s.RVA, s.Displacement, s.Line)
			if !ok {
				got = "none"
			}
			if got != want || err != nil {
				t.Errorf("current sections %v: %#x: got %s, want %s (%v)", p.CurrentSections, rva, got, want, err)
			}
		}
	}
	// Streams without a pair are those of an image that was not rearranged.
	p.OMAPToSource, p.OMAPFromSource = [][2]uint32{}, nil
	if s, _, err := open(t, p.Bytes()).Lookup(0x1044); s.Name != "second" || err != nil {
		t.Errorf("without pairs: %+v, %v", s, err)
	}
}

// TestLargeDirectory: so many small blocks that the list of the directory's blocks takes several blocks itself.
func TestLargeDirectory(t *testing.T) {
	t.Parallel()
	p := sample()
	p.BlockSize = 512
	p.Modules[2].Extra = []pdbtest.Extent{{Seg: 1, Off: 0x400, Size: 0x800}}
	for i := range 200_000 {
		p.Publics = append(p.Publics, pdbtest.Public{Name: fmt.Sprintf("public_%07d_with_a_long_name", i), Seg: 1, Off: 0x400 + uint32(i%0x800)})
	}
	f := open(t, p.Bytes())
	if s, ok, err := f.Lookup(0x1060); s.Name != "second" || !ok || err != nil {
		t.Errorf("got %+v, %v, %v", s, ok, err)
	}
	if s, _, err := f.Lookup(0x1500); s.RVA != 0x1500 || err != nil {
		t.Errorf("got %+v, %v", s, err)
	}
}

// TestConcurrent looks up from several goroutines at once; with -race it watches the caches.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	f, err := pdb.Open(filepath.Join("../../../testdata/symbols/pdb", "handles64.pdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := func() (out []string) {
		for rva := uint32(0x1000); rva < 0x1900; rva += 3 {
			s, _, err := f.Lookup(rva)
			out = append(out, fmt.Sprint(s, err))
		}
		return out
	}
	results := make([][]string, 4)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = names() })
	}
	wg.Wait()
	for _, r := range results {
		if diff := cmp.Diff(names(), r); diff != "" {
			t.Errorf("(-alone +together):\n%s", diff)
		}
	}
}

func TestNotPDB(t *testing.T) {
	clr := sample()
	clr.Machine = 0xc0ee
	for name, tt := range map[string]struct {
		data   []byte
		is     error
		notPDB bool
	}{
		"empty":          {nil, pdb.ErrNotPDB, true},
		"short":          {[]byte("Microsoft C/C++ MSF 7.00\r\n\x1aDS"), pdb.ErrNotPDB, true},
		"old":            {append([]byte("Microsoft C/C++ program database 2.00\r\n\x1aJG\x00\x00"), make([]byte, 100)...), pdb.ErrOld, true},
		"nearly old":     {append([]byte("Microsoft C/C++ program database 3.00\r\n\x1aJG\x00\x00"), make([]byte, 100)...), pdb.ErrNotPDB, true},
		"portable":       {append([]byte("BSJB"), make([]byte, 100)...), pdb.ErrPortable, true},
		"short portable": {[]byte("BSJB\x01\x00\x01\x00"), pdb.ErrPortable, true},
		"managed":        {clr.Bytes(), pdb.ErrManaged, false},
	} {
		f, err := pdb.NewFile(bytes.NewReader(tt.data), int64(len(tt.data)))
		if !errors.Is(err, tt.is) || errors.Is(err, pdb.ErrNotPDB) != tt.notPDB || f != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, other := range []error{pdb.ErrOld, pdb.ErrPortable, pdb.ErrManaged} {
			if other != tt.is && errors.Is(err, other) {
				t.Errorf("%s: %v is %v too", name, err, other)
			}
		}
	}
	other := filepath.Join(t.TempDir(), "other.pdb")
	if err := os.WriteFile(other, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if f, err := pdb.Open(other); !errors.Is(err, pdb.ErrNotPDB) || f != nil {
		t.Errorf("another file: %v, %v", f, err)
	}
	if _, err := pdb.Open(filepath.Join(t.TempDir(), "none.pdb")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// TestOrder: a module whose records are not in the order of addresses, and fill many pieces of its index, gives the same
// answers whatever was asked before. Of functions at one address the first recorded is taken.
func TestOrder(t *testing.T) {
	t.Parallel()
	p := pdbtest.PDB{Age: 1, Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x100000}}}
	mod := pdbtest.Module{Name: "m"}
	for i := range uint32(5000) {
		off := (i * 2477 % 5000) * 0x20
		f := pdbtest.Proc{Name: fmt.Sprintf("f_%05d", i), Extent: pdbtest.Extent{Seg: 1, Off: off, Size: 0x20},
			Lines: []pdbtest.Line{{Off: 0, File: "f.c", Line: i + 1}}}
		mod.Procs = append(mod.Procs, f)
		if i%100 == 99 {
			f.Name = "folded"
			mod.Procs = append(mod.Procs, f)
		}
	}
	p.Modules = append(p.Modules, mod)
	data := p.Bytes()
	f := open(t, data)
	for i := range uint32(5000) {
		want := fmt.Sprintf("f_%05d f.c:%d", i, i+1)
		rva := 0x1000 + (i*2477%5000)*0x20 + 7
		for range 2 {
			s, _, err := f.Lookup(rva)
			if got := fmt.Sprintf("%s %s:%d", s.Name, s.File, s.Line); got != want || err != nil {
				t.Fatalf("%#x: got %s, want %s (%v)", rva, got, want, err)
			}
		}
		if i%500 == 0 { // a reader that has not seen anything else
			if s, _, _ := open(t, data).Lookup(rva); s.Line != int(i+1) {
				t.Fatalf("%#x alone: got %+v, want %s", rva, s, want)
			}
		}
	}
}
