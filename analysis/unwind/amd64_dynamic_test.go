package unwind

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestDynamicTable goes through code whose function table was registered at run
// time: its entries are in no order, and what they leave out is a leaf.
func TestDynamicTable(t *testing.T) {
	entry := func(begin, end, unwind uint32) []byte {
		var p []byte
		for _, v := range []uint32{begin, end, unwind} {
			p = binary.LittleEndian.AppendUint32(p, v)
		}
		return p
	}
	d := dumptest.Dump{
		Modules: []dumptest.Module{{Base: sceneBase, Size: 0x1000, Name: `C:\a.dll`}},
		FunctionTables: &dumptest.FunctionTables{Tables: []dumptest.FunctionTable{
			{Minimum: sceneJIT, Maximum: sceneJIT + 0x1000, Base: sceneJIT - 0x1000, Entries: slices.Concat(entry(0x1200, 0x1300, 0x1808), entry(0x1100, 0x1200, 0x1800))},
			{Minimum: sceneJIT + 0x2000, Maximum: sceneJIT + 0x3000, Base: sceneJIT},
		}},
		Memory: []dumptest.MemoryRange{
			{Start: sceneJIT + 0x800, Data: unhex(t, "01 01 01 00 01 30 00 00 01 01 01 00 01 60 00 00")},
			{Start: sceneJIT + 0x138, Data: unhex(t, "90 90 90 90 90 90 ff d0")}, // behind it is 0x140
			{Start: sceneJIT + 0x248, Data: unhex(t, "90 90 90 90 90 90 ff d0")},
			{Start: sceneStack, Data: words(sceneJIT+0x140, 3, sceneJIT+0x250, 6, 0)},
		},
	}
	for _, tt := range []struct {
		pc   minidump.VA
		want string
	}{
		{sceneJIT + 0x10, "0x300010 sp 0x20000 context interrupted\n0x300140 sp 0x20008 cfi\n0x300250 sp 0x20018 cfi r3=0x3\nstart of the thread"},
		{sceneJIT + 0x2010, "0x302010 sp 0x20000 context interrupted\n0x300140 sp 0x20008 scan\n0x300250 sp 0x20018 cfi r3=0x3\nstart of the thread"}, // its table is empty
	} {
		f := testdump.Make(t, d)
		s, err := symbol.NewResolver(f, symbol.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		code := s.Code(t.Context())
		u, err := New(f, s, code)
		if err != nil {
			t.Fatal(err)
		}
		r := Registers{PC: tt.pc, Known: 0xffff}
		r.R[minidump.RegSP] = sceneStack
		if diff := cmp.Diff(tt.want, walk(t, u, r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.pc, diff)
		}
	}
}
