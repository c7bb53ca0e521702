package htrace_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

const traceProcess = 0x17e8

// traceOps reads operations, oldest first: "o4 c4 b8" opens 4, closes 4 and
// uses 8, which is no handle. "o4@9" is by process 9, "o4/2" with stack 2.
func traceOps(t testing.TB, text string) []dumptest.HandleOperation {
	t.Helper()
	var ops []dumptest.HandleOperation
	for word := range strings.FieldsSeq(text) {
		op := dumptest.HandleOperation{ProcessID: traceProcess, ThreadID: 1}
		stack := uint64(1)
		kind := word[0]
		rest := word[1:]
		if head, process, ok := strings.Cut(rest, "@"); ok {
			fmt.Sscanf(process, "%x", &op.ProcessID)
			rest = head
		}
		if head, number, ok := strings.Cut(rest, "/"); ok {
			fmt.Sscanf(number, "%x", &stack)
			rest = head
		}
		if _, err := fmt.Sscanf(rest, "%x", &op.Handle); err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		op.Type = map[byte]uint32{'o': dumptest.OperationOpen, 'c': dumptest.OperationClose, 'b': dumptest.OperationBadRef, 'x': 7}[kind]
		op.Stack = []uint64{0x1000 * stack, 0x20}
		ops = append(ops, op)
	}
	return ops
}

// traceDump builds a dump; handles are written "4:Key 8:Event:name".
func traceDump(t testing.TB, ops []dumptest.HandleOperation, handles string) *minidump.File {
	t.Helper()
	d := dumptest.Dump{
		MiscInfo:         &dumptest.MiscInfo{ProcessID: traceProcess},
		HandleOperations: &dumptest.HandleOperationList{Operations: ops},
	}
	if handles != "" {
		d.HandleData = &dumptest.HandleData{}
		for word := range strings.FieldsSeq(handles) {
			parts := strings.SplitN(word+"::", ":", 4)
			h := dumptest.Handle{Type: parts[1], Name: parts[2]}
			fmt.Sscanf(parts[0], "%x", &h.Value)
			d.HandleData.Handles = append(d.HandleData.Handles, h)
		}
	}
	return traceFile(t, d)
}

