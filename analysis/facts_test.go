package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestSortTypes(t *testing.T) {
	for order, want := range map[string]string{
		"": "Event File Key Apple Zebra", "count": "Zebra Key Event File Apple", "type": "Apple Event File Key Zebra",
	} {
		types := []analysis.TypeCount{{"Event", 2}, {"File", 2}, {"Key", 3}, {"Zebra", 9}, {"Apple", 1}}
		if err := analysis.SortTypes(types, order); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range types {
			got = append(got, c.Type)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", order, diff)
		}
	}
	const want = "the summary is sorted by count or type, not by name"
	if err := analysis.SortTypes(nil, "name"); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestGroupKeyWords(t *testing.T) {
	by, err := analysis.ParseGroupKey("process,type, object")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"type", "object", "process"}, by.Words()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, word := range analysis.GroupWords() {
		if by, err := analysis.ParseGroupKey(word); err != nil || by.Words()[0] != word {
			t.Errorf("%s is %v, error %v", word, by, err)
		}
	}
}

func TestHandleFlagsParts(t *testing.T) {
	for flags, want := range map[analysis.HandleFlags]minidump.HandleParts{
		0:                   0,
		analysis.ShowType:   minidump.HandleTypeName,
		analysis.ShowBasic:  minidump.HandleTypeName,
		analysis.ShowName:   minidump.HandleTypeName | minidump.HandleObjectName,
		analysis.ShowObject: minidump.HandleObjectInfo,
		0xf0:                0,
		analysis.ShowAll:    minidump.HandleAllParts,
	} {
		if got := flags.Parts(); got != want {
			t.Errorf("%#x: %v, want %v", uint64(flags), got, want)
		}
	}
}

// TestObjectWords has every kind of object in every state.
func TestObjectWords(t *testing.T) {
	for _, tt := range []struct {
		info dumptest.ObjectInformation
		want string // words; ": " and the owner
	}{
		{dumptest.EventInformation{}, "manual waiting"},
		{dumptest.EventInformation{AutoReset: true, Set: true}, "auto set"},
		{dumptest.MutantInformation{CurrentCount: 1}, "free"},
		{dumptest.MutantInformation{CurrentCount: 0}, "owned"},
		{dumptest.MutantInformation{CurrentCount: -2, Abandoned: true}, "owned abandoned"},
		{dumptest.MutantOwner{ProcessID: 7, ThreadID: 8}, ": 7"},
		{dumptest.MutantOwner{}, ""},
		{dumptest.SemaphoreInformation{CurrentCount: 0, MaximumCount: 5}, "exhausted"},
		{dumptest.SemaphoreInformation{CurrentCount: 1, MaximumCount: 5}, "available"},
		{dumptest.ThreadInformation{ExitStatus: 0x103, Teb: 1, ProcessID: 9}, "running: 9"},
		{dumptest.ThreadInformation{ExitStatus: 0x103, ProcessID: 9}, "exited: 9"}, // it has no TEB any more
		{dumptest.ThreadInformation{ExitStatus: 0, Teb: 1, ProcessID: 9}, "exited: 9"},
		{dumptest.ProcessInformation{ExitStatus: 0x103, ProcessID: 10}, "running: 10"},
		{dumptest.ProcessInformation{ExitStatus: 1, ProcessID: 10}, "exited: 10"},
		{dumptest.SectionInformation{MaximumSize: 4096}, ""},
	} {
		h := only(t, listOf(t, handles(dumptest.Handle{Value: 4, Type: "x", Info: []dumptest.ObjectInformation{tt.info}})))
		state := analysis.DecodeObject(h.ObjectInfo)
		got := strings.Join(state.Words(), " ")
		if pid, ok := state.Owner(); ok {
			got += fmt.Sprintf(": %d", pid)
		}
		if got != tt.want || !state.Known() {
			t.Errorf("%+v: %q, want %q; known %v", tt.info, got, tt.want, state.Known())
		}
		for _, word := range state.Words() {
			check(t, word, analysis.CheckState(word), nil)
		}
	}
	var nothing analysis.ObjectState
	if nothing.Known() || nothing.Words() != nil {
		t.Error("nothing is known")
	}
}

