package leaks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
)

func outstanding(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		g := &p.Kinds[i]
		o := g.Opener
		if o == nil || o.Opens < minOutstanding && o.grown() < minGrowth || o.KeptShare() < minKeptShare || o.Culprit.Kind == htrace.CulpritSystem ||
			o.Culprit.Kind == htrace.CulpritNone || o.grown() < minGrowth && p.acquitted(g) {
			continue
		}
		s := fmt.Sprintf("%s: %s opened %s, and %s are still open", g.Label(), o.Place(), words.Count(o.AllOpens), words.Count(o.Opens))
		if o.grown() >= minGrowth {
			s += fmt.Sprintf(", %s more than in %s", words.Count(o.grown()), o.Earlier)
		}
		findings = append(findings, Finding{Severity: SeveritySuspect, Group: g, Sentence: s})
	}
	return findings
}

func exitedThreads(p *Process) []Finding {
	return p.exited("Thread", exitedThreadsCount, func(g *Group) (what, next string) {
		switch {
		case g.Objects.Own > g.Objects.Foreign:
			return "threads of the process itself that have exited",
				"close the handle that CreateThread, _beginthreadex or OpenThread returned, once it is no longer needed"
		case g.Objects.Foreign > g.Objects.Own:
			return "threads of other processes that have exited",
				"close the handle that CreateProcess (PROCESS_INFORMATION.hThread) or OpenThread returned, once it is no longer needed"
		}
		return "threads that have exited", "close the handle that CreateThread, OpenThread or CreateProcess (PROCESS_INFORMATION.hThread) returned, once it is no longer needed"
	})
}

func exitedProcesses(p *Process) []Finding {
	return p.exited("Process", deadProcessesCount, func(*Group) (what, next string) {
		return "processes that have exited",
			"close the handle that CreateProcess or OpenProcess returned, once the process has ended; until then Windows keeps what is left of it"
	})
}

// exited looks at the handles of a type whose objects have exited.
func (p *Process) exited(typ string, limit uint64, explain func(*Group) (what, next string)) (findings []Finding) {
	for i := range p.Kinds {
		g := &p.Kinds[i]
		n := g.Last()
		if g.Type != typ || g.State != "exited" || n < exitedShown {
			continue
		}
		what, next := explain(g)
		f := Finding{Severity: SeverityInfo, Group: g, Next: say(next)}
		if n >= limit && !p.acquitted(g) {
			f.Severity = SeveritySuspect
		}
		f.Sentence = fmt.Sprintf("%s are to %s", words.Plural(n, "handle"), what)
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

// manyOfAll remarks on a process that has far more handles than most, of types
// none of which stands out.
func manyOfAll(p *Process) []Finding {
	n, many := p.Total.Last(), 0
	for i := range p.Types {
		if t := &p.Types[i]; t.Last() >= manyTypeTimes*usualCount(t.Type) {
			many++
		}
	}
	if n < manyHandles && many < manyTypes {
		return nil
	}
	f := Finding{Severity: SeverityInfo, Next: p.singleNext()}
	f.Sentence = fmt.Sprintf("%s are far more than most processes have", words.Plural(n, "handle"))
	if many > 0 {
		f.Sentence += fmt.Sprintf("; of %s there are several times as many as a busy process has", words.Plural(many, "type"))
	}
	for i := range p.Types {
		if t := &p.Types[i]; t.Last() >= manyTypeTimes*usualCount(t.Type) {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s, a busy process has seldom more than %s", words.Type(t.Type), words.Count(t.Last()), words.Count(usualCount(t.Type))))
		}
	}
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

// innocent says of groups that have grown, or that are large and swing, why
// they are not accused. A group that grows is never passed over in silence.
func innocent(p *Process) (findings []Finding) {
	for i := range p.Kinds {
		g := &p.Kinds[i]
		why, next := p.whyInnocent(g)
		if why == "" {
			continue
		}
		f := Finding{Severity: SeverityInfo, Group: g, Sentence: g.Label() + ": " + why, Next: say(next)}
		f.Evidence = []string{fmt.Sprintf("%s (%s)", g.row(), cmp.Or(string(g.judged.trend), string(g.Shape)))}
		if g.Held != nil {
			f.Evidence = append(f.Evidence, g.Held.String())
		}
		findings = append(findings, f)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(b.Group.Net(), a.Group.Net()) })
	if more := len(findings) - innocentsShown; more > 0 {
		findings = append(findings[:innocentsShown], Finding{
			Severity: SeverityInfo, Sentence: words.Plural(more, "more group") + " have grown, or swing, without being accused",
			Next: say("see all of them: dumpscan diff of the first and the last dump"),
		})
	}
	return findings
}

// whyInnocent explains the growth or the swinging of a group that is not
// accused; "" if there is nothing to explain.
func (p *Process) whyInnocent(g *Group) (why, next string) {
	if g.judged.accuses() {
		return "", "" // accused, or two dumps show too little to accuse it
	}
	const wait = "nothing, unless it grows in the dumps to come"
	switch g.judged.trend {
	case TrendStopped:
		return "no leak, it " + p.grew(g, "grew") + " and has stopped", wait
	case TrendFell:
		return "no leak, it goes up and comes down again", wait
	case TrendRelabelled:
		return fmt.Sprintf("no leak, re-labelled: it %s, and others of its type became fewer by as many", p.grew(g, "grew")), wait
	case TrendLoad:
		return fmt.Sprintf("more are open at a time, but they do not stay: it %s, and hardly any of that is left in the next dump, as when a load grows", p.grew(g, "rose")), wait
	case TrendMoved:
		return "no leak, handles that were there before: their objects have changed their state", wait
	case TrendNoise:
		return fmt.Sprintf("it %s, as handles that come and go may do by chance (a rise like this: %s)", p.grew(g, "rose"), words.Percent(g.judged.p)),
			"take more dumps if it goes on rising"
	}
	swing := map[Shape]string{
		ShapeSaturating: "grew ever more slowly, as a cache does that fills",
		ShapeSawtooth:   "goes up and comes down again",
		ShapeBurst:      "rose and drained again",
		ShapeStep:       "rose once and has not grown since",
	}[g.Shape]
	if swing == "" || g.high()-g.low() < innocentRange {
		return "", ""
	}
	return "no leak, it " + swing, wait
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
