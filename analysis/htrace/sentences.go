package htrace

import (
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// Summary says in one sentence what the trace holds.
func (t *Trace) Summary() string {
	s := fmt.Sprintf("%s: %s, %s, %s", words.Plural(t.Len(), "operation"), words.Plural(t.Opens, "open"),
		words.Plural(t.Closes, "close"), words.Plural(t.BadRefs, "bad reference"))
	if t.Others > 0 {
		s += fmt.Sprintf(", %s of unknown kind", words.Count(t.Others))
	}
	return s + fmt.Sprintf("; %s never closed", words.Plural(len(t.Outstanding), "open"))
}

// OrderSentence says in which order the dump stores its operations, and what
// that rests on. The figures behind it are in [OrderEvidence]; they are part of
// the sentence only where they speak against the order.
func (t *Trace) OrderSentence() string {
	this, other, option := t.Evidence.OldestFirst.sum(), t.Evidence.NewestFirst.sum(), "--newest-first"
	if t.Order == NewestFirst {
		this, other, option = other, this, "--oldest-first"
	}
	s := fmt.Sprintf("the dump stores the %s operation first", t.Order.first())
	switch t.Evidence.Reason {
	case OrderByRequest:
		if s += ", as requested"; this > other {
			s += fmt.Sprintf(", although its records contradict each other %s then, and the other way %s", words.Times(this), words.Times(other))
		}
		return s
	case OrderByOverlap:
		return s + ": in this order the later dump continues the earlier one"
	case OrderByPair:
		return s + ", as the other dump of this process does"
	case OrderByDefault:
		return s + fmt.Sprintf(", by assumption: nothing in it says which (%s for the other)", option)
	}
	if this > 0 {
		s += fmt.Sprintf("; read the other way more of its records do not fit (%s does that)", option)
	}
	return s
}

// first is the operation that comes first in this order.
func (o Order) first() string {
	if o == NewestFirst {
		return "newest"
	}
	return "oldest"
}

// Sentence says why the culprit is not the first frame outside the operating
// system.
func (s *Split) Sentence() string {
	return fmt.Sprintf("%s opened them, as it does for several callers: this one keeps %s, the others %s",
		s.Through.Place(), s.Caller.sentence(), s.Others.sentence())
}

// sentence says how many are still open, and how many of those may be in use.
func (s Share) sentence() string {
	text := fmt.Sprintf("%s of %s", words.Count(s.Open), words.Count(s.Opens))
	switch {
	case s.Young == 0:
		return text
	case s.Young == s.Open:
		return text + ", none for longer than those that were closed"
	}
	return text + fmt.Sprintf(", %s of them for no longer than those that were closed", words.Count(s.Young))
}

// An Invocation is how a trace was asked for, for commands that go on from
// there.
type Invocation struct {
	File    string   // the dump; "" if it cannot be read again
	Options []string // of htrace: the other dump, where names come from, system modules
	Symbols []string // those of Options that say where names come from
}

// Next says how to learn more about the culprit of a group: the calls of its
// stack, or how to get the name of its function if that is not known. The step
// is empty if there is no culprit.
func (g *Group) Next(in Invocation) analysis.Step {
	var step analysis.Step
	switch {
	case g.Culprit.Kind == CulpritJIT:
		return analysis.Step{Text: fmt.Sprintf("the code at %s was made at run time; of .NET, SOS names it in WinDbg: !ip2md %s",
			g.Location, strings.TrimPrefix(g.Location.Address.String(), "0x"))}
	case !g.Culprit.InModule():
	case named(g.Location.Trust):
		step.Text = "see the calls that lead to " + g.Location.String()
		step.Args = append([]string{"dumpscan", "htrace", in.File, "--calls"}, in.Options...)
	default:
		step.Text = fmt.Sprintf("the function at %s has no name: give -y the folder of the PDB of %s, or -i that of its image; see what is missing",
			g.Location.Place(), g.Culprit.Module)
		step.Args = append([]string{"dumpscan", "symbols", in.File}, in.Symbols...)
	}
	if in.File == "" {
		step.Args = nil
	}
	return step
}

// named reports whether names of this origin are those of functions, and not a
// guess.
func named(t symbol.Trust) bool {
	return t == symbol.TrustPDB || t == symbol.TrustSym || t == symbol.TrustDWARF
}
