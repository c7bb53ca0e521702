package render

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// csv writes a row for each group. The key of a stack is its number from 1.
// Lists within a cell are separated by blanks, frames by " < " from the
// innermost outwards. A rate that is not known is an empty cell.
func (r *TraceReport) csv(b *bufio.Writer) error {
	header := []string{
		"key", "count", "share", "ratePerHour", "culprit", "culpritKind", "function",
		"type", "threads", "handles", "frames",
	}
	return writeCSV(b, header, func(row func(...string)) {
		for i := range r.Groups {
			g := &r.Groups[i]
			perHour, key := "", g.Key
			if g.RatePerHour != nil {
				perHour = fmt.Sprintf("%.6f", *g.RatePerHour)
			}
			if r.GroupBy == htrace.ByStack {
				key = strconv.Itoa(i + 1)
			}
			var threads, handles, frames []string
			for _, t := range g.Threads {
				threads = append(threads, strconv.FormatUint(uint64(t.ThreadID), 10))
			}
			for _, h := range g.Handles {
				handles = append(handles, words.Hex(h))
			}
			for _, f := range g.Frames {
				frames = append(frames, f.at.String())
			}
			row(words.CSVCell(key), strconv.Itoa(g.Count), fmt.Sprintf("%.6f", g.Share), perHour,
				words.CSVCell(g.Culprit), string(g.CulpritKind), words.CSVCell(g.Function), words.CSVCell(g.Type),
				strings.Join(threads, " "), strings.Join(handles, " "), words.CSVCell(strings.Join(frames, " < ")))
		}
	})
}

// folded writes the stacks of the outstanding opens in the form that
// flame-graph tools read: functions from the outermost to the innermost,
// separated by semicolons, a blank, and the number of opens.
func (r *TraceReport) folded(b *bufio.Writer) error {
	perStack := map[int]int{}
	for i := range r.facts.Diff.Outstanding {
		perStack[r.facts.Diff.Outstanding[i].Stack]++
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
	for _, line := range lines {
		fmt.Fprintf(b, "%s %d\n", line, counts[line])
	}
	return nil
}

func (r *TraceReport) fold(stack int) string {
	var names []string
	for _, l := range slices.Backward(named(r.facts.Trace.Frames(stack), r.facts.Names)) {
		names = append(names, foldName(htrace.FunctionName(l)))
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
