package minidump_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// operations opens a dump whose i-th operation opens handle 4*(i+1) with a
// stack of i%32+1 frames.
func operations(t *testing.T, n, entrySize int) *minidump.HandleOperationList {
	t.Helper()
	var ops []dumptest.HandleOperation
	for i := range n {
		op := dumptest.HandleOperation{
			Handle: uint64(4 * (i + 1)), ProcessID: 7, ThreadID: uint32(i), Type: dumptest.OperationOpen,
			Index: uint32(3 * i),
		}
		for j := range i%32 + 1 {
			op.Stack = append(op.Stack, uint64(0x1000*i+j+1))
		}
		ops = append(ops, op)
	}
	b := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: ops, EntrySize: entrySize}}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.HandleOperations()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func handlesOf(t *testing.T, l *minidump.HandleOperationList, start, end int) []uint64 {
	t.Helper()
	var got []uint64
	for op, err := range l.Range(start, end) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, op.Handle)
	}
	return got
}

func TestHandleOperationRange(t *testing.T) {
	for _, entry := range []int{288, 320} {
		l := operations(t, 2500, entry)
		if n, err := l.Len(); n != 2500 || err != nil {
			t.Fatalf("Len() = %d, %v, want 2500", n, err)
		}
		for _, tt := range []struct{ start, end, first, n int }{
			{0, 2500, 0, 2500}, {1000, 1003, 1000, 3}, {2499, 9999, 2499, 1},
			{-5, 2, 0, 2}, {7, 7, 0, 0}, {9, 3, 0, 0}, {3000, 4000, 0, 0},
		} {
			got := handlesOf(t, l, tt.start, tt.end)
			var want []uint64
			for i := range tt.n {
				want = append(want, uint64(4*(tt.first+i+1)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entries of %d bytes: Range(%d, %d) differs (-want +got):\n%s", entry, tt.start, tt.end, diff)
			}
		}
	}
}

// A record shorter than today's ends inside the return addresses.
func TestHandleOperationShortEntry(t *testing.T) {
	for _, tt := range []struct{ entry, frames int }{{288, 32}, {56, 3}, {32, 0}} {
		l := operations(t, 32, tt.entry)
		for op, err := range l.Range(31, 32) {
			if err != nil {
				t.Fatal(err)
			}
			if len(op.Frames()) != tt.frames || op.Handle != 128 || op.ThreadID != 31 || op.Index != 93 || op.Depth != 32 {
				t.Errorf("entry of %d bytes: %d frames, handle %#x, thread %d, index %d, depth %d",
					tt.entry, len(op.Frames()), op.Handle, op.ThreadID, op.Index, op.Depth)
			}
		}
	}
}

func BenchmarkHandleOperations(b *testing.B) {
	const n = 100_000
	each := func(yield func(dumptest.HandleOperation) bool) {
		stack := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		for i := range n {
			if !yield(dumptest.HandleOperation{Handle: uint64(i) * 4, Type: dumptest.OperationOpen, Stack: stack}) {
				return
			}
		}
	}
	data := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Each: each}}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(n * 288)
	b.ReportAllocs()
	for b.Loop() {
		l, err := f.HandleOperations()
		if err != nil {
			b.Fatal(err)
		}
		got := 0
		for range l.All() {
			got++
		}
		if got != n {
			b.Fatalf("%d operations, want %d", got, n)
		}
	}
}
