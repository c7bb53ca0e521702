package analysis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// file is a handle to a file with the given name.
func file(name string) minidump.Handle {
	return minidump.Handle{TypeName: "File", ObjectName: name, GrantedAccess: 0x120089}
}

// countKinds passes each handle by the same pointer, as the iterators do.
func countKinds(handles []minidump.Handle) *analysis.KindCounts {
	c := analysis.NewKindCounter()
	var h minidump.Handle
	for _, h = range handles {
		c.Add(&h)
	}
	return c.Counts()
}

// rows writes a table as "Type Name: counts", "~" before merged names.
func rows(t *analysis.KindTable) []string {
	var out []string
	for _, r := range t.Rows {
		mark := ""
		if r.Merged {
			mark = "~"
		}
		out = append(out, fmt.Sprintf("%s%s %v", mark, r.HandleKind, r.Counts))
	}
	return out
}

func TestCountKindsMerges(t *testing.T) {
	logs := func(n int) (handles []minidump.Handle) {
		for i := range n {
			handles = append(handles, file(fmt.Sprintf(`\Log\%d`, i)))
		}
		return append(handles, file(`\Log\0`))
	}
	for _, c := range []struct {
		name  string
		dumps []*analysis.KindCounts
		want  []string
	}{
		{"few names stay apart", []*analysis.KindCounts{countKinds(logs(2))},
			[]string{`File \Log\0 (access 0x120089) [2]`, `File \Log\1 (access 0x120089) [1]`}},
		{"many are merged", []*analysis.KindCounts{countKinds(logs(17))},
			[]string{`~File \Log\<n> (access 0x120089) [18]`}},
		{"merged in one dump, merged in all", []*analysis.KindCounts{countKinds(logs(2)), countKinds(logs(40))},
			[]string{`~File \Log\<n> (access 0x120089) [3 41]`}},
		{"many only together", []*analysis.KindCounts{countKinds(logs(16)), countKinds([]minidump.Handle{file(`\Log\777`)})},
			[]string{`~File \Log\<n> (access 0x120089) [17 1]`}},
		{"none", nil, nil},
	} {
		if diff := cmp.Diff(c.want, rows(analysis.AlignKinds(c.dumps...))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestCountKindsState(t *testing.T) {
	event := func(manual, set byte, attributes uint32) minidump.Handle {
		data := []byte{1 - manual, 0, 0, 0, set, 0, 0, 0}
		return minidump.Handle{TypeName: "Event", GrantedAccess: 0x1f0003, Attributes: attributes,
			ObjectInfo: []minidump.ObjectInformation{{InfoType: minidump.MiniEventInformation1, Data: data}}}
	}
	got := rows(analysis.AlignKinds(countKinds([]minidump.Handle{
		event(1, 0, 0), event(1, 1, 0), event(0, 1, 0), event(0, 0, 2),
	})))
	want := []string{
		"Event without name (access 0x1f0003, auto) [1]",
		"Event without name (access 0x1f0003, manual) [2]",
		"Event without name (access 0x1f0003, auto, attributes 0x2) [1]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Dumps that cannot tell names or states are compared by what all of them tell.
func TestAlignDumps(t *testing.T) {
	info := []minidump.ObjectInformation{{InfoType: minidump.MiniEventInformation1, Data: make([]byte, 8)}}
	full := []minidump.Handle{
		{TypeName: "Event", GrantedAccess: 3, ObjectInfo: info}, {TypeName: "Event", GrantedAccess: 3, ObjectName: `\a`, ObjectInfo: info},
		{TypeName: "Event", GrantedAccess: 3, ObjectName: `\b`, ObjectInfo: info}, {TypeName: "Key", GrantedAccess: 1, ObjectName: `\k`},
	}
	strip := func(names, states bool) []minidump.Handle {
		out := slices.Clone(full)
		for i := range out {
			if names {
				out[i].ObjectName = ""
			}
			if states {
				out[i].ObjectInfo = nil
			}
		}
		return out
	}
	for _, c := range []struct {
		name          string
		names, states bool
		want          []string
	}{
		{"all told", false, false, []string{
			"Event without name (access 0x3, manual) [1 1]", `Event \a (access 0x3, manual) [1 1]`,
			`Event \b (access 0x3, manual) [1 1]`, `Key \k (access 0x1) [1 1]`}},
		{"no names", true, false, []string{"Event without name (access 0x3, manual) [3 3]", "Key without name (access 0x1) [1 1]"}},
		{"no states", false, true, []string{
			"Event without name (access 0x3) [1 1]", `Event \a (access 0x3) [1 1]`, `Event \b (access 0x3) [1 1]`, `Key \k (access 0x1) [1 1]`}},
		{"neither", true, true, []string{"Event without name (access 0x3) [3 3]", "Key without name (access 0x1) [1 1]"}},
	} {
		other := strip(c.names, c.states)
		table := analysis.AlignDumps(countKinds(full), countKinds(other))
		if diff := cmp.Diff(c.want, rows(table)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		find := table.Finder()
		for _, h := range slices.Concat(full, other) {
			if find.Row(&h) < 0 {
				t.Errorf("%s: no row for %+v", c.name, h)
			}
		}
		if table.NamesIgnored != c.names || table.StatesIgnored != c.states {
			t.Errorf("%s: names ignored %v, states ignored %v", c.name, table.NamesIgnored, table.StatesIgnored)
		}
	}
}

// randomHandles makes handles of few types with names of many forms.
func randomHandles(r *rand.Rand, n int) []minidump.Handle {
	handles := make([]minidump.Handle, n)
	for i := range handles {
		h := &handles[i]
		h.Handle = uint64(4 * (i + 1))
		h.TypeName = []string{"Key", "File", "Event", ""}[r.IntN(4)]
		h.GrantedAccess = uint32(r.IntN(2))
		if r.IntN(3) > 0 {
			h.ObjectName = fmt.Sprintf(`\%c\%d`, 'h'+r.IntN(6), r.IntN(1+r.IntN(30)))
		}
	}
	return handles
}

// The order of the handles in a dump must not matter, and no handle may be
// lost or counted twice.
func TestCountKindsPermutation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		a, b := randomHandles(r, 400), randomHandles(r, 30)
		ca, cb := countKinds(a), countKinds(b)
		table := analysis.AlignKinds(ca, cb)
		want := rows(table)
		counts := make([][2]uint64, len(table.Rows))
		for d, handles := range [][]minidump.Handle{a, b} {
			for _, h := range handles {
				i := table.Finder().Row(&h)
				if i < 0 {
					t.Fatalf("no row for %+v", h)
				}
				counts[i][d]++
			}
		}
		for i, row := range table.Rows {
			if counts[i][0] != row.Counts[0] || counts[i][1] != row.Counts[1] {
				t.Errorf("%s: counted %v, found %v", row, row.Counts, counts[i])
			}
		}
		for range 3 {
			r.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
			r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
			if got := rows(analysis.AlignKinds(countKinds(a), countKinds(b))); !slices.Equal(got, want) {
				t.Fatalf("another order of handles gives other kinds:\n%s", cmp.Diff(want, got))
			}
		}
	}
	if i := countKindsTable(randomHandles(r, 10)).Finder().Row(&minidump.Handle{TypeName: "Nothing"}); i != -1 {
		t.Errorf("a handle that no dump has is in row %d", i)
	}
}

func countKindsTable(handles []minidump.Handle) *analysis.KindTable {
	return analysis.AlignKinds(countKinds(handles))
}

func BenchmarkCountKinds(b *testing.B) {
	handles := make([]minidump.Handle, 1_000_000)
	for i := range handles {
		handles[i] = file(fmt.Sprintf(`\Device\HarddiskVolume3\inetpub\temp\upload-%08x.dat`, i))
	}
	b.ReportAllocs()
	for b.Loop() {
		countKinds(handles)
	}
}
