package minidump_test

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestMemoryReader(t *testing.T) {
	m, err := build(t, dumptest.Dump{Memory: []dumptest.MemoryRange{
		{Start: 0x10000, Data: []byte("one, ")}, {Start: 0x10005, Data: []byte("two")}, {Start: 0x20000, Data: []byte("behind a hole")},
		{Start: 0xfffffffffffffffc, Data: []byte("last")},
	}}).Memory()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		va   minidump.VA
		n    uint64
		want string
		err  string // "" means that all is there
	}{
		{0x10000, 8, "one, two", ""},
		{0x10002, 4, "e, t", ""},
		{0x10000, 9, "one, two", "memory not captured in the dump: 0x10008"},
		{0x1fffe, 4, "", "memory not captured in the dump: 0x1fffe"},
		{0x20000, 0, "", ""},
		{0xfffffffffffffffd, math.MaxUint64, "ast", ""},
		{0, math.MaxUint64, "", "memory not captured in the dump: 0x0"},
	} {
		r := m.Reader(tt.va, tt.n)
		got, err := io.ReadAll(r)
		if string(got) != tt.want || (err == nil) != (tt.err == "") || err != nil && (!errors.Is(err, minidump.ErrNotCaptured) || err.Error() != tt.err) {
			t.Errorf("%d bytes at %s: %q, %v", tt.n, tt.va, got, err)
		}
	}
	if err := iotest.TestReader(m.Reader(0x10000, 8), []byte("one, two")); err != nil {
		t.Error(err)
	}
	p := make([]byte, 3)
	if n, err := m.Reader(0x10000, 8).ReadAt(p, 5); n != 3 || err != nil || string(p) != "two" {
		t.Errorf("ReadAt: %q, %v", p[:n], err)
	}
}

func TestModuleAt(t *testing.T) {
	d := dumptest.Dump{Modules: []dumptest.Module{
		{Base: 0x400000, Size: 0x2000, Name: `C:\a.exe`, CodeView: dumptest.RSDS{Age: 2, Path: "a.pdb"}},
		{Base: 0x401000, Size: 0x8000, Name: `C:\over.dll`},
		{Base: 0xfffffffffffff000, Size: 0x1000, Name: `C:\end.dll`},
		{Base: 0x700000, Name: `C:\empty.dll`},
	}}
	f := build(t, d)
	for va, want := range map[minidump.VA]string{
		0x400000: `C:\a.exe`, 0x401fff: `C:\a.exe`, 0x402000: `C:\over.dll`, 0x408fff: `C:\over.dll`, 0xffffffffffffffff: `C:\end.dll`,
		0x3fffff: "", 0x409000: "", 0x700000: "", 0: "",
	} {
		m, err := f.ModuleAt(va)
		if want == "" {
			if m != nil || !errors.Is(err, minidump.ErrNoModule) || err.Error() != "no module at this address: "+va.String() {
				t.Errorf("%s: %+v, %v", va, m, err)
			}
			continue
		}
		if err != nil || m.ModuleName != want {
			t.Errorf("%s: %+v, %v, want %s", va, m, err, want)
		}
	}
	if m, err := f.ModuleAt(0x400010); err != nil || m.CvRecord.PDBFile != "a.pdb" || m.SizeOfImage != 0x2000 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := build(t, dumptest.Dump{}).ModuleAt(0); !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without modules: %v", err)
	}
	// A name that cannot be read, and a list that is shorter than it says.
	d.Patches = []dumptest.Patch{dumptest.PutU32("ModuleList[0]", 20, 0xfffffff0), dumptest.DeclareCount(dumptest.ModuleListStream, 9)}
	f = build(t, d)
	var format *minidump.FormatError
	if m, err := f.ModuleAt(0x400000); m == nil || m.BaseOfImage != 0x400000 || !errors.As(err, &format) {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := f.ModuleAt(0x10); m != nil || !errors.Is(err, minidump.ErrNoModule) || !strings.Contains(err.Error(), "9 modules of 108 bytes declared") {
		t.Errorf("%+v, %v", m, err)
	}
}
