package unwind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestARM64DynamicTable goes through code whose function table was registered at
// run time: its entries are in no order, and what they leave out is a leaf.
func TestARM64DynamicTable(t *testing.T) {
	const jit, sp = 0x300000, 0x20000
	data := func(values ...uint64) (p []byte) {
		for _, v := range values {
			p = binary.LittleEndian.AppendUint64(p, v)
		}
		return p
	}
	entry := func(begin, unwind uint32) []byte {
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, begin), unwind)
	}
	arch := uint16(12)
	d := dumptest.Dump{
		SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		Modules:    []dumptest.Module{{Base: 0x10000, Size: 0x1000, Name: `C:\a.dll`}},
		FunctionTables: &dumptest.FunctionTables{EntrySize: 8, Tables: []dumptest.FunctionTable{
			{Minimum: jit, Maximum: jit + 0x1000, Base: jit - 0x1000, Entries: slices.Concat(
				entry(0x1200, 0x1800), entry(0x1100, 1|64<<2|3<<21|2<<23))}, // fp and lr in 32 bytes
			{Minimum: jit + 0x2000, Maximum: jit + 0x3000, Base: jit},
		}},
		Memory: []dumptest.MemoryRange{
			{Start: jit + 0x800, Data: []byte{0x40, 0, 0, 8, 0xe1, 0x85, 0xe4, 0}},    // set_fp, save_fplr_x 48
			{Start: jit + 0x118, Data: []byte{0x1f, 0x20, 3, 0xd5, 0, 1, 0x3f, 0xd6}}, // nop; blr x8
			{Start: jit + 0x218, Data: []byte{0x1f, 0x20, 3, 0xd5, 0, 1, 0x3f, 0xd6}},
			{Start: sp, Data: data(sp+0x20, jit+0x220, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
		},
	}
	file := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code := s.Code(t.Context())
	for _, tt := range []struct {
		pc   minidump.VA
		lr   uint64
		want []string
	}{
		{jit + 0x10, jit + 0x120, []string{"0x300010 sp 0x20000 context", "0x300120 sp 0x20000 cfi", "0x300220 sp 0x20020 cfi"}}, // a leaf
		{jit + 0x120, 0, []string{"0x300120 sp 0x20000 context", "0x300220 sp 0x20020 cfi"}},
		{jit + 0x2010, 0, []string{"0x302010 sp 0x20000 context", "0x300220 sp 0x20010 frame pointer"}}, // its table is empty
	} {
		u, err := New(f, s, code)
		if err != nil {
			t.Fatal(err)
		}
		r := Registers{PC: tt.pc, Known: 1<<32 - 1}
		r.R[29], r.R[30], r.R[31] = sp, tt.lr, sp
		var got []string
		stop, err := u.Walk(t.Context(), r, func(f Frame, _ *Registers) bool {
			got = append(got, fmt.Sprintf("%s sp %#x %s", f.PC, uint64(f.SP), f.Trust))
			return true
		})
		if diff := cmp.Diff(tt.want, got); diff != "" || stop != StopStart || err != nil {
			t.Errorf("%s: %q, %v (-want +got):\n%s", tt.pc, stop, err, diff)
		}
	}
}

// TestARM64CalledData has a pointer that was called and leads into data: the caller
// is where lr points, and not where fp does.
func TestARM64CalledData(t *testing.T) {
	const data, sp, base = 0x300000, 0x20000, 0x10000
	arch := uint16(12)
	words := func(values ...uint64) (p []byte) {
		for _, v := range values {
			p = binary.LittleEndian.AppendUint64(p, v)
		}
		return p
	}
	d := dumptest.Dump{
		SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		Modules:    []dumptest.Module{{Base: base, Size: 0x1000, Name: `C:\a.dll`}},
		MemoryInfos: &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
			{BaseAddress: data, RegionSize: 0x1000, Protect: 4, Type: 0x20000},
		}},
		Memory: []dumptest.MemoryRange{
			{Start: base + 0x118, Data: []byte{0x1f, 0x20, 3, 0xd5, 0, 1, 0x3f, 0xd6}}, // nop; blr x8
			{Start: base + 0x218, Data: []byte{0x1f, 0x20, 3, 0xd5, 0, 1, 0x3f, 0xd6}},
			{Start: data, Data: make([]byte, 64)},
			{Start: sp, Data: words(0, base+0x220, 0, 0)},
		},
	}
	file := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
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
	r := Registers{PC: data + 16, Known: 1<<32 - 1}
	r.R[29], r.R[30], r.R[31] = sp, base+0x120, sp
	var got []string
	stop, err := u.Walk(t.Context(), r, func(f Frame, _ *Registers) bool {
		got = append(got, fmt.Sprintf("%s %s", f.PC, f.Trust))
		return true
	})
	want := []string{"0x300010 context", "0x10120 frame pointer", "0x10220 frame pointer"}
	if diff := cmp.Diff(want, got); diff != "" || stop != StopStart || err != nil {
		t.Errorf("%q, %v (-want +got):\n%s", stop, err, diff)
	}
}

// TestARM32DynamicTable is [TestARM64DynamicTable] for 32-bit ARM.
func TestARM32DynamicTable(t *testing.T) {
	const jit, sp = 0x300000, 0x20000
	words := func(values ...uint32) (p []byte) {
		for _, v := range values {
			p = binary.LittleEndian.AppendUint32(p, v)
		}
		return p
	}
	arch := uint16(5)
	file := dumptest.Dump{
		PointerSize: 4,
		SystemInfo:  &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		Modules:     []dumptest.Module{{Base: 0x10000, Size: 0x1000, Name: `C:\a.dll`}},
		FunctionTables: &dumptest.FunctionTables{EntrySize: 8, Tables: []dumptest.FunctionTable{
			{Minimum: jit, Maximum: jit + 0x1000, Base: jit - 0x1000, Entries: words(0x1101, 1|0x40<<2|1<<20)}, // push {r4, lr}
		}},
		Memory: []dumptest.MemoryRange{
			{Start: jit + 0x11c, Data: []byte{0, 0xbf, 0x98, 0x47}}, // nop; blx r3
			{Start: sp, Data: words(4, jit+0x121, 5, 0)},
		},
	}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code := s.Code(t.Context())
	for _, tt := range []struct {
		pc   minidump.VA
		want []string
	}{
		{jit + 0x10, []string{"0x300010 sp 0x20000 context", "0x300120 sp 0x20000 cfi", "0x300120 sp 0x20008 cfi"}}, // a leaf
		{jit + 0x110, []string{"0x300110 sp 0x20000 context", "0x300120 sp 0x20008 cfi"}},
	} {
		u, err := New(f, s, code)
		if err != nil {
			t.Fatal(err)
		}
		r := Registers{PC: tt.pc, Known: 1<<16 - 1}
		r.R[13], r.R[14] = sp, jit+0x121
		var got []string
		stop, err := u.Walk(t.Context(), r, func(f Frame, _ *Registers) bool {
			got = append(got, fmt.Sprintf("%s sp %#x %s", f.PC, uint64(f.SP), f.Trust))
			return true
		})
		if diff := cmp.Diff(tt.want, got); diff != "" || stop != StopStart || err != nil {
			t.Errorf("%s: %q, %v (-want +got):\n%s", tt.pc, stop, err, diff)
		}
	}
}
