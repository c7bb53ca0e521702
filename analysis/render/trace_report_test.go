package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// reportOf is a report with everything in it: two leaks with inlined calls and
// names that are not to be trusted, and every kind of anomaly.
func reportOf(t *testing.T, by htrace.GroupKey) *render.TraceReport {
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
	return &render.TraceReport{
		Dump: render.DumpHeader{File: "w3wp.dmp", Time: "2023-11-14T22:13:20Z"}, Trace: trace, Diff: trace.All(), Window: 90 * time.Second, By: by,
		Groups: trace.Group(trace.Outstanding, htrace.GroupOptions{
			By: by, Names: resolved, System: system, Window: 90 * time.Second,
		}),
		Anomalies: trace.GroupAnomalies(resolved, system), Names: resolved, System: system,
		Notes: []string{"a note"},
	}
}

func TestTraceTable(t *testing.T) {
	for _, by := range []htrace.GroupKey{htrace.ByStack, htrace.ByCulprit, htrace.ByFunction, htrace.ByThread, htrace.ByType} {
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
	err := reportOf(t, htrace.ByStack).Table(&got, render.TraceTableOptions{Frames: 0, Limit: 1, Style: render.Style{Color: true, Width: 60}})
	if err != nil {
		t.Fatal(err)
	}
	traceGolden(t, "table-limited.txt", got.String())
}

func TestTraceJSON(t *testing.T) {
	r := reportOf(t, htrace.ByStack)
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
	if err := reportOf(t, htrace.ByStack).CSV(&got); err != nil {
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
	if err := reportOf(t, htrace.ByStack).Folded(&got); err != nil {
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
	r := reportOf(t, htrace.ByStack)
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
