package htrace

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestFindInvalidHandle(t *testing.T) {
	op := func(kind uint32, handle uint64, thread uint32) dumptest.HandleOperation {
		return dumptest.HandleOperation{Type: kind, Handle: handle, ThreadID: thread, ProcessID: 1}
	}
	const open, closed, bad = dumptest.OperationOpen, dumptest.OperationClose, dumptest.OperationBadRef
	// The newest operation is stored first.
	trace := []dumptest.HandleOperation{op(bad, 0x20, 8), op(bad, 0x10, 7), op(closed, 0x10, 7), op(open, 0x10, 7), op(bad, 0x30, 7)}
	for _, tt := range []struct {
		name       string
		operations []dumptest.HandleOperation
		code       minidump.ExceptionCode
		thread     uint32
		parameters []uint64
		want       InvalidHandle
		ok         bool
	}{
		{name: "another exception", code: 0xc0000005, parameters: []uint64{0x10}, operations: trace, thread: 7},
		{name: "nothing is known", code: 0xc0000008, thread: 7},
		{
			name: "the parameter", code: 0xc0000008, parameters: []uint64{0x44}, thread: 7,
			want: InvalidHandle{Handle: 0x44, Evidence: "the exception's parameter"}, ok: true,
		},
		{
			name: "the parameter, and its life", code: 0xc0000008, parameters: []uint64{0x10}, operations: trace, thread: 8,
			want: InvalidHandle{Handle: 0x10, Evidence: "the exception's parameter", Life: []int{3, 2, 1}}, ok: true,
		},
		{
			name: "the parameter, which the trace does not have", code: 0xc0000008, parameters: []uint64{0x44}, operations: trace, thread: 8,
			want: InvalidHandle{Handle: 0x44, Evidence: "the exception's parameter"}, ok: true,
		},
		{
			name: "the last bad reference of the thread", code: 0xc0000008, operations: trace, thread: 7,
			want: InvalidHandle{Handle: 0x10, Evidence: "the last bad reference of thread 7 in the handle trace", Life: []int{3, 2, 1}}, ok: true,
		},
		{
			name: "not of another thread", code: 0xc0000008, operations: trace, thread: 8,
			want: InvalidHandle{Handle: 0x20, Evidence: "the last bad reference of thread 8 in the handle trace", Life: []int{4}}, ok: true,
		},
		{name: "the thread has none", code: 0xc0000008, operations: trace, thread: 9},
		{name: "two parameters are not the handle", code: 0xc0000008, parameters: []uint64{1, 2}, thread: 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list *Trace
			if tt.operations != nil {
				d := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: tt.operations}}
				var err error
				if list, err = Read(t.Context(), testdump.Make(t, d), NewestFirst); err != nil {
					t.Fatal(err)
				}
			}
			e := &minidump.Exception{ThreadID: tt.thread, ExceptionCode: tt.code, ExceptionInformation: tt.parameters}
			got, ok := FindInvalidHandle(e, list)
			if ok != tt.ok {
				t.Fatalf("ok %t, want %t", ok, tt.ok)
			}
			if len(got.Life) == 0 {
				got.Life = nil
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
