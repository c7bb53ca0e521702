package owners

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestSpans(t *testing.T) {
	merged := mergeSpans([]vaSpan{{30, 40}, {10, 20}, {5, 5}, {15, 25}, {25, 26}, {50, 45}})
	if diff := cmp.Diff([]vaSpan{{10, 26}, {30, 40}}, merged, cmp.AllowUnexported(vaSpan{})); diff != "" {
		t.Errorf("mergeSpans (-want +got):\n%s", diff)
	}
	rest := subtractSpans([]vaSpan{{0, 100}, {200, 300}, {400, 500}}, []vaSpan{{10, 20}, {30, 250}, {260, 270}, {390, 600}})
	if diff := cmp.Diff([]vaSpan{{0, 10}, {20, 30}, {250, 260}, {270, 300}}, rest, cmp.AllowUnexported(vaSpan{})); diff != "" {
		t.Errorf("subtractSpans (-want +got):\n%s", diff)
	}
}

// What is searched, with and without a MemoryInfoList.
func TestOwnerSpace(t *testing.T) {
	memory := func(start uint64, size int) dumptest.MemoryRange {
		return dumptest.MemoryRange{Start: start, Data: make([]byte, size)}
	}
	base := dumptest.Dump{
		Flags:      dumptest.WithFullMemory,
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}},
		Modules:    []dumptest.Module{{Base: 0x400000, Size: 0x3000, Name: "a.exe"}},
		Threads:    []dumptest.Thread{{ThreadID: 1, Teb: 0x70000, Stack: dumptest.MemoryRange{Start: 0x21000, Size: 0x1000, Data: make([]byte, 0x1000)}}},
		Memory64: []dumptest.MemoryRange{
			memory(0x10000, 0x2000), memory(0x12000, 0x1000), // one run
			memory(0x20000, 0x2000),                          // with the stack
			memory(0x70000, 0x3000),                          // TEB and more
			memory(0x400000, 0x3000),                         // the module
			memory(0x80000, 0x1000), memory(0x80800, 0x1000), // overlapping
		},
	}
	infos := base
	region := func(at, allocation, size uint64, protect, kind uint32) dumptest.MemoryInfo {
		return dumptest.MemoryInfo{BaseAddress: at, AllocationBase: allocation, RegionSize: size, Protect: protect, Type: kind}
	}
	infos.MemoryInfos = &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
		region(0x10000, 0x10000, 0x2000, 4, 0x20000),
		region(0x12000, 0x12000, 0x1000, 2, 0x20000), // read-only
		region(0x20000, 0x20000, 0x1000, 4, 0x20000), // the stack's allocation
		region(0x21000, 0x20000, 0x1000, 4, 0x20000),
		region(0x80000, 0x80000, 0x1000, 0x40, 0x20000),
		region(0x81000, 0x81000, 0x1000, 4, 0x40000), // mapped
		region(0x400000, 0x400000, 0x3000, 4, 0x1000000),
	}}
	tests := []struct {
		name  string
		dump  dumptest.Dump
		basis Basis
		want  []vaSpan
	}{
		{"lists", base, BasisLists, []vaSpan{{0x10000, 0x13000}, {0x20000, 0x21000}, {0x72000, 0x73000}, {0x80000, 0x81000}, {0x81000, 0x81800}}},
		{"memory info", infos, BasisMemoryInfo, []vaSpan{{0x10000, 0x12000}, {0x80000, 0x81000}, {0x400000, 0x403000}}},
	}
	for _, test := range tests {
		f := testdump.Make(t, test.dump)
		mem, err := f.Memory()
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSpace(f, mem, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []vaSpan
		for _, r := range s.scan {
			got = append(got, vaSpan{uint64(r.Start), uint64(r.End())})
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(vaSpan{})); diff != "" || s.basis != test.basis {
			t.Errorf("%s: basis %s (-want +got):\n%s", test.name, s.basis, diff)
		}
	}
}

