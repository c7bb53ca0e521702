package htrace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// An Explanation is a sentence about anomalies of one kind.
type Explanation struct {
	Kind  AnomalyKind // or "missing"
	Count int         // handles that it is about
	Text  string
}

// Explain says what anomalies mean. Those that come with every ring are summed
// up; the others get a sentence for each pair of stacks.
func (t *Trace) Explain(anomalies []AnomalyGroup) []Explanation {
	var out []Explanation
	var late AnomalyGroup
	var types []string
	without := 0
	for i := range anomalies {
		g := &anomalies[i]
		switch g.Kind {
		case CloseWithoutOpen:
			late.Count += g.Count
			late.Handles = append(late.Handles, g.Handles...)
		case OpenWithoutEntry:
			without += g.Count
			name := g.Type
			if name == "" {
				name = "no type"
			}
			types = append(types, fmt.Sprintf("%s %s", name, words.Count(g.Count)))
		default:
			out = append(out, Explanation{g.Kind, g.Count, t.explain(g)})
		}
	}
	if late.Count > 0 {
		slices.Sort(late.Handles)
		out = append(out, Explanation{CloseWithoutOpen, late.Count, fmt.Sprintf(
			"%s (%s) without an open in the trace: that was before tracing began, or the ring has overwritten it",
			words.Plural(late.Count, "close"), examples(slices.Compact(late.Handles)))})
	}
	if without > 0 {
		out = append(out, Explanation{OpenWithoutEntry, without, fmt.Sprintf(
			"%s in the handle stream whose opening the trace does not show (%s): before tracing began, overwritten, or inherited",
			words.Plural(without, "handle"), strings.Join(types, ", "))})
	}
	if n := t.Handles.Missing; n > 0 {
		out = append(out, Explanation{"missing", n, fmt.Sprintf(
			"%s never closed whose handle is not open in the dump any more: the trace has missed the close", words.Plural(n, "open"))})
	}
	return out
}

func (t *Trace) explain(g *AnomalyGroup) string {
	handles := examples(g.Handles)
	switch g.Kind {
	case DoubleClose:
		again := "closed again"
		if g.BadRef {
			again = "closed again or used after that (bad reference)"
		}
		return fmt.Sprintf("%s (%s): closed %s, %s %s. A handle that another thread opens in between gets the same value, and is lost",
			words.Times(g.Count), handles, t.where(g.Previous), again, t.where(g.Wrong))
	case BadReference:
		return fmt.Sprintf("%s (%s): a value that is no open handle was used %s", words.Times(g.Count), handles, t.where(g.Wrong))
	case OpenOfOpen:
		return fmt.Sprintf("%s (%s): opened %s, opened again %s; the close between the two is not in the trace",
			words.Times(g.Count), handles, t.where(g.Previous), t.where(g.Wrong))
	case Injected:
		return fmt.Sprintf("%s (%s): opened by %s, not by this one: put here with DuplicateHandle%s",
			words.Plural(g.Count, "handle"), handles, processes(g.Wrong), kernelNote(g.Wrong))
	case ForeignClose:
		return fmt.Sprintf("%s (%s): closed by %s, not by this one: DuplicateHandle with DUPLICATE_CLOSE_SOURCE%s",
			words.Plural(g.Count, "handle"), handles, processes(g.Wrong), kernelNote(g.Wrong))
	case Duplicated:
		return fmt.Sprintf("%s (%s …): made with DuplicateHandle %s, a second handle to an object that the process had "+
			"a handle to; each has to be closed", words.Plural(g.Count, "handle"), handles, t.where(g.Wrong))
	}
	return fmt.Sprintf("%s (%s)", words.Times(g.Count), handles)
}

// where says who did something and in which code.
func (t *Trace) where(c *Caller) string {
	if c == nil {
		return "by code that the trace does not show"
	}
	s := "by thread " + t.ThreadLabel(c.Threads[0].ThreadID, c.Threads[0].ProcessID)
	if n := len(c.Threads) - 1; n > 0 {
		s += fmt.Sprintf(" and %s", words.Plural(n, "other"))
	}
	switch c.Culprit.Kind {
	case CulpritNone:
		return s
	case CulpritUnloaded:
		return s + " in " + c.Culprit.Name()
	case CulpritJIT:
		return s + " in JIT code at " + c.Location.Place()
	}
	return s + " at " + c.Location.Place()
}

// processes names the calling processes.
func processes(c *Caller) string {
	var ids []string
	for _, t := range c.Threads {
		if id := words.Hex(t.ProcessID); !slices.Contains(ids, "process "+id) {
			ids = append(ids, "process "+id)
		}
	}
	return strings.Join(ids, ", ")
}

// kernelNote explains process 4.
func kernelNote(c *Caller) string {
	for _, t := range c.Threads {
		if t.ProcessID == 4 {
			return "; process 0x4 is the kernel"
		}
	}
	return ""
}

// examples are the first few handles.
func examples(handles []uint64) string { return words.HexList(handles, 3) }
