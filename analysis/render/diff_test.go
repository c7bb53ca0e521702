package render

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
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
		r := NewDiffReport(exampleDiff(), tt.limit)
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
	r := NewDiffReport(exampleDiff(), 0)
	id, seconds := uint32(42), int64(-90)
	r.Old = DumpHeader{File: "old.dmp", Path: `C:\srv\w3wp.exe`, ProcessID: &id, Time: "2024-05-01T08:00:00Z"}
	r.New, r.Seconds = DumpHeader{File: "new.dmp"}, &seconds
	for width, header := range map[int]string{
		0:  "Old     New   Growth   Added  Removed  Kept  Reused  Group",
		80: "Old     New   Growth   Added  Removed  Kept  Reused  Group",
		70: "Old     New   Growth   Added  Removed  Kept  Group",
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

func TestNothingChanged(t *testing.T) {
	r := NewDiffReport(&analysis.HandleDiff{Groups: exampleDiff().Groups[2:]}, 0)
	if text := write(t, r, Text, Style{}); !strings.HasSuffix(text, "\n\nnothing was added or removed\n") {
		t.Errorf("%s", text)
	}
}
