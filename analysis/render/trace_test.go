package render_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var updateTraces = flag.Bool("update", false, "write the files in testdata/golden/htrace")

// traceGolden compares with a file of testdata/golden/htrace.
func traceGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("../../testdata/golden/htrace", name)
	if *updateTraces {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// traceNames resolves the addresses that it lists, and modules for the rest.
type traceNames struct {
	modules   *symbol.Modules
	functions map[minidump.VA]symbol.Location
}

// of names the addresses of a trace.
func (n traceNames) of(trace *htrace.Trace) symbol.Names {
	names, err := n.modules.Resolve(context.Background(), trace.Addresses())
	if err != nil {
		panic(err)
	}
	for addr, l := range names {
		names[addr] = n.name(addr, l)
	}
	return names
}

func (n traceNames) name(addr minidump.VA, l symbol.Location) symbol.Location {
	if f, ok := n.functions[addr]; ok {
		l.Function, l.Displacement, l.Trust = f.Function, f.Displacement, symbol.TrustPDB
		l.File, l.Line, l.Inlined = f.File, f.Line, f.Inlined
		if f.Trust != "" {
			l.Trust = f.Trust
		}
	}
	return l
}

func at(function string, displacement uint64) symbol.Location {
	return symbol.Location{Function: function, Displacement: displacement}
}

func readTrace(t testing.TB, d dumptest.Dump) *htrace.Trace {
	t.Helper()
	b := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	trace, err := htrace.Read(t.Context(), f, "")
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

// The sample of the ReadMe of Microsoft's CppResourceLeaks, 32 bit: twelve
// operations, the newest first, of which it shows the stacks in part.
func cppResourceLeaks() (dumptest.Dump, traceNames) {
	duplicate := []uint64{0x77ca310c, 0x75e68ad9, 0x77be34e1, 0x00ab1627}
	close := []uint64{0x77ca2d3c, 0x75e87772}
	other := []uint64{0x77ca30dc, 0x00ab1800, 0x00101991}
	const open, closed = dumptest.OperationOpen, dumptest.OperationClose
	var ops []dumptest.HandleOperation
	for _, op := range []struct {
		handle uint64
		kind   uint32
		stack  []uint64
	}{
		{0x3c, open, duplicate}, {0x38, open, other}, {0x34, closed, close}, {0x34, open, other}, {0x30, closed, close}, {0x30, open, other},
		{0x2c, closed, close}, {0x2c, open, other}, {0x28, closed, close}, {0x28, open, other}, {0x24, open, other}, {0x20, open, other},
	} {
		ops = append(ops, dumptest.HandleOperation{
			Handle: op.handle, ProcessID: 0x17e8, ThreadID: 0x17ec, Type: op.kind, Stack: op.stack,
		})
	}
	modules := []minidump.Module{
		{BaseOfImage: 0x77c80000, SizeOfImage: 0x100000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x75e50000, SizeOfImage: 0x4a000, ModuleName: `C:\Windows\System32\KERNELBASE.dll`},
		{BaseOfImage: 0x77ba0000, SizeOfImage: 0xd4000, ModuleName: `C:\Windows\System32\kernel32.dll`},
		{BaseOfImage: 0x00ab0000, SizeOfImage: 0x10000, ModuleName: `C:\CppResourceLeaks.exe`},
	}
	names := traceNames{symbol.NewModules(modules), map[minidump.VA]symbol.Location{
		0x77ca310c: at("ZwDuplicateObject", 0xc),
		0x75e68ad9: at("DuplicateHandle", 0x69),
		0x77be34e1: at("DuplicateHandleStub", 0xb3),
		0x00ab1627: at("LeakFileHandle", 0x207),
		0x77ca2d3c: at("NtClose", 0xc),
		0x75e87772: at("GetTempFileNameW", 0x293),
		0x77ca30dc: at("ZwCreateFile", 0),
	}}
	return dumptest.Dump{
		PointerSize: 4, MiscInfo: &dumptest.MiscInfo{ProcessID: 0x17e8},
		HandleOperations: &dumptest.HandleOperationList{Operations: ops},
	}, names
}

const cppResourceLeaksList = `--------------------------------------
Handle = 0x0000003c - OPEN
Thread ID = 0x000017ec, Process ID = 0x000017e8

0x77ca310c: ntdll!ZwDuplicateObject+0x0000000c
0x75e68ad9: KERNELBASE!DuplicateHandle+0x00000069
0x77be34e1: kernel32!DuplicateHandleStub+0x000000b3
0x00ab1627: CppResourceLeaks!LeakFileHandle+0x00000207
...
--------------------------------------
Handle = 0x00000034 - CLOSE
Thread ID = 0x000017ec, Process ID = 0x000017e8

0x77ca2d3c: ntdll!NtClose+0x0000000c
0x75e87772: KERNELBASE!GetTempFileNameW+0x00000293
...
--------------------------------------
Handle = 0x00000034 - OPEN
...

--------------------------------------
Parsed 0xC stack traces.
Dumped 0xC stack traces.
`

const cppResourceLeaksDiff = `Handle tracing information snapshot successfully taken.
0xc new stack traces since the previous snapshot.
Ignoring handles that were already closed...
Outstanding handles opened since the previous snapshot:
--------------------------------------
Handle = 0x0000003c - OPEN
Thread ID = 0x000017ec, Process ID = 0x000017e8

0x77ca310c: ntdll!ZwDuplicateObject+0x0000000c
...
Displayed 0x4 stack traces for outstanding handles opened since the previous snapshot.
`

// containsInOrder reports whether the pieces of an excerpt, which lines
// of "..." separate, occur in a text one behind the other, the first at its beginning
// and the last at its end.
func containsInOrder(text, excerpt string) bool {
	pieces := strings.Split(excerpt, "\n...\n")
	for i := range pieces[:len(pieces)-1] {
		pieces[i] += "\n"
	}
	if !strings.HasPrefix(text, pieces[0]) || !strings.HasSuffix(text, pieces[len(pieces)-1]) {
		return false
	}
	for _, piece := range pieces {
		i := strings.Index(text, piece)
		if i < 0 {
			return false
		}
		text = text[i+len(piece):]
	}
	return true
}

// listing is the text of "!htrace HANDLE MAX_TRACES".
func listing(t *testing.T, trace *htrace.Trace, size int, names symbol.Names, q htrace.Query) string {
	t.Helper()
	return formatted(t, &render.TraceListing{
		Dump: render.DumpHeader{PointerSize: size}, Parsed: trace.Len(),
		Operations: render.NewTraceOperations(trace, names, trace.Select(t.Context(), q)),
	}, render.WinDbg)
}

// diffListing is the text of "!htrace -diff".
func diffListing(t *testing.T, trace *htrace.Trace, size int, names symbol.Names) string {
	t.Helper()
	d := trace.All()
	return formatted(t, &render.TraceListing{
		Dump: render.DumpHeader{PointerSize: size}, Parsed: trace.Len(), Diff: true, New: d.New,
		Operations: render.NewTraceOperations(trace, names, func(yield func(int) bool) {
			for _, o := range d.Outstanding {
				if !yield(o.Position) {
					return
				}
			}
		}),
	}, render.WinDbg)
}

// formatted is a report in a format.
func formatted(t testing.TB, r render.Report, f render.Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := render.Write(&b, r, f, render.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTraceListing32(t *testing.T) {
	dump, names := cppResourceLeaks()
	trace := readTrace(t, dump)
	list := listing(t, trace, 4, names.of(trace), htrace.Query{})
	diff := diffListing(t, trace, 4, names.of(trace))
	if !containsInOrder(list, cppResourceLeaksList) {
		t.Errorf("not the sample's text:\n%s", list)
	}
	if !containsInOrder(diff, cppResourceLeaksDiff) {
		t.Errorf("not the sample's text:\n%s", diff)
	}
	traceGolden(t, "sample32.txt", list)
	traceGolden(t, "sample32-diff.txt", diff)
}

// A live 64-bit session (dotnet/coreclr#24438).
func TestTraceListing64(t *testing.T) {
	modules := []minidump.Module{
		{BaseOfImage: 0x77840000, SizeOfImage: 0x100000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x7fefd370000, SizeOfImage: 0x10000, ModuleName: `C:\Windows\System32\KERNELBASE.dll`},
	}
	names := traceNames{symbol.NewModules(modules), map[minidump.VA]symbol.Location{
		0x7785a30a: at("ZwCreateThreadEx", 0xa), 0x7fefd37ac73: at("CreateRemoteThreadEx", 0x163),
	}}
	trace := readTrace(t, dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{{
		Handle: 0x3300, ThreadID: 0x4dbc, ProcessID: 0x414c, Type: dumptest.OperationOpen, Stack: []uint64{0x7785a30a, 0x7fefd37ac73, 0x7fefd370123},
	}}}})
	got := listing(t, trace, 8, names.of(trace), htrace.Query{})
	const sample = `--------------------------------------
Handle = 0x0000000000003300 - OPEN
Thread ID = 0x0000000000004dbc, Process ID = 0x000000000000414c

0x000000007785a30a: ntdll!ZwCreateThreadEx+0x000000000000000a
0x000007fefd37ac73: KERNELBASE!CreateRemoteThreadEx+0x0000000000000163
`
	if !strings.HasPrefix(got, sample) {
		t.Errorf("not the sample's text:\n%s", got)
	}
	traceGolden(t, "sample64.txt", got)
}

func TestTraceListingSelection(t *testing.T) {
	dump, names := cppResourceLeaks()
	trace := readTrace(t, dump)
	tests := []struct {
		query  htrace.Query
		first  string
		footer string
	}{
		{query: htrace.Query{OneHandle: true, Handle: 0x34}, first: "Handle = 0x00000034 - CLOSE", footer: "Parsed 0xC stack traces.\nDumped 0x2 stack traces.\n"},
		{query: htrace.Query{OneHandle: true, Handle: 0x34, MaxTraces: 1}, first: "Handle = 0x00000034 - CLOSE", footer: "Parsed 0xC stack traces.\nDumped 0x1 stack traces.\n"},
		{query: htrace.Query{MaxTraces: 10}, first: "Handle = 0x0000003c - OPEN", footer: "Parsed 0xC stack traces.\nDumped 0xA stack traces.\n"},
		{query: htrace.Query{OneHandle: true, Handle: 0x999}, first: "--------------------------------------", footer: "Dumped 0x0 stack traces.\n"},
	}
	for _, tt := range tests {
		got := listing(t, trace, 4, names.of(trace), tt.query)
		lines := strings.Split(got, "\n")
		if lines[1] != tt.first || !strings.HasSuffix(got, tt.footer) {
			t.Errorf("!htrace %+v:\n%s", tt.query, got)
		}
	}
}

func TestTraceListingNothingOutstanding(t *testing.T) {
	for _, tt := range []struct {
		ops  []dumptest.HandleOperation
		want string
	}{
		{nil, `Handle tracing information snapshot successfully taken.
0x0 new stack traces since the previous snapshot.
No outstanding handles opened since the previous snapshot were detected.
`},
		{[]dumptest.HandleOperation{{Handle: 4, Type: dumptest.OperationClose}}, `Handle tracing information snapshot successfully taken.
0x1 new stack traces since the previous snapshot.
Ignoring handles that were already closed...
No outstanding handles opened since the previous snapshot were detected.
`},
	} {
		trace := readTrace(t, dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: tt.ops}})
		if diff := cmp.Diff(tt.want, diffListing(t, trace, 4, nil)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// The last lines of public transcripts: a bad reference as Application
// Verifier's help has it, a listing with an empty line before the last
// separator, and a -diff without that separator.
func TestTraceListingTranscripts(t *testing.T) {
	op := func(handle uint64, kind uint32, frames ...uint64) dumptest.HandleOperation {
		return dumptest.HandleOperation{Handle: handle, ProcessID: 0x228, ThreadID: 0x170, Type: kind, Stack: frames}
	}
	trace := readTrace(t, dumptest.Dump{PointerSize: 4, HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
		op(0xb08, dumptest.OperationBadRef, 0x77e6a49e), op(0xb08, dumptest.OperationClose, 0x77e6a49e), op(0xb08, dumptest.OperationOpen, 0x77e6a49e),
		op(0x780, dumptest.OperationOpen, 0xeb39cf6d, 0x8f4a49), op(0xb10, 9, 0x77e6a49e),
	}}})
	const bad = `--------------------------------------
Handle = 0x00000b08 - *** BAD REFERENCE ***
Thread ID = 0x00000170, Process ID = 0x00000228

0x77e6a49e: +0x77e6a49e
--------------------------------------
Handle = 0x00000b08 - CLOSE
`
	if got := listing(t, trace, 4, nil, htrace.Query{OneHandle: true, Handle: 0xb08}); !strings.HasPrefix(got, bad) {
		t.Errorf("bad reference:\n%s", got)
	}
	const end = `
0xeb39cf6d: +0xeb39cf6d
0x008f4a49: +0x008f4a49

--------------------------------------
Parsed 0x5 stack traces.
Dumped 0x1 stack traces.
`
	if got := listing(t, trace, 4, nil, htrace.Query{OneHandle: true, Handle: 0x780}); !strings.HasSuffix(got, end) {
		t.Errorf("end of a listing:\n%s", got)
	}
	const diffEnd = `
0xeb39cf6d: +0xeb39cf6d
0x008f4a49: +0x008f4a49
Displayed 0x1 stack traces for outstanding handles opened since the previous snapshot.
`
	if got := diffListing(t, trace, 4, nil); !strings.HasSuffix(got, diffEnd) {
		t.Errorf("end of a -diff:\n%s", got)
	}
	if got := listing(t, trace, 4, nil, htrace.Query{OneHandle: true, Handle: 0xb10}); !strings.Contains(got, "Handle = 0x00000b10 - "+trace.Operation(0).OperationType.String()+"\n") {
		t.Errorf("unknown kind:\n%s", got)
	}
}

func TestTraceListingForms(t *testing.T) {
	dump, names := cppResourceLeaks()
	trace := readTrace(t, dump)
	l := &render.TraceListing{
		Dump: render.DumpHeader{File: "a.dmp"}, Parsed: trace.Len(),
		Operations: render.NewTraceOperations(trace, names.of(trace), trace.Select(t.Context(), htrace.Query{OneHandle: true, Handle: 0x34})),
	}
	const csv = `position,handle,operation,threadId,processId,outstanding,frames
9,0x34,CLOSE,6124,6120,false,ntdll!NtClose+0xc < KERNELBASE!GetTempFileNameW+0x293
8,0x34,OPEN,6124,6120,false,ntdll!ZwCreateFile < CppResourceLeaks+0x1800 < 0x101991
`
	if diff := cmp.Diff(csv, formatted(t, l, render.CSV)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := formatted(t, l, render.JSON); !strings.Contains(got, `{"handle":"0x34","outstanding":false,"position":9,"operation":"CLOSE","threadId":6124,`) {
		t.Error(got)
	}
}
