package render

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// TraceTableOptions are the options of [TraceReport.Table].
type TraceTableOptions struct {
	Frames int // frames below each group; 0 none, negative all
	Limit  int // groups; 0 all
	Style  Style
}

// Table writes what the trace holds, its groups with their top frames, the
// widest group first, and what else is wrong in it.
func (r *TraceReport) Table(w io.Writer, o TraceTableOptions) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, TraceSummary(r.Trace))
	fmt.Fprintln(b, o.Style.Dim(TraceOrderSentence(r.Trace)))
	for _, line := range r.scope() {
		fmt.Fprintln(b, words.Escape(line))
	}
	if len(r.Groups) > 0 {
		b.WriteByte('\n')
		if err := r.groupTable(b, o); err != nil {
			return err
		}
	}
	if lines := r.explanations(); len(lines) > 0 {
		b.WriteByte('\n')
		for _, e := range lines {
			label := string(e.Kind) + ":"
			if e.Kind == htrace.DoubleClose {
				label = o.Style.Alarm(label)
			} else {
				label = o.Style.Warn(label)
			}
			fmt.Fprintf(b, "%s %s\n", label, words.Escape(e.Text))
		}
	}
	return b.Flush()
}

// scope says which opens the groups are made of, and over which time their
// rate is the mean.
func (r *TraceReport) scope() []string {
	var lines []string
	d := r.Diff
	if r.Earlier != nil {
		lines = append(lines, fmt.Sprintf("%s since %s, %s of them never closed",
			plural(d.New, "new operation"), r.Earlier.File, count(uint64(len(d.Outstanding)))))
		switch {
		case d.Overlap > 0 && d.Overwritten > 0:
			lines = append(lines, fmt.Sprintf("the ring has overwritten %s of the %s that %s holds",
				count(uint64(d.Overwritten)), plural(d.Earlier, "operation"), r.Earlier.File))
		case d.Overlap == 0 && d.Earlier > 0:
			lines = append(lines, fmt.Sprintf("no operation is in both dumps: the ring has turned over, so that "+
				"opens between %s and the first of these may be missing", r.Earlier.File))
		}
	}
	if r.Window > 0 && len(d.Outstanding) > 0 {
		over := "the uptime of " + words.Duration(r.Window)
		if r.Earlier != nil {
			over = words.Duration(r.Window) + " between the dumps"
		}
		lines = append(lines, fmt.Sprintf("%s opens a minute stay open, on average over %s",
			rate(float64(len(d.Outstanding))/r.Window.Minutes()), over))
	}
	return lines
}

// rate writes opens a minute with three digits or so.
func rate(perMinute float64) string {
	switch {
	case perMinute >= 100:
		return count(uint64(perMinute + 0.5))
	case perMinute >= 1:
		return strconv.FormatFloat(perMinute, 'f', 1, 64)
	}
	return strconv.FormatFloat(perMinute, 'g', 2, 64)
}

func (r *TraceReport) groupTable(w *bufio.Writer, o TraceTableOptions) error {
	t := Table{Header: []string{"Count", "Share"}, Right: []bool{true, true}, Style: o.Style}
	if r.Window > 0 {
		t.Header = append(t.Header, "Per min")
		t.Right = append(t.Right, true)
	}
	named := r.By == htrace.ByFunction || r.By == htrace.ByThread
	if named {
		t.Header = append(t.Header, strings.ToUpper(string(r.By[:1]))+string(r.By[1:]))
	}
	t.Header = append(t.Header, "Culprit", "Type", "Handles")
	groups := r.Groups
	if o.Limit > 0 && o.Limit < len(groups) {
		groups = groups[:o.Limit]
	}
	for i := range groups {
		g := &groups[i]
		cells := []string{strconv.Itoa(g.Count), percent(g.Share)}
		if r.Window > 0 {
			cells = append(cells, rate(g.RatePerMinute))
		}
		if named {
			cells = append(cells, g.Key)
		}
		t.Row(append(cells, r.culpritCell(g), r.typeCell(g), exampleHandles(g.Handles))...)
	}
	var text bytes.Buffer
	if err := t.Write(&text); err != nil {
		return err
	}
	i := -1 // the header
	for line := range strings.Lines(text.String()) {
		w.WriteString(line)
		if i >= 0 {
			r.frames(w, &groups[i], o)
		}
		i++
	}
	if hidden := len(r.Groups) - len(groups); hidden > 0 {
		fmt.Fprintf(w, "… and %s\n", plural(hidden, "more group"))
	}
	return nil
}

// frames writes the top frames of a group, from the innermost, at least as far
// as the culprit, which is marked.
func (r *TraceReport) frames(w *bufio.Writer, g *htrace.Group, o TraceTableOptions) {
	if o.Frames == 0 {
		return
	}
	n := len(g.Frames)
	if o.Frames > 0 {
		n = min(n, max(o.Frames, g.Culprit.Frame+1))
	}
	for i, l := range g.Frames[:n] {
		for _, in := range l.Inlined {
			fmt.Fprintf(w, "         %s\n", o.Style.Dim(words.Escape("(inline) "+l.Module+"!"+in.Function)))
		}
		if i == g.Culprit.Frame {
			fmt.Fprintf(w, "       > %s\n", o.Style.Bold(words.Escape(frameName(l))))
		} else {
			fmt.Fprintf(w, "         %s\n", words.Escape(frameName(l)))
		}
	}
	if more := len(g.Frames) - n; more > 0 {
		fmt.Fprintf(w, "         %s\n", o.Style.Dim("… "+plural(more, "more frame")))
	}
	if len(g.Stacks) > 1 {
		fmt.Fprintf(w, "         %s\n", o.Style.Dim(fmt.Sprintf("(the most frequent of %s, in %d of %d)",
			plural(len(g.Stacks), "stack"), g.Stacks[0].Count, g.Count)))
	}
}

// culpritCell names the culprit and says if it is not a sure one.
func (r *TraceReport) culpritCell(g *htrace.Group) string {
	if g.Culprit.Kind == htrace.CulpritSystem {
		return g.Culprit.Name() + " (system)"
	}
	return g.Culprit.Name()
}

// typeCell is the most frequent type, and how many others there are.
func (r *TraceReport) typeCell(g *htrace.Group) string {
	s := g.Type()
	if s == "" {
		s = "?"
	}
	if n := len(g.Types) - 1; n > 0 {
		s += fmt.Sprintf(" +%d", n)
	}
	return s
}

// exampleHandles writes the first few values.
func exampleHandles(values []uint64) string {
	const examples = 3
	var words []string
	for _, h := range values[:min(len(values), examples)] {
		words = append(words, hexNumber(h))
	}
	if len(values) > examples {
		words = append(words, "…")
	}
	return strings.Join(words, " ")
}
