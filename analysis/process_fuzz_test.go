package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// FuzzReadPEBs: what the memory of a process has in place of a TEB and a PEB is
// read twice in the same way, and unfolds to little.
func FuzzReadPEBs(f *testing.F) {
	for _, pointer := range []int{4, 8} {
		s := newScene(0x7efd0000, 0x8000, pointer)
		s.process()
		f.Add(s.data, pointer == 8)
	}
	f.Fuzz(func(t *testing.T, memory []byte, wide bool) {
		s := &scene{base: 0x7efd0000, data: memory, pointer: 4}
		if wide {
			s.pointer = 8
		}
		data := s.dump().Bytes()
		d := testdump.Bytes(t, data)
		pebs, err := analysis.ReadPEBs(d)
		if (err != nil) != (len(pebs) == 0) {
			t.Fatalf("%d PEBs, error %v", len(pebs), err)
		}
		again, _ := analysis.ReadPEBs(d)
		if diff := cmp.Diff(fmt.Sprintf("%+v", deref(pebs)), fmt.Sprintf("%+v", deref(again))); diff != "" {
			t.Errorf("twice (-want +got):\n%s", diff)
		}
		for _, p := range pebs {
			size := 0
			if p.Parameters != nil {
				size += len(strings.Join(p.Parameters.Variables, ""))
			}
			if p.Loader != nil {
				for _, m := range p.Loader.Modules {
					if m.Path != nil {
						size += len(*m.Path)
					}
				}
			}
			if size > 8*len(data) { // a character of two bytes may become three
				t.Errorf("a file of %d bytes unfolds to %d", len(data), size)
			}
		}
	})
}

// deref is what PEBs lead to.
func deref(pebs []analysis.PEB) (all []any) {
	for _, p := range pebs {
		if p.Loader != nil {
			for _, m := range p.Loader.Modules {
				all = append(all, m.Base, m.Path == nil)
			}
		}
		if p.Parameters != nil {
			all = append(all, p.Parameters.Variables)
		}
		all = append(all, p.Missing, p.Problems, p.Heaps)
	}
	return all
}

// FuzzDescribeMemory: whatever the regions are, their sums agree.
func FuzzDescribeMemory(f *testing.F) {
	f.Add([]byte("0a1b2c3d4e"), true)
	f.Add([]byte{0, 1, 0, 1, 0xff, 2, 1, 3, 0x80, 0, 9, 9}, false)
	f.Fuzz(func(t *testing.T, plan []byte, wow64 bool) {
		s := newScene(0x7efd0000, 0x8000, 8)
		s.process()
		d := s.dump()
		if wow64 {
			d.Modules = []dumptest.Module{{Base: 0x75000000, Size: 0x1000, Name: "wow64.dll"}}
		}
		d.MemoryInfos = &dumptest.MemoryInfoList{}
		at := uint64(0x7efc0000)
		for len(plan) >= 2 {
			size := uint64(plan[0]&0x7f) << (plan[1] & 0x38)
			if plan[0]&0x80 != 0 {
				at -= size
			}
			d.MemoryInfos.Regions = append(d.MemoryInfos.Regions, dumptest.MemoryInfo{
				BaseAddress: at, AllocationBase: at &^ 0xffff, RegionSize: size,
				State: []uint32{commit, reserve, free, 7}[plan[1]&3], Type: []uint32{private, image}[plan[1]>>7], Protect: 1 << (plan[1] >> 4),
			})
			at += size
			plan = plan[2:]
		}
		a, err := analysis.DescribeMemory(testdump.Make(t, d))
		if err != nil {
			t.Fatal(err)
		}
		total := func(sums []analysis.MemorySum) (n uint64) {
			for _, s := range sums {
				n += s.Bytes
			}
			return n
		}
		if n := total(a.Usage); n != a.Total.Bytes || n != total(a.States) || n-a.Free.Bytes != total(a.Types) || len(a.Largest) != len(a.Usage) {
			t.Errorf("%+v", a)
		}
		for i, b := range a.Largest {
			if b.Usage != a.Usage[i].Name || b.Bytes > a.Usage[i].Bytes || a.Usage[i].Count == 1 && b.Bytes != a.Usage[i].Bytes {
				t.Errorf("%+v is the largest of %+v", b, a.Usage[i])
			}
		}
	})
}

// FuzzReadMemoryView: each byte of a view is there just if the dump has it, and
// then it is the same.
func FuzzReadMemoryView(f *testing.F) {
	f.Add([]byte{0, 8, 4, 8, 40, 3}, uint16(2), uint16(60), "db")
	f.Add([]byte{0, 200, 220, 9}, uint16(0), uint16(0), "dps")
	f.Add([]byte{1, 30}, uint16(1), uint16(0), "du")
	f.Fuzz(func(t *testing.T, plan []byte, skip, length uint16, name string) {
		format, err := analysis.ParseMemoryFormat(name)
		if err != nil {
			return
		}
		const base = 0x10000
		var d dumptest.Dump
		for i := 0; i+1 < len(plan) && i < 64; i += 2 {
			data := make([]byte, plan[i+1])
			for k := range data {
				data[k] = plan[i] + byte(k) + 1 // by the address: ranges may overlap
			}
			d.Memory = append(d.Memory, dumptest.MemoryRange{Start: base + uint64(plan[i]), Data: data})
		}
		if d.Memory == nil {
			return
		}
		m, err := testdump.Make(t, d).Memory()
		if err != nil {
			t.Fatal(err)
		}
		at := minidump.VA(base + uint64(skip%512))
		v, err := analysis.ReadMemoryView(m, format, at, uint64(length%2048), 8)
		if (err != nil) != (v.Captured() == 0 && !v.Ended) {
			t.Errorf("%d bytes of %d, ended %v, error %v", v.Captured(), len(v.Data), v.Ended, err)
		}
		captured := 0
		for off := range v.Data {
			var p [1]byte
			_, err := m.ReadAt(p[:], at+minidump.VA(off))
			if v.Has(off, 1) != (err == nil) || err == nil && p[0] != v.Data[off] {
				t.Fatalf("at %d: there %v and %#x, want %v and %#x; gaps %v", off, v.Has(off, 1), v.Data[off], err == nil, p[0], v.Gaps)
			}
			if err == nil {
				captured++
			}
		}
		if captured != v.Captured() {
			t.Errorf("%d bytes were captured, not %d", captured, v.Captured())
		}
	})
}
