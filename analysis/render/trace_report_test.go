package render_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// reportOf is a report with everything in it.
func reportOf(t *testing.T, by htrace.GroupKey) *render.TraceReport {
	t.Helper()
	return render.NewTraceReport(factsOf(t, by))
}

// factsOf has two leaks with inlined calls and names that are not to be
// trusted, and every kind of anomaly.
func factsOf(t *testing.T, by htrace.GroupKey) render.TraceFacts {
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
		ops = append(ops, dumptest.HandleOperation{Handle: handle, ProcessID: process, ThreadID: 0xd4, Type: kind, Stack: stack})
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
		MiscInfo:         &dumptest.MiscInfo{ProcessID: 7, ProcessCreateTime: dumptest.DefaultTime - 90},
		HandleOperations: &dumptest.HandleOperationList{Operations: ops},
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 4, Type: "Key", Name: "=1+1"}, {Value: 0x10, Type: "Event", Name: "a\nb"}, {Value: 0x14, Type: "Event"},
			{Value: 0x18, Type: "Event"}, {Value: 0x1c, Type: "Key"}, {Value: 0x44, Type: "Process"}, {Value: 0x48, Type: "Mutant"},
		}},
	}
	trace := readTrace(t, d)
	resolved := names.of(trace)
	trace.FindDuplicates(resolved)
	system, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return render.TraceFacts{
		Dump: render.DumpHeader{File: "w3wp.dmp", Time: "2023-11-14T22:13:20Z"}, Trace: trace, Diff: trace.All(), Window: 90 * time.Second,
		By: by, Frames: 6, Names: resolved, System: system,
		Invocation: htrace.Invocation{File: "w3wp.dmp", Options: []string{"--system", "a b", "-y", "sym"}, Symbols: []string{"-y", "sym"}},
		Notes:      []string{"a note"},
	}
}

func TestTraceTable(t *testing.T) {
	for _, by := range []htrace.GroupKey{htrace.ByStack, htrace.ByCulprit, htrace.ByFunction, htrace.ByThread, htrace.ByType} {
		got := formatted(t, reportOf(t, by), render.Text)
		traceGolden(t, "table-"+string(by)+".txt", got)
		if strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("by %s: text from the dump is not made safe", by)
		}
	}
}

// TestTraceTableOptions has one group without frames, on a narrow terminal.
func TestTraceTableOptions(t *testing.T) {
	facts := factsOf(t, htrace.ByStack)
	facts.Frames, facts.Limit = 0, 1
	var got bytes.Buffer
	if err := render.Write(&got, render.NewTraceReport(facts), render.Text, render.Style{Color: true, Width: 60}); err != nil {
		t.Fatal(err)
	}
	traceGolden(t, "table-limited.txt", got.String())
	for line := range strings.Lines(got.String()) {
		line = strings.NewReplacer("\x1b[1;31m", "", "\x1b[33m", "", "\x1b[0m", "", "\x1b[2m", "", "\x1b[1m", "", "\n", "").Replace(line)
		if utf8.RuneCountInString(line) > 60 && !strings.HasPrefix(line, "next:") {
			t.Errorf("wider than the terminal: %q", line)
		}
	}
}

func TestTraceJSON(t *testing.T) {
	facts := factsOf(t, htrace.ByStack)
	facts.Operations = render.NewTraceOperations(facts.Trace, facts.Names, facts.Trace.Select(t.Context(), htrace.Query{OneHandle: true, Handle: 0x40}))
	facts.Earlier = &render.DumpHeader{File: "before.dmp"}
	got := formatted(t, render.NewTraceReport(facts), render.JSON)
	var v any
	if err := json.Unmarshal([]byte(got), &v); err != nil {
		t.Fatal(err)
	}
	if path := nullIn("", v); path != "" {
		t.Errorf("%s is null", path)
	}
	traceGolden(t, "report.json", got)
}

