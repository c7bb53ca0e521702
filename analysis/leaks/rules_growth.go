package leaks

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// steadyGrowth names the groups that were judged by three dumps and more.
func steadyGrowth(p *Process) (findings []Finding) {
	if len(p.Series.Snapshots) < 3 {
		return nil
	}
	for i := range p.Kinds {
		g := &p.Kinds[i]
		if !g.judged.accuses() {
			continue
		}
		once := ""
		if g.judged.trend == TrendSlows && g.sameAgain() {
			g.judged.trend, g.judged.severity = TrendGrows, SeverityLeak
			once = "it grows more slowly than at first, but all of them are handles to one object, so that they are no cache"
		}
		f := p.growthFinding(g)
		if once != "" {
			f.Evidence = append(f.Evidence, once)
		}
		findings = append(findings, f)
	}
	return findings
}

func (p *Process) growthFinding(g *Group) Finding {
	f := Finding{Severity: g.judged.severity, Group: g, Next: p.growthNext(g), Evidence: p.growthEvidence(g)}
	verb := "grew"
	if g.judged.trend == TrendGrows && g.steadily(p.Series.Hours) {
		verb = "grew steadily"
	}
	f.Sentence = fmt.Sprintf("%s: %s", g.Label(), p.grew(g, verb))
	if why := g.judged.doubt(); why != "" {
		f.Evidence = append(f.Evidence, why)
		f.Next = say("take more dumps of the same process, as far apart again, and give all of them to this command")
	}
	return f
}

// steadily reports whether the rates of all intervals lie between a third of the
// mean rate and three times that.
func (g *Group) steadily(hours []float64) bool {
	n := len(g.Counts) - 1
	mean := float64(g.Net()) / (at(hours, n) - at(hours, 0))
	for i := range n {
		rate := (float64(g.Counts[i+1]) - float64(g.Counts[i])) / (at(hours, i+1) - at(hours, i))
		if 3*rate < mean || rate > 3*mean {
			return false
		}
	}
	return true
}

// doubt says why growth is no more than suspicious; "" if it is.
func (j *judgement) doubt() string {
	chance := "below 0.1 %"
	if j.p >= 0.001 {
		chance = words.Percent(j.p)
	}
	switch j.trend {
	case TrendSlows:
		return "it grows more slowly than at first, as a cache does that fills"
	case TrendJump:
		return "nearly all of it came in the last interval; a burst that will drain looks the same"
	case TrendLoad:
		return fmt.Sprintf("no more than %s of the growth stays from one dump to the next: a load that grows looks the same", words.Percent(j.kept))
	case TrendSwings:
		return "its number goes up and down by more than chance: a load that changes looks the same"
	case TrendOffset:
		return "while it grows, others become fewer: they may have taken the place of each other"
	case TrendSmall:
		return "so few handles may be opened for the first time late in the life of a process"
	case TrendFew:
		if j.p > 0 {
			return fmt.Sprintf("handles like these come and go; the chance that one of the groups rises like this by itself is %s, which so few dumps do not rule out", chance)
		}
		return "its growth is not spread over enough intervals to be sure that it goes on"
	}
	return ""
}

// growth names the groups that have plainly grown between two dumps.
func growth(p *Process) (findings []Finding) {
	if len(p.Series.Snapshots) != 2 {
		return nil
	}
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
	if g.sameAgain() && g.judged.trend != TrendRelabelled {
		f.Severity = SeverityLeak
		f.Evidence = append(f.Evidence, "all of them are handles to one object, so that they are no cache, and hardly one was closed; it rests on two dumps, a third makes it surer")
		f.Next = p.growthNext(g)
		return f
	}
	f.Evidence = append(f.Evidence, "two dumps do not distinguish a leak from a cache that fills or a burst that will drain")
	f.Next = say("take a third dump of the same process after as much time again, and give all three to this command")
	return f
}

// plainRise reports whether two dumps show growth that a process at work does
// not have.
func (g *Group) plainRise() bool {
	t := g.Turnover
	if t == nil || g.Net() < minRise || !g.judged.accuses() || float64(t.Closed) > maxGone*float64(t.Opened) {
		return false
	}
	times := float64(g.Last()) / float64(max(g.First(), 1))
	return times >= minRiseTimes || times >= bigRiseTimes && g.Net() >= bigRise || g.sameAgain()
}

// oneObject reports whether the handles of the group lead to one object, by
// its name or by what else the dump says of it.
func (g *Group) oneObject() bool { return g.named() || g.Objects.Same > 0 }

// named reports whether all handles lead to the object of one name. The name of
// a file says less: each open makes an object of its own, and a socket bears
// the name of its driver.
func (g *Group) named() bool {
	return g.Kinds == 0 && g.Name != "" && !g.Merged && g.Type != "File"
}

// sameAgain reports whether a rise is by handles to one object, of which
// hardly one was closed.
func (g *Group) sameAgain() bool {
	return g.oneObject() && float64(g.Turnover.Closed) <= maxClosedShare*float64(g.Turnover.Opened)
}

// typeGrowth looks at the types whose growth is not that of groups that were
// judged by themselves.
func typeGrowth(p *Process) (findings []Finding) {
	for i := range p.Types {
		t := &p.Types[i]
		two := len(p.Series.Snapshots) == 2
		if t.Kinds < 2 || !t.judged.accuses() || two && !t.plainRise() {
			continue
		}
		find := p.growthFinding
		if two {
			find = p.riseFinding
		}
		f := find(t)
		f.Evidence = append(f.Evidence, fmt.Sprintf("spread over %s, none of which explains it alone", words.Plural(t.Kinds, "group")))
		findings = append(findings, f)
	}
	return findings
}
