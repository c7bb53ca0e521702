package render

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

var diffColumns = [...]string{"Old", "New", "Growth", "Added", "Removed", "Same", "Reused"}

// diffDrop are the columns that a narrow terminal does without.
var diffDrop = []string{"Reused", "Same", "Removed", "Added", "Old"}

// text writes the difference for people: the two dumps, the types, the groups
// that changed, and the handles if they were asked for.
func (r *DiffReport) text(b *bufio.Writer, style Style) error {
	fmt.Fprintf(b, "%s  %s\n", style.Bold("OLD"), style.Wrap(dumpLine(r.Old, r.Total.Old), 5))
	fmt.Fprintf(b, "%s  %s\n\n", style.Bold("NEW"), style.Wrap(dumpLine(r.New, r.Total.New)+r.later(), 5))

	types := newDiffTable("Type", style)
	for _, t := range r.Types {
		types.Row(append(t.cells(), words.Type(t.Type))...)
	}
	types.Row(append(r.Total.cells(), "total")...)
	if err := types.Write(b); err != nil {
		return err
	}
	if err := r.groupsText(b, style); err != nil {
		return err
	}
	if r.Added == nil {
		return nil
	}
	for _, side := range []struct {
		title   string
		dump    DumpHeader
		handles *HandleStream
		count   uint64
	}{
		{"Added", r.New, r.Added, r.Total.Added},
		{"Removed", r.Old, r.Removed, r.Total.Removed},
	} {
		title := fmt.Sprintf("%s: %s, only in %s", side.title, words.Plural(side.count, "handle"), words.Escape(side.dump.File))
		fmt.Fprintf(b, "\n%s\n", style.Bold(title))
		t := newHandleText(b, side.dump.PointerSize, HandlesText{Flags: analysis.ShowAll})
		if err := side.handles.each(t.handle); err != nil {
			return err
		}
	}
	return nil
}

// groupsText writes the groups that changed.
func (r *DiffReport) groupsText(b *bufio.Writer, style Style) error {
	if r.Changed == 0 {
		fmt.Fprintf(b, "\nnothing was added or removed\n")
		return nil
	}
	groups, shown := newDiffTable("Group", style), 0
	for _, g := range r.Groups {
		if g.Added > 0 || g.Removed > 0 {
			groups.Row(append(g.cells(), g.label)...)
			shown++
		}
	}
	fmt.Fprintln(b)
	if err := groups.Write(b); err != nil {
		return err
	}
	if shown < r.Changed {
		fmt.Fprintf(b, "%s that changed (--limit)\n", words.More(r.Changed-shown, "group"))
	}
	if r.Unchanged > 0 {
		fmt.Fprintf(b, "%s did not change\n", words.Plural(r.Unchanged, "group"))
	}
	return nil
}

// dumpLine describes a dump in a line.
func dumpLine(h DumpHeader, handles uint64) string {
	text := words.Escape(h.File) + "  " + words.Plural(handles, "handle")
	if h.Path != "" {
		text += "  " + words.Escape(h.Path)
	}
	if h.ProcessID != nil {
		text += fmt.Sprintf(" (%d)", *h.ProcessID)
	}
	if h.Time != "" {
		text += "  " + h.Time
	}
	return text
}

// later says how much time is between the dumps.
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

func newDiffTable(last string, style Style) *Table {
	return &Table{
		Header: append(diffColumns[:len(diffColumns):len(diffColumns)], last), Drop: diffDrop,
		Right: slices.Repeat([]bool{true}, len(diffColumns)), Whole: true, Style: style,
	}
}

func (c DiffCounts) cells() []string {
	return []string{
		words.Count(c.Old), words.Count(c.New), words.Growth(c.Growth), words.Count(c.Added),
		words.Count(c.Removed), words.Count(c.Kept), words.Count(c.Reused),
	}
}

// csv writes one row for each group.
func (r *DiffReport) csv(b *bufio.Writer) error {
	header := []string{"type", "name", "merged", "grantedAccess", "attributes", "state", "old", "new", "growth", "added", "removed", "kept", "reused"}
	return writeCSV(b, header, func(row func(...string)) {
		for _, g := range r.Groups {
			cells := []string{
				words.CSVCell(g.Type), words.CSVCell(g.Name), strconv.FormatBool(g.Merged), words.Hex(g.GrantedAccess),
				words.Hex(g.Attributes), words.CSVCell(g.State),
				strconv.FormatUint(g.Old, 10), strconv.FormatUint(g.New, 10), strconv.FormatInt(g.Growth, 10),
			}
			for _, n := range []uint64{g.Added, g.Removed, g.Kept, g.Reused} {
				cells = append(cells, strconv.FormatUint(n, 10))
			}
			row(cells...)
		}
	})
}
