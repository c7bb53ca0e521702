package analysis_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestReadPEBs(t *testing.T) {
	for _, base := range []struct {
		pointer int
		at      uint64
	}{{4, 0x7efd0000}, {8, 0x7ff0_0000_0000}} {
		s := newScene(base.at, 0x8000, base.pointer)
		s.process()
		f := testdump.Make(t, s.dump())
		got, err := analysis.ReadPEBs(f)
		if err != nil {
			t.Fatal(err)
		}
		p, peb := uint64(s.pointer), minidump.VA(base.at+0x2000)
		ldr := peb + 0x1000
		first, second := ldr+0x100, ldr+0x200
		want := []analysis.PEB{{
			Address: peb, PointerSize: base.pointer, ReadImageFileExecOptions: true, BeingDebugged: true,
			ImageBaseAddress: 0x400000, Ldr: ldr, ProcessParameters: peb + 0x2000, ProcessHeap: 0x340000,
			NumberOfProcessors: 4, NtGlobalFlag: 0x70, NumberOfHeaps: 2, ProcessHeaps: peb + 0xf00,
			OSMajorVersion: 10, OSBuildNumber: 19041, OSPlatformID: 2, ImageSubSystem: 3, SessionID: 1, NtGlobalFlag2: ptr(uint32(5)),
			Heaps: []minidump.VA{0x340000, 0x350000},
			Loader: &analysis.Loader{
				Address: ldr, Initialized: true,
				InLoadOrder:           analysis.ListEntry{Flink: first, Blink: second},
				InMemoryOrder:         analysis.ListEntry{Flink: first + minidump.VA(2*p), Blink: second + minidump.VA(2*p)},
				InInitializationOrder: analysis.ListEntry{Flink: second + minidump.VA(4*p), Blink: first + minidump.VA(4*p)},
				Modules: []analysis.LoadedModule{
					{Address: first, Base: 0x400000, EntryPoint: 0x401000, SizeOfImage: 0x5000, Path: ptr(`C:\a.exe`), TimeDateStamp: 0x5f000000},
					{Address: second, Base: 0x7ff000, EntryPoint: 0x800000, SizeOfImage: 0x5000, Path: ptr(`C:\b\ntdll.dll`), TimeDateStamp: 0x5f000000},
				},
			},
			Parameters: &analysis.ProcessParameters{
				Address: peb + 0x2000, Flags: 1, ConsoleHandle: 3, StandardInput: 0x50, StandardOutput: 0x54, StandardError: 0x58,
				CurrentDirectory: ptr(`C:\dir\`), DLLPath: ptr(""), ImagePathName: ptr(`C:\a.exe`), CommandLine: ptr(`"C:\a.exe" -x`),
				WindowTitle: ptr("title"), Desktop: ptr(`Winsta0\Default`), ShellInfo: ptr(""),
				Environment: peb + 0x3600, Variables: []string{`=C:=C:\dir`, `PATH=C:\bin`},
			},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d bytes a pointer (-want +got):\n%s", base.pointer, diff)
		}
		threads, err := analysis.Threads(f)
		if err != nil {
			t.Fatal(err)
		}
		teb := &analysis.TEB{
			Address: minidump.VA(base.at), PointerSize: base.pointer, ExceptionList: 0x1111, StackBase: 0x22000, StackLimit: 0x21000,
			FiberData: 0x1e00, Self: minidump.VA(base.at), ProcessID: 42, ThreadID: 43, TLSStorage: 0x7777, PEB: peb,
			LastError: 183, OwnedLocks: 2, Whole: true, LastStatus: 0xc0000034, DeallocationStack: 0x20000, HardErrorMode: 1,
		}
		if diff := cmp.Diff(teb, threads[0].Block); diff != "" || threads[0].ProgramBlock() != threads[0].Block {
			t.Errorf("TEB (-want +got):\n%s", diff)
		}
	}
}

// What a dump holds of a PEB, or what is wrong with it.
func TestPEBDamage(t *testing.T) {
	const base, peb = 0x7ff000000000, 0x7ff000002000
	const ldr, params, chars = peb + 0x1000, peb + 0x2000, peb + 0x3000
	for _, tt := range []struct {
		what             string
		change           func(*scene)
		missing, problem string // parts of what is said; "" for nothing
		modules          int
		variables        int
	}{
		{"whole", func(*scene) {}, "", "", 2, 2},
		{"the loader has not begun", func(s *scene) { s.ptrs(ldr+16, 0) }, "", "", 0, 2},
		{"no loader", func(s *scene) { s.ptrs(peb+24, 0) }, "", "", 0, 2},
		{"the loader is elsewhere", func(s *scene) { s.ptrs(peb+24, 0x10) }, "the loader's list of modules", "", 0, 2},
		{"a circle of modules", func(s *scene) { s.ptrs(ldr+0x200, ldr+0x100) }, "", "the loader's list of modules behind its first 2 entries: it runs in a circle at 0x7ff000003100", 2, 2},
		{"a list that leads away", func(s *scene) { s.ptrs(ldr+0x200, 0x20) }, "the loader's list of modules", "", 2, 2},
		{"a path that is elsewhere", func(s *scene) { s.ptrs(ldr+0x200+72+8, 0x20) }, "", "", 2, 2},
		{"no parameters", func(s *scene) { s.ptrs(peb+32, 0) }, "", "", 2, 0},
		{"parameters elsewhere", func(s *scene) { s.ptrs(peb+32, 0x20) }, "the process parameters", "", 2, 0},
		{"offsets in place of addresses", func(s *scene) { s.u32(params+8, 0); s.ptrs(params+0x78, chars+0x500-params) }, "the path of the image", "", 2, 2},
		{"a command line elsewhere", func(s *scene) { s.ptrs(params+0x78, 0x20) }, "the command line", "", 2, 2},
		{"no environment", func(s *scene) { s.ptrs(params+0x80, 0) }, "", "", 2, 0},
		{"an empty environment", func(s *scene) { s.environment(chars+0x600, "\x00\x00") }, "", "", 2, 0},
		{"an environment elsewhere", func(s *scene) { s.ptrs(params+0x80, 0x20) }, "the environment", "", 2, 0},
		{"an environment at an odd address", func(s *scene) { s.ptrs(params+0x80, chars+0x601) }, "", "", 2, 2},
		{"an environment without end", func(s *scene) {
			for at := uint64(chars + 0x600); at < base+0x8000; at += 2 {
				s.u16(at, 'x')
			}
			s.u16(chars+0x604, 0)
		}, "the environment behind its first 1 variable", "", 2, 1},
		{"many heaps", func(s *scene) { s.u32(peb+0xe8, 0xffffffff) }, "the list of heaps", "", 2, 2},
		{"no heaps", func(s *scene) { s.u32(peb+0xe8, 0) }, "", "", 2, 2},
	} {
		s := newScene(base, 0x8000, 8)
		s.process()
		tt.change(s)
		pebs, err := analysis.ReadPEBs(testdump.Make(t, s.dump()))
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		p := pebs[0]
		missing := strings.Join(p.Missing, "; ")
		problem := ""
		if err := errors.Join(p.Problems...); err != nil {
			problem = err.Error()
		}
		if tt.missing == "" && missing != "" || !strings.Contains(missing, tt.missing) || problem != tt.problem {
			t.Errorf("%s: missing %q, problems %q; want %q and %q", tt.what, missing, problem, tt.missing, tt.problem)
		}
		var modules, variables int
		if p.Loader != nil {
			modules = len(p.Loader.Modules)
		}
		if p.Parameters != nil {
			variables = len(p.Parameters.Variables)
		}
		if modules != tt.modules || variables != tt.variables {
			t.Errorf("%s: %d modules, %d variables; want %d, %d", tt.what, modules, variables, tt.modules, tt.variables)
		}
	}
}

// A file that lists the same bytes as many pages unfolds to no more than it has
// bytes.
func TestPEBUnfolds(t *testing.T) {
	const base, env, pages, size = 0x7ff000000000, 0x600000000000, 256, 0x8000
	s := newScene(base, 0x8000, 8)
	s.process()
	s.ptrs(base+0x2000+0x2000+0x80, env)
	d := s.dump()
	d.Memory = append(d.Memory, dumptest.MemoryRange{Start: env, Data: bytes.Repeat([]byte("x\x00\x00\x00"), size/4)})
	for i := range pages {
		d.Memory = append(d.Memory, dumptest.MemoryRange{Start: env + uint64(1+i)*size, Data: []byte{1}})
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	data := d.Bytes()
	for i := range pages {
		entry := data[layout["MemoryList"]+4+16*int64(2+i):]
		binary.LittleEndian.PutUint32(entry[8:], size)
		binary.LittleEndian.PutUint32(entry[12:], uint32(layout["MemoryList[1].Data"]))
	}
	pebs, err := analysis.ReadPEBs(testdump.Bytes(t, data))
	if err != nil {
		t.Fatal(err)
	}
	p := pebs[0]
	if n := len(p.Parameters.Variables); n < size/4 || n > len(data)/4 || len(p.Problems) != 1 {
		t.Errorf("%d variables of a file of %d bytes, problems %v", n, len(data), p.Problems)
	}
}

// Threads that share a TEB are none of a real process: a million of them are not
// worth reading it a million times.
func TestTEBsUnfold(t *testing.T) {
	s := newScene(0x7ff000000000, 0x8000, 8)
	s.process()
	d := s.dump()
	for i := range 200 {
		d.Threads = append(d.Threads, dumptest.Thread{ThreadID: uint32(100 + i), Teb: s.base})
	}
	f := testdump.Make(t, d)
	threads, err := analysis.Threads(f)
	read := 0
	for i := range threads {
		if threads[i].Block != nil {
			read++
		}
	}
	if err == nil || !strings.Contains(err.Error(), "the TEBs of threads: overlapping structures") || len(threads) != 201 {
		t.Errorf("%d threads, error %v", len(threads), err)
	}
	const each = 0x70 + 0x16b4 - 0x1250 // bytes that are read of one; of the last the front alone may be
	if most := 4*f.Size()/each + 1; read < 2 || int64(read) > most {
		t.Errorf("%d TEBs were read, want 2 to %d", read, most)
	}
}

// A WOW64 process has two of everything.
func TestWOW64PEBs(t *testing.T) {
	for _, by := range []string{"ExceptionList", "WowTebOffset"} {
		wide, narrow := newScene(0x7efd0000, 0x8000, 8), newScene(0x7efe0000, 0x8000, 4)
		wide.process()
		narrow.process()
		if by == "ExceptionList" {
			wide.ptrs(wide.base, narrow.base)
		} else {
			wide.u32(wide.base+0x180c, 0x10000)
		}
		d := wide.dump()
		d.Memory = append(d.Memory, narrow.memory())
		d.Modules = []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: `C:\a.exe`}, {Base: 0x75000000, Size: 0x1000, Name: `C:\Windows\system32\wow64.dll`}}
		f := testdump.Make(t, d)
		pebs, err := analysis.ReadPEBs(f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range pebs {
			got = append(got, fmt.Sprintf("%s %d %s", p.Address, p.PointerSize, *p.Parameters.CommandLine))
		}
		want := []string{`0x7efd2000 8 "C:\a.exe" -x`, `0x7efe2000 4 "C:\a.exe" -x`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", by, diff)
		}
		threads, err := analysis.Threads(f)
		if err != nil {
			t.Fatal(err)
		}
		if b := threads[0].ProgramBlock(); b == nil || b.PointerSize != 4 {
			t.Errorf("%s: the program's TEB is %+v", by, b)
		}
		// Without the 32-bit half nothing is taken for it.
		d.Memory = d.Memory[:1]
		f = testdump.Make(t, d)
		if pebs, err := analysis.ReadPEBs(f); err != nil || len(pebs) != 1 {
			t.Errorf("%s: %d PEBs, error %v", by, len(pebs), err)
		}
		if threads, _ := analysis.Threads(f); threads[0].ProgramBlock() != nil || threads[0].Block == nil {
			t.Errorf("%s: the program's TEB is %+v", by, threads[0].ProgramBlock())
		}
	}
}

func TestMissingPEB(t *testing.T) {
	s := newScene(0x7ff000000000, 0x8000, 8)
	s.process()
	for _, tt := range []struct {
		what   string
		change func(*dumptest.Dump)
		want   string
	}{
		{"no memory", func(d *dumptest.Dump) { d.Memory = nil }, "no PEB in this dump; "},
		{"no threads", func(d *dumptest.Dump) { d.Threads = nil }, "it does not hold the TEB of a thread"},
		{"no TEB", func(d *dumptest.Dump) { d.Threads[0].Teb = 0 }, "it does not hold the TEB of a thread"},
		{"a TEB that is none", func(d *dumptest.Dump) { d.Threads[0].Teb += 0x1000 }, "it does not hold the TEB of a thread"},
		{"half a TEB", func(d *dumptest.Dump) { d.Memory[0].Data = d.Memory[0].Data[:0x60] }, "it does not hold the TEB of a thread"},
		{"no PEB", func(d *dumptest.Dump) { d.Memory[0].Data = d.Memory[0].Data[:0x2000] }, "it does not hold the memory at 0x7ff000002000"},
		{"another system", func(d *dumptest.Dump) { d.SystemInfo = &dumptest.SystemInfo{PlatformID: 0x8201}; d.Memory = nil }, "no PEB in this dump: it is a dump of a process on Linux"},
	} {
		d := s.dump()
		tt.change(&d)
		pebs, err := analysis.ReadPEBs(testdump.Make(t, d))
		var missing *analysis.MissingError
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), tt.want) || pebs != nil {
			t.Errorf("%s: %v, error %v, want %q", tt.what, pebs, err, tt.want)
		}
	}
}

func TestThreadNotes(t *testing.T) {
	block, info := &analysis.TEB{}, &minidump.ThreadInfo{}
	f := testdump.Make(t, dumptest.Dump{})
	for _, tt := range []struct {
		what    string
		threads []analysis.ThreadFacts
		notes   string // a word of each
	}{
		{"no threads", nil, ""},
		{"all", []analysis.ThreadFacts{{}, {Block: block, Info: info}}, ""},
		{"no times", []analysis.ThreadFacts{{Block: block}}, "MiniDumpWithThreadInfo"},
		{"no TEBs", []analysis.ThreadFacts{{Info: info}}, "MiniDumpWithProcessThreadData"},
		{"a TEB of WOW64 alone", []analysis.ThreadFacts{{Info: info, Block: block, WOW64: true}}, "MiniDumpWithProcessThreadData"},
	} {
		notes := analysis.ThreadNotes(f, tt.threads)
		if !strings.Contains(strings.Join(notes, ";"), tt.notes) || (len(notes) == 0) != (tt.notes == "") {
			t.Errorf("%s: %q, want %q", tt.what, notes, tt.notes)
		}
	}
	if notes := analysis.ThreadNotes(f, []analysis.ThreadFacts{{}}); len(notes) != 2 {
		t.Errorf("nothing: %q", notes)
	}
	linux := testdump.Make(t, dumptest.Dump{SystemInfo: &dumptest.SystemInfo{PlatformID: 0x8201}})
	if notes := analysis.ThreadNotes(linux, []analysis.ThreadFacts{{}}); notes != nil {
		t.Errorf("on Linux: %q", notes)
	}
}
