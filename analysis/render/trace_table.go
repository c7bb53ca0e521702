package render

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// text writes what the trace holds, its groups with their top frames, the
// widest group first, and what else is wrong in it.
func (r *TraceReport) text(b *bufio.Writer, style Style) error {
	fmt.Fprintln(b, style.Wrap(r.facts.Trace.Summary(), 0))
	fmt.Fprintln(b, style.Dim(style.Wrap(r.facts.Trace.OrderSentence(), 0)))
	for _, line := range r.scope() {
		fmt.Fprintln(b, style.Wrap(words.Escape(line), 0))
	}
	if len(r.Groups) > 0 {
		b.WriteByte('\n')
		if err := r.groupTable(b, style); err != nil {
			return err
		}
	}
	if len(r.Explanations) > 0 {
		b.WriteByte('\n')
	}
	for _, e := range r.Explanations {
		mark := style.Warn
		if e.Kind == htrace.DoubleClose {
			mark = style.Alarm
		}
		fmt.Fprintln(b, style.labelled(mark, string(e.Kind)+":", words.Escape(e.Text)))
	}
	if next := r.step.String(); next != "" {
		// Not wrapped: a command is to be pasted.
		fmt.Fprintf(b, "\n%s %s\n", style.Bold("next:"), words.Escape(next))
	}
	return nil
}

// labelled writes a label, in the colours that mark gives it, and prose behind
// it. Text of a dump in it must be safe already.
func (s Style) labelled(mark func(string) string, label, text string) string {
	const indent = 2
	first, rest, more := strings.Cut(s.Wrap(label+" "+text, indent), "\n")
	first = mark(label) + strings.TrimPrefix(first, label)
	if !more {
		return first
	}
	return first + "\n" + rest
}

// scope says which opens the groups are made of, and over which time their
// rate is the mean.
func (r *TraceReport) scope() []string {
	f := r.facts
	var lines []string
	if f.Earlier != nil {
		lines = f.Diff.Sentences(f.Earlier.File)
	}
	if r.FilteredOut > 0 {
		lines = append(lines, "selected: "+words.Of(r.Outstanding, r.Outstanding+r.FilteredOut, "open"))
	}
	if f.Window > 0 && r.Outstanding > 0 {
		over := "the uptime of " + words.Duration(f.Window)
		if f.Earlier != nil {
			over = words.Duration(f.Window) + " between the dumps"
		}
		least := ""
		if r.Ring.ClosesWithoutOpen > 0 && f.Earlier == nil {
			least, over = "at least ", over+"; the trace does not reach back to the start"
		}
		lines = append(lines, fmt.Sprintf("opens that stay open: %s%s, on average over %s",
			least, words.Rate(float64(r.Outstanding)/f.Window.Hours(), time.Hour), over))
	}
	return lines
}

func (r *TraceReport) groupTable(w *bufio.Writer, style Style) error {
	t := Table{Header: []string{"Count", "Share"}, Right: []bool{true, true}, Style: style}
	if r.WindowSeconds > 0 {
		t.Header = append(t.Header, "Per hour")
		t.Right = append(t.Right, true)
	}
	keyed := r.GroupBy == htrace.ByFunction || r.GroupBy == htrace.ByThread
	if keyed {
		t.Header = append(t.Header, strings.ToUpper(string(r.GroupBy[:1]))+string(r.GroupBy[1:]))
	}
	t.Header = append(t.Header, "Culprit", "Type", "Handles")
	t.Drop = []string{"Handles", "Share"}
	for i := range r.Groups {
		g := &r.Groups[i]
		cells := []string{words.Count(g.Count), words.Percent(g.Share)}
		if g.RatePerHour != nil {
			cells = append(cells, words.Decimal(*g.RatePerHour))
		}
		if keyed {
			cells = append(cells, g.Key)
		}
		t.Row(append(cells, g.culpritCell(), g.typeCell(), words.HexList(g.Handles, 3))...)
	}
	var text bytes.Buffer
	if err := t.Write(&text); err != nil {
		return err
	}
	i := -1 // the header
	for line := range strings.Lines(text.String()) {
		w.WriteString(line)
		if i >= 0 {
			r.frames(w, &r.Groups[i], style)
		}
		i++
	}
	if r.Omitted > 0 {
		fmt.Fprintln(w, words.More(r.Omitted, "group"))
	}
	return nil
}

// frames writes the top frames of a group, from the innermost, at least as far
// as the culprit, which is marked.
func (r *TraceReport) frames(w *bufio.Writer, g *TraceGroup, style Style) {
	most := r.facts.Frames
	if most == 0 {
		return
	}
	n := len(g.Frames)
	if most > 0 {
		n = min(n, max(most, g.CulpritFrame+1))
	}
	line := func(text string) { fmt.Fprintf(w, "         %s\n", text) }
	for i, f := range g.Frames[:n] {
		for _, in := range f.Inlined {
			line(style.Dim(words.Escape("(inline) " + f.Module + "!" + in.Function)))
		}
		if i == g.CulpritFrame {
			fmt.Fprintf(w, "       > %s\n", style.Bold(words.Escape(f.line())))
		} else {
			line(words.Escape(f.line()))
		}
	}
	if more := len(g.Frames) - n; more > 0 {
		line(style.Dim("… " + words.Plural(more, "more frame")))
	}
	if g.Split != nil {
		line(style.Dim(words.Escape("(" + g.Split.sentence + ")")))
	}
	if g.Stacks > 1 {
		line(style.Dim(fmt.Sprintf("(the most frequent of %s, in %s of %s)",
			words.Plural(g.Stacks, "stack"), words.Count(g.MostFrequent), words.Count(g.Count))))
	}
}

// culpritCell names the culprit and says if it is not a sure one.
func (g *TraceGroup) culpritCell() string {
	if g.CulpritKind == htrace.CulpritSystem {
		return g.Culprit + " (system)"
	}
	return g.Culprit
}

// typeCell is the most frequent type, and how many others there are.
func (g *TraceGroup) typeCell() string {
	s := g.Type
	if s == "" {
		s = "?"
	}
	if n := len(g.Types) - 1; n > 0 {
		s += fmt.Sprintf(" +%d", n)
	}
	return s
}

// name is the frame in a listing of a stack, with a mark if the name is only
// that of the nearest export. A name without displacement is no guess: the
// export begins there.
func (f *Frame) name() string {
	s := f.at.String()
	if f.Trust == symbol.TrustExport && f.Displacement != 0 {
		s += " (export)"
	}
	return s
}

// line is the name with the source line, if that is known.
func (f *Frame) line() string {
	source := f.at.Source()
	if source == "" {
		return f.name()
	}
	return f.name() + " [" + source + "]"
}
