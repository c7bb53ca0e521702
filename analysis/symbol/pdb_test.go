package symbol_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// made is a dump with one module, and its PDB in a folder.
func made(t *testing.T, p pdbtest.PDB) (d dumptest.Dump, folder string) {
	t.Helper()
	p.GUID, p.Age = [16]byte{1, 2, 3}, 5
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "made.pdb"), p.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return dumptest.Dump{Modules: []dumptest.Module{{Base: base, Size: 0x10000, Name: `C:\app\made.dll`,
		CodeView: dumptest.RSDS{GUID: p.GUID, Age: p.Age, Path: `d:\build\made.pdb`}}}}, folder
}

// debugBuild is what a debug build of Visual C++ has: a table of jumps, code from an assembler that has lines only, and
// inlined functions of an unnamed namespace.
func debugBuild() pdbtest.PDB {
	at := func(off, size uint32) pdbtest.Extent { return pdbtest.Extent{Seg: 1, Off: off, Size: size} }
	return pdbtest.PDB{
		Machine:  0x8664,
		Sections: []pdbtest.Section{{RVA: 0x1000, Size: 0x1000}},
		Modules: []pdbtest.Module{
			{Name: "* Linker *", Extra: []pdbtest.Extent{at(0, 0x20)}, Trampolines: []pdbtest.Trampoline{
				{Extent: at(5, 5), TargetSeg: 1, TargetOff: 0x100},
				{Extent: at(10, 5), TargetSeg: 1, TargetOff: 0x200},
				{Extent: at(15, 5), TargetSeg: 1, TargetOff: 0x999},
			}},
			{Name: "a.obj", Procs: []pdbtest.Proc{{Name: "ns::Class::Run", Extent: at(0x100, 0x20),
				Lines: []pdbtest.Line{{File: "a.cpp", Line: 10}},
				Sites: []pdbtest.Site{
					{Inlinee: 0x1000, Annotations: []byte{3, 4, 4, 4}},
					{Inlinee: 0x1007, Annotations: []byte{3, 8, 4, 4}},
				}}}},
			{Name: "b.obj", Extra: []pdbtest.Extent{at(0x200, 0x20)}},
			{Name: "c.obj", Procs: []pdbtest.Proc{{Kind: pdbtest.NoRecord, Extent: at(0x300, 0x10), Lines: []pdbtest.Line{{File: "c.asm", Line: 3}}}}},
		},
		Publics:   []pdbtest.Public{{Name: "?Open@Key@ns@@QEAAXXZ", Seg: 1, Off: 0x200}},
		Functions: []pdbtest.FuncID{{Name: "?A0x1b2c3d4e::helper", File: "a.h", Line: 7}},
	}
}

func TestDebugBuild(t *testing.T) {
	t.Parallel()
	d, folder := made(t, debugBuild())
	damaged := []string{}
	s := newSession(t, d, symbol.Options{SymbolPath: folder, Damaged: func(path string, err error) {
		damaged = append(damaged, filepath.Base(path)+": "+err.Error())
	}})
	tests := map[minidump.VA]string{
		base + 0x1005: "made!ILT+5(ns::Class::Run)  pdb",
		base + 0x1006: "made!ILT+5(ns::Class::Run)+0x1  pdb",
		base + 0x100a: "made!ILT+10(ns::Key::Open)  pdb",
		base + 0x100f: "made!ILT+15  pdb",
		base + 0x1104: "made!ns::Class::Run+0x4 a.cpp:10 pdb < `anonymous namespace'::helper a.h:7",
		base + 0x1200: "made!ns::Key::Open  pdb",
		base + 0x1230: "made+0x1230  module", // behind the code of a public symbol
		base + 0x1300: "made+0x1300 c.asm:3 pdb",
	}
	for addr, want := range tests {
		if got := show(resolve(t, s, addr)); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
	if len(damaged) != 0 {
		t.Errorf("damaged: %s", damaged)
	}
	for range 2 { // an inlined function that the file does not describe; said once
		if got, want := show(resolve(t, s, base+0x1108)), "made!ns::Class::Run+0x8 a.cpp:10 pdb"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if diff := cmp.Diff([]string{"made.pdb: IPI at 0x8: no record 0x1007"}, damaged); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s = newSession(t, d, symbol.Options{SymbolPath: folder, RawNames: true})
	if got, want := show(resolve(t, s, base+0x100a)), "made!ILT+10(?Open@Key@ns@@QEAAXXZ)  pdb"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOtherPDBs says what the files are that have a PDB's name and no names in them.
func TestOtherPDBs(t *testing.T) {
	t.Parallel()
	managed := debugBuild()
	managed.Machine = 0xc0ee
	d, folder := made(t, managed)
	for _, tt := range []struct{ data, want string }{
		{"", "a PDB of managed code, without addresses of functions"},
		{"BSJB\x01\x00\x01\x00", "a portable PDB of .NET, without addresses of native code"},
		{"Microsoft C/C++ program database 2.00\r\n\x1aJG\x00\x00", "a PDB 2.0 (JG) of Visual C++ 6 or older, a format that is not read"},
	} {
		if tt.data != "" {
			if err := os.WriteFile(filepath.Join(folder, "made.pdb"), []byte(tt.data), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		st := inspect(t, newSession(t, d, symbol.Options{SymbolPath: folder}))
		if st.Trust != symbol.TrustModule || len(st.Tries) == 0 || st.Tries[0].Err == nil || st.Tries[0].Err.Error() != tt.want {
			t.Errorf("want %s, got %+v", tt.want, st)
		}
		if !strings.HasPrefix(st.Tries[0].Where, folder) {
			t.Errorf("found in %s", st.Tries[0].Where)
		}
	}
}
