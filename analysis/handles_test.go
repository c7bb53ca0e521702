package analysis

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func handlesOf(t testing.TB, d dumptest.Dump) *minidump.HandleData {
	t.Helper()
	hd, err := testdump.Make(t, d).HandleData()
	if err != nil {
		t.Fatal(err)
	}
	return hd
}

func list(handles ...minidump.Handle) iter.Seq2[minidump.Handle, error] {
	return func(yield func(minidump.Handle, error) bool) {
		for _, h := range handles {
			if !yield(h, nil) {
				return
			}
		}
	}
}

func TestSummarize(t *testing.T) {
	seq := list(
		minidump.Handle{Handle: 4, TypeName: "Zebra"},
		minidump.Handle{Handle: 8, TypeName: "Key", ObjectName: "x"},
		minidump.Handle{Handle: 12, TypeName: "Event"},
		minidump.Handle{Handle: 16, TypeName: "Key"},
		minidump.Handle{Handle: 20, GrantedAccess: 0x804},
		minidump.Handle{Handle: 24},
		minidump.Handle{Handle: 28, TypeName: "IRTimer"},
	)
	got, err := Summarize(seq)
	if err != nil {
		t.Fatal(err)
	}
	want := &HandleSummary{
		Total: 7, UntypedEtw: 1, Named: true,
		Types: []TypeCount{{"", 2}, {"Event", 1}, {"Key", 2}, {"IRTimer", 1}, {"Zebra", 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]TypeCount{{"", 4}, {"Event", 1}, {"Key", 2}}, got.WinDbgTypes()); diff != "" {
		t.Errorf("as WinDbg (-want +got):\n%s", diff)
	}
}

// TestSummarizeInParallel splits a list among goroutines; the counts and the
// error must be those of one.
func TestSummarizeInParallel(t *testing.T) {
	const n = 200_000
	d := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(i+1) * 4, Type: []string{"Key", "Event", ""}[i%3], GrantedAccess: 0x804}
		}),
	}}
	d.Patches = []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, n+5)}
	hd := handlesOf(t, d)
	want, wantErr := Summarize(hd.All())
	got, err := SummarizeData(hd, minidump.HandleAllParts, &HandleFilter{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-one goroutine +several):\n%s", diff)
	}
	var format *minidump.FormatError
	if !errors.As(err, &format) || err.Error() != wantErr.Error() {
		t.Errorf("error %v, want %v", err, wantErr)
	}
	if got.Total != n {
		t.Errorf("%d handles, want %d", got.Total, n)
	}
}

func TestSelect(t *testing.T) {
	handles := []minidump.Handle{
		{Handle: 4, TypeName: "Key", ObjectName: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019},
		{Handle: 8, TypeName: "Key", GrantedAccess: 0xf003f},
		{Handle: 12, TypeName: "Event", ObjectName: `\BaseNamedObjects\ready`, GrantedAccess: 0x1f0003,
			ObjectInfo: []minidump.ObjectInformation{{InfoType: minidump.MiniEventInformation1, Data: []byte{0, 0, 0, 0, 1, 0, 0, 0}}}},
		{Handle: 16},
		{Handle: 20, TypeName: "gadget"},
	}
	typ := func(s string) *string { return &s }
	name := func(s string) *NamePattern {
		p, err := ParseNamePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		what   string
		filter HandleFilter
		want   []uint64
	}{
		{"everything", HandleFilter{}, []uint64{4, 8, 12, 16, 20}},
		{"a value", HandleFilter{Handle: 8}, []uint64{8}},
		{"a type in another case", HandleFilter{Type: typ("kEY")}, []uint64{4, 8}},
		{"a type that WinDbg does not know", HandleFilter{Type: typ("Gadget")}, []uint64{20}},
		{"no type", HandleFilter{Type: typ("none")}, []uint64{16}},
		{"a substring", HandleFilter{Name: name("software")}, []uint64{4}},
		{"a glob", HandleFilter{Name: name(`\registry\*\classes`)}, []uint64{4}},
		{"a glob that must match the whole name", HandleFilter{Name: name(`machine*`)}, nil},
		{"a glob with a question mark", HandleFilter{Name: name(`*\READ?`)}, []uint64{12}},
		{"a regular expression", HandleFilter{Name: name(`re:[Rr]eady$`)}, []uint64{12}},
		{"no name", HandleFilter{Unnamed: true, Type: typ("Key")}, []uint64{8}},
		{"a state", HandleFilter{State: "set"}, []uint64{12}},
	} {
		var got []uint64
		var failed Failures
		for h := range Handles(Select(list(handles...), &tt.filter), &failed) {
			got = append(got, h.Handle)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || failed.Err() != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.what, failed.Err(), diff)
		}
	}
	if _, err := ParseNamePattern("re:("); err == nil {
		t.Error("a broken expression is accepted")
	}
}

