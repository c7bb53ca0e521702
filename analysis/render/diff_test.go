package render

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

func exampleDiff() *analysis.HandleDiff {
	kind := func(name string) analysis.HandleKind {
		return analysis.HandleKind{Type: "Key", Name: name, GrantedAccess: 0x20019}
	}
	d := &analysis.HandleDiff{
		Total: analysis.DiffCount{Old: 12, New: 40_010, Added: 40_000, Removed: 2, Kept: 10, Reused: 1},
		Groups: []analysis.GroupDiff{
			{HandleKind: kind(`\a`), DiffCount: analysis.DiffCount{Old: 5, New: 40_005, Added: 40_000, Kept: 5, Reused: 1}},
			{HandleKind: kind(`\b`), DiffCount: analysis.DiffCount{Old: 2, Removed: 2}},
			{HandleKind: kind(`\c`), DiffCount: analysis.DiffCount{Old: 5, New: 5, Kept: 5}},
		},
	}
	d.Types = []analysis.TypeDiff{{Type: "Key", DiffCount: d.Total}}
	return d
}

func TestDiffLimit(t *testing.T) {
	for _, tt := range []struct {
		limit, groups, omitted int
		below                  string
	}{
		{0, 3, 0, "1 group did not change\n"},
		{3, 3, 0, "1 group did not change\n"},
		{2, 2, 1, "1 group did not change\n"},
		{1, 1, 2, "… and 1 more group that changed (--limit)\n1 group did not change\n"},
	} {
		r := NewDiffReport(exampleDiff(), nil, tt.limit)
		if len(r.Groups) != tt.groups || r.Omitted != tt.omitted {
			t.Errorf("limit %d: %d groups, %d omitted", tt.limit, len(r.Groups), r.Omitted)
		}
		text := write(t, r, Text, Style{})
		_, below, _ := strings.Cut(text[strings.Index(text, "Group"):], ")\n")
		for strings.Contains(below, "(access") {
			_, below, _ = strings.Cut(below, ")\n")
		}
		if diff := cmp.Diff(tt.below, below); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", tt.limit, diff)
		}
	}
}

// On a narrow terminal the columns go that say least, and prose is wrapped.
func TestDiffWidth(t *testing.T) {
	r := NewDiffReport(exampleDiff(), nil, 0)
	id, seconds := uint32(42), int64(-90)
	r.Old = DumpHeader{File: "old.dmp", Path: `C:\srv\w3wp.exe`, ProcessID: &id, Time: "2024-05-01T08:00:00Z"}
	r.New, r.Seconds = DumpHeader{File: "new.dmp"}, &seconds
	for width, header := range map[int]string{
		0:  "Old     New   Growth   Added  Removed  Same  Reused  Group",
		80: "Old     New   Growth   Added  Removed  Same  Reused  Group",
		70: "Old     New   Growth   Added  Removed  Same  Group",
		60: "Old     New   Growth   Added  Group",
		40: "   New   Growth  Group",
	} {
		text := write(t, r, Text, Style{Width: width})
		if !strings.Contains(text, "\n"+header+"\n") {
			t.Errorf("width %d: no header %q in\n%s", width, header, text)
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width >= 60 && n > width {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
	}
	text := write(t, r, Text, Style{})
	for _, want := range []string{
		`OLD  old.dmp  12 handles  C:\srv\w3wp.exe (42)  2024-05-01T08:00:00Z`,
		"NEW  new.dmp  40,010 handles  (1 min 30 s earlier)", "+39,998",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	seconds = 0
	if text := write(t, r, Text, Style{}); !strings.Contains(text, "(written in the same second)") {
		t.Errorf("%s", text)
	}
}

// TestDiffHandles lists what was added and removed, each with the pointers of its
// dump, and ends where it is interrupted.
func TestDiffHandles(t *testing.T) {
	var err error
	one := func(h minidump.Handle) HandleWalk {
		return func(visit func(*minidump.Handle) bool) error {
			visit(&h)
			return err
		}
	}
	r := NewDiffReport(exampleDiff(), nil, 1)
	r.Old, r.New = DumpHeader{File: "old.dmp", PointerSize: 4}, DumpHeader{File: "n\x1bw.dmp", PointerSize: 8}
	r.Added = NewHandleStream(one(minidump.Handle{Handle: 8, TypeName: "Key"}), nil)
	r.Removed = NewHandleStream(one(minidump.Handle{Handle: 4, TypeName: "Event"}), nil)
	text := write(t, r, Text, Style{})
	for _, want := range []string{
		"\nAdded: 40,000 handles, only in n<U+001B>w.dmp\nHandle 0000000000000008\n  Type         \tKey\n",
		"\nRemoved: 2 handles, only in old.dmp\nHandle 00000004\n  Type         \tEvent\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	object := write(t, r, JSON, Style{})
	for _, want := range []string{"\"added\": [\n    {\"handle\":\"0x8\"", "\"removed\": [\n    {\"handle\":\"0x4\"", "\"omitted\": 2,"} {
		if !strings.Contains(object, want) {
			t.Errorf("no %q in\n%s", want, object)
		}
	}
	err = context.Canceled
	for _, f := range []Format{Text, JSON} {
		if got := Write(io.Discard, r, f, Style{}); !errors.Is(got, context.Canceled) {
			t.Errorf("%s: error %v", f, got)
		}
	}
}

func TestDiffCSV(t *testing.T) {
	const want = `type,name,merged,grantedAccess,attributes,state,old,new,growth,added,removed,kept,reused,same,replaced,unknown
Key,\a,false,0x20019,0x0,,5,40005,40000,40000,0,5,1,,,
Key,\b,false,0x20019,0x0,,2,0,-2,0,2,0,0,,,
Key,\c,false,0x20019,0x0,,5,5,0,0,0,5,0,,,
`
	if diff := cmp.Diff(want, write(t, NewDiffReport(exampleDiff(), nil, 0), CSV, Style{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNothingChanged(t *testing.T) {
	r := NewDiffReport(&analysis.HandleDiff{Groups: exampleDiff().Groups[2:]}, nil, 0)
	if text := write(t, r, Text, Style{}); !strings.HasSuffix(text, "\n\nnothing was added or removed\n") {
		t.Errorf("%s", text)
	}
}
