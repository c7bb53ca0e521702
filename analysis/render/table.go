package render

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// A Table writes columns padded to their widest cell, two blanks apart. On a
// terminal that is too narrow it leaves out the columns of Least, and cuts
// lines at the edge if that does not help.
type Table struct {
	Header []string
	Right  []bool // columns that are aligned to the right; missing ones are not
	Least  []int  // columns that can be left out, the least useful first
	Whole  bool   // do not cut: the last columns say what a row is about
	Style  Style

	rows [][]string
}

// Row adds a row; its cells are made safe for a terminal.
func (t *Table) Row(cells ...string) {
	for i := range cells {
		cells[i] = words.Escape(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// Write writes the header and the rows.
func (t *Table) Write(w io.Writer) error {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	t.fit(widths)
	b := bufio.NewWriter(w)
	b.WriteString(t.Style.Bold(t.line(t.Header, widths)))
	b.WriteByte('\n')
	for _, row := range t.rows {
		b.WriteString(t.line(row, widths))
		b.WriteByte('\n')
	}
	return b.Flush()
}

// absent is the width of a column that is left out.
const absent = -1

// fit leaves columns out until the lines fit the terminal, or none of Least is
// left.
func (t *Table) fit(widths []int) {
	if t.Style.Width == 0 {
		return
	}
	total := -2
	for _, w := range widths {
		total += w + 2
	}
	for _, i := range t.Least {
		if total <= t.Style.Width {
			return
		}
		total -= widths[i] + 2
		widths[i] = absent
	}
}

func (t *Table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		if widths[i] == absent {
			continue
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i < len(t.Right) && t.Right[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
		b.WriteString("  ")
	}
	line := strings.TrimRight(b.String(), " ")
	if w := t.Style.Width; !t.Whole && w > 1 && utf8.RuneCountInString(line) > w {
		line = string([]rune(line)[:w-1]) + "…"
	}
	return line
}
