package htrace_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// traceNames are a few functions, each 0x100 bytes long.
type traceNames struct {
	modules   *symbol.Modules
	functions map[minidump.VA]string
}

// of names the addresses of a trace.
func (n traceNames) of(trace *htrace.Trace) symbol.Names {
	names, err := n.modules.Resolve(context.Background(), trace.Addresses())
	if err != nil {
		panic(err)
	}
	for addr, l := range names {
		if name, ok := n.functions[addr&^0xff]; ok {
			l.Function, l.Displacement, l.Trust = name, uint64(addr&0xff), symbol.TrustPDB
			names[addr] = l
		}
	}
	return names
}

var traceModules = []minidump.Module{
	{BaseOfImage: 0x10000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\ntdll.dll`},
	{BaseOfImage: 0x20000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\MyCustomDll.dll`},
	{BaseOfImage: 0x30000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\Other.dll`},
}

func traceResolver() traceNames {
	return traceNames{symbol.NewModules(traceModules), map[minidump.VA]string{
		0x10100: "NtCreateEvent", 0x10200: "NtDuplicateObject", 0x20100: "Subscribe",
	}}
}

// leakingTrace has 6 leaks by MyCustomDll!Subscribe from two places, 3 by an
// unnamed function of MyCustomDll, 2 by Other.
func leakingTrace(t testing.TB) *htrace.Trace {
	t.Helper()
	var ops []dumptest.HandleOperation
	var handles []string
	for i := range 11 {
		op := dumptest.HandleOperation{
			Handle: uint64(4 * (i + 1)), ProcessID: traceProcess, ThreadID: uint32(0x10 + i%2), Type: dumptest.OperationOpen,
		}
		typ := "Event"
		switch {
		case i < 4:
			op.Stack = []uint64{0x10110, 0x20110, 0x99}
		case i < 6:
			op.Stack = []uint64{0x10110, 0x20120, 0x99}
			typ = "Key"
		case i < 9:
			op.Stack = []uint64{0x10110, 0x20500}
			typ = "Key:name"
		default:
			op.Stack = []uint64{0x10210, 0x30500}
		}
		ops = append(ops, op)
		if i != 3 { // closed without a trace of it
			handles = append(handles, fmt.Sprintf("%x:%s", op.Handle, typ))
		}
	}
	return readTrace(t, traceDump(t, ops, strings.Join(handles, " ")), "")
}

func systemOf(t testing.TB, notSystem ...string) *htrace.SystemModules {
	t.Helper()
	s, err := htrace.NewSystemModules(traceModules, nil, nil, notSystem)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func groupLines(groups []htrace.Group) []string {
	var lines []string
	for i := range groups {
		g := &groups[i]
		var types []string
		for _, c := range g.Types {
			types = append(types, fmt.Sprintf("%s=%d", c.Text, c.Count))
		}
		lines = append(lines, fmt.Sprintf("%s %d %.3f %s %s stacks=%d threads=%d handles=%x missing=%d",
			g.Key, g.Count, g.Share, g.Culprit.Name(), strings.Join(types, ","), len(g.Stacks), len(g.Threads), g.Handles, g.Missing))
	}
	return lines
}

func TestTraceGroup(t *testing.T) {
	trace := leakingTrace(t)
	tests := []struct {
		by        htrace.GroupKey
		notSystem string
		want      []string
	}{
		{by: htrace.ByStack, want: []string{
			" 4 0.364 MyCustomDll Event=3,=1 stacks=1 threads=2 handles=[4 8 c 10] missing=1",
			" 3 0.273 MyCustomDll Key=3 stacks=1 threads=2 handles=[1c 20 24] missing=0",
			" 2 0.182 MyCustomDll Key=2 stacks=1 threads=2 handles=[14 18] missing=0",
			" 2 0.182 Other Event=2 stacks=1 threads=2 handles=[28 2c] missing=0",
		}},
		{by: htrace.ByCulprit, want: []string{
			"MyCustomDll 9 0.818 MyCustomDll Key=5,Event=3,=1 stacks=3 threads=2 handles=[4 8 c 10 14 18 1c 20 24] missing=1",
			"Other 2 0.182 Other Event=2 stacks=1 threads=2 handles=[28 2c] missing=0",
		}},
		{by: htrace.ByCulprit, notSystem: "ntdll", want: []string{
			"ntdll 11 1.000 ntdll Event=5,Key=5,=1 stacks=4 threads=2 handles=[4 8 c 10 14 18 1c 20 24 28 2c] missing=1",
		}},
		{by: htrace.ByFunction, want: []string{
			"MyCustomDll!Subscribe 6 0.545 MyCustomDll Event=3,Key=2,=1 stacks=2 threads=2 handles=[4 8 c 10 14 18] missing=1",
			"MyCustomDll+0x500 3 0.273 MyCustomDll Key=3 stacks=1 threads=2 handles=[1c 20 24] missing=0",
			"Other+0x500 2 0.182 Other Event=2 stacks=1 threads=2 handles=[28 2c] missing=0",
		}},
		{by: htrace.ByThread, want: []string{
			"0x10 6 0.545 MyCustomDll Event=3,Key=3 stacks=4 threads=1 handles=[4 c 14 1c 24 2c] missing=0",
			"0x11 5 0.455 MyCustomDll Event=2,Key=2,=1 stacks=4 threads=1 handles=[8 10 18 20 28] missing=1",
		}},
		{by: htrace.ByType, want: []string{
			"Event 5 0.455 MyCustomDll Event=5 stacks=2 threads=2 handles=[4 8 c 28 2c] missing=0",
			"Key 5 0.455 MyCustomDll Key=5 stacks=2 threads=2 handles=[14 18 1c 20 24] missing=0",
			" 1 0.091 MyCustomDll =1 stacks=1 threads=1 handles=[10] missing=1",
		}},
	}
	for _, tt := range tests {
		var notSystem []string
		if tt.notSystem != "" {
			notSystem = []string{tt.notSystem}
		}
		groups := trace.Group(trace.Outstanding, htrace.GroupOptions{
			By: tt.by, Blame: trace.Blame(traceResolver().of(trace), systemOf(t, notSystem...)),
		})
		if diff := cmp.Diff(tt.want, groupLines(groups)); diff != "" {
			t.Errorf("by %s, not system %q (-want +got):\n%s", tt.by, tt.notSystem, diff)
		}
	}
}

func TestTraceGroupDetails(t *testing.T) {
	trace := leakingTrace(t)
	groups := trace.Group(trace.Outstanding, htrace.GroupOptions{
		By: htrace.ByStack, Blame: trace.Blame(traceResolver().of(trace), systemOf(t)), Window: 30 * time.Second,
	})
	g := groups[0]
	if g.RatePerHour != 480 {
		t.Errorf("rate %v, want 480", g.RatePerHour)
	}
	if got := g.Location.String(); got != "MyCustomDll!Subscribe+0x10" {
		t.Errorf("culprit at %q", got)
	}
	if len(g.Frames) != 3 || g.Frames[2].Module != "" || g.Culprit.Frame != 1 {
		t.Errorf("frames %v, culprit %+v", g.Frames, g.Culprit)
	}
	if diff := cmp.Diff([]htrace.TextCount{{Text: "name", Count: 3}}, groups[1].Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestTraceAddresses(t *testing.T) {
	trace := leakingTrace(t)
	var want []minidump.VA
	for id := range trace.Stacks() {
		want = append(want, trace.Frames(id)...)
	}
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), trace.Addresses()); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	stack := trace.Operation(0).Stack
	want = slices.Sorted(slices.Values(trace.Frames(stack)))
	if diff := cmp.Diff(want, trace.AddressesOf([]int{stack, stack})); diff != "" {
		t.Errorf("of one stack (-want +got):\n%s", diff)
	}
	if got := trace.AddressesOf(nil); len(got) != 0 {
		t.Errorf("of no stack: %v", got)
	}
}

func TestFindDuplicates(t *testing.T) {
	trace := leakingTrace(t)
	for range 2 { // twice, and still once in the list
		trace.FindDuplicates(traceResolver().of(trace))
	}
	want := []htrace.Anomaly{{Kind: htrace.Duplicated, Handle: 0x2c, Position: 0, Previous: -1, Count: 2}}
	if diff := cmp.Diff(want, slices.Collect(trace.Anomalies())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGroupAnomalies(t *testing.T) {
	// The stacks begin in the modules: 0x10000, 0x20000, 0x30000.
	ops := traceOps(t, "o4/20 c4/20 b4/30 o8/20 c8/20 b8/30 oc/20 cc/20 cc/20 c10/10 b14/30")
	trace := readTrace(t, traceDump(t, ops, ""), htrace.OldestFirst)
	var lines []string
	for _, g := range trace.GroupAnomalies(traceResolver().of(trace), systemOf(t)) {
		line := fmt.Sprintf("%s %d %x badref=%v", g.Kind, g.Count, g.Handles, g.BadRef)
		for _, c := range []*htrace.Caller{g.Wrong, g.Previous} {
			if c != nil {
				line += " " + c.Location.String()
			}
		}
		lines = append(lines, line)
	}
	want := []string{
		"double-close 2 [4 8] badref=true Other MyCustomDll",
		"double-close 1 [c] badref=false MyCustomDll MyCustomDll",
		"bad-reference 1 [14] badref=true Other",
		"close-without-open 1 [10] badref=false ntdll", // 0x20, the other frame, is no code
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTraceSites(t *testing.T) {
	trace := readTrace(t, traceDump(t, traceOps(t, "o4/1 o8/1 c4/2 o4/1 b10/3"), ""), htrace.OldestFirst)
	sites := trace.Sites(1)
	counts := map[string]int{}
	for _, s := range sites {
		counts[fmt.Sprintf("%s %s", s.OperationType, trace.Frames(s.Stack)[0])] = s.Count
	}
	want := map[string]int{"OPEN 0x1000": 2, "CLOSE 0x2000": 1, "BADREF 0x3000": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(sites, func(a, b htrace.Site) int { return slices.Compare(trace.Frames(a.Stack), trace.Frames(b.Stack)) }) {
		t.Errorf("not sorted: %v", sites)
	}
}
