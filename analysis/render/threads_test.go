package render_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// crashed has three threads, of which the second raised an exception.
func crashed(t testing.TB) render.ThreadFacts {
	t.Helper()
	modules := symbol.NewModules([]minidump.Module{{BaseOfImage: 0x140000000, SizeOfImage: 0x10000, ModuleName: `C:\app.exe`}})
	names, err := modules.Resolve(context.Background(), []minidump.VA{0x140001010, 0x140002000})
	if err != nil {
		t.Fatal(err)
	}
	thread := func(id uint32, name string, info *minidump.ThreadInfo) analysis.ThreadFacts {
		f := analysis.ThreadFacts{Name: name, Info: info}
		f.ThreadID, f.Teb, f.SuspendCount = id, minidump.VA(0x1000*id), id%2
		return f
	}
	facts := render.ThreadFacts{
		Dump: render.DumpHeader{File: "a.dmp", PointerSize: 8},
		Threads: []analysis.ThreadFacts{
			thread(0x10, "main", nil),
			thread(0x15, "work\x1b[er", &minidump.ThreadInfo{StartAddress: 0x140001010, UserTime: 25_000, KernelTime: 9_999, CreateTime: 133_444_736_000_000_000, Affinity: 0xff}),
			thread(0x20, "", &minidump.ThreadInfo{DumpFlags: minidump.ThreadExitedThread, ExitStatus: 3, ExitTime: 133_444_736_010_000_000}),
		},
		Exception: &analysis.ExceptionFact{
			Exception: minidump.Exception{ThreadID: 0x15, ExceptionCode: minidump.StatusInvalidHandle, ExceptionAddress: 0x140002000, ExceptionInformation: []uint64{1}},
			Name:      "STATUS_INVALID_HANDLE",
		},
		Names: names,
	}
	facts.Threads[1].PriorityClass, facts.Threads[1].Priority = 32, -2
	facts.Threads[1].Block = &analysis.TEB{
		Address: 0x15000, PointerSize: 8, ProcessID: 0x2a, StackBase: 0x22000, StackLimit: 0x21000, TLSStorage: 0x7000,
		LastError: 6, OwnedLocks: 1, Whole: true, LastStatus: 0xc0000008,
	}
	return facts
}

