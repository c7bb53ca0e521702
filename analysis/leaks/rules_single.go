package leaks

import (
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// acquitted reports whether later dumps clear a group that is large: at the
// mean rate since the process started it should have grown, and it has not.
func (p *Process) acquitted(g *Group) bool {
	if p.Single() {
		return false
	}
	d, up := p.Series.Span(), p.Series.First().Info.Uptime
	if d == 0 {
		return len(p.Series.Snapshots) > 2 && g.Net() < flatRange
	}
	if up == 0 {
		return d >= time.Hour && !g.judged.accuses()
	}
	expected := float64(g.First()) * float64(d) / float64(up)
	return expected >= acquitGrowth && float64(g.Net()) < acquitShare*expected
}

func sameObject(p *Process) (findings []Finding) {
	total := p.Total.Last()
	for i := range p.Kinds {
		g := &p.Kinds[i]
		n := g.Last()
		if !g.oneObject() || n < sameObjectCount || 2*n <= total || p.acquitted(g) {
			continue
		}
		f := Finding{Severity: SeveritySuspect, Group: g, Next: p.singleNext()}
		to := "this one object"
		if g.Objects.Same > 0 && !g.named() {
			n, to = g.Objects.Same, "one object"
			f.Evidence = append(f.Evidence, g.Objects.Sign)
		}
		f.Sentence = fmt.Sprintf("%s: %s of %s handles (%s) are to %s", g.Label(), words.Count(n), words.Count(total), words.Share(n, total), to)
		f.Evidence = append(f.Evidence, "granted access "+accessWords(g.Type, g.GrantedAccess)+" in all of them")
		f.Evidence = append(f.Evidence, p.sinceStart(n)...)
		findings = append(findings, f)
	}
	return findings
}

func dominantType(p *Process) (findings []Finding) {
	total := p.Total.Last()
	for i := range p.Types {
		t := &p.Types[i]
		n, usual := t.Last(), usualCount(t.Type)
		majority := 2*n > total && n >= dominantTimes*usual
		if !majority && n < extremeTimes*usual || p.acquitted(t) {
			continue
		}
		f := Finding{Severity: SeveritySuspect, Group: t, Next: p.singleNext()}
		f.Sentence = fmt.Sprintf("%s: %s of %s handles (%s)", words.Type(t.Type), words.Count(n), words.Count(total), words.Share(n, total))
		f.Evidence = append(p.largest(t, &f), fmt.Sprintf("a busy process has seldom more than %s of this type", words.Count(usual)))
		f.Evidence = append(f.Evidence, p.sinceStart(n)...)
		if q := p.quotaNow(); q != "" {
			f.Evidence = append(f.Evidence, q)
		}
		findings = append(findings, f)
	}
	return findings
}

// largest describes the largest groups of a type. If one has most of the
// type's handles, the finding is about that group.
func (p *Process) largest(t *Group, f *Finding) (evidence []string) {
	const shown = 3
	top := make([]*Group, 0, shown+1)
	for i := range p.Kinds {
		g := &p.Kinds[i]
		if g.Type != t.Type {
			continue
		}
		at := len(top)
		for at > 0 && top[at-1].Last() < g.Last() {
			at--
		}
		top = append(top[:at], append([]*Group{g}, top[at:]...)...)
		top = top[:min(len(top), shown)]
	}
	for _, g := range top {
		evidence = append(evidence, fmt.Sprintf("%s of them: %s, access %s", words.Count(g.Last()), g.Label(), accessWords(g.Type, g.GrantedAccess)))
	}
	if len(top) > 0 && float64(top[0].Last()) >= groupShare*float64(t.Last()) {
		f.Group = top[0]
	}
	return evidence
}

// sinceStart is the mean rate since the process was started.
func (p *Process) sinceStart(n uint64) []string {
	up := p.Series.Last().Info.Uptime
	if up < time.Second {
		return []string{"how long the process has run is not in the dump, so there is no mean rate"}
	}
	perSecond := float64(n) / up.Seconds()
	rate := words.Decimal(perSecond) + " a second"
	if perSecond < 1 {
		rate = words.Decimal(perSecond*3600) + " an hour"
	}
	evidence := []string{fmt.Sprintf("opened in %s: %s on average", words.Duration(up), rate)}
	return append(evidence, p.endEvidence(&Rate{PerHour: perSecond * 3600})...)
}

func (p *Process) singleNext() analysis.Step {
	if p.Single() {
		return say("one dump does not distinguish a leak from a process that needs so many handles: take another of the same process later, and give both to this command")
	}
	return say("the dumps lie too close together to show growth: take another one later")
}