func traceFile(t testing.TB, d dumptest.Dump) *minidump.File {
	t.Helper()
	b := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func readTrace(t testing.TB, f *minidump.File, order htrace.Order) *htrace.Trace {
	t.Helper()
	trace, err := htrace.Read(t.Context(), f, order)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

// outstandingText writes the outstanding opens, newest first: position, value,
// earlier opens and marks.
func outstandingText(trace *htrace.Trace) string {
	var words []string
	for _, o := range trace.Outstanding {
		w := fmt.Sprintf("%d:%x", o.Position, o.Handle)
		if o.Earlier > 0 {
			w += fmt.Sprintf("(%d earlier)", o.Earlier)
		}
		if o.Superseded {
			w += "(superseded)"
		}
		if o.Object.Listed {
			w += "=" + o.Object.Type
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func anomalyText(trace *htrace.Trace) string {
	var words []string
	for a := range trace.Anomalies() {
		w := fmt.Sprintf("%s:%x", a.Kind, a.Handle)
		if a.Kind == htrace.OpenWithoutEntry {
			w += fmt.Sprintf(":%d:%s", a.Count, a.Type)
		} else {
			w += fmt.Sprintf("@%d<%d", a.Position, a.Previous)
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func TestTraceReplay(t *testing.T) {
	tests := []struct {
		name, ops, handles     string
		outstanding, anomalies string
	}{
		{name: "nothing"},
		{name: "opened and closed", ops: "o4 c4 o4 c4 o4", outstanding: "4:4(2 earlier)"},
		{name: "newest first", ops: "o4 o8 oc c8", outstanding: "2:c 0:4"},
		{name: "double close", ops: "o4 c4 c4", anomalies: "double-close:4@2<1"},
		{name: "double close as Windows records it", ops: "o4 c4 b4 b4", anomalies: "double-close:4@2<1 double-close:4@3<1"},
		{name: "reuse between the closes", ops: "o4 c4 o4 c4"},
		{name: "bad reference", ops: "b4 o8 b8", outstanding: "1:8", anomalies: "bad-reference:4@0<-1 bad-reference:8@2<1"},
		{name: "close without open", ops: "c4 o8 c8", anomalies: "close-without-open:4@0<-1"},
		{name: "open of open", ops: "o4 o4", outstanding: "1:4(1 earlier) 0:4(superseded)", anomalies: "open-of-open:4@1<0"},
		{name: "open of open, closed once", ops: "o4 o4 c4", anomalies: "open-of-open:4@1<0"},
		{name: "injected", ops: "o4@9 o8", outstanding: "1:8 0:4", anomalies: "injected:4@0<-1"},
		{name: "closed from outside", ops: "o4 c4@9", anomalies: "foreign-close:4@1<0"},
		{name: "unknown operation", ops: "o4 x4 x8", outstanding: "0:4"},
		{name: "joined", ops: "o4 o8 c8 oc", handles: "4:Key 8:Event 10:File 14:File",
			outstanding: "3:c 0:4=Key", anomalies: "open-without-entry:10:2:File open-without-entry:8:1:Event"},
		{name: "superseded has no object", ops: "o4 o4", handles: "4:Key",
			outstanding: "1:4(1 earlier)=Key 0:4(superseded)", anomalies: "open-of-open:4@1<0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ops := traceOps(t, tt.ops)
			for _, order := range []htrace.Order{htrace.OldestFirst, htrace.NewestFirst} {
				stored := slices.Clone(ops)
				if order == htrace.NewestFirst {
					slices.Reverse(stored)
				}
				trace := readTrace(t, traceDump(t, stored, tt.handles), order)
				if got := outstandingText(trace); got != tt.outstanding {
					t.Errorf("%s: outstanding %q, want %q", order, got, tt.outstanding)
				}
				if got := anomalyText(trace); got != tt.anomalies {
					t.Errorf("%s: anomalies %q, want %q", order, got, tt.anomalies)
				}
			}
		})
	}
}

func TestTraceOrder(t *testing.T) {
	tests := []struct {
		name, stored, handles string
		request               htrace.Order
		order                 htrace.Order
		reason                htrace.OrderReason
		old, young            htrace.OrderCount
	}{
		{name: "nothing", order: htrace.NewestFirst, reason: htrace.OrderByDefault},
		{name: "opens only", stored: "o4 o8", order: htrace.NewestFirst, reason: htrace.OrderByDefault},
		{name: "closed after opened", stored: "o4 c4 o8", order: htrace.OldestFirst, reason: htrace.OrderByAnomalies,
			young: htrace.OrderCount{Anomalies: 1}},
		{name: "closed before opened", stored: "o8 c4 o4", order: htrace.NewestFirst, reason: htrace.OrderByAnomalies,
			old: htrace.OrderCount{Anomalies: 1}},
		{name: "symmetrical", stored: "o4 c4 o4 b8", order: htrace.NewestFirst, reason: htrace.OrderByDefault},
		{name: "bad reference after the close", stored: "o4 c4 b4 o4", order: htrace.OldestFirst, reason: htrace.OrderByAnomalies,
			young: htrace.OrderCount{Anomalies: 1}},
		// Old handles are closed, and a leak takes their values: in the right
		// order these closes lack their opens.
		{name: "turned over", stored: "c4 o4 c8 o8", handles: "4:Key 8:Key", order: htrace.OldestFirst, reason: htrace.OrderByHandles,
			old: htrace.OrderCount{Anomalies: 2}, young: htrace.OrderCount{Contradictions: 2}},
		{name: "types", stored: "o4/1 c4/3 o4/2 o8/1 oc/1 o10/2", handles: "4:Event 8:Key c:Key 10:Event",
			order: htrace.OldestFirst, reason: htrace.OrderByAnomalies, young: htrace.OrderCount{OtherTypes: 1}},
		{name: "requested", stored: "o4 c4", request: htrace.NewestFirst, order: htrace.NewestFirst,
			reason: htrace.OrderByRequest, young: htrace.OrderCount{Anomalies: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ops := traceOps(t, tt.stored)
			trace := readTrace(t, traceDump(t, ops, tt.handles), tt.request)
			want := htrace.OrderEvidence{Reason: tt.reason, OldestFirst: tt.old, NewestFirst: tt.young}
			if diff := cmp.Diff(want, trace.Evidence); diff != "" || trace.Order != tt.order {
				t.Errorf("order %s, want %s; evidence (-want +got):\n%s", trace.Order, tt.order, diff)
			}
			if tt.request != "" || tt.reason == htrace.OrderByDefault {
				return
			}
			slices.Reverse(ops)
			reversed := readTrace(t, traceDump(t, ops, tt.handles), "")
			if reversed.Order == trace.Order {
				t.Errorf("the reversed dump is read %s too", reversed.Order)
			}
			if a, b := outstandingText(trace), outstandingText(reversed); a != b {
				t.Errorf("outstanding %q, reversed %q", a, b)
			}
		})
	}
}

func TestTraceCounts(t *testing.T) {
	ops := traceOps(t, "o4 c4 b4 x8 o8")
	ops = append(ops, dumptest.HandleOperation{}) // a slot that was never used
	trace := readTrace(t, traceDump(t, ops, ""), htrace.OldestFirst)
	got := []int{trace.Len(), trace.Opens, trace.Closes, trace.BadRefs, trace.Others, trace.Unused}
	if diff := cmp.Diff([]int{5, 2, 1, 1, 1, 1}, got); diff != "" {
		t.Errorf("parsed, opens, closes, bad references, others, unused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 1, 2}, trace.Life(4)); diff != "" {
		t.Errorf("life of 4 (-want +got):\n%s", diff)
	}
	if _, ok := trace.Open(4); !ok {
		t.Error("the open at position 4 is outstanding")
	}
	if _, ok := trace.Open(0); ok {
		t.Error("the open at position 0 is closed")
	}
}

func TestTraceWithoutProcessID(t *testing.T) {
	d := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: traceOps(t, "o4@9 o8@7 oc@7")}}
	trace := readTrace(t, traceFile(t, d), "")
	if trace.ProcessID != 7 || !trace.ProcessIDGuessed {
		t.Errorf("process %d, guessed %v; want 7, true", trace.ProcessID, trace.ProcessIDGuessed)
	}
	if n := trace.CountAnomalies(htrace.Injected); n != 1 {
		t.Errorf("%d injected, want 1", n)
	}
}

// A trace of which the file holds half still gives an answer.
func TestTraceTruncated(t *testing.T) {
	d := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: traceOps(t, "o4 o8 oc o10")}}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	d.TruncateAt = layout["HandleOperationList[2]"] + 100
	trace, err := htrace.Read(t.Context(), traceFile(t, d), "")
	if err == nil || trace.Len() != 2 {
		t.Errorf("%d operations, error %v; want 2 and an error", trace.Len(), err)
	}
}

// Long traces are read by several goroutines.
func TestTraceLong(t *testing.T) {
	const n = 100_000
	each := func(yield func(dumptest.HandleOperation) bool) {
		for i := range n {
			op := dumptest.HandleOperation{
				Handle: uint64(4 * (i/2%5000 + 1)), ProcessID: 1, ThreadID: uint32(i / 2 % 7),
				Type: uint32(i%2 + 1), Stack: []uint64{uint64(i / 2 % 999), 1 + uint64(i%3)},
			}
			if i%10_000 == 5000 {
				op.Type = dumptest.OperationOpen
				op.Handle = uint64(1 << 20 * (i + 1))
			}
			if !yield(op) {
				return
			}
		}
	}
	f := traceFile(t, dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Each: each}})
	trace := readTrace(t, f, "")
	if trace.Len() != n || trace.Order != htrace.OldestFirst {
		t.Fatalf("%d operations, %s", trace.Len(), trace.Order)
	}
	i := 0
	for want := range each {
		got := trace.Operation(i)
		if got.Handle != want.Handle || got.ThreadID != want.ThreadID || uint32(got.OperationType) != want.Type {
			t.Fatalf("operation %d is %+v, want %+v", i, got, want)
		}
		if want.Stack[0] != 0 && (len(got.Frames) != 2 || uint64(got.Frames[0]) != want.Stack[0] || uint64(got.Frames[1]) != want.Stack[1]) {
			t.Fatalf("operation %d has frames %v, want %v", i, got.Frames, want.Stack)
		}
		i++
	}
}
