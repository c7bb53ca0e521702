package render

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// A Table writes columns padded to their widest cell, two blanks apart. On a
// terminal lines are cut at its edge.
type Table struct {
	Header []string
	Right  []bool // columns that are aligned to the right; missing ones are not
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
	b := bufio.NewWriter(w)
	b.WriteString(t.Style.Bold(t.line(t.Header, widths)))
	b.WriteByte('\n')
	for _, row := range t.rows {
		b.WriteString(t.line(row, widths))
		b.WriteByte('\n')
	}
	return b.Flush()
}

func (t *Table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		right := i < len(t.Right) && t.Right[i]
		switch {
		case right:
			b.WriteString(pad + cell)
		case i < len(cells)-1:
			b.WriteString(cell + pad)
		default:
			b.WriteString(cell)
		}
		if i < len(cells)-1 {
			b.WriteString("  ")
		}
	}
	line := strings.TrimRight(b.String(), " ")
	if w := t.Style.Width; !t.Whole && w > 1 && utf8.RuneCountInString(line) > w {
		line = string([]rune(line)[:w-1]) + "…"
	}
	return line
}
