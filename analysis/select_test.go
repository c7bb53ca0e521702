package analysis_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestSelect(t *testing.T) {
	l := listOf(t, handles(
		dumptest.Handle{Value: 4, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019},
		dumptest.Handle{Value: 8, Type: "Key", GrantedAccess: 0xf003f},
		dumptest.Handle{Value: 12, Type: "Event", Name: `\BaseNamedObjects\ready`, GrantedAccess: 0x1f0003,
			Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}},
		dumptest.Handle{Value: 16},
		dumptest.Handle{Value: 20, Type: "gadget"},
		dumptest.Handle{Value: 0, Type: "Job"},
	))
	name := func(s string) *analysis.NamePattern {
		p, err := analysis.ParseNamePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	access := func(s string) *analysis.AccessPattern {
		p, err := analysis.ParseAccess(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		what   string
		filter analysis.HandleFilter
		want   []uint64
	}{
		{"everything", analysis.HandleFilter{}, []uint64{4, 8, 12, 16, 20, 0}},
		{"a value", analysis.HandleFilter{OneHandle: true, Handle: 8}, []uint64{8}},
		{"the value 0", analysis.HandleFilter{OneHandle: true}, []uint64{0}},
		{"a value with tag bits", analysis.HandleFilter{OneHandle: true, Handle: 11}, []uint64{8}},
		{"a value between two", analysis.HandleFilter{OneHandle: true, Handle: 24}, nil},
		{"a type in another case", analysis.HandleFilter{Types: []string{"kEY"}}, []uint64{4, 8}},
		{"two types", analysis.HandleFilter{Types: []string{"Event", "key"}}, []uint64{4, 8, 12}},
		{"a type that WinDbg does not know", analysis.HandleFilter{Types: []string{"Gadget"}}, []uint64{20}},
		{"no type", analysis.HandleFilter{Types: []string{"none"}}, []uint64{16}},
		{"no type, or a type", analysis.HandleFilter{Types: []string{"", "event"}}, []uint64{12, 16}},
		{"a substring", analysis.HandleFilter{Name: name("software")}, []uint64{4}},
		{"a glob", analysis.HandleFilter{Name: name(`\registry\*\classes`)}, []uint64{4}},
		{"a glob that must match the whole name", analysis.HandleFilter{Name: name(`machine*`)}, nil},
		{"a glob with a question mark", analysis.HandleFilter{Name: name(`*\READ?`)}, []uint64{12}},
		{"a regular expression", analysis.HandleFilter{Name: name(`re:[Rr]eady$`)}, []uint64{12}},
		{"no name", analysis.HandleFilter{Unnamed: true, Types: []string{"Key"}}, []uint64{8}},
		{"a state", analysis.HandleFilter{State: "set"}, []uint64{12}},
		{"a right of keys", analysis.HandleFilter{Access: access("QueryValue")}, []uint64{4, 8}},
		{"a mask of any type", analysis.HandleFilter{Access: access("1")}, []uint64{4, 8, 12}},
	} {
		var got []uint64
		selected := l.Select(tt.filter)
		err := selected.Walk(t.Context(), 0, func(h *minidump.Handle) bool {
			got = append(got, h.Handle)
			return true
		})
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", tt.what, err, diff)
		}
		got = nil
		for h, err := range selected.All(0) {
			check(t, tt.what, err, nil)
			got = append(got, h.Handle)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, by All (-want +got):\n%s", tt.what, diff)
		}
	}
	if _, err := analysis.ParseNamePattern("re:("); err == nil {
		t.Error("a broken expression is accepted")
	}
}

func TestCheckState(t *testing.T) {
	for _, word := range analysis.StateWords() {
		check(t, word, analysis.CheckState(word), nil)
	}
	for word, want := range map[string]string{
		"exitde": `unknown state "exitde"; did you mean exited?`,
		"asleep": `unknown state "asleep"; known are manual, auto,`,
	} {
		if err := analysis.CheckState(word); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", word, err, want)
		}
	}
}

