package render

import (
	"io"
	"runtime"
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

// One long cell is written whole, and makes no other line longer, in whichever
// column it stands. The output is in proportion to the cells.
func TestTableLongCell(t *testing.T) {
	const rows = 1000
	long := strings.Repeat("n", 30_000)
	for _, right := range []bool{false, true} {
		table := &Table{Header: []string{"a", "b", "c"}, Right: []bool{right, right, right}}
		for range rows {
			table.Row("1", "2", "3")
		}
		table.Row(long, long, long)
		var b strings.Builder
		if err := table.Write(&b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != rows+2 || lines[rows+1] != long+"  "+long+"  "+long {
			t.Errorf("%d lines, the last of %d bytes", len(lines), len(lines[len(lines)-1]))
		}
		for i, line := range lines[:rows+1] {
			if len(line) > 3*(widest+2) || i > 0 && strings.Join(strings.Fields(line), " ") != "1 2 3" {
				t.Fatalf("line %d of %d bytes: %.300q", i, len(line), line)
			}
		}
	}
}

// Names up to the limit are in line.
func TestTableLimit(t *testing.T) {
	name := strings.Repeat("n", widest)
	table := &Table{Header: []string{"name", "count"}}
	table.Row(name, "1")
	table.Row("n", "2")
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	blanks := func(n int) string { return strings.Repeat(" ", n) }
	want := "name" + blanks(widest-2) + "count\n" + name + "  1\nn" + blanks(widest+1) + "2\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A table of many rows costs memory in proportion to its cells.
func TestTableMemory(t *testing.T) {
	const rows = 10_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	table := &Table{Header: []string{"a", "b", "c", "d"}}
	for range rows {
		table.Row("1", "2", "3", "4")
	}
	if err := table.Write(io.Discard); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > rows*400 {
		t.Errorf("%d bytes for a row of four cells", bytes/rows)
	}
}
