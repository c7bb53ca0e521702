package leaks

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// standsOut reports whether growth is more than the coming and going of
// handles.
func (g *Group) standsOut() bool {
	t := g.Turnover
	return float64(g.Net()) >= scatterTimes*math.Sqrt(float64(t.Opened+t.Closed))
}

// stays reports whether the handles that make up the growth stay open, in
// contrast to those of a load that grows.
func (g *Group) stays() bool {
	t := g.Turnover
	if float64(t.Gone) <= maxGone*float64(t.Born) {
		return true
	}
	if len(g.Counts) <= fewDumps {
		return false
	}
	even := float64(g.Net()) * float64(t.EarlyAt) / float64(len(g.Counts)-1)
	return float64(t.Kept) >= minKept*max(even, float64(g.Counts[t.EarlyAt])-float64(g.Counts[0]))
}

// moved reports whether the growth comes from handles that were there before,
// and whose objects have changed their state.
func (g *Group) moved() bool {
	return float64(g.Turnover.Opened) < minNew*float64(g.Net())
}

func (g *Group) steadyLeak() bool {
	return g.Shape == ShapeSteady && g.Net() >= minSteady && g.standsOut() && g.stays() && !g.moved()
}

func (g *Group) plainRise() bool {
	t := g.Turnover
	if g.Shape != ShapeRise && g.Shape != ShapeJump || g.Net() < minRise || !g.standsOut() || g.moved() ||
		float64(t.Closed) > maxGone*float64(t.Opened) {
		return false
	}
	times := float64(g.Last()) / float64(max(g.First(), 1))
	return times >= minRiseTimes || times >= bigRiseTimes && g.Net() >= bigRise || g.sameAgain()
}

// oneObject reports whether all handles of the group lead to one object. The
// name of a file says less: each open makes an object of its own, and a socket
// bears the name of its driver.
func (g *Group) oneObject() bool {
	return g.Kinds == 0 && g.Name != "" && !g.Merged && g.Type != "File"
}

// sameAgain reports whether a rise is by handles to one object, of which
// hardly one was closed.
func (g *Group) sameAgain() bool {
	return g.oneObject() && float64(g.Turnover.Closed) <= maxClosedShare*float64(g.Turnover.Opened)
}

func steadyGrowth(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		if g := &p.Kinds[i]; g.steadyLeak() {
			findings = append(findings, p.steadyFinding(g))
		}
	}
	return findings
}

func (p *Process) steadyFinding(g *Group) Finding {
	f := Finding{Severity: SeveritySuspect, Group: g, Next: p.growthNext(g)}
	if g.Net() >= sureSteady {
		f.Severity = SeverityLeak
	}
	f.Sentence = fmt.Sprintf("%s: %s", g.Label(), p.grew(g, "grew steadily"))
	f.Evidence = p.growthEvidence(g)
	return f
}

func growth(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		if g := &p.Kinds[i]; g.plainRise() {
			findings = append(findings, p.riseFinding(g))
		}
	}
	return findings
}

func (p *Process) riseFinding(g *Group) Finding {
	f := Finding{Severity: SeveritySuspect, Group: g, Evidence: p.growthEvidence(g)}
	f.Sentence = fmt.Sprintf("%s: %s", g.Label(), p.grew(g, "grew"))
	switch {
	case g.Shape == ShapeRise && g.sameAgain():
		f.Severity = SeverityLeak
		f.Evidence = append(f.Evidence, "all of them are handles to one object, so that they are no cache, and hardly one was closed; it rests on two dumps, a third makes it surer")
		f.Next = p.growthNext(g)
	case g.Shape == ShapeRise:
		f.Evidence = append(f.Evidence, "two dumps do not distinguish a leak from a cache that fills or a burst that will drain")
		f.Next = say("take a third dump of the same process after as much time again, and give all three to this command")
	default:
		f.Evidence = append(f.Evidence, "all of it came in the last interval; a burst that will drain looks the same")
		f.Next = say("take another dump of the same process, and give it to this command with the others")
	}
	return f
}

// typeGrowth looks at the types whose growth is not that of groups which grow
// by themselves; no others have a Turnover.
func typeGrowth(p *Process) (findings []Finding) {
	for i := range p.Types {
		t := &p.Types[i]
		if t.Kinds < 2 || t.Turnover == nil || !t.steadyLeak() && !t.plainRise() {
			continue
		}
		f := p.riseFinding
		if t.steadyLeak() {
			f = p.steadyFinding
		}
		found := f(t)
		found.Evidence = append(found.Evidence, fmt.Sprintf("spread over %s groups, none of which explains it alone", words.Count(t.Kinds)))
		findings = append(findings, found)
	}
	return findings
}

// grew is "grew from 0 to 700 handles in 4 s".
func (p *Process) grew(g *Group, verb string) string {
	s := fmt.Sprintf("%s from %s to %s handles", verb, words.Count(g.First()), words.Count(g.Last()))
	if d := p.Series.Span(); d > 0 {
		s += " in " + words.Duration(d)
	}
	return s
}

func (p *Process) growthEvidence(g *Group) []string {
	var e []string
	add := func(format string, args ...any) { e = append(e, fmt.Sprintf(format, args...)) }
	counts := make([]string, len(g.Counts))
	for i, c := range g.Counts {
		counts[i] = words.Count(c)
	}
	add("counts in %d dumps: %s", len(counts), strings.Join(counts, ", "))
	if g.Kinds == 0 {
		add("granted access %s", accessWords(g.Type, g.GrantedAccess))
	}
	if r := g.Rate; r != nil {
		add("%s an hour, with 95 %% confidence %s to %s (%s)", words.Decimal(r.PerHour), words.Decimal(r.Low), words.Decimal(r.High), r.Basis)
	} else {
		add("no rate: the time between the dumps is not known")
	}
	t := g.Turnover
	add("%s are new since the first dump and still there in the last, %s of the first are gone%s",
		words.Count(t.Opened), words.Count(t.Closed), firstValues(t.Survivors))
	if t.Early > 0 && len(g.Counts) > 2 {
		add("of %s that were new in %s, %s are in all dumps since", words.Count(t.Early), p.Series.Snapshots[t.EarlyAt].File, words.Count(t.Kept))
	}
	if t.Reused > 0 {
		add("values of the new ones that were handles to other objects in the first dump: %s", words.Count(t.Reused))
	}
	if left, ok := p.timeLeft(g.Rate); ok {
		add("at this rate %s handles are reached in %s", words.Count(p.Limit), left)
	}
	if q := p.quotaGrowth(); q != "" {
		add("%s", q)
	}
	return e
}

// firstValues shows some handle values.
func firstValues(values []uint64) string {
	if len(values) == 0 {
		return ""
	}
	return ": " + words.HexList(values, 5)
}

// timeLeft is how long it takes to reach the limit.
func (p *Process) timeLeft(r *Rate) (left string, ok bool) {
	total := p.Total.Last()
	if r == nil || r.PerHour <= 0 || total >= p.Limit {
		return "", false
	}
	hours := float64(p.Limit-total) / r.PerHour
	if hours > mostHoursLeft {
		return "", false
	}
	return words.Duration(time.Duration(hours * float64(time.Hour))), true
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
