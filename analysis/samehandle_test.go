package analysis_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestSameHandle: what [analysis.HandleMatcher] takes for one handle is what a
// diff keeps; package leaks asks it too.
func TestSameHandle(t *testing.T) {
	h := dumptest.Handle{Value: 8, Type: "Key", Name: "a", GrantedAccess: 1, Attributes: 2, HandleCount: 3, PointerCount: 4}
	change := func(change func(h *dumptest.Handle)) dumptest.Handle {
		c := h
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name string
		now  dumptest.Handle
		same bool
	}{
		{"nothing changed", h, true},
		{"the value", change(func(h *dumptest.Handle) { h.Value = 12 }), false},
		{"the type", change(func(h *dumptest.Handle) { h.Type = "Keya" }), false},
		{"type and name run together", change(func(h *dumptest.Handle) { h.Type, h.Name = "Keya", "b" }), false},
		{"the name", change(func(h *dumptest.Handle) { h.Name = "A" }), false},
		{"the access", change(func(h *dumptest.Handle) { h.GrantedAccess = 3 }), false},
		{"attributes, which a program may change", change(func(h *dumptest.Handle) { h.Attributes = 1 }), true},
		{"counts", change(func(h *dumptest.Handle) { h.HandleCount, h.PointerCount = 9, 9 }), true},
		{"the state", change(func(h *dumptest.Handle) { h.Info = []dumptest.ObjectInformation{dumptest.EventInformation{}} }), true},
	} {
		old, new := listOf(t, handles(h)), listOf(t, handles(tt.now))
		match := analysis.NewHandleMatcher(true, false)
		if same := match.ID(only(t, old)) == match.ID(only(t, new)); same != tt.same {
			t.Errorf("%s: the same is %v", tt.name, same)
		}
		if kept := diff(t, old, new).Total.Kept == 1; kept != tt.same {
			t.Errorf("%s: kept is %v", tt.name, kept)
		}
	}
	thread := func(id uint64) dumptest.Handle {
		return dumptest.Handle{Value: 8, Type: "Thread", Info: []dumptest.ObjectInformation{dumptest.ThreadInformation{ProcessID: 4, ThreadID: id}}}
	}
	for id, same := range map[uint64]bool{7: true, 8: false} {
		if kept := diff(t, listOf(t, handles(thread(7))), listOf(t, handles(thread(id)))).Total.Kept == 1; kept != same {
			t.Errorf("thread 7, and then %d: kept is %v", id, kept)
		}
	}
	// A dump without object information says nothing of threads.
	if diff(t, listOf(t, handles(thread(7))), listOf(t, handles(dumptest.Handle{Value: 8, Type: "Thread"}))).Total.Kept != 1 {
		t.Error("the id of a thread is compared that one dump does not have")
	}
	match := analysis.NewHandleMatcher(false, false)
	renamed := only(t, listOf(t, handles(change(func(h *dumptest.Handle) { h.Name = "" }))))
	if match.ID(only(t, listOf(t, handles(h)))) != match.ID(renamed) {
		t.Error("names are compared that one dump does not have")
	}
}

// only returns the handle of a list that has one.
func only(t testing.TB, l *analysis.HandleList) *minidump.Handle {
	t.Helper()
	list, err := l.Data().Slice()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d handles, error %v", len(list), err)
	}
	return &list[0]
}

// TestDiffOfSelection: whether a dump has names is a property of the dump, not
// of the handles that are selected.
func TestDiffOfSelection(t *testing.T) {
	old := listOf(t, handles(key(4, "a"), event(8), event(12)))
	named := event(16)
	named.Name = "b"
	new := listOf(t, handles(key(4, "a"), event(8), named))
	events := analysis.HandleFilter{Types: []string{"Event"}}
	d := diff(t, old.Select(events), new.Select(events))
	want := analysis.DiffCount{Old: 2, New: 2, Added: 1, Removed: 1, Kept: 1}
	if diff := cmp.Diff(want, d.Total); diff != "" || d.NameIgnored {
		t.Errorf("names ignored %v (-want +got):\n%s", d.NameIgnored, diff)
	}
}