func TestNotFound(t *testing.T) {
	l := listOf(t, handles(
		dumptest.Handle{Value: 0xac, Type: "Key", Name: "x"},
		dumptest.Handle{Value: 0xb0},
	))
	for _, tt := range []struct {
		filter analysis.HandleFilter
		want   string
	}{
		{analysis.HandleFilter{Types: []string{"Job"}}, ""},
		{analysis.HandleFilter{OneHandle: true, Handle: 0xc0}, "no open handle 0xc0"},
		{analysis.HandleFilter{OneHandle: true, Handle: 0xc3, Types: []string{"Key"}}, "no open handle 0xc3"},
		{analysis.HandleFilter{OneHandle: true, Handle: 0xac, Types: []string{"event"}}, "handle 0xac is open, but its type is Key, not Event"},
		{analysis.HandleFilter{OneHandle: true, Handle: 0xae, Types: []string{"none", "event"}}, "handle 0xac is open, but its type is Key, not None or Event"},
		{analysis.HandleFilter{OneHandle: true, Handle: 0xb0, Types: []string{"key"}}, "handle 0xb0 is open, but its type is None, not Key"},
		{analysis.HandleFilter{OneHandle: true, Handle: 0xac, Unnamed: true}, "handle 0xac is open, a handle of type Key, but the other options leave it out"},
	} {
		got := ""
		if err := l.Select(tt.filter).NotFound(t.Context()); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.filter, got, tt.want)
		}
	}
}

func TestCheckTypes(t *testing.T) {
	l := listOf(t, handles(dumptest.Handle{Value: 4, Type: "Gadget"}))
	other := listOf(t, handles(dumptest.Handle{Value: 4, Type: "Composition"}))
	check(t, "known", analysis.CheckTypes(t.Context(), []string{"key", "none", "GADGET", "composition"}, l, other), nil)
	for typed, want := range map[string]string{
		"Kye":         `no handle is of type "Kye", and WinDbg does not know such a type; did you mean Key?`,
		"gadgte":      `no handle is of type "gadgte", and WinDbg does not know such a type; did you mean Gadget?`,
		"Composition": `no handle is of type "Composition", and WinDbg does not know such a type`,
		"":            "",
	} {
		got := ""
		if err := analysis.CheckTypes(t.Context(), []string{"Key", typed}, l); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestListing(t *testing.T) {
	l := listOf(t, handles(
		dumptest.Handle{Value: 8, Type: "Key", Name: "b", GrantedAccess: 3, HandleCount: 3, PointerCount: 9},
		dumptest.Handle{Value: 4, Type: "Event", Name: "c", GrantedAccess: 1, HandleCount: 2, PointerCount: 7},
		dumptest.Handle{Value: 12, Type: "File", Name: "a", GrantedAccess: 2, HandleCount: 5, PointerCount: 8},
	))
	for _, tt := range []struct {
		order string
		limit uint64
		want  []uint64
	}{
		{"", 0, []uint64{8, 4, 12}}, {"", 2, []uint64{8, 4}}, {"", 7, []uint64{8, 4, 12}},
		{"handle", 0, []uint64{4, 8, 12}}, {"type", 0, []uint64{4, 12, 8}}, {"name", 1, []uint64{12}},
		{"access", 0, []uint64{4, 12, 8}}, {"handlecount", 0, []uint64{12, 8, 4}}, {"pointercount", 2, []uint64{8, 12}},
	} {
		listing, err := l.Listing(0, tt.order, tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		err = listing.Walk(t.Context(), func(h *minidump.Handle) bool {
			got = append(got, h.Handle)
			return true
		})
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("by %q, %d of them: error %v (-want +got):\n%s", tt.order, tt.limit, err, diff)
		}
		if err := listing.Walk(canceled(), func(*minidump.Handle) bool { return true }); err == nil && tt.order != "" {
			t.Errorf("by %q: an interrupt is not noticed", tt.order)
		}
	}
	const want = "handles are sorted by access, handle, handlecount, name, pointercount or type, not by size"
	if _, err := l.Listing(0, "size", 0); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
