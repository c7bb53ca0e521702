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
func (n traceNames) of(trace *analysis.Trace) symbol.Names {
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
	trace, err := htrace.Read(f, "")
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
--------------------------------------
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

func TestTraceTextSample32(t *testing.T) {
	dump, names := cppResourceLeaks()
	trace := readTrace(t, dump)
	var list, diff bytes.Buffer
	if err := render.NewTraceText(&list, 4, names.of(trace)).List(trace, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := render.NewTraceText(&diff, 4, names.of(trace)).Diff(trace, trace.All(), 0); err != nil {
		t.Fatal(err)
	}
	if !containsInOrder(list.String(), cppResourceLeaksList) {
		t.Errorf("not the sample's text:\n%s", list.String())
	}
	if !containsInOrder(diff.String(), cppResourceLeaksDiff) {
		t.Errorf("not the sample's text:\n%s", diff.String())
	}
	traceGolden(t, "sample32.txt", list.String())
	traceGolden(t, "sample32-diff.txt", diff.String())
}

// A live 64-bit session (dotnet/coreclr#24438).
func TestTraceTextSample64(t *testing.T) {
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
	var got bytes.Buffer
	if err := render.NewTraceText(&got, 8, names.of(trace)).List(trace, 0, 0); err != nil {
		t.Fatal(err)
	}
	const sample = `--------------------------------------
Handle = 0x0000000000003300 - OPEN
Thread ID = 0x0000000000004dbc, Process ID = 0x000000000000414c

0x000000007785a30a: ntdll!ZwCreateThreadEx+0x000000000000000a
0x000007fefd37ac73: KERNELBASE!CreateRemoteThreadEx+0x0000000000000163
`
	if !strings.HasPrefix(got.String(), sample) {
		t.Errorf("not the sample's text:\n%s", got.String())
	}
	traceGolden(t, "sample64.txt", got.String())
}

func TestTraceTextSelection(t *testing.T) {
	dump, names := cppResourceLeaks()
	trace := readTrace(t, dump)
	tests := []struct {
		handle uint64
		limit  int
		first  string
		footer string
	}{
		{handle: 0x34, first: "Handle = 0x00000034 - CLOSE", footer: "Parsed 0xC stack traces.\nDumped 0x2 stack traces.\n"},
		{handle: 0x34, limit: 1, first: "Handle = 0x00000034 - CLOSE", footer: "Parsed 0xC stack traces.\nDumped 0x1 stack traces.\n"},
		{limit: 10, first: "Handle = 0x0000003c - OPEN", footer: "Parsed 0xC stack traces.\nDumped 0xA stack traces.\n"},
		{handle: 0x999, first: "Parsed 0xC stack traces.", footer: "Dumped 0x0 stack traces.\n"},
	}
	for _, tt := range tests {
		var got bytes.Buffer
		if err := render.NewTraceText(&got, 4, names.of(trace)).List(trace, tt.handle, tt.limit); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(got.String(), "\n")
		if lines[1] != tt.first || !strings.HasSuffix(got.String(), tt.footer) {
			t.Errorf("!htrace %x %x:\n%s", tt.handle, tt.limit, got.String())
		}
	}
}

func TestTraceTextNothingOutstanding(t *testing.T) {
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
		var got bytes.Buffer
		if err := render.NewTraceText(&got, 4, nil).Diff(trace, trace.All(), 0); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