// A limit means the same in every form.
func TestTraceLimit(t *testing.T) {
	facts := factsOf(t, htrace.ByStack)
	facts.Limit = 2
	r := render.NewTraceReport(facts)
	if len(r.Groups) != 2 || r.Omitted != 1 || r.Outstanding != 7 {
		t.Errorf("%d groups, %d omitted, %d outstanding", len(r.Groups), r.Omitted, r.Outstanding)
	}
	for f, want := range map[render.Format]string{
		render.Text: "\n… and 1 more group\n", render.JSON: "\n  \"omitted\": 1,\n", render.CSV: "\n2,1,",
	} {
		got := formatted(t, r, f)
		if !strings.Contains(got, want) || strings.Contains(got, "Mutant  ") || strings.Contains(got, ",Mutant,") {
			t.Errorf("%s:\n%s", f, got)
		}
	}
}

// A name of the nearest export is a guess: it is marked in a stack, and is no
// name for a group, nor for the step after that.
func TestTraceExportName(t *testing.T) {
	facts := factsOf(t, htrace.ByFunction)
	l := facts.Names[0x20010]
	l.Function, l.Displacement, l.Trust, l.File, l.Inlined = "PathCounts", 0x4c, symbol.TrustExport, "", nil
	facts.Names[0x20010] = l
	r := render.NewTraceReport(facts)
	if g := r.Groups[0]; g.Key != "My\u202eDll+0x10" || g.Function != g.Key {
		t.Errorf("key %q, function %q", g.Key, g.Function)
	}
	if !strings.HasPrefix(r.Next, "the function at My\u202eDll+0x10 has no name: ") {
		t.Errorf("next: %s", r.Next)
	}
	if diff := cmp.Diff([]string{"dumpscan", "symbols", "w3wp.dmp", "-y", "sym"}, r.Command); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	text := formatted(t, r, render.Text)
	if n := strings.Count(text, "PathCounts"); n != 1 || !strings.Contains(text, "       > My<U+202E>Dll!PathCounts+0x4c (export)\n") {
		t.Errorf("%d times:\n%s", n, text)
	}
	if strings.Contains(formatted(t, r, render.Folded), "PathCounts") {
		t.Error("folded stacks have the name")
	}
	if !strings.Contains(formatted(t, r, render.CSV), ",My<U+202E>Dll+0x10,Event,") {
		t.Error(formatted(t, r, render.CSV))
	}
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
	rows, err := csv.NewReader(strings.NewReader(formatted(t, reportOf(t, htrace.ByStack), render.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"key", "count", "share", "ratePerHour", "culprit", "culpritKind", "function", "type", "threads", "handles", "frames"},
		{"1", "5", "0.714286", "200.000000", "My<U+202E>Dll", "module", "My<U+202E>Dll!Leak;er", "Event", "212", "0x10 0x14 0x18 0x1c 0x20",
			"ntdll!NtCreateEvent+0x10 < My<U+202E>Dll!Leak;er+0x10 < 0x99999"},
		{"2", "1", "0.142857", "40.000000", "<no stack>", "none", "", "Process", "212", "0x44", ""},
		{"3", "1", "0.142857", "40.000000", "My<U+202E>Dll", "module", "My<U+202E>Dll+0x30", "Mutant", "212", "0x48",
			"ntdll!NtDuplicateObject+0x14 < My<U+202E>Dll+0x30"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTraceFolded(t *testing.T) {
	got := formatted(t, reportOf(t, htrace.ByStack), render.Folded)
	const want = `0x99999;My<U+202E>Dll!Leak:er;My<U+202E>Dll!Open<U+001B>[31m;ntdll+0x10 5
<no stack> 1
My<U+202E>Dll+0x30;ntdll!NtDuplicateObject 1
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTraceProfile(t *testing.T) {
	r := reportOf(t, htrace.ByStack)
	got := formatted(t, r, render.Pprof)
	if again := formatted(t, r, render.Pprof); got != again {
		t.Error("two runs differ")
	}
	p, err := profile.Parse(strings.NewReader(got))
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

func TestCallReport(t *testing.T) {
	r := render.NewCallReport(render.DumpHeader{File: "a.dmp"}, "the stack of 3 opens", []unwind.Call{
		{Return: symbol.Location{Address: 0x20010, Module: "MyCustomDll", Function: "OpenClassesKey", Displacement: 0x29, File: "my.c", Line: 83, Trust: symbol.TrustPDB},
			Destination: symbol.Location{Address: 0x30000, Module: "ADVAPI32", Function: "RegOpenKeyExW", Trust: symbol.TrustExport}},
		{Return: symbol.Location{Address: 0x20110, Module: "w3wp", Offset: 0x1aed, Trust: symbol.TrustModule}, Note: "call rdi"},
		{Return: symbol.Location{Address: 0x20210, Module: "w3wp", Function: "near", Displacement: 7, Trust: symbol.TrustExport}, Note: "its code is not in the dump"},
	})
	const want = `Function                         Source   Destination
MyCustomDll!OpenClassesKey+0x29  my.c:83  ADVAPI32!RegOpenKeyExW
w3wp+0x1aed                               ? (call rdi)
w3wp!near+0x7 (export)                    ? (its code is not in the dump)
`
	if diff := cmp.Diff(want, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const json = `{
  "schema": "dumpscan.htrace.calls/2",
  "dump": {"file":"a.dmp"},
  "stack": "the stack of 3 opens",
  "calls": [
    {"address":"0x20010","module":"MyCustomDll","offset":"0x0","function":"OpenClassesKey","displacement":"0x29","trust":"pdb","file":"my.c","line":83,"destination":{"address":"0x30000","module":"ADVAPI32","offset":"0x0","function":"RegOpenKeyExW","displacement":"0x0","trust":"export"}},
    {"address":"0x20110","module":"w3wp","offset":"0x1aed","function":"","displacement":"0x0","trust":"module","note":"call rdi"},
    {"address":"0x20210","module":"w3wp","offset":"0x0","function":"near","displacement":"0x7","trust":"export","note":"its code is not in the dump"}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(json, formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const csv = `function,source,destination
MyCustomDll!OpenClassesKey+0x29,my.c:83,ADVAPI32!RegOpenKeyExW
w3wp+0x1aed,,? (call rdi)
w3wp!near+0x7 (export),,? (its code is not in the dump)
`
	if diff := cmp.Diff(csv, formatted(t, r, render.CSV)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var terminal bytes.Buffer
	if err := render.Write(&terminal, r, render.Text, render.Style{Terminal: true}); err != nil || !strings.HasPrefix(terminal.String(), "the stack of 3 opens\n") {
		t.Errorf("%v\n%s", err, terminal.String())
	}
}

// Who opened the handles that are still open? As CSV.
func ExampleNewTraceReport() {
	leak := []uint64{0x77ca310c, 0x10001543} // ntdll, MyCustomDll
	data := dumptest.Dump{
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Handle: 0x7e0, ThreadID: 212, Type: dumptest.OperationOpen, Stack: leak},
			{Handle: 0x7e4, ThreadID: 212, Type: dumptest.OperationOpen, Stack: leak},
		}},
	}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	trace, err := htrace.Read(ctx, f, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	modules := []minidump.Module{ // those of the dump, else
		{BaseOfImage: 0x77c80000, SizeOfImage: 0x100000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x10000000, SizeOfImage: 0x10000, ModuleName: `C:\inetsrv\MyCustomDll.dll`},
	}
	system, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	names, err := symbol.NewModules(modules).Resolve(ctx, trace.Addresses())
	if err != nil {
		fmt.Println(err)
		return
	}
	report := render.NewTraceReport(render.TraceFacts{
		Dump: render.DumpHeader{File: "w3wp.dmp"}, Trace: trace, Diff: trace.All(),
		By: htrace.ByFunction, Names: names, System: system,
	})
	if err := render.Write(os.Stdout, report, render.CSV, render.Style{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// key,count,share,ratePerHour,culprit,culpritKind,function,type,threads,handles,frames
	// MyCustomDll+0x1543,2,1.000000,,MyCustomDll,module,MyCustomDll+0x1543,,212,0x7e0 0x7e4,ntdll+0x2310c < MyCustomDll+0x1543
}