func TestKindLists(t *testing.T) {
	l := listOf(t, handles(
		dumptest.Handle{Value: 4, Type: "Key", Name: `\k1`}, dumptest.Handle{Value: 8, Type: "Key", Name: `\k2`},
		dumptest.Handle{Value: 12, Type: "Key", Name: `\j`}, dumptest.Handle{Value: 16, Type: "Event", Info: []dumptest.ObjectInformation{dumptest.EventInformation{}}},
		dumptest.Handle{Value: 20},
	))
	c, err := analysis.CountKinds(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "Event", "Key"}, c.Types()); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	var got []string
	for _, f := range c.Forms() {
		got = append(got, fmt.Sprintf("%s: %d, single %q; without state %s", f.HandleKind, f.Count, f.Single, f.Stateless()))
	}
	want := []string{
		`handle without type without name (access 0x0): 1, single ""; without state handle without type without name (access 0x0)`,
		`Event without name (access 0x0, manual): 1, single ""; without state Event without name (access 0x0)`,
		`Key \j (access 0x0): 1, single "\\j"; without state Key \j (access 0x0)`,
		`Key \k<n> (access 0x0): 2, single ""; without state Key \k<n> (access 0x0)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
}

func TestDiffNotes(t *testing.T) {
	side := func(file string, d dumptest.Dump) (*analysis.HandleList, *analysis.Snapshot) {
		f := testdump.Make(t, d)
		return listIn(t, f), analysis.NewSnapshot(f, file)
	}
	named := handles(key(4, "a"))
	named.MiscInfo = &dumptest.MiscInfo{ProcessID: 1}
	nameless := handles(key(4, ""))
	nameless.MiscInfo = &dumptest.MiscInfo{ProcessID: 2}
	old, oldSnap := side("old.dmp", named)
	new, newSnap := side("new.dmp", nameless)
	empty, emptySnap := side("empty.dmp", handles())
	want := []string{
		"these may not be dumps of one process, in this order: process id 1 and 2",
		"one of the dumps has no names of objects; names were not compared",
	}
	d := diff(t, old, new)
	if diff := cmp.Diff(want, analysis.DiffNotes(d, oldSnap, newSnap)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !d.Groups[0].Changed() == (d.Groups[0].Added+d.Groups[0].Removed > 0) {
		t.Errorf("%+v", d.Groups[0])
	}
	want = []string{"empty.dmp: the dump has a list of handles, but it is empty: its writer saved none; " + analysis.CaptureHandles}
	if diff := cmp.Diff(want, analysis.DiffNotes(diff(t, old, empty), oldSnap, emptySnap)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPageFaults: where the processor time is the same, page faults show which
// dump is older.
func TestPageFaults(t *testing.T) {
	snap := func(file string, faults uint32) *analysis.Snapshot {
		d := proc(file, "a.exe", 1, 10, 60, 5, 1).Dump()
		d.ProcessVmCounters = &dumptest.ProcessVmCounters{PageFaultCount: faults}
		return analysis.NewSnapshot(testdump.Make(t, d), file)
	}
	young, old := snap("b", 100), snap("a", 200)
	s := analysis.BuildSeries([]*analysis.Snapshot{old, young}, false)[0]
	if s.First().File != "b" || s.Last().File != "a" || s.Span() != 0 {
		t.Errorf("first %s, last %s, span %v", s.First().File, s.Last().File, s.Span())
	}
	if differ := analysis.ComparePair(old, young); len(differ) != 1 {
		t.Errorf("%q", differ)
	}
	// What cannot be read is said.
	d := proc("a", "a.exe", 1, 10, 60, 5, 1).Dump()
	d.ProcessVmCounters = &dumptest.ProcessVmCounters{}
	d.Patches = []dumptest.Patch{dumptest.PutU32("ProcessVmCounters", 0, 9)}
	if s := analysis.NewSnapshot(testdump.Make(t, d), "a"); len(s.Problems) == 0 && s.Memory == nil {
		t.Error("damaged counters are no problem")
	}
}
