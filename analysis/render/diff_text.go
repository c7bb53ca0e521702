package render

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/words"
)

var diffColumns = [...]string{"Old", "New", "Growth", "Added", "Removed", "Same", "Reused"}

// heldColumns are those of what became of the handles with the same values.
var heldColumns = [...]string{"Stayed", "Replaced", "Unknown"}

// diffDrop are the columns that a narrow terminal does without.
var diffDrop = []string{"Reused", "Unknown", "Same", "Removed", "Added", "Old", "Replaced", "Stayed"}

// text writes the difference for people: the two dumps, the types, the groups
// that changed, and the handles if they were asked for.
func (r *DiffReport) text(b *bufio.Writer, style Style) error {
	fmt.Fprintf(b, "%s  %s\n", style.Bold("OLD"), style.Wrap(dumpLine(r.Old, r.Total.Old), 5))
	fmt.Fprintf(b, "%s  %s\n\n", style.Bold("NEW"), style.Wrap(dumpLine(r.New, r.Total.New)+r.later(), 5))

	types := r.table("Type", style)
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
	if err := r.holdersText(b, style); err != nil {
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
	groups, shown := r.table("Group", style), 0
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

// holdersText writes what the holders of the handles say.
func (r *DiffReport) holdersText(b *bufio.Writer, style Style) error {
	if !r.held {
		return nil
	}
	fmt.Fprintln(b)
	if len(r.Holders) > 0 {
		t := &Table{
			Header: append(append([]string{"Same"}, heldColumns[:]...), "Holder"), Drop: []string{"Unknown"},
			Right: slices.Repeat([]bool{true}, len(heldColumns)+1), Whole: true, Style: style,
		}
		for _, h := range r.Holders {
			t.Row(append(append([]string{words.Count(h.Kept)}, h.cells()...), words.Escape(h.Sentence))...)
		}
		if err := t.Write(b); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(b, style.Wrap(owners.KeptSentence("in both dumps", r.Total.Kept, r.Total.Held.Same, r.Total.Held.Replaced), 0))
	return err
}

// table makes a table of counts.
func (r *DiffReport) table(last string, style Style) *Table {
	columns := diffColumns[:]
	if r.held {
		columns = slices.Insert(slices.Clone(columns), len(columns)-1, heldColumns[:]...)
	}
	return &Table{
		Header: append(columns[:len(columns):len(columns)], last), Drop: diffDrop,
		Right: slices.Repeat([]bool{true}, len(columns)), Whole: true, Style: style,
	}
}

func (c DiffCounts) cells() []string {
	cells := []string{
		words.Count(c.Old), words.Count(c.New), words.Growth(c.Growth), words.Count(c.Added),
		words.Count(c.Removed), words.Count(c.Kept),
	}
	if c.Held != nil {
		cells = append(cells, c.Held.cells()...)
	}
	return append(cells, words.Count(c.Reused))
}

func (h DiffHeld) cells() []string {
	return []string{words.Count(h.Same), words.Count(h.Replaced), words.Count(h.Unknown)}
}

// csv writes one row for each group.
func (r *DiffReport) csv(b *bufio.Writer) error {
	header := []string{"type", "name", "merged", "grantedAccess", "attributes", "state", "old", "new", "growth", "added", "removed", "kept", "reused", "same", "replaced", "unknown"}
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
			held := []string{"", "", ""} // not asked for
			if g.Held != nil {
				for i, n := range []uint64{g.Held.Same, g.Held.Replaced, g.Held.Unknown} {
					held[i] = strconv.FormatUint(n, 10)
				}
			}
			row(append(cells, held...)...)
		}
	})
}
