package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/htrace"
)

// A TraceExplanation is a sentence about anomalies of one kind.
type TraceExplanation struct {
	Kind  htrace.AnomalyKind
	Count int // handles that it is about
	Text  string
}

// explanations says what the anomalies mean. Those that come with every ring
// are summed up; the others get a sentence for each pair of stacks.
func (r *TraceReport) explanations() []TraceExplanation {
	var out []TraceExplanation
	var late htrace.AnomalyGroup
	var types []string
	without := 0
	for i := range r.Anomalies {
		g := &r.Anomalies[i]
		switch g.Kind {
		case htrace.CloseWithoutOpen:
			late.Count += g.Count
			late.Handles = append(late.Handles, g.Handles...)
		case htrace.OpenWithoutEntry:
			without += g.Count
			name := g.Type
			if name == "" {
				name = "no type"
			}
			types = append(types, fmt.Sprintf("%s %s", name, count(uint64(g.Count))))
		default:
			out = append(out, TraceExplanation{g.Kind, g.Count, r.explain(g)})
		}
	}
	if late.Count > 0 {
		slices.Sort(late.Handles)
		out = append(out, TraceExplanation{htrace.CloseWithoutOpen, late.Count, fmt.Sprintf(
			"%s (%s) without an open in the trace: that was before tracing began, or the ring has overwritten it",
			plural(late.Count, "close"), exampleHandles(slices.Compact(late.Handles)))})
	}
	if without > 0 {
		out = append(out, TraceExplanation{htrace.OpenWithoutEntry, without, fmt.Sprintf(
			"%s in the handle stream whose opening the trace does not show (%s): before tracing began, overwritten, or inherited",
			plural(without, "handle"), strings.Join(types, ", "))})
	}
	if n := r.Trace.Handles.Missing; n > 0 {
		out = append(out, TraceExplanation{"missing", n, fmt.Sprintf(
			"%s never closed whose handle is not open in the dump any more: the trace has missed the close", plural(n, "open"))})
	}
	return out
}

func (r *TraceReport) explain(g *htrace.AnomalyGroup) string {
	handles := exampleHandles(g.Handles)
	switch g.Kind {
	case htrace.DoubleClose:
		again := "closed again"
		if g.BadRef {
			again = "closed again or used after that (BADREF)"
		}
		return fmt.Sprintf("%s (%s): closed %s, %s %s. A handle that another thread opens in between gets the same value, and is lost",
			times(g.Count), handles, r.where(g.Previous), again, r.where(g.Wrong))
	case htrace.BadReference:
		return fmt.Sprintf("%s (%s): a value that is no open handle was used %s", times(g.Count), handles, r.where(g.Wrong))
	case htrace.OpenOfOpen:
		return fmt.Sprintf("%s (%s): opened %s, opened again %s; the close between the two is not in the trace",
			times(g.Count), handles, r.where(g.Previous), r.where(g.Wrong))
	case htrace.Injected:
		return fmt.Sprintf("%s (%s): opened by %s, not by this one: put here with DuplicateHandle%s",
			plural(g.Count, "handle"), handles, r.processes(g.Wrong), kernelNote(g.Wrong))
	case htrace.ForeignClose:
		return fmt.Sprintf("%s (%s): closed by %s, not by this one: DuplicateHandle with DUPLICATE_CLOSE_SOURCE%s",
			plural(g.Count, "handle"), handles, r.processes(g.Wrong), kernelNote(g.Wrong))
	case htrace.Duplicated:
		return fmt.Sprintf("%s (%s …): made with DuplicateHandle %s, a second handle to an object that the process had "+
			"a handle to; each has to be closed", plural(g.Count, "handle"), handles, r.where(g.Wrong))
	}
	return fmt.Sprintf("%s (%s)", times(g.Count), handles)
}

// where says who did something and in which code.
func (r *TraceReport) where(c *htrace.Caller) string {
	if c == nil {
		return "by code that the trace does not show"
	}
	s := "by " + threadName(r.Trace, c.Threads[0])
	if n := len(c.Threads) - 1; n > 0 {
		s += fmt.Sprintf(" and %s", plural(n, "other"))
	}
	switch c.Culprit.Kind {
	case htrace.CulpritNone:
		return s
	case htrace.CulpritUnloaded:
		return s + " in " + c.Culprit.Name()
	}
	return s + " at " + c.Location.String()
}

// processes names the calling processes.
func (r *TraceReport) processes(c *htrace.Caller) string {
	var ids []string
	for _, t := range c.Threads {
		if id := hexNumber(t.ProcessID); !slices.Contains(ids, "process "+id) {
			ids = append(ids, "process "+id)
		}
	}
	return strings.Join(ids, ", ")
}

// kernelNote explains process 4.
func kernelNote(c *htrace.Caller) string {
	for _, t := range c.Threads {
		if t.ProcessID == 4 {
			return "; process 0x4 is the kernel"
		}
	}
	return ""
}

// times writes how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return count(uint64(n)) + " times"
}
