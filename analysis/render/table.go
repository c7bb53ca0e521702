package render

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// A Table writes columns padded to their widest cell, but not without limit, two
// blanks apart. Where a
// terminal is too narrow for it, columns are left out first, and then lines are
// cut at its edge.
type Table struct {
	Header []string
	Right  []bool   // columns that are aligned to the right; missing ones are not
	Drop   []string // columns that may be left out, the least useful first
	Whole  bool     // do not cut: the last columns say what a row is about
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

// widest is how far a column is padded. A cell may be longer, and then what
// follows on its line is out of line; but one long name, which may come from a
// hostile dump, makes no other line longer.
const widest = 80

// Write writes the header and the rows.
func (t *Table) Write(w io.Writer) error {
	columns := t.fit()
	b := bufio.NewWriter(w)
	b.WriteString(t.Style.Bold(t.line(t.Header, columns)))
	b.WriteByte('\n')
	for _, row := range t.rows {
		b.WriteString(t.line(row, columns))
		b.WriteByte('\n')
	}
	return b.Flush()
}

// A column is one that is written.
type column struct {
	index int
	width int // to which cells are padded
	right bool
}

// fit returns the columns for which there is room.
func (t *Table) fit() []column {
	columns := make([]column, len(t.Header))
	for i := range columns {
		columns[i] = column{index: i, width: cellWidth(t.Header[i]), right: i < len(t.Right) && t.Right[i]}
		for _, row := range t.rows {
			columns[i].width = max(columns[i].width, cellWidth(row[i]))
		}
	}
	for _, name := range t.Drop {
		width := -2
		for _, c := range columns {
			width += c.width + 2
		}
		if t.Style.Width == 0 || width <= t.Style.Width {
			break
		}
		columns = slices.DeleteFunc(columns, func(c column) bool { return t.Header[c.index] == name })
	}
	return columns
}

// cellWidth is how wide a cell makes its column.
func cellWidth(cell string) int { return min(utf8.RuneCountInString(cell), widest) }

func (t *Table) line(cells []string, columns []column) string {
	var b strings.Builder
	for i, c := range columns {
		cell := cells[c.index]
		pad := strings.Repeat(" ", max(c.width-utf8.RuneCountInString(cell), 0))
		switch {
		case c.right:
			b.WriteString(pad + cell)
		case i < len(columns)-1:
			b.WriteString(cell + pad)
		default:
			b.WriteString(cell)
		}
		if i < len(columns)-1 {
			b.WriteString("  ")
		}
	}
	line := strings.TrimRight(b.String(), " ")
	if w := t.Style.Width; !t.Whole && w > 1 && utf8.RuneCountInString(line) > w {
		line = string([]rune(line)[:w-1]) + "…"
	}
	return line
}
