package analysis_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

const (
	commit, reserve, free         = 0x1000, 0x2000, 0x10000
	private, mapped, image        = 0x20000, 0x40000, 0x1000000
	readOnly, readWrite, noAccess = 2, 4, 1
)

// sumLines writes sums as "Name count bytes".
func sumLines(sums ...[]analysis.MemorySum) []string {
	var lines []string
	for _, list := range sums {
		for _, s := range list {
			lines = append(lines, fmt.Sprintf("%s %d %#x", s.Name, s.Count, s.Bytes))
		}
	}
	return lines
}

// spaceDump is a process with a thread, a heap of two segments, an image and
// some more.
func spaceDump() dumptest.Dump {
	s := newScene(0x7ff000000000, 0x8000, 8)
	s.process() // its stack is below 0x22000, its heaps are at 0x340000 and 0x350000
	segment := newScene(0x500000, 0x1000, 8)
	segment.u32(0x500010, 0xffeeffee)
	segment.ptrs(0x500028, 0x340000)
	d := s.dump()
	d.Memory = append(d.Memory, segment.memory())
	d.MemoryInfos = &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
		{BaseAddress: 0, RegionSize: 0x20000, State: free, Protect: noAccess},
		{BaseAddress: 0x20000, AllocationBase: 0x20000, RegionSize: 0x1000, State: reserve, Type: private},
		{BaseAddress: 0x21000, AllocationBase: 0x20000, RegionSize: 0x1000, Protect: readWrite, Type: private},
		{BaseAddress: 0x22000, RegionSize: 0x31e000, State: free, Protect: noAccess},
		{BaseAddress: 0x340000, AllocationBase: 0x340000, RegionSize: 0x10000, Protect: readWrite, Type: private},
		{BaseAddress: 0x350000, AllocationBase: 0x350000, RegionSize: 0x1000, Protect: readOnly, Type: mapped},
		{BaseAddress: 0x400000, AllocationBase: 0x400000, RegionSize: 0x5000, Protect: readOnly, Type: image},
		{BaseAddress: 0x500000, AllocationBase: 0x500000, RegionSize: 0x2000, Protect: readWrite, Type: private},
		{BaseAddress: 0x502000, AllocationBase: 0x500000, RegionSize: 0xe000, State: reserve, Type: private},
		{BaseAddress: 0x7fe000000000, AllocationBase: 0x7fe000000000, RegionSize: 0x3000, Protect: readOnly, Type: mapped},
		{BaseAddress: 0x7ff000000000, AllocationBase: 0x7ff000000000, RegionSize: 0x8000, Protect: readWrite, Type: private},
	}}
	return d
}

func TestDescribeMemory(t *testing.T) {
	a, err := analysis.DescribeMemory(testdump.Make(t, spaceDump()))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Free 2 0x33e000", "Heap 4 0x21000", "<unknown> 2 0x8000", "Image 1 0x5000", "Stack 2 0x2000", "TEB 1 0x2000", "PEB 1 0x1000",
		"MEM_PRIVATE 8 0x2a000", "MEM_IMAGE 1 0x5000", "MEM_MAPPED 2 0x4000",
		"MEM_FREE 2 0x33e000", "MEM_COMMIT 9 0x24000", "MEM_RESERVE 2 0xf000",
		"PAGE_READWRITE 6 0x1b000", "PAGE_READONLY 3 0x9000",
	}
	if diff := cmp.Diff(want, sumLines(a.Usage, a.Types, a.States, a.Protections)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	largest := []analysis.MemoryBlock{
		{"Free", 0x22000, 0x31e000}, {"Heap", 0x340000, 0x10000}, {"<unknown>", 0x7ff000003000, 0x5000}, {"Image", 0x400000, 0x5000},
		{"Stack", 0x20000, 0x1000}, {"TEB", 0x7ff000000000, 0x2000}, {"PEB", 0x7ff000002000, 0x1000},
	}
	if diff := cmp.Diff(largest, a.Largest); diff != "" {
		t.Errorf("largest (-want +got):\n%s", diff)
	}
	rest := fmt.Sprintf("%v %v %v %v %v %v %d %v", a.Listed, a.WOW64, a.Total, a.Free, a.Captured, a.HeapsKnown, a.StacksUnknown, a.Problems)
	if want := "true false { 13 3608576} { 2 3399680} { 2 36864} true 0 []"; rest != want {
		t.Errorf("%s, want %s", rest, want)
	}
}

