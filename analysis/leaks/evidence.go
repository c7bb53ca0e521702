package leaks

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// grew is "grew from 0 to 700 handles in 4 s".
func (p *Process) grew(g *Group, verb string) string {
	s := fmt.Sprintf("%s from %s to %s handles", verb, words.Count(g.First()), words.Count(g.Last()))
	if d := p.Series.Span(); d > 0 {
		s += " in " + words.Duration(d)
	}
	return s
}

// row lists the counts in all dumps.
func (g *Growth) row() string {
	counts := make([]string, len(g.Counts))
	for i, c := range g.Counts {
		counts[i] = words.Count(c)
	}
	return fmt.Sprintf("counts in %d dumps: %s", len(counts), strings.Join(counts, ", "))
}

func (p *Process) growthEvidence(g *Group) []string {
	e := []string{g.row()}
	add := func(format string, args ...any) { e = append(e, fmt.Sprintf(format, args...)) }
	if g.Kinds == 0 {
		add("granted access %s", accessWords(g.Type, g.GrantedAccess))
	}
	if g.Rate != nil {
		e = append(e, g.Rate.String())
	} else {
		add("no rate: the time between the dumps is not known")
	}
	if t := g.Turnover; t != nil {
		e = append(e, p.turnoverEvidence(t, g.Held)...)
	}
	e = append(e, p.endEvidence(g.Rate)...)
	if q := p.quotaGrowth(); q != "" {
		add("%s", q)
	}
	return e
}

// turnoverEvidence says what the values of the handles show. A value that was
// closed and used again for a like object looks as if it had stayed, so that
// nothing is said of the handles themselves but what their holders show.
func (p *Process) turnoverEvidence(t *Turnover, held *Held) []string {
	about := ""
	if t.OneOf > 1 {
		about = fmt.Sprintf("about (one handle in %d was followed) ", t.OneOf)
	}
	verb := "are"
	if t.Opened == 1 {
		verb = "is"
	}
	first := fmt.Sprintf("%s%s %s new since the first dump and there in the last, and %s of the first are gone",
		about, words.Plural(t.Opened, t.noun()), verb, words.Count(t.Closed))
	if len(t.Survivors) > 0 {
		first += ": " + words.HexList(t.Survivors, 5)
	}
	e := []string{first}
	if t.Early > 0 && len(p.Series.Snapshots) > 2 {
		early := fmt.Sprintf("of %s%s that are new in %s, %s are in all dumps since",
			about, words.Plural(t.Early, t.noun()), p.Series.Snapshots[t.EarlyAt].File, words.Count(t.Kept))
		if h := t.Held; h != nil && h.Same+h.Replaced > 0 {
			early += ": " + owners.KeptClause(h.Kept, h.Same, h.Replaced)
		}
		e = append(e, early)
	}
	if held != nil {
		e = append(e, held.String())
	}
	if t.Gone > 0 && !t.Identified && (held == nil || held.Unknown() > 0) {
		e = append(e, "values are used again: one that was closed and opened for a like object between two dumps looks as if it had stayed")
	}
	return e
}

// String says it in a sentence without a full stop.
func (h *Held) String() string {
	return owners.KeptSentence(fmt.Sprintf("in %s and %s", h.Older, h.Newer), h.Kept, h.Same, h.Replaced)
}

// noun is what is followed: a handle, or no more than its value.
func (t *Turnover) noun() string {
	if t.Identified {
		return "handle"
	}
	return "value"
}

// String writes the rate with its interval.
func (r *Rate) String() string {
	to := words.Decimal(r.High)
	if math.IsInf(r.High, 1) {
		return fmt.Sprintf("%s, with 95 %% confidence %s or more: the time stamps are whole seconds (%s)", words.Rate(r.PerHour, time.Hour), words.Decimal(r.Low), r.Basis)
	}
	return fmt.Sprintf("%s, with 95 %% confidence %s to %s (%s)", words.Rate(r.PerHour, time.Hour), words.Decimal(r.Low), to, r.Basis)
}

// endEvidence says what is used up first at this rate, and when: a kernel pool,
// or what handles a process can have.
func (p *Process) endEvidence(r *Rate) []string {
	hours := math.Inf(1)
	if total := p.Total.Last(); r != nil && r.PerHour > 0 && total < p.Limit {
		hours = float64(p.Limit-total) / r.PerHour
	}
	if end := p.poolEnd(); end != nil && end.hours <= hours {
		return []string{end.String()}
	}
	if hours > mostHoursLeft {
		return nil
	}
	return []string{fmt.Sprintf("at this rate %s handles are reached in %s", words.Count(p.Limit), words.Duration(time.Duration(hours*float64(time.Hour))))}
}

// growthNext is the step after a leak was found.
func (p *Process) growthNext(g *Group) analysis.Step {
	if g.Turnover == nil || len(g.Turnover.Survivors) == 0 {
		return say(analysis.CaptureTraces)
	}
	newest := g.Turnover.Survivors[len(g.Turnover.Survivors)-1]
	return analysis.Step{
		Text: "to see who opens them, " + analysis.CaptureTraces + "; look at one that stays",
		Args: []string{"dumpscan", "handles", dumpArg(p.Series.Last().File), fmt.Sprintf("%x", newest), "f"},
	}
}

func accessWords(typ string, mask uint32) string {
	names := analysis.DecodeAccess(typ, mask).Names()
	if len(names) == 0 {
		return words.Hex(mask)
	}
	return fmt.Sprintf("%s (%s)", words.Hex(mask), strings.Join(names, ", "))
}
