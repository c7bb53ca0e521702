package pdb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// TestTrampolines has the jumps of incremental linking, in a table that does not begin at its section's start. Each is
// named after what it jumps to: a function, or a public symbol of a module without symbols. That the two places in a
// record are not the other way round was seen in the code of a debug build: all 233 jumps led to the function named.
func TestTrampolines(t *testing.T) {
	t.Parallel()
	at := func(off, size uint32) pdbtest.Extent { return pdbtest.Extent{Seg: 1, Off: off, Size: size} }
	p := sample()
	p.Modules[0].Procs = append(p.Modules[0].Procs, pdbtest.Proc{Name: "main", Extent: at(0x700, 0x10)})
	p.Modules = append(p.Modules, pdbtest.Module{Name: "* Linker *", Extra: []pdbtest.Extent{at(0x400, 0x40)},
		Trampolines: []pdbtest.Trampoline{
			{Extent: at(0x405, 5), TargetSeg: 1, TargetOff: 0x700},
			{Extent: at(0x40a, 5), TargetSeg: 1, TargetOff: 0x200},            // a public
			{Extent: at(0x40f, 5), TargetSeg: 1, TargetOff: 0x44},             // the middle of a function
			{Extent: at(0x414, 5), TargetSeg: 1, TargetOff: 0x405},            // another jump
			{Extent: at(0x419, 5), TargetSeg: 9, TargetOff: 0},                // nowhere
			{Kind: 1, Extent: at(0x420, 8), TargetSeg: 1, TargetOff: 0x10},    // a branch island
			{Extent: at(0x430, 0xffff), TargetSeg: 1, TargetOff: 0xffff_ffff}, // longer than its table
		}})
	p.Publics = append(p.Publics, pdbtest.Public{Name: "ilt_public", Seg: 1, Off: 0x400})
	f := open(t, p.Bytes())
	tests := map[uint32]pdb.Symbol{
		0x1400: {Name: "ilt_public", Kind: pdb.KindPublic, RVA: 0x1400},
		0x1405: {Name: "main", Thunk: "ILT+5", Kind: pdb.KindTrampoline, RVA: 0x1405, Size: 5},
		0x1409: {Name: "main", Thunk: "ILT+5", Kind: pdb.KindTrampoline, RVA: 0x1405, Size: 5, Displacement: 4},
		0x140a: {Name: "asm_entry", Thunk: "ILT+10", Kind: pdb.KindTrampoline, RVA: 0x140a, Size: 5},
		0x140f: {Thunk: "ILT+15", Kind: pdb.KindTrampoline, RVA: 0x140f, Size: 5},
		0x1414: {Thunk: "ILT+20", Kind: pdb.KindTrampoline, RVA: 0x1414, Size: 5},
		0x1419: {Thunk: "ILT+25", Kind: pdb.KindTrampoline, RVA: 0x1419, Size: 5},
		0x1420: {Name: "ns::first", Thunk: "island+32", Kind: pdb.KindTrampoline, RVA: 0x1420, Size: 8},
		0x1430: {Thunk: "ILT+48", Kind: pdb.KindTrampoline, RVA: 0x1430, Size: 0xffff},
		0x1700: {Name: "main", Kind: pdb.KindGlobalProc, RVA: 0x1700, Size: 0x10},
	}
	for rva, want := range tests {
		got, ok, err := f.Lookup(rva)
		if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
			t.Errorf("%#x, %v, %v (-want +got):\n%s", rva, ok, err, diff)
		}
	}
}

// crossing has a module that inlines functions of another, as link-time code generation does it.
func crossing() pdbtest.PDB {
	p := sample()
	p.Modules[0].Name, p.Modules[1].Name = `C:\Build\a.obj`, `C:\Build\B.obj`
	p.Modules[0].Imports = []pdbtest.Import{
		{Module: `c:\build\other.obj`, IDs: []uint32{1, 2, 3}},
		{Module: `c:\build\b.obj`, IDs: []uint32{0x80001174, 0x80001176, 0x80009999}},
	}
	p.Modules[0].Inlinees = []pdbtest.Inlinee{{ID: 0x80100001, File: "b.h", Line: 500}, {ID: 0x80100002, File: "b.h", Line: 600}}
	p.Modules[1].Exports = [][2]uint32{{0x80001176, 0x1001}, {0x80001174, 0x1000}, {0x1174, 0x1002}}
	p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Inlinee: 0x1000, Annotations: []byte{3, 0, 4, 0x40},
		Sites: []pdbtest.Site{{Inlinee: 0x80100001, Annotations: []byte{11, 0x24, 4, 0x10}}}}}
	return p
}