func TestGroupHandles(t *testing.T) {
	seq := list(
		minidump.Handle{Handle: 4, TypeName: "Key", ObjectName: "b", GrantedAccess: 1},
		minidump.Handle{Handle: 8, TypeName: "Key", ObjectName: "a", GrantedAccess: 1},
		minidump.Handle{Handle: 12, TypeName: "Key", ObjectName: "a", GrantedAccess: 2},
		minidump.Handle{Handle: 16, TypeName: "Event"},
	)
	for text, want := range map[string][]HandleGroup{
		"type": {{Type: "Key", Count: 3, Share: .75}, {Type: "Event", Count: 1, Share: .25}},
		"type, name": {
			{Type: "Key", Name: "a", Count: 2, Share: .5}, {Type: "Event", Count: 1, Share: .25}, {Type: "Key", Name: "b", Count: 1, Share: .25},
		},
		"access": {{GrantedAccess: 1, Count: 2, Share: .5}, {GrantedAccess: 0, Count: 1, Share: .25}, {GrantedAccess: 2, Count: 1, Share: .25}},
	} {
		by, err := ParseGroupKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, GroupHandles(Handles(seq, new(Failures)), by)); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", text, diff)
		}
	}
	if _, err := ParseGroupKey("type,size"); err == nil {
		t.Error("an unknown property is accepted")
	}
}

func TestFindDominant(t *testing.T) {
	many := func(keys, events int) iter.Seq[*minidump.Handle] {
		return func(yield func(*minidump.Handle) bool) {
			for i := range keys {
				h := minidump.Handle{Handle: uint64(i+1) * 4, TypeName: "Key", GrantedAccess: 0x20019}
				if i%4 == 0 {
					h.ObjectName, h.GrantedAccess = "x", 1
				}
				if !yield(&h) {
					return
				}
			}
			for range events {
				if !yield(&minidump.Handle{Handle: 4, TypeName: "Event"}) {
					return
				}
			}
		}
	}
	want := &Dominant{Type: "Key", Count: 200, Total: 250, Share: .8, Unnamed: 150, Access: 0x20019, AccessCount: 150}
	if diff := cmp.Diff(want, FindDominant(many(200, 50))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, n := range [][2]int{{0, 0}, {60, 0}, {200, 200}, {200, 300}} {
		if d := FindDominant(many(n[0], n[1])); d != nil && d.Type == "Key" {
			t.Errorf("%d keys dominate %d events", n[0], n[1])
		}
	}
}

// TestRealObjectInformation compares the states of objects with the table that
// came with a dump that is not in the repository.
func TestRealObjectInformation(t *testing.T) {
	for _, name := range []string{"object-info", "object-info-32"} {
		t.Run(name, func(t *testing.T) {
			base := "../../shared/dumps/" + name
			truth, err := os.ReadFile(base + ".truth.json")
			if err != nil {
				t.Skipf("no real dumps here: %v", err)
			}
			var want []struct {
				Handle string
				Object map[string]any
			}
			if err := json.Unmarshal(truth, &want); err != nil {
				t.Fatal(err)
			}
			f, err := minidump.Open(base + ".dmp")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			hd, err := f.HandleData()
			if err != nil {
				t.Fatal(err)
			}
			handles, err := hd.Slice()
			if err != nil {
				t.Fatal(err)
			}
			for i, h := range handles {
				got := objectFacts(DecodeObject(h.ObjectInfo))
				for key, value := range want[i].Object {
					if fmt.Sprint(value) != got[key] {
						t.Errorf("%s: %s is %q, want %v", want[i].Handle, key, got[key], value)
					}
				}
			}
		})
	}
}

// objectFacts writes a state in the words of that table.
func objectFacts(o ObjectState) map[string]string {
	facts := map[string]string{}
	add := func(key string, value any) { facts[key] = fmt.Sprint(value) }
	pick := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	if e := o.Event; e != nil {
		add("event", pick(e.ManualReset, "manual", "auto"))
		add("set", e.Set)
	}
	if m := o.Mutant; m != nil {
		add("mutant", pick(m.Owned, "owned", "free"))
		add("abandoned", m.Abandoned)
		add("recursion", m.Recursion)
		add("ownerPid", m.OwnerPID)
		add("ownerTid", m.OwnerTID)
	}
	if s := o.Semaphore; s != nil {
		add("count", s.CurrentCount)
		add("limit", float64(s.MaximumCount)) // as the table's numbers are decoded
	}
	if s := o.Section; s != nil {
		add("base", uint64(s.BaseAddress))
		add("attributes", fmt.Sprintf("%#x", s.AllocationAttributes))
		add("maxSize", s.MaximumSize)
	}
	if th := o.Thread; th != nil {
		add("exitStatus", fmt.Sprintf("%#x", th.ExitStatus))
		add("pid", th.ProcessID)
		add("tid", th.ThreadID)
		add("basePriority", th.BasePriority)
		add("exited", th.Exited)
	}
	if p := o.Process; p != nil {
		add("pid", p.ProcessID)
		add("parentPid", p.ParentProcessID)
		add("flags", p.ExtendedFlags)
	}
	for _, u := range o.Unknown {
		add("unknown", strconv.Itoa(int(u.InfoType)))
	}
	return facts
}
