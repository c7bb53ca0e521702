package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// SummaryCSV writes the counts by type: "type,count". Handles without a type
// have an empty cell.
func SummaryCSV(w io.Writer, types []analysis.TypeCount) error {
	return writeCSV(w, []string{"type", "count"}, func(row func(...string)) {
		for _, t := range types {
			row(words.CSVCell(t.Type), strconv.FormatUint(t.Count, 10))
		}
	})
}

// HandlesCSV writes one row for each handle. Rights are separated by blanks,
// the states of the object too.
func HandlesCSV(w io.Writer, handles iter.Seq[*minidump.Handle]) error {
	header := []string{"handle", "type", "name", "attributes", "grantedAccess", "access", "handleCount", "pointerCount", "state"}
	return writeCSV(w, header, func(row func(...string)) {
		for h := range handles {
			state := analysis.DecodeObject(h.ObjectInfo)
			row(hexNumber(h.Handle), words.CSVCell(h.TypeName), words.CSVCell(h.ObjectName),
				hexNumber(h.Attributes), hexNumber(h.GrantedAccess),
				strings.Join(analysis.DecodeAccess(h.TypeName, h.GrantedAccess).Names(), " "),
				strconv.FormatUint(uint64(h.HandleCount), 10), strconv.FormatUint(uint64(h.PointerCount), 10),
				strings.Join(state.Words(), " "))
		}
	})
}

// GroupsCSV writes one row for each group: the properties of the grouping, the
// count and the share.
func GroupsCSV(w io.Writer, groups []analysis.HandleGroup, by analysis.GroupKey) error {
	return writeCSV(w, append(groupHeader(by), "count", "share"), func(row func(...string)) {
		for _, g := range groups {
			cells := groupCells(g, by)
			for i := range cells {
				cells[i] = words.CSVCell(cells[i])
			}
			row(append(cells, strconv.FormatUint(g.Count, 10), fmt.Sprintf("%.6f", g.Share))...)
		}
	})
}

// groupHeader names the properties of a grouping.
func groupHeader(by analysis.GroupKey) []string {
	var header []string
	for _, k := range []struct {
		key  analysis.GroupKey
		name string
	}{{analysis.GroupByType, "type"}, {analysis.GroupByName, "name"}, {analysis.GroupByAccess, "access"}} {
		if by.Has(k.key) {
			header = append(header, k.name)
		}
	}
	return header
}

// groupCells are the properties of one group.
func groupCells(g analysis.HandleGroup, by analysis.GroupKey) []string {
	var cells []string
	if by.Has(analysis.GroupByType) {
		cells = append(cells, g.Type)
	}
	if by.Has(analysis.GroupByName) {
		cells = append(cells, g.Name)
	}
	if by.Has(analysis.GroupByAccess) {
		cells = append(cells, hexNumber(g.GrantedAccess))
	}
	return cells
}

// GroupsText writes groups as a table.
func GroupsText(w io.Writer, groups []analysis.HandleGroup, by analysis.GroupKey, style Style) error {
	header := append([]string{"Count", "Share"}, groupHeader(by)...)
	t := Table{Header: header, Right: []bool{true, true}, Whole: true, Style: style}
	for _, g := range groups {
		cells := groupCells(g, by)
		for i, name := range groupHeader(by) {
			switch {
			case name == "type" && cells[i] == "":
				cells[i] = "None"
			case name == "name" && cells[i] == "":
				cells[i] = "<none>"
			}
		}
		t.Row(append([]string{strconv.FormatUint(g.Count, 10), percent(g.Share)}, cells...)...)
	}
	return t.Write(w)
}

// writeCSV writes a header and rows; the first error is returned.
func writeCSV(w io.Writer, header []string, rows func(row func(cells ...string))) error {
	c := csv.NewWriter(w)
	c.Write(header)
	rows(func(cells ...string) { c.Write(cells) })
	c.Flush()
	return c.Error()
}
