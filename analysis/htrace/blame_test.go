package htrace_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A caller opens handles through a stack, keeps some and closes the others
// after a while.
type caller struct {
	stack       []uint64
	opens, keep int
	life        int // operations until a handle is closed
}

// callersTrace is the trace of a program of such callers, by turns as chance
// will have it.
func callersTrace(t testing.TB, seed uint64, callers ...caller) *htrace.Trace {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	type closing struct {
		at     int
		handle uint64
		stack  []uint64
	}
	var turns []int
	for i, c := range callers {
		for range c.opens {
			turns = append(turns, i)
		}
	}
	random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	var ops []dumptest.HandleOperation
	var open []closing
	op := func(kind uint32, handle uint64, stack []uint64) {
		ops = append(ops, dumptest.HandleOperation{Handle: handle, ProcessID: traceProcess, ThreadID: 1, Type: kind, Stack: stack})
	}
	kept := make([]int, len(callers))
	seen := make([]int, len(callers))
	for i, who := range turns {
		c := &callers[who]
		handle := uint64(4 * (i + 1))
		op(dumptest.OperationOpen, handle, c.stack)
		seen[who]++
		if kept[who] < c.keep && random.IntN(c.opens-seen[who]+1) < c.keep-kept[who] {
			kept[who]++
		} else {
			open = append(open, closing{len(ops) + 1 + random.IntN(c.life), handle, c.stack})
		}
		rest := open[:0]
		for _, o := range open {
			if o.at <= len(ops) {
				op(dumptest.OperationClose, o.handle, o.stack)
			} else {
				rest = append(rest, o)
			}
		}
		open = rest
	}
	return readTrace(t, traceDump(t, ops, ""), htrace.OldestFirst)
}

func TestBlame(t *testing.T) {
	modules := []minidump.Module{
		{BaseOfImage: 0x10000, SizeOfImage: 0x10000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x20000, SizeOfImage: 0x10000, ModuleName: `C:\app\helper.dll`},
		{BaseOfImage: 0x30000, SizeOfImage: 0x10000, ModuleName: `C:\app\orders.dll`},
		{BaseOfImage: 0x40000, SizeOfImage: 0x10000, ModuleName: `C:\app\audit.dll`},
		{BaseOfImage: 0x50000, SizeOfImage: 0x10000, ModuleName: `C:\app\app.exe`},
	}
	system, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	stack := func(frames ...uint64) []uint64 { return append([]uint64{0x10100}, append(frames, 0x50100, 0x10200)...) }
	tests := []struct {
		name    string
		callers []caller
		want    []string // the kept ones by culprit, the most first
	}{
		{"one of two callers forgets", []caller{
			{stack(0x20100, 0x30100), 900, 180, 40},
			{stack(0x20100, 0x40100), 1800, 0, 40},
		}, []string{"orders 180 through helper"}},
		{"the callers call a wrapper of the helper", []caller{
			{stack(0x20100, 0x20900, 0x30100), 900, 180, 40},
			{stack(0x20100, 0x20900, 0x40100), 1800, 0, 40},
		}, []string{"orders 180 through helper"}},
		{"a system frame is in between", []caller{
			{stack(0x20100, 0x10300, 0x30100), 300, 300, 40},
			{stack(0x20100, 0x10300, 0x40100), 300, 0, 40},
		}, []string{"orders 300 through helper"}},
		{"the helper itself forgets", []caller{
			{stack(0x20100, 0x30100), 900, 180, 40},
			{stack(0x20100, 0x40100), 1800, 360, 40},
		}, []string{"helper 540"}},
		{"two of three callers forget", []caller{
			{stack(0x20100, 0x30100), 500, 100, 40},
			{stack(0x20100, 0x40100), 500, 100, 40},
			{stack(0x20100, 0x50800), 4000, 0, 40},
		}, []string{"audit 100 through helper", "orders 100 through helper"}},
		{"nobody closes: there is no share to compare", []caller{
			{stack(0x20100, 0x30100), 300, 300, 40},
			{stack(0x20100, 0x40100), 20, 20, 40},
		}, []string{"helper 320"}},
		{"one caller", []caller{{stack(0x20100, 0x30100), 900, 180, 40}}, []string{"helper 180"}},
		{"what is opened once and kept does not move the blame", []caller{
			{stack(0x20100, 0x30100), 20, 20, 40},
			{stack(0x20100, 0x40100), 1000, 200, 40},
		}, []string{"helper 200", "orders 20 through helper"}},
		{"a long life is not kept", []caller{
			{stack(0x20100, 0x30100), 2000, 0, 20},
			{stack(0x20100, 0x40100), 2000, 0, 900},
		}, nil},
	}
	for _, tt := range tests {
		for seed := range uint64(5) {
			trace := callersTrace(t, seed, tt.callers...)
			names, err := symbol.NewModules(modules).Resolve(t.Context(), trace.Addresses())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range trace.Group(trace.Outstanding, htrace.GroupOptions{By: htrace.ByCulprit, Blame: trace.Blame(names, system)}) {
				// The age of those in use is known to a quarter: a few may look kept.
				kept := (g.Count - g.Young + 10) / 20 * 20
				if kept == 0 {
					continue
				}
				line := fmt.Sprintf("%s %d", g.Culprit.Name(), kept)
				if g.Split != nil {
					line += " through " + g.Split.Through.Module
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, seed %d (-want +got):\n%s", tt.name, seed, diff)
			}
		}
	}
}

func TestSplitSentence(t *testing.T) {
	s := htrace.Split{
		Through: symbol.Location{Module: "CoreUtil", Function: "NewSignal", Displacement: 0x56, Trust: symbol.TrustPDB},
		Caller:  htrace.Share{Opens: 1800, Open: 360}, Others: htrace.Share{Opens: 3600, Open: 16, Young: 16},
	}
	want := "CoreUtil!NewSignal+0x56 opened them, as it does for several callers: this one keeps 360 of 1,800, the others 16 of 3,600, none for longer than those that were closed"
	if got := s.Sentence(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
