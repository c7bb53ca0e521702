package htrace_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

func TestTraceSummary(t *testing.T) {
	for ops, want := range map[string]string{
		"":               "0 operations: 0 opens, 0 closes, 0 bad references; 0 opens never closed",
		"o4":             "1 operation: 1 open, 0 closes, 0 bad references; 1 open never closed",
		"o4 c4 b4 o8 x8": "5 operations: 2 opens, 1 close, 1 bad reference, 1 of unknown kind; 1 open never closed",
	} {
		if got := readTrace(t, traceDump(t, traceOps(t, ops), ""), htrace.OldestFirst).Summary(); got != want {
			t.Errorf("%q: %s, want %s", ops, got, want)
		}
	}
}

func TestOrderSentence(t *testing.T) {
	for _, tt := range []struct {
		stored  string
		request htrace.Order
		want    string
	}{
		{"o4 c4", "", "the dump stores the oldest operation first"},
		{"c4 o4", "", "the dump stores the newest operation first"},
		{"o4 c4 o8 c8 cc", "", "the dump stores the oldest operation first; read the other way more of its records do not fit (--newest-first does that)"},
		{"cc c8 o8 c4 o4", "", "the dump stores the newest operation first; read the other way more of its records do not fit (--oldest-first does that)"},
		{"o4 o8", "", "the dump stores the newest operation first, by assumption: nothing in it says which (--oldest-first for the other)"},
		{"o4 c4", htrace.OldestFirst, "the dump stores the oldest operation first, as requested"},
		{"o4 c4", htrace.NewestFirst, "the dump stores the newest operation first, as requested, although its records contradict each other once then, and the other way 0 times"},
	} {
		if got := readTrace(t, traceDump(t, traceOps(t, tt.stored), ""), tt.request).OrderSentence(); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.stored, got, tt.want)
		}
	}
	for _, tt := range []struct{ earlier, later, want string }{
		{"o4 o8", "o4 o8 oc", "the dump stores the oldest operation first: in this order the later dump continues the earlier one"},
		{"o4 c4", "o10 o14", "the dump stores the oldest operation first, as the other dump of this process does"},
	} {
		p, err := htrace.ReadPair(t.Context(), traceDump(t, traceOps(t, tt.earlier), ""), traceDump(t, traceOps(t, tt.later), ""), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Later.OrderSentence(); got != tt.want {
			t.Errorf("%q, %q: %s, want %s", tt.earlier, tt.later, got, tt.want)
		}
	}
}

func TestPairNotes(t *testing.T) {
	for _, tt := range []struct {
		pair htrace.Pair
		want []string
	}{
		{htrace.Pair{Earlier: &htrace.Trace{}}, nil},
		{htrace.Pair{}, []string{"a.dmp has no handle operations: tracing began after it, and every operation is new"}},
		{htrace.Pair{Disagree: true, Earlier: &htrace.Trace{Order: htrace.OldestFirst}, Later: &htrace.Trace{Order: htrace.NewestFirst}},
			[]string{"a.dmp seems to store its operations oldest first, b.dmp newest first"}},
		{htrace.Pair{EarlierErr: errTest}, nil},
	} {
		if diff := cmp.Diff(tt.want, tt.pair.Notes("a.dmp", "b.dmp")); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.pair, diff)
		}
	}
}

var errTest = &analysis.MissingError{What: "nothing"}

func TestDiffSentences(t *testing.T) {
	for _, tt := range []struct {
		diff htrace.Diff
		want []string
	}{
		{htrace.Diff{New: 1}, []string{"1 new operation since a.dmp, 0 of them never closed"}},
		{htrace.Diff{New: 5, Overlap: 3, Earlier: 3, Outstanding: make([]htrace.Open, 2), FilteredOut: 1},
			[]string{"5 new operations since a.dmp, 3 of them never closed"}},
		{htrace.Diff{New: 5, Overlap: 3, Earlier: 7, Overwritten: 4},
			[]string{"5 new operations since a.dmp, 0 of them never closed", "the ring has overwritten 4 of 7 operations that a.dmp holds"}},
		{htrace.Diff{New: 5, Earlier: 7, Overwritten: 7},
			[]string{"5 new operations since a.dmp, 0 of them never closed",
				"no operation is in both dumps: the ring has turned over, so that opens between a.dmp and the first of these may be missing"}},
	} {
		if diff := cmp.Diff(tt.want, tt.diff.Sentences("a.dmp")); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.diff, diff)
		}
	}
}