func TestCrossScope(t *testing.T) {
	t.Parallel()
	s, _, err := open(t, crossing().Bytes()).Lookup(0x1048)
	want := []pdb.Frame{{Function: "ns::Class::member", File: "b.h", Line: 501}, {Function: "outer", File: "b.h", Line: 100}}
	if diff := cmp.Diff(want, s.Inlined); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, tt := range map[string]struct {
		inlinee uint32
		change  func(*pdbtest.PDB)
		want    string
	}{
		"not exported":     {0x80100002, func(*pdbtest.PDB) {}, "id 0x80009999 of module 0 is not among the exports"},
		"not imported":     {0x80100003, func(*pdbtest.PDB) {}, "id 0x80100003 is not among the imports"},
		"no such scope":    {0x80200000, func(*pdbtest.PDB) {}, "id 0x80200000 is not among the imports"},
		"no such module":   {0x80000000, func(*pdbtest.PDB) {}, `id 0x80000000 is of "c:\\build\\other.obj", which is no module`},
		"no imports":       {0x80100001, func(p *pdbtest.PDB) { p.Modules[0].Imports = nil }, "id 0x80100001 is not among the imports"},
		"no exports":       {0x80100001, func(p *pdbtest.PDB) { p.Modules[1].Exports = nil }, "id 0x80001176 of module 0 is not among the exports"},
		"exports nonsense": {0x80100001, func(p *pdbtest.PDB) { p.Modules[1].Exports[0][1] = 7 }, "IPI at 0x8: no record 0x7"},
	} {
		p := crossing()
		tt.change(&p)
		// The call that cannot be named is left out, and what called it is not.
		p.Modules[0].Procs[1].Sites[0].Sites[0].Inlinee = tt.inlinee
		s, ok, err := open(t, p.Bytes()).Lookup(0x1048)
		if s.Name != "second" || !ok || len(s.Inlined) != 1 || s.Inlined[0].Function != "outer" {
			t.Errorf("%s: %+v", name, s)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// TestPublicEnds: a public symbol goes as far as the contribution it is in. That of a neighbour without symbols does not
// get it, nor the gap behind, and the lines of that neighbour stand alone.
func TestPublicEnds(t *testing.T) {
	t.Parallel()
	p := pdbtest.PDB{Age: 1,
		Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x1000}},
		Modules: []pdbtest.Module{
			{Name: "x", Extra: []pdbtest.Extent{{Seg: 1, Off: 0x10, Size: 0x20}}},
			{Name: "y", Procs: []pdbtest.Proc{{Kind: pdbtest.NoRecord, Extent: pdbtest.Extent{Seg: 1, Off: 0x40, Size: 0x10},
				Lines: []pdbtest.Line{{File: "y.asm", Line: 7}, {Off: 8, File: "y.asm", Line: 0xf00f00}}}}},
		},
		Publics: []pdbtest.Public{{Name: "a", Seg: 1, Off: 0x10}, {Name: "b", Seg: 1, Off: 0x20}},
	}
	f := open(t, p.Bytes())
	want := []string{"none", "a+0x0 :0", "a+0xf :0", "b+0x0 :0", "b+0xf :0", "none", "none", "+0x0 y.asm:7", "+0x0 y.asm:7", "none", "none"}
	got := lookups(t, f, 0x100f, 0x1010, 0x101f, 0x1020, 0x102f, 0x1030, 0x103f, 0x1040, 0x1047, 0x1048, 0x1050)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s, _, _ := f.Lookup(0x1043); s.RVA != 0x1043 || s.Kind != 0 {
		t.Errorf("a line alone: %+v", s)
	}
}

// TestStale: incremental linking leaves the records of publics that have moved since, and the address map without them.
func TestStale(t *testing.T) {
	t.Parallel()
	p := sample()
	p.Stale = []pdbtest.Public{{Name: "moved", Seg: 1, Off: 0x200}, {Name: "gone", Seg: 1, Off: 0x204}}
	if diff := cmp.Diff([]string{"asm_entry+0x0 :0", "asm_entry+0x5 :0"}, lookups(t, open(t, p.Bytes()), 0x1200, 0x1205)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFolded: functions of equal code that the linker made one keep the name and the lines of the same of them.
func TestFolded(t *testing.T) {
	t.Parallel()
	at := pdbtest.Extent{Seg: 1, Off: 0x10, Size: 0x10}
	proc := func(name string) pdbtest.Proc {
		return pdbtest.Proc{Name: name, Extent: at, Lines: []pdbtest.Line{{File: name + ".c", Line: 1}, {Off: 8, File: name + ".c", Line: 2}}}
	}
	p := pdbtest.PDB{Age: 1, Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x1000}}, Modules: []pdbtest.Module{
		{Name: "x", Procs: []pdbtest.Proc{proc("same"), proc("alike"), proc("equal")}}}}
	want := []string{"same+0x0 same.c:1", "same+0xf same.c:2"}
	if diff := cmp.Diff(want, lookups(t, open(t, p.Bytes()), 0x1010, 0x101f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCallerWithoutLine: LLVM gives no range to code of a caller that has no line. What was inlined into it is not lost
// by that.
func TestCallerWithoutLine(t *testing.T) {
	t.Parallel()
	p := sample()
	p.Modules[0].Procs[1].Sites = []pdbtest.Site{
		{Inlinee: 0x1000, Annotations: []byte{3, 0x30, 4, 8}, Sites: []pdbtest.Site{
			{Inlinee: 0x1001, Sites: []pdbtest.Site{{Inlinee: 0x1002, Annotations: []byte{3, 0, 4, 8}}}},
			{Inlinee: 0x1001, Annotations: []byte{3, 8, 4, 8}},
		}},
		{Inlinee: 0x1002, Annotations: []byte{3, 0, 4, 0x38}},
	}
	f := open(t, p.Bytes())
	for rva, want := range map[uint32]string{
		0x1040: `last c:\src\a.c:300 < ns::Class::member :0 < outer :0`,
		0x1048: `ns::Class::member b.h:200 < outer :0`,
		0x1050: `last c:\src\a.c:300`,
		0x1070: `outer b.h:100`,
	} {
		s, _, err := f.Lookup(rva)
		var got []string
		for _, frame := range s.Inlined {
			got = append(got, fmt.Sprintf("%s %s:%d", frame.Function, frame.File, frame.Line))
		}
		if strings.Join(got, " < ") != want || err != nil {
			t.Errorf("%#x: %s, %v; want %s", rva, got, err, want)
		}
	}
}
