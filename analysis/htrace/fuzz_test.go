package htrace_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// FuzzTrace makes operations of two bytes each and holds the replay against a
// plain model of what outstanding means, in both orders.
func FuzzTrace(f *testing.F) {
	f.Add([]byte{0x10, 1, 0x10, 2, 0x10, 3, 0x14, 1})
	f.Add([]byte{4, 0x81, 4, 0x12, 4, 0x41, 8, 3, 4, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 128 {
			return // 64 operations of 8 handles collide in every way there is
		}
		var ops []dumptest.HandleOperation
		for i := 0; i+1 < len(data); i += 2 {
			b := data[i+1]
			ops = append(ops, dumptest.HandleOperation{
				Handle: uint64(data[i] & 0x1c), Type: uint32(b & 3), ProcessID: traceProcess + uint32(b>>7),
				ThreadID: uint32(b >> 4 & 3), Stack: []uint64{uint64(b>>2&3) + 1},
			})
		}
		handles := "4:Key 8:Event 1c:File"
		old := readTrace(t, traceDump(t, ops, handles), htrace.OldestFirst)

		var want []uint64 // values, newest first
		used := slices.DeleteFunc(slices.Clone(ops), func(op dumptest.HandleOperation) bool { return op.Type == 0 && op.Handle == 0 })
		for i, op := range slices.Backward(used) {
			closed := slices.ContainsFunc(used[i:], func(l dumptest.HandleOperation) bool {
				return l.Handle == op.Handle && l.Type == dumptest.OperationClose
			})
			if op.Type == dumptest.OperationOpen && !closed {
				want = append(want, op.Handle)
			}
		}
		var got []uint64
		for _, o := range old.Outstanding {
			got = append(got, o.Handle)
		}
		if !slices.Equal(want, got) {
			t.Errorf("outstanding (-want +got):\n%s", cmp.Diff(want, got))
		}
		if old.Len() != len(used) || old.Opens+old.Closes+old.BadRefs+old.Others != old.Len() {
			t.Errorf("%d operations of %d", old.Len(), len(used))
		}

		slices.Reverse(ops)
		young := readTrace(t, traceDump(t, ops, handles), htrace.NewestFirst)
		a, b := describeTrace(old), describeTrace(young)
		if a != b {
			t.Errorf("oldest first:\n%s\nnewest first:\n%s", a, b)
		}
		if describeTrace(young) != b {
			t.Error("two runs differ")
		}
	})
}

// describeTrace writes everything that must not depend on the order in the
// file.
func describeTrace(trace *htrace.Trace) string {
	s := outstandingText(trace) + "\n" + anomalyText(trace) + "\n"
	modules, err := htrace.NewSystemModules(traceModules, nil, nil, nil)
	if err != nil {
		return err.Error()
	}
	for _, by := range []htrace.GroupKey{htrace.ByStack, htrace.ByThread, htrace.ByType} {
		groups := trace.Group(trace.Outstanding, htrace.GroupOptions{By: by, Blame: trace.Blame(traceResolver().of(trace), modules)})
		s += fmt.Sprintln(groupLines(groups))
	}
	for _, g := range trace.GroupAnomalies(traceResolver().of(trace), modules) {
		s += fmt.Sprintln(g.Kind, g.Count, g.Handles, g.BadRef)
		for _, c := range []*htrace.Caller{g.Wrong, g.Previous} {
			if c != nil { // the number of its stack depends on the order
				s += fmt.Sprintln(c.Culprit, c.Location, c.Threads, trace.Frames(c.Stack))
			}
		}
	}
	return s
}

// FuzzReadTrace reads whatever comes as the two handle streams of a dump.
func FuzzReadTrace(f *testing.F) {
	d := dumptest.Dump{
		HandleOperations: &dumptest.HandleOperationList{Operations: traceOps(f, "o4 o8 c4 b4")},
		HandleData:       &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 8, Type: "Key", Name: "x"}}},
	}
	f.Add(d.Bytes())
	d.HandleOperations.EntrySize = 40
	f.Add(d.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8<<10 {
			return
		}
		file, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		trace, err := htrace.Read(t.Context(), file, "")
		if trace == nil {
			if err == nil {
				t.Fatal("neither a trace nor an error")
			}
			return
		}
		// An operation has 32 bytes or more.
		if trace.Len() > len(data)/32 {
			t.Errorf("%d operations in %d bytes", trace.Len(), len(data))
		}
		again, errAgain := htrace.Read(t.Context(), file, "")
		if describeTrace(trace) != describeTrace(again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Error("two runs differ")
		}
	})
}

// BenchmarkReadTrace reads 200,000 operations of 500 stacks and 16 threads;
// the bytes per second are those of the file.
func BenchmarkReadTrace(b *testing.B) {
	const n = 200_000
	each := func(yield func(dumptest.HandleOperation) bool) {
		stack := make([]uint64, 14)
		for i := range n {
			for j := range stack {
				stack[j] = 0x7ff600000000 + uint64(i/2%500*7919+j*4096)
			}
			op := dumptest.HandleOperation{
				Handle: uint64(i/2%9000) * 4, ProcessID: traceProcess, ThreadID: uint32(i % 16),
				Type: uint32(i%2 + 1), Stack: stack,
			}
			if !yield(op) {
				return
			}
		}
	}
	f := traceFile(b, dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Each: each}})
	b.SetBytes(n * 288)
	b.ReportAllocs()
	for b.Loop() {
		trace, err := htrace.Read(b.Context(), f, "")
		if err != nil || trace.Len() != n {
			b.Fatal(trace.Len(), err)
		}
	}
}
