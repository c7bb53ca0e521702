package htrace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestParseQuery(t *testing.T) {
	for _, tt := range []struct {
		args string
		want htrace.Query
		err  string
	}{
		{"", htrace.Query{}, ""},
		{"0", htrace.Query{}, ""},
		{"ffffffff", htrace.Query{}, ""},
		{"ffffffffffffffff", htrace.Query{}, ""},
		{"7e0", htrace.Query{OneHandle: true, Handle: 0x7e0}, ""},
		{"0x7e0 10", htrace.Query{OneHandle: true, Handle: 0x7e0, MaxTraces: 16}, ""},
		{"0 a", htrace.Query{MaxTraces: 10}, ""},
		{"0 ffffffffffffffff", htrace.Query{MaxTraces: 1<<31 - 1}, ""},
		{"zz", htrace.Query{}, `HANDLE: "zz" is not a hexadecimal number`},
		{"4 zz", htrace.Query{OneHandle: true, Handle: 4}, `MAX_TRACES: "zz" is not a hexadecimal number`},
		{"4 5 6", htrace.Query{}, `"6" is one argument too many`},
	} {
		got, err := htrace.ParseQuery(strings.Fields(tt.args))
		if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
			t.Errorf("%q: error %v, want %q", tt.args, err, tt.err)
		}
		if got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.args, got, tt.want)
		}
	}
}

func TestTraceSelect(t *testing.T) {
	trace := readTrace(t, traceDump(t, traceOps(t, "o4 c4 o8 o4 b8 c4 b0"), ""), htrace.OldestFirst)
	for _, tt := range []struct {
		query htrace.Query
		want  []int
	}{
		{htrace.Query{}, []int{6, 5, 4, 3, 2, 1, 0}},
		{htrace.Query{MaxTraces: 2}, []int{6, 5}},
		{htrace.Query{MaxTraces: 99}, []int{6, 5, 4, 3, 2, 1, 0}},
		{htrace.Query{OneHandle: true, Handle: 4}, []int{5, 3, 1, 0}},
		{htrace.Query{OneHandle: true, Handle: 4, MaxTraces: 3}, []int{5, 3, 1}},
		{htrace.Query{OneHandle: true, Handle: 0x99}, nil},
		{htrace.Query{OneHandle: true}, []int{6}},
	} {
		if diff := cmp.Diff(tt.want, slices.Collect(trace.Select(t.Context(), tt.query))); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.query, diff)
		}
	}
	for i := range trace.Select(t.Context(), htrace.Query{}) {
		if i == 4 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range trace.Select(ctx, htrace.Query{}) {
		if i == 0 {
			t.Error("goes on to the end after the context has ended")
		}
	}
}

func TestTraceFilter(t *testing.T) {
	trace := readTrace(t, traceDump(t, traceOps(t, "o4 o8 oc o10 o14 o18"), `4:Key:\REGISTRY 8:Event:a c:Key 10::nameless 14:Thread:b 1c:Section`), htrace.OldestFirst)
	pattern := func(text string) *analysis.NamePattern {
		p, err := analysis.ParseNamePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		name   string
		filter htrace.Filter
		want   string
		out    int
	}{
		{"nothing", htrace.Filter{}, "5:18 4:14=Thread 3:10= 2:c=Key 1:8=Event 0:4=Key", 0},
		{"one type", htrace.Filter{Types: []string{"key"}}, "2:c=Key 0:4=Key", 4},
		{"two types", htrace.Filter{Types: []string{"Event", "THREAD"}}, "4:14=Thread 1:8=Event", 4},
		{"without type", htrace.Filter{Types: []string{"None"}}, "3:10=", 5},
		{"a type that was not traced", htrace.Filter{Types: []string{"Section"}}, "", 6},
		{"name", htrace.Filter{Name: pattern("regis")}, "0:4=Key", 5},
		{"both", htrace.Filter{Types: []string{"Event", "Key"}, Name: pattern("a")}, "1:8=Event", 5},
	} {
		all := trace.All()
		d, err := trace.Filter(all, tt.filter)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if got := outstandingText(&htrace.Trace{Outstanding: d.Outstanding}); got != tt.want || d.FilteredOut != tt.out || d.New != all.New {
			t.Errorf("%s: %q and %d others, want %q and %d", tt.name, got, d.FilteredOut, tt.want, tt.out)
		}
	}
	if len(trace.All().Outstanding) != 6 {
		t.Error("a filter has changed the trace")
	}
	var unknown *analysis.UnknownTypeError
	if _, err := trace.Filter(trace.All(), htrace.Filter{Types: []string{"Kye"}}); !errors.As(err, &unknown) || unknown.Similar != "Key" {
		t.Errorf("a misspelled type: %v", err)
	}
	if diff := cmp.Diff([]string{"Event", "Section", "Key", "Thread"}, trace.Handles.Types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	bare := readTrace(t, traceDump(t, traceOps(t, "o4"), ""), "")
	var missing *analysis.MissingError
	if d, err := bare.Filter(bare.All(), htrace.Filter{Types: []string{"Key"}}); d != nil || !errors.As(err, &missing) {
		t.Errorf("without handles: %v, %v", d, err)
	}
	if d, err := bare.Filter(bare.All(), htrace.Filter{}); err != nil || len(d.Outstanding) != 1 {
		t.Errorf("without handles and filter: %v, %v", d, err)
	}
}

func TestTraceEmpty(t *testing.T) {
	var missing *analysis.MissingError
	empty := readTrace(t, traceDump(t, []dumptest.HandleOperation{{}}, ""), "")
	if err := empty.Empty(); !errors.As(err, &missing) || missing.Capture == "" {
		t.Errorf("empty: %v", err)
	}
	if err := readTrace(t, traceDump(t, traceOps(t, "o4"), ""), "").Empty(); err != nil {
		t.Errorf("not empty: %v", err)
	}
}
