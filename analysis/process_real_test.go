package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
)

// What real writers have saved of the PEB: all, the parameters alone, or nothing.
func TestRealPEBs(t *testing.T) {
	const shared = "../shared/dumps/"
	for _, tt := range []struct {
		file string
		want []string // address, pointer size, command line, modules, variables and heaps; what is missing
	}{
		{"testdata/leaky/leaky-x64-c-heap.dmp.gz", []string{`0x67ff0000 8 C:\inetsrv\w3wp.exe full: 0 modules, 53 variables, 0 heaps [the loader's list of modules]`}},
		{"testdata/leaky/leaky-x86-c-heap.dmp.gz", []string{`0x3f1000 4 C:\inetsrv\w3wp.exe : 0 modules, 49 variables, 0 heaps [the loader's list of modules]`}},
		{shared + "fizzbuzz_wow64.dmp.gz", []string{"0x7efdf000 8 fizzbuzz: 5 modules, 79 variables, 3 heaps []", "0x7efde000 4 fizzbuzz: 11 modules, 80 variables, 2 heaps []"}},
		{shared + "notepad32.dmp", []string{`0x7efde000 4 C:\Windows\System32\notepad.exe: 0 modules, 50 variables, 0 heaps [the list of heaps the loader's list of modules]`}},
		{shared + "sigsegv.dmp", []string{"0xaddac90000 8 sigsegv: 0 modules, 46 variables, 2 heaps [the loader's list of modules the environment behind its first 46 variables]"}},
		{shared + "tiny-exe-with-cet-xsave.dmp", []string{`0xcbc80b8000 8 "C:\src\crashpad\tiny.exe" --v=1 --enable-logging=stderr: 24 modules, 44 variables, 0 heaps [the list of heaps the loader's list of modules behind its first 24 entries]`}},
		{shared + "minidump_crashpad_annotation.dmp", nil}, // of iOS
		{shared + "calc.dmp", nil},
	} {
		t.Run(tt.file, func(t *testing.T) {
			pebs, err := analysis.ReadPEBs(testdump.Open(t, tt.file))
			if (err != nil) != (tt.want == nil) {
				t.Fatal(err)
			}
			var got []string
			for _, p := range pebs {
				modules := 0
				if p.Loader != nil {
					modules = len(p.Loader.Modules)
				}
				got = append(got, fmt.Sprintf("%s %d %s: %d modules, %d variables, %d heaps %v", p.Address, p.PointerSize,
					*p.Parameters.CommandLine, modules, len(p.Parameters.Variables), len(p.Heaps), p.Missing))
				if len(p.Problems) > 0 {
					t.Error(p.Problems)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The 32-bit half of a thread has its own last error.
func TestRealTEBs(t *testing.T) {
	threads, err := analysis.Threads(testdump.Open(t, "../shared/dumps/fizzbuzz_wow64.dmp.gz"))
	if err != nil {
		t.Fatal(err)
	}
	b := threads[0].ProgramBlock()
	if b == nil || b.Address != 0x7efdd000 || b.ThreadID != 13456 || b.StackBase != 0x380000 || b.LastStatus != 0xc0000302 {
		t.Errorf("%+v", b)
	}
}

// The address spaces of real processes. A WOW64 one has two of each.
func TestRealMemory(t *testing.T) {
	const shared = "../shared/dumps/"
	for _, tt := range []struct {
		file string
		want string // how much there is, of it free; usages with the number of their regions; problems
	}{
		{"testdata/leaky/leaky-x86-c-heap.dmp.gz", "listed: 182 0x7fff0000, free 14 0x1ab60000; <unknown> 47, Image 94, Stack 18, Heap 2, TEB 6, PEB 1; 0"},
		{shared + "fizzbuzz_wow64.dmp.gz", "listed: 169 0x7fff0000, free 28 0x7e14e000; <unknown> 13, Image 110, Heap32 4, Stack32 3, Heap64 4, Stack64 3, TEB64 1, PEB32 1, PEB64 1, TEB32 1; 0"},
		{shared + "stability-report.dmp", "listed: 1003 0x7fffffff0000, free 88 0x7ce42e36a000; <unknown> 506, Image 330, Stack 57, Heap 2, TEB 19, PEB 1; 0"},
		{shared + "sigsegv.dmp", "captured: 15 0x17856, free 0 0x0; Image 8, <unknown> 4, TEB 1, Stack 1, PEB 1; 1"}, // there is no list
	} {
		t.Run(tt.file, func(t *testing.T) {
			a, err := analysis.DescribeMemory(testdump.Open(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			var usages []string
			for _, u := range a.Usage {
				if u.Name != analysis.UsageFree {
					usages = append(usages, fmt.Sprintf("%s %d", u.Name, u.Count))
				}
			}
			basis := "captured"
			if a.Listed {
				basis = "listed"
			}
			got := fmt.Sprintf("%s: %d %#x, free %d %#x; %s; %d", basis, a.Total.Count, a.Total.Bytes, a.Free.Count, a.Free.Bytes,
				strings.Join(usages, ", "), len(a.Problems))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
