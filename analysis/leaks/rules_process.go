package leaks

import (
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
)

func outstanding(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		g := &p.Kinds[i]
		o := g.Opener
		if o == nil || o.Opens < minOutstanding || o.KeptShare() < minKeptShare || o.Culprit.Kind == htrace.CulpritSystem ||
			o.Culprit.Kind == htrace.CulpritNone || p.acquitted(g) {
			continue
		}
		findings = append(findings, Finding{
			Severity: SeveritySuspect, Group: g,
			Sentence: fmt.Sprintf("%s: %s opened %s, and %s are still open", g.Label(), o.Culprit.Name(), words.Count(o.AllOpens), words.Count(o.Opens)),
		})
	}
	return findings
}

func exited(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		g := &p.Kinds[i]
		n := g.Last()
		if g.State != "exited" || n < exitedShown {
			continue
		}
		what, limit := "threads", uint64(exitedThreadsCount)
		next := "close the handle that CreateThread, OpenThread or CreateProcess (PROCESS_INFORMATION.hThread) returned, once it is no longer needed"
		if g.Type == "Process" {
			what, limit = "processes", deadProcessesCount
			next = "close the handle that CreateProcess or OpenProcess returned, once the process has ended; until then Windows keeps what is left of it"
		}
		f := Finding{Severity: SeverityInfo, Group: g, Next: say(next)}
		if n >= limit && !p.acquitted(g) {
			f.Severity = SeveritySuspect
		}
		f.Sentence = fmt.Sprintf("%s handles are to %s that have exited", words.Count(n), what)
		f.Evidence = []string{"granted access " + accessWords(g.Type, g.GrantedAccess)}
		findings = append(findings, f)
	}
	return findings
}

func abandoned(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		g := &p.Kinds[i]
		if g.State != "abandoned" || g.Last() == 0 {
			continue
		}
		findings = append(findings, Finding{
			Severity: SeverityInfo, Group: g,
			Sentence: fmt.Sprintf("%s (%s): the owner exited without releasing it", g.Label(), words.Plural(g.Last(), "handle")),
			Next:     say("no leak by itself, but what the mutex protects may be in disorder: find the thread that exits while it holds it"),
		})
	}
	return findings
}

func handleLimit(p *Process) []Finding {
	n := p.Total.Last()
	if float64(n) < nearLimit*float64(p.Limit) {
		return nil
	}
	f := Finding{Severity: SeveritySuspect, Next: analysis.Step{
		Text: "look at the largest groups",
		Args: []string{"dumpscan", "handles", dumpArg(p.Series.Last().File), "--group-by", "type,name,access"},
	}}
	f.Sentence = fmt.Sprintf("%s handles, of at most %s", words.Count(n), words.Count(p.Limit))
	return []Finding{f}
}

func poolQuota(p *Process) []Finding {
	m := p.Series.Last().Memory
	if m == nil || m.QuotaPagedPoolUsage < quotaShown && m.QuotaNonPagedPoolUsage < quotaShown {
		return nil
	}
	f := Finding{Severity: SeverityInfo, Sentence: p.quotaNow()}
	f.Evidence = []string{"at most, so far: " + pools(m.QuotaPeakPagedPoolUsage, m.QuotaPeakNonPagedPoolUsage)}
	if q := p.quotaGrowth(); q != "" {
		f.Evidence = append(f.Evidence, q)
	}
	f.Next = say("when the paged pool is empty Windows logs event 2020 of source Srv, for the nonpaged pool event 2019 " +
		"(https://docs.microsoft.com/en-us/archive/blogs/ntdebugging/understanding-pool-consumption-and-event-id-2020-or-2019)")
	return []Finding{f}
}

// quotaNow says what the process is charged, or "" if that is not in the dump.
func (p *Process) quotaNow() string {
	m := p.Series.Last().Memory
	if m == nil {
		return ""
	}
	return "the process is charged for " + pools(m.QuotaPagedPoolUsage, m.QuotaNonPagedPoolUsage)
}

// quotaGrowth says how the charge has grown over the series.
func (p *Process) quotaGrowth() string {
	a, b := p.Series.First().Memory, p.Series.Last().Memory
	if a == nil || b == nil || p.Single() {
		return ""
	}
	return fmt.Sprintf("pool charged to the process: paged %s to %s, nonpaged %s to %s",
		words.Bytes(a.QuotaPagedPoolUsage), words.Bytes(b.QuotaPagedPoolUsage), words.Bytes(a.QuotaNonPagedPoolUsage), words.Bytes(b.QuotaNonPagedPoolUsage))
}

func pools(paged, nonpaged uint64) string {
	return fmt.Sprintf("%s of paged and %s of nonpaged pool", words.Bytes(paged), words.Bytes(nonpaged))
}

// innocent explains the growth and the size of groups that do not leak.
func innocent(p *Process) (findings []Finding) {
	why := map[Shape]string{
		ShapeSaturating: "grew ever more slowly, as a cache does that fills",
		ShapeSawtooth:   "goes up and comes down again",
		ShapeBurst:      "rose and drained again",
		ShapeStep:       "rose once and has not grown since",
	}
	for i := range p.Kinds {
		g := &p.Kinds[i]
		if g.high()-g.low() < innocentRange || why[g.Shape] == "" {
			continue
		}
		counts := make([]string, len(g.Counts))
		for i, c := range g.Counts {
			counts[i] = words.Count(c)
		}
		findings = append(findings, Finding{
			Severity: SeverityInfo, Group: g,
			Sentence: fmt.Sprintf("%s: no leak, it %s", g.Label(), why[g.Shape]),
			Evidence: []string{fmt.Sprintf("counts in %d dumps: %s (%s)", len(counts), strings.Join(counts, ", "), g.Shape)},
			Next:     say("nothing, unless it grows in the dumps to come"),
		})
	}
	return findings
}

func restarted(p *Process) []Finding {
	e := p.Series.Earlier
	if e == nil {
		return nil
	}
	return []Finding{{
		Severity: SeverityInfo,
		Sentence: fmt.Sprintf("%s was restarted: %s", p.Series.Name(), strings.Join(e.Differences(p.Series.ProcessIdentity), ", ")),
		Evidence: []string{"dumps from before and after a restart are not compared with each other"},
		Next:     say("take the next dumps without a restart in between; --force compares them nevertheless"),
	}}
}
