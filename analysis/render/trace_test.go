package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/dumpscan/dumpscan/analysis"
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
	*symbol.Modules
	functions map[minidump.VA]symbol.Location
}

func (n traceNames) Resolve(addr minidump.VA) symbol.Location {
	l := n.Modules.Resolve(addr)
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

func readTrace(t testing.TB, d dumptest.Dump) *analysis.Trace {
	t.Helper()
	b := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	trace, err := analysis.ReadTrace(f, "")
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
			Handle: op.handle, ProcessId: 0x17e8, ThreadId: 0x17ec, Type: op.kind, Stack: op.stack,
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
		PointerSize: 4, MiscInfo: &dumptest.MiscInfo{ProcessId: 0x17e8},
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
	if err := render.NewTraceText(&list, 4, names).List(trace, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := render.NewTraceText(&diff, 4, names).Diff(trace, trace.All(), 0); err != nil {
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
		Handle: 0x3300, ThreadId: 0x4dbc, ProcessId: 0x414c, Type: dumptest.OperationOpen, Stack: []uint64{0x7785a30a, 0x7fefd37ac73, 0x7fefd370123},
	}}}})
	var got bytes.Buffer
	if err := render.NewTraceText(&got, 8, names).List(trace, 0, 0); err != nil {
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
		if err := render.NewTraceText(&got, 4, names).List(trace, tt.handle, tt.limit); err != nil {
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
		if err := render.NewTraceText(&got, 4, traceNames{}).Diff(trace, trace.All(), 0); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// reportOf is a report with everything in it: two leaks with inlined calls and
// names that are not to be trusted, and every kind of anomaly.
func reportOf(t *testing.T, by analysis.TraceGroupKey) *render.TraceReport {
	t.Helper()
	modules := []minidump.Module{
		{BaseOfImage: 0x10000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x20000, SizeOfImage: 0x1000, ModuleName: "C:\\inetsrv\\My\u202eDll.dll"},
	}
	names := traceNames{symbol.NewModules(modules), map[minidump.VA]symbol.Location{
		0x10010: {Function: "NtCreateEvent", Displacement: 0x10, Trust: symbol.TrustExport},
		0x10020: {Function: "NtDuplicateObject", Displacement: 0x14},
		0x20010: {Function: "Leak;er", Displacement: 0x10, File: `c:\src\leak.cpp`, Line: 12,
			Inlined: []symbol.Inline{{Function: "Open\x1b[31m", File: `c:\src\open.h`, Line: 7}}},
	}}
	leak, duplicate, other := []uint64{0x10010, 0x20010, 0x99999}, []uint64{0x10020, 0x20030}, []uint64{0x10030, 0x20040}
	const open, closed, bad = dumptest.OperationOpen, dumptest.OperationClose, dumptest.OperationBadRef
	var ops []dumptest.HandleOperation
	add := func(handle uint64, process uint32, kind uint32, stack []uint64) {
		ops = append(ops, dumptest.HandleOperation{Handle: handle, ProcessId: process, ThreadId: 0xd4, Type: kind, Stack: stack})
	}
	add(0x8, 7, closed, other)
	for i := range uint64(5) {
		add(0x10+4*i, 7, open, leak)
	}
	add(0x40, 7, open, other)
	add(0x40, 7, closed, other)
	add(0x40, 7, bad, duplicate)
	add(0x44, 4, open, nil)
	add(0x48, 7, open, duplicate)
	add(0x4c, 7, bad, other)
	add(0x50, 7, open, other)
	add(0x50, 7, open, other)
	add(0x50, 4, closed, nil)
	d := dumptest.Dump{
		MiscInfo:         &dumptest.MiscInfo{ProcessId: 7, ProcessCreateTime: dumptest.DefaultTime - 90},
		HandleOperations: &dumptest.HandleOperationList{Operations: ops},
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 4, Type: "Key", Name: "=1+1"}, {Value: 0x10, Type: "Event", Name: "a\nb"}, {Value: 0x14, Type: "Event"},
			{Value: 0x18, Type: "Event"}, {Value: 0x1c, Type: "Key"}, {Value: 0x44, Type: "Process"}, {Value: 0x48, Type: "Mutant"},
		}},
	}
	trace := readTrace(t, d)
	trace.FindDuplicates(names)
	system, err := analysis.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &render.TraceReport{
		Dump: render.DumpHeader{File: "w3wp.dmp", Time: "2023-11-14T22:13:20Z"}, Trace: trace, Diff: trace.All(), Window: 90 * time.Second, By: by,
		Groups: trace.Group(trace.Outstanding, analysis.TraceGroupOptions{
			By: by, Resolver: names, System: system, Window: 90 * time.Second,
		}),
		Anomalies: trace.GroupAnomalies(names, system), Resolver: names, System: system,
		Notes: []string{"a note"},
	}
}

func TestTraceTable(t *testing.T) {
	for _, by := range []analysis.TraceGroupKey{analysis.TraceByStack, analysis.TraceByCulprit, analysis.TraceByFunction, analysis.TraceByThread, analysis.TraceByType} {
		var got bytes.Buffer
		if err := reportOf(t, by).Table(&got, render.TraceTableOptions{Frames: 6}); err != nil {
			t.Fatal(err)
		}
		traceGolden(t, "table-"+string(by)+".txt", got.String())
		if strings.ContainsAny(got.String(), "\x1b\u202e") {
			t.Errorf("by %s: text from the dump is not made safe", by)
		}
	}
}

