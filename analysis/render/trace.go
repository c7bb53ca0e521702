package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// A TraceReport is what is known about the handle operations of a dump; its
// methods write it in the forms that "dumpscan htrace" has.
type TraceReport struct {
	Dump  DumpHeader
	Trace *htrace.Trace
	// Diff holds the outstanding opens that the report is about: Trace.All, or
	// a comparison with Earlier.
	Diff    *htrace.Diff
	Earlier *DumpHeader // the dump compared with; nil without
	// Window is the time in which the opens happened, 0 if it is not known:
	// from Earlier to the dump, or else the uptime.
	Window time.Duration

	By         htrace.GroupKey
	Groups     []htrace.Group
	Anomalies  []htrace.AnomalyGroup
	Operations []int // positions of the operations to list in JSON, if any

	Names  symbol.Names // of Trace.Addresses
	System *htrace.SystemModules
	Notes  []string
	Errors []string
}

// locations names the frames of a stack.
func (r *TraceReport) locations(stack int) []symbol.Location {
	frames := r.Trace.Frames(stack)
	named := make([]symbol.Location, len(frames))
	for i, addr := range frames {
		named[i] = r.Names.At(addr)
	}
	return named
}

// TraceSummary says in one sentence what a trace holds.
func TraceSummary(t *htrace.Trace) string {
	s := fmt.Sprintf("%s: %s, %s, %s", plural(t.Len(), "operation"), plural(t.Opens, "open"),
		plural(t.Closes, "close"), plural(t.BadRefs, "bad reference"))
	if t.Others > 0 {
		s += fmt.Sprintf(", %s of unknown kind", count(uint64(t.Others)))
	}
	return s + fmt.Sprintf("; %s never closed", plural(len(t.Outstanding), "open"))
}

// TraceOrderSentence says in which order a dump stores its operations, and how
// that was found out.
func TraceOrderSentence(t *htrace.Trace) string {
	e := &t.Evidence
	old, young := contradictions(e.OldestFirst), contradictions(e.NewestFirst)
	this, other, override := old, young, "--newest-first"
	s := "the dump stores the oldest operation first"
	if t.Order == htrace.NewestFirst {
		this, other, override = young, old, "--oldest-first"
		s = "the dump stores the newest operation first"
	}
	switch e.Reason {
	case htrace.OrderByRequest:
		return s + fmt.Sprintf(", as requested: read so, its records contradict each other %s, the other way %s", times(this), times(other))
	case htrace.OrderByOverlap:
		return s + ": in this order its trace continues that of the earlier dump"
	case htrace.OrderByDefault:
		return s + fmt.Sprintf(", by assumption: in either order its records contradict each other %s (%s overrides)", times(this), override)
	}
	return s + fmt.Sprintf(": read so, its records contradict each other %s, the other way %s (%s overrides)", times(this), times(other), override)
}

// contradictions sums up what speaks against an order.
func contradictions(c htrace.OrderCount) int { return c.Anomalies + c.Contradictions + c.OtherTypes }

// plural writes a count with its noun: "1 open", "1,234 anomalies".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		noun = stem + "ies"
	} else {
		noun += "s"
	}
	return count(uint64(n)) + " " + noun
}

// frameName writes a frame for people: the name, the source line if it is
// known, and a mark if the name is only the nearest export.
func frameName(l symbol.Location) string {
	s := l.String()
	if source := l.Source(); source != "" {
		s += " [" + source + "]"
	}
	if l.Trust == symbol.TrustExport {
		s += " (export)"
	}
	return s
}

// functionName names a frame without its displacement, so that equal
// functions are equal: "MyCustomDll!OpenClassesKey", else "MyCustomDll+0x1543".
func functionName(l symbol.Location) string {
	if l.Function != "" {
		l.Displacement = 0
	}
	return l.String()
}

// threadName writes a thread, and its process if that is another one.
func threadName(t *htrace.Trace, c htrace.ThreadCount) string {
	s := "thread " + hexNumber(c.ThreadID)
	if c.ProcessID != t.ProcessID {
		s += " of process " + hexNumber(c.ProcessID)
	}
	return s
}
