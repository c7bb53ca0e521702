package render

import (
	"bufio"
	"fmt"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// writeSummary writes the number of handles and the table of types. On a terminal
// each count has a bar beside it.
func writeSummary(b *bufio.Writer, total uint64, types []TypeCount, style Style) {
	fmt.Fprintf(b, "%d Handles\n", total)
	if len(types) == 0 {
		return
	}
	fmt.Fprintf(b, "%-24s\tCount\n", "Type")
	digits := 0
	for _, c := range types {
		digits = max(digits, len(strconv.FormatUint(c.Count, 10)))
	}
	// Type and tab take 32 columns; two separate the count from the bar.
	width := min(style.Width-32-digits-3, 40)
	for _, c := range types {
		fmt.Fprintf(b, "%-24s\t%d", words.Escape(words.Type(c.Type)), c.Count)
		if style.Terminal && width >= 10 {
			if bar := Bar(float64(c.Count)/float64(total), width); bar != "" {
				fmt.Fprintf(b, "%*s  %s", digits-len(strconv.FormatUint(c.Count, 10)), "", style.Warn(bar))
			}
		}
		b.WriteByte('\n')
	}
}

// groupsText writes the groups as a table.
func (r *HandlesReport) groupsText(b *bufio.Writer, style Style) error {
	columns := r.Text.By.Words()
	t := Table{
		Header: append([]string{"Count", "Share"}, columns...),
		Right:  []bool{true, true}, Drop: []string{"Share"}, Whole: true, Style: style,
	}
	for _, g := range r.Groups {
		t.Row(append([]string{words.Count(g.Count), words.Percent(g.Share)}, g.labels(columns)...)...)
	}
	return t.Write(b)
}

// labels are the cells of a group for people.
func (g *HandleGroup) labels(columns []string) []string {
	const unknown = "<unknown>"
	cells := g.cells()
	for i, column := range columns {
		switch {
		case column == "type":
			cells[i] = words.Type(cells[i])
		case column == "name":
			cells[i] = words.Name(cells[i])
		case cells[i] == "", column == "process" && cells[i] == "0":
			cells[i] = unknown
		case column == "object" && g.Guess:
			cells[i] += " (a guess)"
		}
	}
	return cells
}