func TestThreadReport(t *testing.T) {
	r := render.NewThreadReport(crashed(t))
	const text = `exception: STATUS_INVALID_HANDLE (0xc0000008) in thread 21 (0x15) at app+0x2000

   #  id  state      suspend  teb                   cpu  error  start       name
   0  10  alive            0  0000000000010000                              main
.  1  15  suspended        1  0000000000015000  0.002 s      6  app+0x1010  work<U+001B>[er
   2  20  exited           0  0000000000020000  0.000 s
`
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const json = `{
  "schema": "dumpscan.threads/2",
  "dump": {"file":"a.dmp","pointerSize":8},
  "exception": {"code":"0xc0000008","name":"STATUS_INVALID_HANDLE","threadId":21,"address":"0x140002000","module":"app","moduleOffset":"0x2000","function":"","displacement":"0x0","trust":"module","parameters":["0x1"]},
  "threads": [
    {"index":0,"threadId":16,"name":"main","state":"alive","suspendCount":0,"priority":0,"priorityClass":0,"teb":"0x10000","stack":"0x0"},
    {"index":1,"threadId":21,"current":true,"name":"work\u001b[er","state":"suspended","suspendCount":1,"priority":-2,"priorityClass":32,"affinity":"0xff","startAddress":"0x140001010","start":"app+0x1010","teb":"0x15000","stack":"0x0","stackBase":"0x22000","stackLimit":"0x21000","lastError":6,"lastStatus":"0xc0000008","tlsStorage":"0x7000","ownedLocks":1,"created":"2023-11-14T22:13:20Z","exitStatus":"0x0","userMs":2,"kernelMs":0},
    {"index":2,"threadId":32,"state":"exited","suspendCount":0,"priority":0,"priorityClass":0,"affinity":"0x0","teb":"0x20000","stack":"0x0","exitTime":"2023-11-14T22:13:21Z","exitStatus":"0x3","userMs":0,"kernelMs":0}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(json, formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	const csv = `index,threadId,current,name,state,suspendCount,priority,priorityClass,affinity,startAddress,start,teb,teb32,stack,stackBase,stackLimit,lastError,lastStatus,created,exitTime,exitStatus,userMs,kernelMs
0,16,false,main,alive,0,0,0,,,,0x10000,,0x0,,,,,,,,,
1,21,true,work<U+001B>[er,suspended,1,-2,32,0xff,0x140001010,app+0x1010,0x15000,,0x0,0x22000,0x21000,6,0xc0000008,2023-11-14T22:13:20Z,,0x0,2,0
2,32,false,,exited,0,0,0,0x0,,,0x20000,,0x0,,,,,,2023-11-14T22:13:21Z,0x3,0,0
`
	if diff := cmp.Diff(csv, formatted(t, r, render.CSV)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	r.Verbose = true
	const verbose = `exception: STATUS_INVALID_HANDLE (0xc0000008) in thread 21 (0x15) at app+0x2000

   0  Id: ?.10 Suspend: 0 Teb: 00000000` + "`" + `00010000 Unfrozen "main"
      Priority: 0  Priority class: 0
.  1  Id: 2a.15 Suspend: 1 Teb: 00000000` + "`" + `00015000 Unfrozen "work<U+001B>[er"
      Start: app+0x1010 (00000001` + "`" + `40001010)
      Priority: -2  Priority class: 32  Affinity: ff
      Created: 2023-11-14T22:13:20Z
      User: 0.002 s  Kernel: 0.000 s
      LastErrorValue: 6  LastStatusValue: c0000008
      StackBase: 0000000000022000  StackLimit: 0000000000021000
   2  Id: ?.20 Suspend: 0 Teb: 00000000` + "`" + `00020000 Unfrozen
      Priority: 0  Priority class: 0  Affinity: 0
      State: exited
      Exited: 2023-11-14T22:13:21Z with 0x3
      User: 0.000 s  Kernel: 0.000 s
`
	if diff := cmp.Diff(verbose, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("verbose (-want +got):\n%s", diff)
	}
}

// Of a WOW64 process it is the 32-bit TEB that matters to the program.
func TestThreadReportWOW64(t *testing.T) {
	facts := crashed(t)
	th := &facts.Threads[1]
	th.WOW64 = true
	without := render.NewThreadReport(facts).Threads[1]
	if without.LastError != nil || without.StackBase != 0 || without.Teb != 0x15000 || without.Teb32 != 0 {
		t.Errorf("without a 32-bit TEB: %+v", without)
	}
	th.Block32 = &analysis.TEB{Address: 0x17000, PointerSize: 4, StackBase: 0x92000, StackLimit: 0x91000, LastError: 2}
	r := render.NewThreadReport(facts)
	r.Verbose = true
	if with := r.Threads[1]; *with.LastError != 2 || with.LastStatus != nil || with.Teb32 != 0x17000 {
		t.Errorf("%+v", with)
	}
	const want = `      LastErrorValue: 2
      StackBase: 00092000  StackLimit: 00091000
      Wow64 TEB32: 00017000
`
	if text := formatted(t, r, render.Text); !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

// Which thread a debugger begins with, and which ones are listed.
func TestThreadReportSelection(t *testing.T) {
	name, err := analysis.ParseNamePattern("work*")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what    string
		change  func(*render.ThreadFacts)
		current int // index of the thread; -1: none is listed
		listed  int
		omitted int
	}{
		{"the exception's", func(*render.ThreadFacts) {}, 1, 3, 0},
		{"the first without exception", func(f *render.ThreadFacts) { f.Exception = nil }, 0, 3, 0},
		{"an exception of a thread that is not in the list", func(f *render.ThreadFacts) { f.Exception.ThreadID = 7 }, -1, 3, 0},
		{"by name", func(f *render.ThreadFacts) { f.Name = name }, 1, 1, 0},
		{"by name, without exception", func(f *render.ThreadFacts) { f.Name, f.Exception = name, nil }, -1, 1, 0},
		{"limited", func(f *render.ThreadFacts) { f.Limit = 2 }, 1, 2, 1},
		{"a limit that leaves nothing out", func(f *render.ThreadFacts) { f.Limit = 3 }, 1, 3, 0},
		{"no threads", func(f *render.ThreadFacts) { f.Threads = nil }, -1, 0, 0},
	} {
		facts := crashed(t)
		tt.change(&facts)
		r := render.NewThreadReport(facts)
		current := -1
		for _, th := range r.Threads {
			if th.Current {
				current = th.Index
			}
		}
		if current != tt.current || len(r.Threads) != tt.listed || r.Omitted != tt.omitted {
			t.Errorf("%s: current %d of %d, %d omitted; want %d of %d, %d", tt.what, current, len(r.Threads), r.Omitted, tt.current, tt.listed, tt.omitted)
		}
		if text := formatted(t, r, render.Text); tt.omitted > 0 != strings.Contains(text, "… and 1 more thread\n") {
			t.Errorf("%s:\n%s", tt.what, text)
		}
	}
}

// A narrow terminal has no room for all columns: the TEB goes first, then the
// suspend count, the last error and the processor time.
func TestThreadReportWidth(t *testing.T) {
	r := render.NewThreadReport(crashed(t))
	for width, gone := range map[int]string{100: "", 80: "teb", 64: "teb suspend", 60: "teb suspend error", 50: "teb suspend error cpu"} {
		var b bytes.Buffer
		if err := render.Write(&b, r, render.Text, render.Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
		for _, column := range []string{"teb", "suspend ", "error ", "cpu "} {
			if has := strings.Contains(b.String(), column); has == strings.Contains(gone, strings.TrimSpace(column)) {
				t.Errorf("width %d: column %s is there: %v\n%s", width, column, has, b.String())
			}
		}
	}
}
