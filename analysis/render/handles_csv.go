package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// csv writes a row for each handle of a listing, for each group, or for each
// type. Rights and states are separated by blanks.
func (r *HandlesReport) csv(b *bufio.Writer) error {
	switch {
	case r.Handles != nil:
		return r.handlesCSV(b)
	case r.Groups != nil:
		return r.groupsCSV(b)
	}
	return writeCSV(b, []string{"type", "count"}, func(row func(...string)) {
		for _, t := range r.Text.Selected {
			row(words.CSVCell(t.Type), strconv.FormatUint(t.Count, 10))
		}
	})
}

func (r *HandlesReport) handlesCSV(b *bufio.Writer) error {
	header := []string{"handle", "type", "name", "attributes", "grantedAccess", "access", "handleCount", "pointerCount", "state"}
	var stopped error
	err := writeCSV(b, header, func(row func(...string)) {
		stopped = r.Handles.each(func(h *minidump.Handle) {
			state := analysis.DecodeObject(h.ObjectInfo)
			row(words.Hex(h.Handle), words.CSVCell(h.TypeName), words.CSVCell(h.ObjectName),
				words.Hex(h.Attributes), words.Hex(h.GrantedAccess),
				strings.Join(analysis.DecodeAccess(h.TypeName, h.GrantedAccess).Names(), " "),
				strconv.FormatUint(uint64(h.HandleCount), 10), strconv.FormatUint(uint64(h.PointerCount), 10),
				strings.Join(state.Words(), " "))
		})
	})
	if stopped != nil {
		return stopped
	}
	return err
}

func (r *HandlesReport) groupsCSV(b *bufio.Writer) error {
	header := groupColumns(r.Text.By)
	if r.Text.By.Has(analysis.GroupByObject) {
		header = append(header, "guess")
	}
	return writeCSV(b, append(header, "count", "share"), func(row func(...string)) {
		for _, g := range r.Groups {
			cells := g.cells()
			for i := range cells {
				cells[i] = words.CSVCell(cells[i])
			}
			if g.Object != nil {
				cells = append(cells, strconv.FormatBool(g.Guess))
			}
			row(append(cells, strconv.FormatUint(g.Count, 10), fmt.Sprintf("%.6f", g.Share))...)
		}
	})
}

// groupColumns are the names of the properties of a grouping, as in JSON.
func groupColumns(by analysis.GroupKey) []string {
	list := by.Words()
	for i, word := range list {
		switch word {
		case "access":
			list[i] = "grantedAccess"
		case "process":
			list[i] = "processId"
		}
	}
	return list
}

// cells are the properties of a group, in the order of the columns.
func (g *HandleGroup) cells() []string {
	var cells []string
	add := func(s *string) {
		if s != nil {
			cells = append(cells, *s)
		}
	}
	add(g.Type)
	add(g.Name)
	if g.GrantedAccess != nil {
		cells = append(cells, words.Hex(*g.GrantedAccess))
	}
	add(g.State)
	add(g.Object)
	if g.ProcessID != nil {
		cells = append(cells, strconv.FormatUint(*g.ProcessID, 10))
	}
	return cells
}

// writeCSV writes a header and rows; the first error is returned.
func writeCSV(w io.Writer, header []string, rows func(row func(cells ...string))) error {
	c := csv.NewWriter(w)
	c.Write(header)
	rows(func(cells ...string) { c.Write(cells) })
	c.Flush()
	return c.Error()
}
