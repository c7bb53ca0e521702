package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestBaseline(t *testing.T) {
	healthy := []checkInput{
		{file: "h1", process: `C:\x\App.exe`, handles: keysAndEvents(10, 2, 50)},
		{file: "h2", process: `C:\x\App.exe`, handles: keysAndEvents(8, 4, 40)},
		{file: "h3", err: minidump.ErrNoStream},
	}
	var counted []*check.Dump
	for _, in := range healthy {
		counted = append(counted, in.count(t, &check.Gate{}))
	}
	base := check.NewBaseline(counted)
	want := &check.Baseline{
		Process: "App.exe",
		Types:   []analysis.TypeCount{{Type: "Event", Count: 50}, {Type: "Key", Count: 12}},
		Groups: []check.BaselineGroup{
			{Type: "Event", GrantedAccess: 0x1f0003, Count: 50},
			{Type: "Key", Name: `\REGISTRY\A`, GrantedAccess: 0x20019, Count: 10},
			{Type: "Key", Name: `\REGISTRY\B\<n>`, GrantedAccess: 0x20019, Count: 4},
		},
	}
	if diff := cmp.Diff(want, base); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}

	mutants := func(n int) (handles []dumptest.Handle) {
		for i := range uint64(n) {
			handles = append(handles, dumptest.Handle{Value: 0x10000 + 4*i, Type: "Mutant", GrantedAccess: 1, Name: fmt.Sprintf(`\Lock%d`, i%3)})
		}
		return handles
	}
	for _, test := range []struct {
		name      string
		tolerance string
		dump      checkInput
		want      string
		note      string
	}{
		{name: "the same", tolerance: "0", dump: healthy[0], want: "passed"},
		{name: "less", tolerance: "0", dump: checkInput{handles: keysAndEvents(1, 0, 0)}, want: "passed"},
		{name: "at the tolerance", tolerance: "10%", dump: checkInput{handles: keysAndEvents(10, 4, 55)}, want: "passed"},
		{name: "above it", tolerance: "10%", dump: checkInput{handles: keysAndEvents(10, 4, 56)},
			want: `breach; Event 56/50, 55 allowed, by Event 56/50`},
		{name: "the worst type first, each with its worst group", tolerance: "+5", dump: checkInput{handles: keysAndEvents(20, 34, 60)},
			want: `breach; Key 54/12, 17 allowed, by Key\REGISTRY\B\77 34/4; Event 60/50, 55 allowed, by Event 60/50; ` +
				`Key 20/10, 15 allowed, by Key\REGISTRY\A 20/10`},
		{name: "a group within its type", tolerance: "+3", dump: checkInput{handles: keysAndEvents(0, 12, 10)},
			want: `breach; Key 12/4, 7 allowed, by Key\REGISTRY\B\77 12/4`},
		{name: "a new type and names of one form", tolerance: check.DefaultTolerance,
			dump: checkInput{handles: append(keysAndEvents(10, 2, 50), mutants(30)...)},
			want: `breach; Mutant 30/0, 10 allowed, by Mutant\Lock<n> 30/0`},
		{name: "another process", tolerance: "0", dump: checkInput{file: "d", process: `C:\b.exe`, handles: keysAndEvents(1, 1, 1)}, want: "passed",
			note: "d: the dump is of b.exe, the baseline of App.exe"},
		{name: "a dump without names", tolerance: "0", dump: checkInput{file: "d", handles: []dumptest.Handle{key(4, ""), key(8, "")}}, want: "passed",
			note: "d: the dump or the baseline has no names of objects; groups were not compared, types were"},
		{name: "unreadable", tolerance: "0", dump: checkInput{err: minidump.ErrNotMinidump}, want: "unknown (not a minidump)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tolerance, err := check.ParseTolerance(test.tolerance)
			if err != nil {
				t.Fatal(err)
			}
			c := &check.Gate{Baseline: base, Tolerance: tolerance}
			r := c.Run([]*check.Dump{test.dump.count(t, c)})
			if diff := cmp.Diff([]string{"baseline of " + test.dump.file + ": " + test.want}, outcome(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var notes []string
			if test.note != "" {
				notes = []string{test.note}
			}
			if diff := cmp.Diff(notes, r.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadBaseline(t *testing.T) {
	const good = `{"schema":"dumpscan.baseline/2","process":"a.exe","later":1,
		"types":[{"type":"Key","count":2},{"type":"","count":1}],
		"groups":[{"type":"Key","name":"b","grantedAccess":"0x1","count":2},{"type":"Key","name":"a","grantedAccess":"0x2","count":1}]}`
	b, err := check.ReadBaseline(strings.NewReader(good))
	want := &check.Baseline{
		Process: "a.exe",
		Types:   []analysis.TypeCount{{Count: 1}, {Type: "Key", Count: 2}},
		Groups:  []check.BaselineGroup{{Type: "Key", Name: "a", GrantedAccess: 2, Count: 1}, {Type: "Key", Name: "b", GrantedAccess: 1, Count: 2}},
	}
	if diff := cmp.Diff(want, b); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
	for text, want := range map[string]string{
		"":                                   "no baseline",
		"[]":                                 "no baseline",
		"{}":                                 `schema of this file is ""`,
		`{"schema":"dumpscan.baseline/3"}`:   `schema of this file is "dumpscan.baseline/3"`,
		`{"schema":"dumpscan.baseline/2"} 1`: "more behind the end",
		`{"schema":"dumpscan.baseline/2","types":[{"type":"Key","count":-1}]}`:                                                                                  "no baseline",
		`{"schema":"dumpscan.baseline/2","types":[{"type":"Key","count":4294967296}]}`:                                                                          "impossible count",
		`{"schema":"dumpscan.baseline/2","types":[{"type":"Key"},{"type":"Key"}]}`:                                                                              "twice",
		`{"schema":"dumpscan.baseline/2","groups":[{"type":"Key","grantedAccess":"x"}]}`:                                                                        "no mask",
		`{"schema":"dumpscan.baseline/2","groups":[{"type":"Key","grantedAccess":"0x123456789"}]}`:                                                              "no mask",
		`{"schema":"dumpscan.baseline/2","groups":[{"type":"Key","name":"a","grantedAccess":"0x1"},{"type":"Key","name":"a","grantedAccess":"0x1","count":1}]}`: "twice",
	} {
		if b, err := check.ReadBaseline(strings.NewReader(text)); err == nil || b != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %q", text, b, err, want)
		}
	}
}

func FuzzReadBaseline(f *testing.F) {
	f.Add(`{"schema":"dumpscan.baseline/2","types":[{"type":"Key","count":2}],"groups":[{"type":"Key","name":"b","grantedAccess":"0x1","count":2}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := check.ReadBaseline(strings.NewReader(text))
		if (b == nil) != (err != nil) {
			t.Fatalf("%v beside %v", b, err)
		}
		if err != nil {
			return
		}
		// A dump with nothing but one event can exceed only what has 0 events.
		c := &check.Gate{Baseline: b, Tolerance: check.Tolerance{N: 1}}
		r := c.Run([]*check.Dump{checkInput{handles: []dumptest.Handle{event(4)}}.count(t, c)})
		if i := slices.IndexFunc(r.Results, func(r check.Result) bool { return r.Status != check.Passed }); i >= 0 {
			t.Errorf("one event is too much for %q: %v", text, outcome(r))
		}
	})
}

// BenchmarkBaselineManyTypes holds a dump in which every handle has a type of
// its own against a baseline that allows none of them.
func BenchmarkBaselineManyTypes(b *testing.B) {
	var handles []dumptest.Handle
	for i := range uint64(20_000) {
		handles = append(handles, dumptest.Handle{Value: 4 * (i + 1), Type: fmt.Sprintf("Type%d", i), GrantedAccess: 1})
	}
	gate := &check.Gate{Baseline: &check.Baseline{}}
	dump := checkInput{file: "d", handles: handles}.count(b, gate)
	b.ReportAllocs()
	for b.Loop() {
		if r := gate.Run([]*check.Dump{dump}); r.Count(check.Breach) != 1 {
			b.Fatal("no breach")
		}
	}
}
