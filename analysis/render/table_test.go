package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// On a terminal lines are cut, where what is cut off is not what matters.
func TestTableWidth(t *testing.T) {
	const group = `Key \REGISTRY\MACHINE\SOFTWARE\Classes`
	for _, test := range []struct {
		width int
		whole bool
		want  string
	}{
		{0, false, group},
		{100, false, group},
		{30, false, `Key \REGISTRY\MACHINE\…`},
		{30, true, group},
		{1, false, group},
	} {
		var b strings.Builder
		table := &Table{Header: []string{"Count", "Group"}, Right: []bool{true}, Whole: test.whole, Style: Style{Width: test.width}}
		table.Row("700", group)
		if err := table.Write(&b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("Count  Group\n  700  "+test.want+"\n", b.String()); diff != "" {
			t.Errorf("width %d, whole %v: (-want +got)\n%s", test.width, test.whole, diff)
		}
	}
}

// On a narrow terminal columns are left out before lines are cut.
func TestTableDrops(t *testing.T) {
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, "a    b    c    d\n111  222  333  444\n"},
		{18, "a    b    c    d\n111  222  333  444\n"},
		{17, "a    c    d\n111  333  444\n"},
		{12, "c    d\n333  444\n"},
		{7, "c    d\n333  4…\n"},
	} {
		var b strings.Builder
		table := &Table{Header: []string{"a", "b", "c", "d"}, Drop: []string{"b", "a"}, Style: Style{Width: test.width}}
		table.Row("111", "222", "333", "444")
		if err := table.Write(&b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, b.String()); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", test.width, diff)
		}
	}
}