// Regions that cannot be are left out, and said.
func TestMemoryDamage(t *testing.T) {
	region := func(base, size uint64) dumptest.MemoryInfo {
		return dumptest.MemoryInfo{BaseAddress: base, RegionSize: size, Protect: readOnly, Type: private}
	}
	for _, tt := range []struct {
		what    string
		regions []dumptest.MemoryInfo
		bytes   uint64
		problem string
	}{
		{"sound", []dumptest.MemoryInfo{region(0x1000, 0x1000), region(0x2000, 0x1000)}, 0x2000, ""},
		{"to the end of the address space", []dumptest.MemoryInfo{region(0xfffffffffffff000, 0x1000)}, 0x1000, ""},
		{"behind the end", []dumptest.MemoryInfo{region(0xfffffffffffff000, 0x1000), region(0, 0x1000)}, 0x1000, "the memory region at 0x0 overlaps"},
		{"beyond the end", []dumptest.MemoryInfo{region(0xfffffffffffff000, 0x1001), region(0x1000, 0x1000)}, 0x1000, "which is beyond the address space"},
		{"empty", []dumptest.MemoryInfo{region(0x1000, 0), region(0x2000, 0x1000)}, 0x1000, "the memory region at 0x1000 is empty"},
		{"overlap", []dumptest.MemoryInfo{region(0x1000, 0x3000), region(0x2000, 0x1000), region(0x3000, 1)}, 0x3000, "(and 1 more error like it)"},
		{"the same again", []dumptest.MemoryInfo{region(0x1000, 0x1000), region(0x1000, 0x1000)}, 0x1000, "overlaps the one before, which ends at 0x2000"},
		{"all there is", []dumptest.MemoryInfo{region(0, math.MaxUint64)}, math.MaxUint64, ""},
	} {
		a, err := analysis.DescribeMemory(testdump.Make(t, dumptest.Dump{MemoryInfos: &dumptest.MemoryInfoList{Regions: tt.regions}}))
		if err != nil {
			t.Fatal(err)
		}
		problem := ""
		if err := errors.Join(a.Problems...); err != nil {
			problem = err.Error()
		}
		if a.Total.Bytes != tt.bytes || (problem == "") != (tt.problem == "") || !strings.Contains(problem, tt.problem) {
			t.Errorf("%s: %#x bytes, problems %q; want %#x, %q", tt.what, a.Total.Bytes, problem, tt.bytes, tt.problem)
		}
	}
}

// Without a list of regions it is the memory in the dump that is summed up, each
// address once.
func TestDescribeCapturedMemory(t *testing.T) {
	s := newScene(0x7ff000000000, 0x8000, 8)
	s.process()
	d := s.dump()
	d.Memory = append(d.Memory,
		dumptest.MemoryRange{Start: 0x400800, Size: 0x1000}, // of the image, and behind
		dumptest.MemoryRange{Start: 0x400900, Size: 0x100},  // the same again
		dumptest.MemoryRange{Start: 0x21800, Size: 0x1000},
	)
	d.Modules = []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: `C:\a.exe`}}
	a, err := analysis.DescribeMemory(testdump.Make(t, d))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"<unknown> 3 0x6000", "TEB 1 0x2000", "PEB 1 0x1000", "Image 1 0x800", "Stack 1 0x800"}
	if diff := cmp.Diff(want, sumLines(a.Usage, a.Types, a.States, a.Protections)); diff != "" || a.Listed {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a.Captured.Bytes != a.Total.Bytes+0x100 || a.Captured.Count != 4 {
		t.Errorf("captured %v, total %v", a.Captured, a.Total)
	}
	var missing *analysis.MissingError
	if len(a.Problems) != 1 || !errors.As(a.Problems[0], &missing) || !strings.Contains(missing.Error(), "MiniDumpWithFullMemoryInfo") {
		t.Errorf("problems %v", a.Problems)
	}
	// A list that cannot be read is another problem.
	d.MemoryInfos = &dumptest.MemoryInfoList{EntrySize: 48, Regions: []dumptest.MemoryInfo{{RegionSize: 1}}}
	d.Patches = []dumptest.Patch{dumptest.PutU32("MemoryInfoList", 4, 8)}
	a, err = analysis.DescribeMemory(testdump.Make(t, d))
	var format *minidump.FormatError
	if err != nil || len(a.Problems) != 1 || !errors.As(a.Problems[0], &format) || len(a.Usage) != len(want) {
		t.Errorf("%+v, error %v", a, err)
	}
	d.Memory, d.Threads = nil, nil
	if a, err := analysis.DescribeMemory(testdump.Make(t, d)); a != nil || !errors.As(err, &format) {
		t.Errorf("%+v, error %v", a, err)
	}
	// A dump without either says what would have it.
	a, err = analysis.DescribeMemory(testdump.Make(t, dumptest.Dump{}))
	if a != nil || !errors.As(err, &missing) || !strings.Contains(err.Error(), "MiniDumpWithFullMemoryInfo") {
		t.Errorf("%v, error %v", a, err)
	}
}