// A file may list the same bytes as many ranges; it is not searched for longer
// than it is.
func TestOwnerSpaceShared(t *testing.T) {
	s := newScene(1, 8)
	s.leaks(s.vtable(1))
	d := s.dump()
	d.MemoryInfos = nil
	d.Memory = []dumptest.MemoryRange{{Start: 0x1000000, Data: make([]byte, 1<<16)}}
	for i := range 100 {
		d.Memory = append(d.Memory, dumptest.MemoryRange{Start: uint64(0x2000000 + i<<20), Data: []byte{0}})
	}
	for i := range 100 {
		at := 4 + 16*(i+1) // of the descriptor in the list: its size and its place
		d.Patches = append(d.Patches,
			dumptest.Patch{Anchor: "MemoryList", Off: int64(at + 8), Bytes: []byte{0, 0, 1, 0}},
			dumptest.PointTo("MemoryList", int64(at+12), "MemoryList[0].Data"))
	}
	f := testdump.Make(t, d)
	r, err := Find(t.Context(), f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Scan.Bytes > uint64(f.Size()) || len(r.Scan.Problems) != 1 {
		t.Errorf("searched %d of %d bytes: %v", r.Scan.Bytes, f.Size(), r.Scan.Problems)
	}
}

// A WOW64 process is searched as one of 32 bits, although its dump is one of 64.
func TestOwnersWOW64(t *testing.T) {
	s := newScene(1, 4)
	s.leaks(s.vtable(1))
	d := s.dump()
	d.PointerSize = 8
	d.Modules = append(d.Modules, dumptest.Module{Base: 0x7ffa00000000, Size: 0x1000, Name: `C:\Windows\System32\wow64.dll`})
	r, err := Find(t.Context(), testdump.Make(t, d), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"60 of 62 Key at +4 of vtable MyCustomDll+0x2140"}
	if diff := cmp.Diff(want, ownerTexts(r)); diff != "" || r.Scan.PointerSize != 4 {
		t.Errorf("pointer size %d (-want +got):\n%s", r.Scan.PointerSize, diff)
	}
}

func TestOwnersUnanswered(t *testing.T) {
	scene := newScene(1, 8)
	scene.leaks(scene.vtable(1))
	whole := scene.dump()
	noMemory, noHandles, partial := whole, whole, whole
	noMemory.Memory64 = nil
	noHandles.HandleData = nil
	partial.Flags, partial.Memory, partial.Memory64 = 0, whole.Memory64, nil
	for _, test := range []struct {
		name string
		dump dumptest.Dump
		want string
	}{
		{"no memory", noMemory, "the dump holds no memory; " + analysis.CaptureMemory},
		{"no handles", noHandles, "no handles in this dump: "},
		{"no heaps", partial, "the dump holds stacks and selected memory only, "},
	} {
		_, err := Find(t.Context(), testdump.Make(t, test.dump), Options{})
		var unanswered *analysis.MissingError
		if !errors.As(err, &unanswered) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestOwnersOptions(t *testing.T) {
	s := newScene(1, 8)
	s.leaks(s.vtable(1), 0, 0, 0)
	for i := range s.handles {
		if i%2 == 0 && s.handles[i].Type == "Key" {
			s.handles[i].Name = `\mine`
		}
	}
	pattern := func(text string) *analysis.NamePattern {
		p, err := analysis.ParseNamePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	key := []string{"60 of 62 Key at +32 of vtable MyCustomDll+0x2140"}
	for _, test := range []struct {
		name string
		o    Options
		want []string
	}{
		{"type", Options{Types: []string{"KEY"}}, key},
		{"another type", Options{Types: []string{"Event", "None"}}, []string{}},
		{"several types", Options{Types: []string{"Event", "Key"}}, key},
		{"name", Options{Name: pattern(`\mine`)}, []string{"30 of 31 Key at +32 of vtable MyCustomDll+0x2140"}},
		{"type and name", Options{Types: []string{"Event"}, Name: pattern(`\mine`)}, []string{}},
		{"near", Options{MaxOffset: 24}, []string{}},
		{"near enough", Options{MaxOffset: 32}, key},
		{"group", Options{Group: func(h *minidump.Handle) (string, bool) {
			return "low", h.TypeName == "Key" && h.Handle < 0x240
		}}, []string{"27 of 29 Key at +32 of vtable MyCustomDll+0x2140"}},
	} {
		if diff := cmp.Diff(test.want, ownerTexts(s.find(t, test.o))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	var unknown *analysis.UnknownTypeError
	if _, err := Find(t.Context(), s.file(t), Options{Types: []string{"Key", "Evnet"}}); !errors.As(err, &unknown) || unknown.Similar != "Event" {
		t.Errorf("unknown type: error %v", err)
	}
	for _, offset := range []int{-1, MaxOffset + 1} {
		if _, err := Find(t.Context(), s.file(t), Options{MaxOffset: offset}); err == nil {
			t.Errorf("MaxOffset %d: no error", offset)
		}
	}
}

// Values that no handle has, and such as would cost the memory of millions of
// handles, are left out.
func TestOwnersStrangeHandles(t *testing.T) {
	s := newScene(1, 8)
	s.leaks(s.vtable(1))
	for _, v := range []uint64{0x3fffffc, 0x102, 1 << 40, 0x100, 0xffffffffffffffff} {
		s.handles = append(s.handles, dumptest.Handle{Value: v, Type: "Key"})
	}
	r := s.find(t, Options{})
	want := []string{"60 of 62 Key at +8 of vtable MyCustomDll+0x2140"}
	if diff := cmp.Diff(want, ownerTexts(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	notes := []string{
		"4 of the handles have values unlike all others; they were left out",
		"1 of the handles are listed a second time; they were left out",
	}
	if diff := cmp.Diff(notes, r.Scan.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestOwnersProgress(t *testing.T) {
	s := newScene(1, 8)
	s.noise(1 << 17)
	s.leaks(s.vtable(1))
	var last, total int64
	s.find(t, Options{Progress: func(done, of int64) {
		if done < last {
			t.Errorf("%d after %d", done, last)
		}
		last, total = done, of
	}})
	if last != total || last == 0 {
		t.Errorf("ended at %d of %d", last, total)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, s.file(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
