package render

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

var diffColumns = [...]string{"Old", "New", "Growth", "Added", "Removed", "Kept", "Reused"}

// Text writes the difference for people: the two dumps, the types, and the
// groups that changed, at most limit of them; 0 means all.
func (r *DiffReport) Text(w io.Writer, limit int, style Style) error {
	fmt.Fprintf(w, "%s  %s\n", style.Bold("OLD"), dumpLine(r.Old, r.Diff.Total.Old))
	fmt.Fprintf(w, "%s  %s%s\n\n", style.Bold("NEW"), dumpLine(r.New, r.Diff.Total.New), r.later())

	types := diffTable("Type", style)
	for _, t := range r.Diff.Types {
		types.Row(append(diffCells(t.DiffCount), typeLabel(t.Type))...)
	}
	types.Row(append(diffCells(r.Diff.Total), "total")...)
	if err := types.Write(w); err != nil {
		return err
	}

	groups, changed := diffTable("Group", style), 0
	for _, g := range r.Diff.Groups {
		if !g.Changed() {
			continue
		}
		if changed++; limit == 0 || changed <= limit {
			groups.Row(append(diffCells(g.DiffCount), g.HandleKind.String())...)
		}
	}
	if changed == 0 {
		_, err := fmt.Fprintf(w, "\nnothing was added or removed\n")
		return err
	}
	fmt.Fprintln(w)
	if err := groups.Write(w); err != nil {
		return err
	}
	if limit > 0 && changed > limit {
		fmt.Fprintf(w, "... and %s that changed (--limit)\n", countOf(uint64(changed-limit), "more group"))
	}
	_, err := fmt.Fprintf(w, "%s did not change\n", countOf(uint64(len(r.Diff.Groups)-changed), "group"))
	return err
}

// Handles lists the handles that were added and removed, as !handle does.
func (r *DiffReport) Handles(w io.Writer, style Style) error {
	for _, side := range []struct {
		title, file string
		handles     iter.Seq[*minidump.Handle]
		count       uint64
		pointer     int
	}{
		{"Added", r.New.File, r.Diff.Added(context.Background()), r.Diff.Total.Added, r.New.PointerSize},
		{"Removed", r.Old.File, r.Diff.Removed(context.Background()), r.Diff.Total.Removed, r.Old.PointerSize},
	} {
		title := fmt.Sprintf("%s: %s, only in %s", side.title, countOf(side.count, "handle"), words.Escape(side.file))
		if _, err := fmt.Fprintf(w, "\n%s\n", style.Bold(title)); err != nil {
			return err
		}
		t := NewHandleText(w, HandleTextOptions{PointerSize: side.pointer, Flags: ShowAll, Style: style})
		for h := range side.handles {
			t.Handle(h)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// dumpLine describes a dump in a line.
func dumpLine(h DumpHeader, handles uint64) string {
	text := words.Escape(h.File) + "  " + countOf(handles, "handle")
	if h.Process != "" {
		text += "  " + words.Escape(h.Process)
	}
	if h.ProcessID != nil {
		text += fmt.Sprintf(" (%d)", *h.ProcessID)
	}
	if h.Time != "" {
		text += "  " + h.Time
	}
	return text
}

// later tells the time between the dumps.
func (r *DiffReport) later() string {
	if r.Seconds == nil {
		return ""
	}
	d := time.Duration(*r.Seconds) * time.Second
	switch {
	case d == 0:
		return "  (written in the same second)"
	case d < 0:
		return fmt.Sprintf("  (%s earlier)", words.Duration(-d))
	}
	return fmt.Sprintf("  (%s later)", words.Duration(d))
}

func diffTable(last string, style Style) *Table {
	return &Table{
		Header: append(diffColumns[:len(diffColumns):len(diffColumns)], last),
		Right:  slices.Repeat([]bool{true}, len(diffColumns)), Whole: true, Style: style,
	}
}

func diffCells(c analysis.DiffCount) []string {
	return []string{
		count(c.Old), count(c.New), signed(c.Growth()), count(c.Added), count(c.Removed), count(c.Kept), count(c.Reused),
	}
}

// signed writes a growth: "+5", "-5", "0".
func signed(n int64) string {
	if n <= 0 {
		return strconv.FormatInt(n, 10)
	}
	return "+" + strconv.FormatInt(n, 10)
}

// countOf writes a number of things: "1 handle", "1,234 handles".
func countOf(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

// typeLabel is a type as a table shows it.
func typeLabel(name string) string {
	if name == "" {
		return "None"
	}
	return name
}

// CSV writes one row for each group.
func (r *DiffReport) CSV(w io.Writer) error {
	header := []string{"type", "name", "access", "attributes", "state", "old", "new", "growth", "added", "removed", "kept", "reused"}
	return writeCSV(w, header, func(row func(...string)) {
		for _, g := range r.Diff.Groups {
			cells := []string{words.CSVCell(g.Type), words.CSVCell(g.Name), hexNumber(g.GrantedAccess), hexNumber(g.Attributes), words.CSVCell(g.State)}
			for _, n := range []uint64{g.Old, g.New} {
				cells = append(cells, strconv.FormatUint(n, 10))
			}
			cells = append(cells, strconv.FormatInt(g.Growth(), 10))
			for _, n := range []uint64{g.Added, g.Removed, g.Kept, g.Reused} {
				cells = append(cells, strconv.FormatUint(n, 10))
			}
			row(cells...)
		}
	})
}