// A WOW64 process has two of each, and its 32-bit code uses no address above
// 4 GiB.
func TestDescribeMemoryWOW64(t *testing.T) {
	wide, narrow := newScene(0x7efd0000, 0x8000, 8), newScene(0x7efe0000, 0x8000, 4)
	wide.process()
	narrow.process()
	wide.ptrs(wide.base, narrow.base)
	narrow.ptrs(narrow.base+4, 0x92000, 0x91000)
	d := wide.dump()
	d.Memory = append(d.Memory, narrow.memory())
	d.Modules = []dumptest.Module{{Base: 0x75000000, Size: 0x1000, Name: `C:\Windows\system32\wow64.dll`}}
	d.MemoryInfos = &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
		{BaseAddress: 0x20000, AllocationBase: 0x20000, RegionSize: 0x2000, Protect: readWrite, Type: private},
		{BaseAddress: 0x90000, AllocationBase: 0x90000, RegionSize: 0x2000, Protect: readWrite, Type: private},
		{BaseAddress: 0x7efd0000, AllocationBase: 0x7efd0000, RegionSize: 0x8000, Protect: readWrite, Type: private},
		{BaseAddress: 0x7efe0000, AllocationBase: 0x7efe0000, RegionSize: 0x8000, Protect: readWrite, Type: private},
		{BaseAddress: 0xfffe0000, RegionSize: 0x7fff00000000, State: free},
	}}
	a, err := analysis.DescribeMemory(testdump.Make(t, d))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Free 1 0x7fff00000000", "<unknown> 3 0xb000", "Stack32 1 0x2000", "Stack64 1 0x2000", "TEB64 1 0x2000",
		"PEB32 1 0x1000", "PEB64 1 0x1000", "TEB32 1 0x1000",
	}
	if diff := cmp.Diff(want, sumLines(a.Usage)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&analysis.MemoryBlock{"Free", 0xfffe0000, 0x20000}, a.LargestFree32); diff != "" {
		t.Errorf("largest free block (-want +got):\n%s", diff)
	}
}

// A list in which every region has its own state is no long answer.
func TestMemorySumsAreBounded(t *testing.T) {
	d := dumptest.Dump{MemoryInfos: &dumptest.MemoryInfoList{}}
	const regions = 10_000
	for i := range uint64(regions) {
		d.MemoryInfos.Regions = append(d.MemoryInfos.Regions, dumptest.MemoryInfo{
			BaseAddress: 0x1000 * (i + 1), RegionSize: 0x1000, State: uint32(0x100000 + i), Protect: readOnly, Type: private,
		})
	}
	a, err := analysis.DescribeMemory(testdump.Make(t, d))
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(0)
	for _, s := range a.States {
		total += s.Count
	}
	if first := a.States[0]; len(a.States) > 5000 || total != regions || first.Name != "others" || first.Count < regions/2 {
		t.Errorf("%d states with %d regions, the first %+v", len(a.States), total, first)
	}
}
