package render

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// CSV writes one row for each group, whose first cell is the property's value,
// or for stacks a number from 1. Lists within a cell are separated by
// blanks, frames by " < " from the innermost outwards. A rate that is not known
// is an empty cell.
func (r *TraceReport) CSV(w io.Writer) error {
	header := []string{
		"group", "count", "share", "ratePerMinute", "culprit", "culpritKind", "function",
		"type", "threads", "handles", "frames",
	}
	return writeCSV(w, header, func(row func(...string)) {
		for i := range r.Groups {
			g := &r.Groups[i]
			perMinute := ""
			if r.Window > 0 {
				perMinute = fmt.Sprintf("%.6f", g.RatePerMinute)
			}
			key, function := g.Key, ""
			if r.By == htrace.ByStack {
				key = strconv.Itoa(i + 1)
			}
			if g.Culprit.Frame >= 0 {
				function = functionName(g.Location)
			}
			var threads, handles, frames []string
			for _, t := range g.Threads {
				threads = append(threads, hexNumber(t.ThreadID))
			}
			for _, h := range g.Handles {
				handles = append(handles, hexNumber(h))
			}
			for _, l := range g.Frames {
				frames = append(frames, l.String())
			}
			row(words.CSVCell(key), strconv.Itoa(g.Count), fmt.Sprintf("%.6f", g.Share), perMinute,
				words.CSVCell(g.Culprit.Name()), string(g.Culprit.Kind), words.CSVCell(function), words.CSVCell(g.Type()),
				strings.Join(threads, " "), strings.Join(handles, " "), words.CSVCell(strings.Join(frames, " < ")))
		}
	})
}

// Folded writes the stacks of the outstanding opens in the form that
// flame-graph tools read: functions from the outermost to the innermost,
// separated by semicolons, a blank, and the number of opens.
func (r *TraceReport) Folded(w io.Writer) error {
	perStack := map[int]int{}
	for i := range r.Diff.Outstanding {
		perStack[r.Diff.Outstanding[i].Stack]++
	}
	counts := map[string]int{}
	for stack, n := range perStack {
		counts[r.fold(stack)] += n
	}
	lines := make([]string, 0, len(counts))
	for line := range counts {
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	b := bufio.NewWriter(w)
	for _, line := range lines {
		fmt.Fprintf(b, "%s %d\n", line, counts[line])
	}
	return b.Flush()
}

func (r *TraceReport) fold(stack int) string {
	var names []string
	for _, l := range slices.Backward(r.locations(stack)) {
		names = append(names, foldName(functionName(l)))
		for _, in := range slices.Backward(l.Inlined) {
			names = append(names, foldName(l.Module+"!"+in.Function))
		}
	}
	if len(names) == 0 {
		return "<no stack>"
	}
	return strings.Join(names, ";")
}

// foldName keeps the separator out of a name.
func foldName(name string) string { return strings.ReplaceAll(words.Escape(name), ";", ":") }