func TestGroupNext(t *testing.T) {
	in := htrace.Invocation{File: "a b.dmp", Options: []string{"--system", "x", "-y", "s"}, Symbols: []string{"-y", "s"}}
	at := func(trust symbol.Trust) symbol.Location {
		return symbol.Location{Address: 0x1013c8, Module: "My", Offset: 0x13c8, Function: "Leak", Displacement: 0x4c, Trust: trust}
	}
	const unnamed = "the function at My+0x13c8 has no name: give -y the folder of the PDB of My, or -i that of its image; see what is missing: dumpscan symbols 'a b.dmp' -y s"
	for _, tt := range []struct {
		name     string
		culprit  htrace.CulpritKind
		location symbol.Location
		want     string
	}{
		{"named", htrace.CulpritModule, at(symbol.TrustPDB), "see the calls that lead to My!Leak+0x4c: dumpscan htrace 'a b.dmp' --calls --system x -y s"},
		{"named by DWARF", htrace.CulpritSystem, at(symbol.TrustDWARF), "see the calls that lead to My!Leak+0x4c: dumpscan htrace 'a b.dmp' --calls --system x -y s"},
		{"the nearest export", htrace.CulpritModule, at(symbol.TrustExport), unnamed},
		{"no name", htrace.CulpritModule, symbol.Location{Module: "My", Offset: 0x13c8, Trust: symbol.TrustModule}, unnamed},
		{"no module", htrace.CulpritUnknown, symbol.Location{Address: 0x99}, ""},
		{"managed", htrace.CulpritJIT, symbol.Location{Address: 0x7ff841eec8b3}, "the code at 0x7ff841eec8b3 was made at run time; of .NET, SOS names it in WinDbg: !ip2md 7ff841eec8b3"},
		{"unloaded", htrace.CulpritUnloaded, symbol.Location{Module: "<Unloaded_x.dll>"}, ""},
	} {
		g := htrace.Group{Culprit: htrace.Culprit{Kind: tt.culprit, Module: "My"}, Location: tt.location}
		if got := g.Next(in).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if step := g.Next(htrace.Invocation{}); step.Args != nil || (step.Text == "") != (tt.want == "") {
			t.Errorf("%s: without a file %+v", tt.name, step)
		}
	}
	none := htrace.Group{Culprit: htrace.Culprit{Kind: htrace.CulpritNone, Frame: -1}}
	if step := none.Next(in); step.String() != "" {
		t.Errorf("no stack: %s", step)
	}
}

func TestExplain(t *testing.T) {
	// The stacks begin in the modules: 0x10000, 0x20000, 0x30000.
	ops := traceOps(t, "o4/20 c4/20 b4/30 o8/20 c8/20 b8/30 oc/20 cc/20 cc/20 c10/10 b14/30 o18/20 o18/20 o1c/20@4 c18/20@9")
	trace := readTrace(t, traceDump(t, ops, "20:Key 24: 28:Key"), htrace.OldestFirst)
	names := traceResolver().of(trace)
	l := names[0x20000]
	l.Function, l.Displacement, l.Trust = "Near", 0x40, symbol.TrustExport
	names[0x20000] = l
	var got []string
	for _, e := range trace.Explain(trace.GroupAnomalies(names, systemOf(t))) {
		got = append(got, string(e.Kind)+": "+e.Text)
	}
	want := []string{
		"double-close: 2 times (0x4, 0x8): closed by thread 0x1 at MyCustomDll, closed again or used after that (bad reference) by thread 0x1 at Other. A handle that another thread opens in between gets the same value, and is lost",
		"double-close: once (0xc): closed by thread 0x1 at MyCustomDll, closed again by thread 0x1 at MyCustomDll. A handle that another thread opens in between gets the same value, and is lost",
		"bad-reference: once (0x14): a value that is no open handle was used by thread 0x1 at Other",
		"open-of-open: once (0x18): opened by thread 0x1 at MyCustomDll, opened again by thread 0x1 at MyCustomDll; the close between the two is not in the trace",
		"injected: 1 handle (0x1c): opened by process 0x4, not by this one: put here with DuplicateHandle; process 0x4 is the kernel",
		"foreign-close: 1 handle (0x18): closed by process 0x9, not by this one: DuplicateHandle with DUPLICATE_CLOSE_SOURCE",
		"close-without-open: 1 close (0x10) without an open in the trace: that was before tracing began, or the ring has overwritten it",
		"open-without-entry: 3 handles in the handle stream whose opening the trace does not show (Key 2, no type 1): before tracing began, overwritten, or inherited",
		"missing: 1 open never closed whose handle is not open in the dump any more: the trace has missed the close",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