func TestTraceTableOptions(t *testing.T) {
	var got bytes.Buffer
	err := reportOf(t, analysis.TraceByStack).Table(&got, render.TraceTableOptions{Frames: 0, Limit: 1, Style: render.Style{Color: true, Width: 60}})
	if err != nil {
		t.Fatal(err)
	}
	traceGolden(t, "table-limited.txt", got.String())
}

func TestTraceJSON(t *testing.T) {
	r := reportOf(t, analysis.TraceByStack)
	r.Operations = r.Trace.Life(0x40)
	r.Earlier = &render.DumpHeader{File: "before.dmp"}
	var got bytes.Buffer
	if err := r.JSON(&got); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(got.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if path := nullIn("", v); path != "" {
		t.Errorf("%s is null", path)
	}
	traceGolden(t, "report.json", got.String())
}

// nullIn returns the path of a null in a JSON value.
func nullIn(path string, v any) string {
	switch v := v.(type) {
	case nil:
		return path
	case []any:
		for i, e := range v {
			if p := nullIn(fmt.Sprintf("%s[%d]", path, i), e); p != "" {
				return p
			}
		}
	case map[string]any:
		for k, e := range v {
			if p := nullIn(path+"."+k, e); p != "" {
				return p
			}
		}
	}
	return ""
}

func TestTraceCSV(t *testing.T) {
	var got bytes.Buffer
	if err := reportOf(t, analysis.TraceByStack).CSV(&got); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&got).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"group", "count", "share", "ratePerMinute", "culprit", "culpritKind", "function", "type", "threads", "handles", "frames"},
		{"1", "5", "0.714286", "3.333333", "My<U+202E>Dll", "module", "My<U+202E>Dll!Leak;er", "Event", "0xd4", "0x10 0x14 0x18 0x1c 0x20",
			"ntdll!NtCreateEvent+0x10 < My<U+202E>Dll!Leak;er+0x10 < 0x99999"},
		{"2", "1", "0.142857", "0.666667", "<no stack>", "none", "", "Process", "0xd4", "0x44", ""},
		{"3", "1", "0.142857", "0.666667", "My<U+202E>Dll", "module", "My<U+202E>Dll+0x30", "Mutant", "0xd4", "0x48",
			"ntdll!NtDuplicateObject+0x14 < My<U+202E>Dll+0x30"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTraceFolded(t *testing.T) {
	var got bytes.Buffer
	if err := reportOf(t, analysis.TraceByStack).Folded(&got); err != nil {
		t.Fatal(err)
	}
	const want = `0x99999;My<U+202E>Dll!Leak:er;My<U+202E>Dll!Open<U+001B>[31m;ntdll!NtCreateEvent 5
<no stack> 1
My<U+202E>Dll+0x30;ntdll!NtDuplicateObject 1
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTraceProfile(t *testing.T) {
	r := reportOf(t, analysis.TraceByStack)
	var got, again bytes.Buffer
	if err := r.Profile(&got); err != nil {
		t.Fatal(err)
	}
	if err := r.Profile(&again); err != nil || !bytes.Equal(got.Bytes(), again.Bytes()) {
		t.Errorf("two runs differ, or %v", err)
	}
	p, err := profile.Parse(&got)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, s := range p.Sample {
		for i, st := range p.SampleType {
			sums[st.Type] += s.Value[i]
		}
	}
	want := map[string]int64{"open": 7, "opened": 10, "closed": 3, "badref": 2}
	if diff := cmp.Diff(want, sums); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.DefaultSampleType != "open" || p.TimeNanos != 1_700_000_000e9 || p.DurationNanos != 90e9 {
		t.Errorf("default %s, time %d, duration %d", p.DefaultSampleType, p.TimeNanos, p.DurationNanos)
	}
	var labels []string
	for _, s := range p.Sample {
		if h := s.Label["handle"]; len(h) == 1 && h[0] == "0x10" {
			labels = append(labels, s.Label["type"][0], s.Label["name"][0], s.Label["thread"][0], s.Location[1].Line[1].Function.Name)
		}
	}
	if diff := cmp.Diff([]string{"Event", "a<U+000A>b", "0xd4", "My<U+202E>Dll!Leak;er"}, labels); diff != "" {
		t.Errorf("the sample of handle 0x10 (-want +got):\n%s", diff)
	}
}

func TestTraceCalls(t *testing.T) {
	var got bytes.Buffer
	err := render.TraceCalls(&got, []render.TraceCall{
		{Return: symbol.Location{Address: 0x20010, Module: "MyCustomDll", Function: "OpenClassesKey", Displacement: 0x29, File: "my.c", Line: 83},
			Destination: symbol.Location{Address: 0x30000, Module: "ADVAPI32", Function: "RegOpenKeyExW"}},
		{Return: symbol.Location{Address: 0x20110, Module: "w3wp", Offset: 0x1aed}, Note: "? (call rdi)"},
	}, render.Style{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `Function                         Source   Destination
MyCustomDll!OpenClassesKey+0x29  my.c:83  ADVAPI32!RegOpenKeyExW
w3wp+0x1aed                               ? (call rdi)
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
