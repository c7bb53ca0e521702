package analysis_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestSummarize(t *testing.T) {
	l := listOf(t, handles(
		dumptest.Handle{Value: 4, Type: "Zebra"},
		dumptest.Handle{Value: 8, Type: "Key", Name: "x"},
		dumptest.Handle{Value: 12, Type: "Event"},
		dumptest.Handle{Value: 16, Type: "Key"},
		dumptest.Handle{Value: 20, GrantedAccess: 0x804},
		dumptest.Handle{Value: 24},
		dumptest.Handle{Value: 28, Type: "IRTimer"},
		dumptest.Handle{Value: 32, Type: "EtwRegistration", GrantedAccess: 0x804},
	))
	got, err := analysis.Summarize(t.Context(), l, minidump.HandleObjectName)
	if err != nil {
		t.Fatal(err)
	}
	want := &analysis.HandleSummary{
		Total: 8, UntypedEtw: 1, Named: true,
		Types: []analysis.TypeCount{{"", 2}, {"Event", 1}, {"Key", 2}, {"EtwRegistration", 1}, {"IRTimer", 1}, {"Zebra", 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]analysis.TypeCount{{"", 5}, {"Event", 1}, {"Key", 2}}, got.WinDbgTypes()); diff != "" {
		t.Errorf("as WinDbg (-want +got):\n%s", diff)
	}
	// Names that were not read are not there.
	if got, err = analysis.Summarize(t.Context(), l, 0); err != nil || got.Named {
		t.Errorf("without names: Named %v, error %v", got.Named, err)
	}
	if got, err = analysis.Summarize(t.Context(), l.Select(analysis.HandleFilter{Types: []string{"key"}}), 0); err != nil || got.Total != 2 {
		t.Errorf("of a selection: %+v, error %v", got, err)
	}
}

// TestSummarizeInParallel splits a list among goroutines; the counts and the
// error must be those of one, which a short list has.
func TestSummarizeInParallel(t *testing.T) {
	const n = 200_000
	types := []string{"Key", "Event", ""}
	d := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(i+1) * 4, Type: types[i%3], GrantedAccess: 0x804}
		}),
	}}
	d.Patches = []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, n+5)}
	l := listOf(t, d)
	got, err := analysis.Summarize(t.Context(), l, minidump.HandleAllParts)
	want := &analysis.HandleSummary{
		Total: n, UntypedEtw: n / 3,
		Types: []analysis.TypeCount{{"", n / 3}, {"Event", n/3 + 1}, {"Key", n/3 + 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// That the list is cut off is one error, and the only one.
	var partial *analysis.PartialError
	var format *minidump.FormatError
	if !errors.As(err, &partial) || partial.Count() != 1 || !errors.As(err, &format) {
		t.Errorf("error %v, want one that the list is cut off", err)
	}
	walked := l.Walk(t.Context(), minidump.HandleAllParts, func(*minidump.Handle) bool { return true })
	if walked == nil || err == nil || walked.Error() != err.Error() {
		t.Errorf("error %v, but Walk says %v", err, walked)
	}
	if s, err := analysis.Summarize(canceled(), l, 0); s != nil || err == nil {
		t.Errorf("interrupted: summary %v, error %v", s, err)
	}
}

func TestGroupHandles(t *testing.T) {
	thread := func(pid, tid uint64, status uint32) []dumptest.ObjectInformation {
		return []dumptest.ObjectInformation{dumptest.ThreadInformation{ProcessID: pid, ThreadID: tid, ExitStatus: status, Teb: 1}}
	}
	l := listOf(t, handles(
		dumptest.Handle{Value: 4, Type: "Key", Name: "b", GrantedAccess: 1},
		dumptest.Handle{Value: 8, Type: "Key", Name: "a", GrantedAccess: 1},
		dumptest.Handle{Value: 12, Type: "Key", Name: "a", GrantedAccess: 2},
		dumptest.Handle{Value: 16, Type: "Event", HandleCount: 9, Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}},
		dumptest.Handle{Value: 20, Type: "Thread", Info: thread(42, 7, 0x103)},
		dumptest.Handle{Value: 24, Type: "Thread", Info: thread(42, 7, 0x103)},
		dumptest.Handle{Value: 28, Type: "Mutant", Info: []dumptest.ObjectInformation{dumptest.MutantOwner{ProcessID: 42, ThreadID: 7}}},
		dumptest.Handle{Value: 32, Type: "Process", Info: []dumptest.ObjectInformation{dumptest.ProcessInformation{ProcessID: 99, ExitStatus: 1}}},
	))
	const share = .125
	for text, want := range map[string][]analysis.HandleGroup{
		"type": {{Type: "Key", Count: 3, Share: 3 * share}, {Type: "Thread", Count: 2, Share: 2 * share},
			{Type: "Event", Count: 1, Share: share}, {Type: "Mutant", Count: 1, Share: share}, {Type: "Process", Count: 1, Share: share}},
		"access, name": {{Count: 5, Share: 5 * share},
			{Name: "a", GrantedAccess: 1, Count: 1, Share: share}, {Name: "a", GrantedAccess: 2, Count: 1, Share: share}, {Name: "b", GrantedAccess: 1, Count: 1, Share: share}},
		"state": {{Count: 4, Share: 4 * share}, {State: "running", Count: 2, Share: 2 * share},
			{State: "exited", Count: 1, Share: share}, {State: "manual set", Count: 1, Share: share}},
		"process": {{Count: 4, Share: 4 * share}, {Process: 42, Count: 3, Share: 3 * share}, {Process: 99, Count: 1, Share: share}},
		"object": {
			{Object: analysis.ObjectID{Kind: analysis.ByName, Type: "Key", Name: "a"}, Count: 2, Share: 2 * share},
			{Object: analysis.ObjectID{Kind: analysis.ByThread, Type: "Thread", Process: 42, Thread: 7}, Count: 2, Share: 2 * share},
			{Object: analysis.ObjectID{Type: "Mutant"}, Count: 1, Share: share},
			{Object: analysis.ObjectID{Kind: analysis.ByName, Type: "Key", Name: "b"}, Count: 1, Share: share},
			{Object: analysis.ObjectID{Kind: analysis.ByProcess, Type: "Process", Process: 99}, Count: 1, Share: share},
			{Object: analysis.ObjectID{Kind: analysis.ByCount, Type: "Event", HandleCount: 9}, Count: 1, Share: share},
		},
	} {
		by, err := analysis.ParseGroupKey(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := analysis.GroupHandles(t.Context(), l, by)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("by %s: error %v (-want +got):\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"type,size": `cannot group by "size"; use type, name, access, state, object or process, or several joined by commas`,
		"nmae":      `cannot group by "nmae"; did you mean name?`,
	} {
		if _, err := analysis.ParseGroupKey(text); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	if groups, err := analysis.GroupHandles(canceled(), l, analysis.GroupByType); groups != nil || err == nil {
		t.Errorf("interrupted: groups %v, error %v", groups, err)
	}
}

func TestSortGroups(t *testing.T) {
	a, b, c := analysis.HandleGroup{Type: "Key", Name: "b", Count: 1}, analysis.HandleGroup{Type: "Event", Name: "b", Count: 2}, analysis.HandleGroup{Type: "File", Name: "a", Count: 1}
	for order, want := range map[string][]analysis.HandleGroup{
		"": {b, c, a}, "count": {b, c, a}, "type": {b, c, a}, "name": {c, b, a},
	} {
		got := []analysis.HandleGroup{a, b, c}
		check(t, order, analysis.SortGroups(got, order), nil)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %q (-want +got):\n%s", order, diff)
		}
	}
	if analysis.SortGroups(nil, "size") == nil {
		t.Error("an unknown order is accepted")
	}
}

func TestObjectID(t *testing.T) {
	for want, o := range map[string]analysis.ObjectID{
		"":                       {},
		`\a`:                     {Kind: analysis.ByName, Type: "Key", Name: `\a`},
		`\f`:                     {Kind: analysis.ByName, Type: "File", Name: `\f`},
		"thread 7 of process 42": {Kind: analysis.ByThread, Process: 42, Thread: 7},
		"process 42":             {Kind: analysis.ByProcess, Process: 42},
		"one with 9 handles":     {Kind: analysis.ByCount, HandleCount: 9},
	} {
		if got := o.String(); got != want {
			t.Errorf("%+v is %q, want %q", o, got, want)
		}
		if guess := want == `\f` || o.Kind == analysis.ByCount; o.Guess() != guess {
			t.Errorf("%s: a guess is %v", want, o.Guess())
		}
	}
	// The two handles that an object has anyway say nothing.
	if id := analysis.ObjectOf(&minidump.Handle{TypeName: "Event", HandleCount: 2}); id.Kind != analysis.ByNothing {
		t.Errorf("%+v", id)
	}
	if id := analysis.ObjectOf(&minidump.Handle{TypeName: "Event", HandleCount: 3}); id.Kind != analysis.ByCount {
		t.Errorf("%+v", id)
	}
}

func TestFindDominant(t *testing.T) {
	many := func(keys, events int) *analysis.HandleList {
		return listOf(t, dumptest.Dump{HandleData: &dumptest.HandleData{
			Each: dumptest.GenerateHandles(keys+events, func(i int) dumptest.Handle {
				h := dumptest.Handle{Value: uint64(i+1) * 4, Type: "Key", GrantedAccess: 0x20019}
				switch {
				case i >= keys:
					h = dumptest.Handle{Value: uint64(i+1) * 4, Type: "Event"}
				case i%4 == 0:
					h.Name, h.GrantedAccess = "x", 1
				}
				return h
			}),
		}})
	}
	want := &analysis.Dominant{Type: "Key", Count: 200, Total: 250, Share: .8, Unnamed: 150, Access: 0x20019, AccessCount: 150}
	got, err := analysis.FindDominant(t.Context(), many(200, 50))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	const sentence = "Key: 200 of 250 handles, 80.0 %; 150 of them have no name; granted access 0x20019 in 150"
	if s := got.Sentence(); s != sentence {
		t.Errorf("%q, want %q", s, sentence)
	}
	for dump, want := range map[string]string{
		"a b.dmp":   "dumpscan handles --windbg 'a b.dmp' 0 ff Key",
		"-x.dmp":    "dumpscan handles --windbg -- -x.dmp 0 ff Key",
		"-":         "with the same dump on standard input: dumpscan handles --windbg - 0 ff Key",
		"-:a.dmp":   "with the same dump on standard input: dumpscan handles --windbg -:a.dmp 0 ff Key",
		"a\x1b.zip": `dumpscan handles --windbg $'a\033.zip' 0 ff Key`,
	} {
		if step := got.Next(dump, "--windbg").String(); step != want {
			t.Errorf("%q, want %q", step, want)
		}
	}
	for _, n := range []struct {
		keys, events int
		dominate     bool
	}{{0, 0, false}, {60, 0, false}, {99, 0, false}, {100, 0, true}, {200, 200, false}, {200, 199, true}, {200, 300, false}} {
		if d, _ := analysis.FindDominant(t.Context(), many(n.keys, n.events)); (d != nil && d.Type == "Key") != n.dominate {
			t.Errorf("%d keys and %d events: %+v", n.keys, n.events, d)
		}
	}
	if d, err := analysis.FindDominant(canceled(), many(200, 0)); d != nil || err == nil {
		t.Errorf("interrupted: %v, error %v", d, err)
	}
}
