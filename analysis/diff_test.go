package analysis_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func key(value uint64, name string) dumptest.Handle {
	return dumptest.Handle{Value: value, Type: "Key", Name: name, GrantedAccess: 0x20019}
}

func event(value uint64) dumptest.Handle {
	return dumptest.Handle{Value: value, Type: "Event", GrantedAccess: 0x1f0003}
}

func diff(t testing.TB, old, new *analysis.HandleList) *analysis.HandleDiff {
	t.Helper()
	d, err := analysis.DiffHandles(t.Context(), old, new)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func values(handles iter.Seq[*minidump.Handle]) []uint64 {
	var v []uint64
	for h := range handles {
		v = append(v, h.Handle)
	}
	return v
}

func TestDiffHandles(t *testing.T) {
	type counts map[string]analysis.DiffCount
	tests := []struct {
		name           string
		old, new       []dumptest.Handle
		want           counts
		added, removed []uint64
		nameIgnored    bool
	}{
		{name: "empty"},
		{
			name: "same",
			old:  []dumptest.Handle{key(4, "a"), event(8)},
			new:  []dumptest.Handle{key(4, "a"), event(8)},
			want: counts{"Key": {Old: 1, New: 1, Kept: 1}, "Event": {Old: 1, New: 1, Kept: 1}},
		},
		{
			name:    "added and removed",
			old:     []dumptest.Handle{key(4, "a"), event(8), event(12)},
			new:     []dumptest.Handle{key(4, "a"), event(12), key(16, "a"), key(20, "b")},
			want:    counts{"Key": {Old: 1, New: 3, Added: 2, Kept: 1}, "Event": {Old: 2, New: 1, Removed: 1, Kept: 1}},
			added:   []uint64{16, 20},
			removed: []uint64{8},
		},
		{
			name: "values reused for another type, name and access",
			old:  []dumptest.Handle{event(4), key(8, "a"), key(12, "a"), key(16, "a")},
			new: []dumptest.Handle{key(4, "a"), key(8, "b"),
				{Value: 12, Type: "Key", Name: "a", GrantedAccess: 0xf003f}, key(16, "a")},
			want: counts{
				"Key":   {Old: 3, New: 4, Added: 3, Removed: 2, Kept: 1, Reused: 3},
				"Event": {Old: 1, Removed: 1},
			},
			added:   []uint64{4, 8, 12},
			removed: []uint64{4, 8, 12},
		},
		{
			name:    "any order",
			old:     []dumptest.Handle{event(12), key(4, "a"), event(8)},
			new:     []dumptest.Handle{event(20), event(8), key(4, "a"), event(16)},
			want:    counts{"Key": {Old: 1, New: 1, Kept: 1}, "Event": {Old: 2, New: 3, Added: 2, Removed: 1, Kept: 1}},
			added:   []uint64{20, 16},
			removed: []uint64{12},
		},
		{
			name:  "the same handle several times, as only a broken dump has it",
			old:   []dumptest.Handle{event(4), event(4), key(8, "a")},
			new:   []dumptest.Handle{event(4), event(4), event(4), key(8, "a")},
			want:  counts{"Key": {Old: 1, New: 1, Kept: 1}, "Event": {Old: 2, New: 3, Added: 1, Kept: 2}},
			added: []uint64{4},
		},
		{
			name:    "fewer of the same",
			old:     []dumptest.Handle{event(4), event(4), event(4)},
			new:     []dumptest.Handle{event(4)},
			want:    counts{"Event": {Old: 3, New: 1, Removed: 2, Kept: 1}},
			removed: []uint64{4, 4},
		},
		{
			name:        "one dump without names",
			old:         []dumptest.Handle{key(4, "a"), key(8, "b"), event(12)},
			new:         []dumptest.Handle{key(4, ""), event(8), event(12)},
			want:        counts{"Key": {Old: 2, New: 1, Removed: 1, Kept: 1}, "Event": {Old: 1, New: 2, Added: 1, Kept: 1, Reused: 1}},
			added:       []uint64{8},
			removed:     []uint64{8},
			nameIgnored: true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := diff(t,
				listOf(t, handles(test.old...)),
				listOf(t, handles(test.new...)))
			if err := errors.Join(d.OldErr, d.NewErr); err != nil {
				t.Error(err)
			}
			var got counts
			var total analysis.DiffCount
			for _, typ := range d.Types {
				if got == nil {
					got = counts{}
				}
				got[typ.Type] = typ.DiffCount
				c := &total
				c.Old, c.New, c.Added = c.Old+typ.Old, c.New+typ.New, c.Added+typ.Added
				c.Removed, c.Kept, c.Reused = c.Removed+typ.Removed, c.Kept+typ.Kept, c.Reused+typ.Reused
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("types (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(total, d.Total); diff != "" {
				t.Errorf("the total is not the sum of the types (-want +got):\n%s", diff)
			}
			if d.NameIgnored != test.nameIgnored {
				t.Errorf("NameIgnored %v, want %v", d.NameIgnored, test.nameIgnored)
			}
			for range 2 { // the lists can be read again
				if diff := cmp.Diff(test.added, values(d.Added(t.Context()))); diff != "" {
					t.Errorf("added (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.removed, values(d.Removed(t.Context()))); diff != "" {
					t.Errorf("removed (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestDiffGroups(t *testing.T) {
	var old, new []dumptest.Handle
	for i := range uint64(5) {
		old = append(old, key(4+4*i, fmt.Sprintf(`\Calibration\%d`, i)))
	}
	for i := range uint64(40) {
		new = append(new, key(16+4*i, fmt.Sprintf(`\Calibration\%d`, i+3)))
	}
	exited := func(status uint32) dumptest.Handle {
		return dumptest.Handle{Value: 0x800, Type: "Thread", GrantedAccess: 0x1fffff,
			Info: []dumptest.ObjectInformation{dumptest.ThreadInformation{ExitStatus: status}}}
	}
	old = append(old, key(0x400, "a"), event(0x404), event(0x408), exited(0x103))
	new = append(new, key(0x400, "a"), event(0x404), key(0x408, "a"), exited(7))
	d := diff(t,
		listOf(t, handles(old...)), listOf(t, handles(new...)))
	want := []analysis.GroupDiff{
		{analysis.HandleKind{Type: "Key", Name: `\Calibration\<n>`, GrantedAccess: 0x20019}, true,
			analysis.DiffCount{Old: 5, New: 40, Added: 38, Removed: 3, Kept: 2}},
		{analysis.HandleKind{Type: "Key", Name: "a", GrantedAccess: 0x20019}, false,
			analysis.DiffCount{Old: 1, New: 2, Added: 1, Kept: 1, Reused: 1}},
		{analysis.HandleKind{Type: "Event", GrantedAccess: 0x1f0003}, false,
			analysis.DiffCount{Old: 2, New: 1, Removed: 1, Kept: 1}},
		{analysis.HandleKind{Type: "Thread", GrantedAccess: 0x1fffff, State: "exited"}, false,
			analysis.DiffCount{Old: 1, New: 1, Kept: 1}},
	}
	if diff := cmp.Diff(want, d.Groups); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDiffStopsEarly(t *testing.T) {
	var none, many []dumptest.Handle
	for i := range uint64(10) {
		many = append(many, event(4*i+4))
	}
	empty := listOf(t, handles(append(none, key(100, "x"))...))
	full := listOf(t, handles(many...))
	for h := range diff(t, empty, full).Added(t.Context()) {
		if h.Handle != 4 {
			t.Errorf("first added is %#x", h.Handle)
		}
		break
	}
	for h := range diff(t, full, empty).Removed(t.Context()) {
		if h.Handle != 4 {
			t.Errorf("first removed is %#x", h.Handle)
		}
		break
	}
}

func TestDiffReportsWhatCannotBeRead(t *testing.T) {
	good := listOf(t, handles(event(4), event(8)))
	damaged := handles(event(4), event(8))
	damaged.Patches = []dumptest.Patch{{Anchor: "HandleData[1]", Off: 8, Bytes: []byte{0xff, 0xff, 0xff, 0x7f}}}
	bad := listOf(t, damaged)
	var format *minidump.FormatError
	d := diff(t, good, bad)
	if d.OldErr != nil || !errors.As(d.NewErr, &format) {
		t.Errorf("errors %v and %v, want a FormatError of NEW", d.OldErr, d.NewErr)
	}
	if d = diff(t, bad, good); d.NewErr != nil || !errors.As(d.OldErr, &format) {
		t.Errorf("errors %v and %v, want a FormatError of OLD", d.OldErr, d.NewErr)
	}
	// The value is still that of the dump, so the handle counts.
	want := analysis.DiffCount{Old: 2, New: 2, Added: 1, Removed: 1, Kept: 1, Reused: 1}
	if diff := cmp.Diff(want, d.Total); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzDiffHandles(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{1, 2, 4})
	f.Add([]byte{1, 1, 1, 9}, []byte{9, 1, 65})
	f.Fuzz(func(t *testing.T, old, new []byte) {
		if len(old)+len(new) > 64 {
			return // of 256 different bytes
		}
		// Each byte is a handle: few values, types and names make collisions.
		make := func(list []byte) []dumptest.Handle {
			var handles []dumptest.Handle
			for _, b := range list {
				handles = append(handles, dumptest.Handle{
					Value: uint64(b&0xf) * 4, Type: []string{"Key", "Event"}[b>>4&1],
					Name: []string{"", "a"}[b>>5&1], GrantedAccess: uint32(b >> 6),
				})
			}
			return handles
		}
		d := diff(t, listOf(t, handles(make(old)...)),
			listOf(t, handles(make(new)...)))
		c := d.Total
		if c.Old != uint64(len(old)) || c.New != uint64(len(new)) ||
			c.Old != c.Kept+c.Removed || c.New != c.Kept+c.Added || c.Reused > c.Added {
			t.Errorf("counts do not add up: %+v", c)
		}
		if n := len(values(d.Added(t.Context()))); uint64(n) != c.Added {
			t.Errorf("%d added are listed, %d counted", n, c.Added)
		}
		if n := len(values(d.Removed(t.Context()))); uint64(n) != c.Removed {
			t.Errorf("%d removed are listed, %d counted", n, c.Removed)
		}
		if !d.NameIgnored {
			// What the sets of bytes say, counted in the plainest way.
			rest := slices.Clone(old)
			kept := uint64(0)
			for _, b := range new {
				if i := slices.Index(rest, b); i >= 0 {
					kept++
					rest = slices.Delete(rest, i, i+1)
				}
			}
			if kept != c.Kept {
				t.Errorf("%d kept, want %d", c.Kept, kept)
			}
		}
	})
}

func BenchmarkDiffHandles(b *testing.B) {
	const n = 1_000_000
	source := func(first int) *analysis.HandleList {
		return listOf(b, dumptest.Dump{HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(first+i) * 4, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019}
		})}})
	}
	old, new := source(1), source(1+n/10) // a tenth removed, a tenth added
	b.SetBytes(2 * n)                     // one byte stands for one handle: MB/s are million handles a second
	b.ReportAllocs()
	for b.Loop() {
		if d := diff(b, old, new); d.Total.Added != n/10 {
			b.Fatal(d.Total)
		}
	}
}
