package symbol_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// frameDump is a dump of a process with one of our images of x86. loaded says that
// it holds the image, from the base on that it was loaded at.
func frameDump(t *testing.T, file string, base uint64, loaded bool) (*minidump.File, *peimage.Image) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := peimage.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	m := dumptest.Module{Base: base, Size: img.SizeOfImage, TimeDateStamp: img.TimeDateStamp, Name: `C:\` + filepath.Base(file)}
	if v, ok, err := img.CodeView(); ok && err == nil {
		m.CodeView = dumptest.RSDS{GUID: v.GUID, Age: v.Age, Path: v.PDBFile}
	}
	d := dumptest.Dump{PointerSize: 4, Modules: []dumptest.Module{m}}
	if loaded {
		memory := make([]byte, img.SizeOfImage)
		copy(memory, data[:img.Sections[0].PointerToRawData])
		for _, s := range img.Sections {
			copy(memory[s.VirtualAddress:], data[s.PointerToRawData:s.PointerToRawData+min(s.SizeOfRawData, s.VirtualSize)])
		}
		d.Memory64 = []dumptest.MemoryRange{{Start: base, Data: memory}}
	}
	return testdump.Make(t, d), img
}

var frames = filepath.Join("..", "unwind", "testdata", "x86")

// TestFrameRule asks for the same function of all sources.
func TestFrameRule(t *testing.T) {
	gcc := filepath.Join(frames, "frames-gcc.dll")
	pdb := filepath.Join(frames, "frames-fp.dll")
	const base = 0x10000000
	tests := []struct {
		name    string
		file    string
		base    uint64
		loaded  bool
		options symbol.Options
		rva     uint32
		want    symbol.Trust // of the rule; "" for none
	}{
		{name: "memory", file: gcc, base: base, loaded: true, rva: 0x1042, want: symbol.TrustDWARF},
		{name: "memory, loaded elsewhere", file: gcc, base: 0x500000, loaded: true, rva: 0x1042, want: symbol.TrustDWARF},
		{name: "image file", file: gcc, base: 0x500000, options: symbol.Options{ImagePath: frames}, rva: 0x1042, want: symbol.TrustDWARF},
		{name: "a section whose name is not in memory", file: filepath.Join("..", "..", "testdata", "leaky", "images", "x86", "MyCustomDll.dll"),
			base: base, loaded: true, rva: 0x1010, want: symbol.TrustDWARF},
		{name: "no image", file: gcc, base: base, rva: 0x1042},
		{name: "no function", file: gcc, base: base, loaded: true, rva: 0x20},
		{name: "pdb", file: pdb, base: 0x500000, options: symbol.Options{SymbolPath: frames}, rva: 0x10a2, want: symbol.TrustPDB},
		{name: "no pdb", file: pdb, base: base, loaded: true, rva: 0x10a2},
		{name: "not in the pdb", file: pdb, base: base, options: symbol.Options{SymbolPath: frames}, rva: 0x1001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := frameDump(t, tt.file, tt.base, tt.loaded)
			s, err := symbol.NewResolver(f, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for range 2 { // the second time nothing is loaded
				rule, ok, err := s.FrameRule(t.Context(), minidump.VA(tt.base)+minidump.VA(tt.rva))
				if err != nil || ok != (tt.want != "") || rule.Trust != tt.want {
					t.Errorf("a rule of %q, %v, %v; want %q", rule.Trust, ok, err, tt.want)
				}
				if ok && (rule.CFI == nil) == (rule.Frame == nil) {
					t.Errorf("%+v", rule)
				}
			}
			if _, ok, err := s.FrameRule(t.Context(), 0x99); ok || err != nil {
				t.Errorf("outside all modules: %v, %v", ok, err)
			}
		})
	}
}

func TestFrameRuleOfPDB(t *testing.T) {
	f, _ := frameDump(t, filepath.Join(frames, "frames-fp.dll"), 0x10000000, false)
	s, err := symbol.NewResolver(f, symbol.Options{SymbolPath: frames})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rule, _, err := s.FrameRule(t.Context(), 0x100010a3)
	want := symbol.FrameRule{Trust: symbol.TrustPDB, Frame: &symbol.FrameData{
		RVA: 0x10a3, Size: 11, Params: 8, SavedRegs: 4, Program: "$T0 $ebp 4 + = $eip $T0 ^ = $esp $T0 4 + = $ebp $T0 4 - ^ = ",
	}}
	if diff := cmp.Diff(want.Frame, rule.Frame); diff != "" || rule.Trust != want.Trust || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A search that was interrupted goes on the next time.
func TestFrameRuleInterrupted(t *testing.T) {
	f, _ := frameDump(t, filepath.Join(frames, "frames-gcc.dll"), 0x10000000, true)
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := s.FrameRule(ctx, 0x10001042); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", ok, err)
	}
	if _, ok, err := s.FrameRule(t.Context(), 0x10001042); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}
