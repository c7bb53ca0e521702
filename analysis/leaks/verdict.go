package leaks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// verdictOf puts the findings into one sentence.
func verdictOf(r *Report) Verdict {
	v := Verdict{Severity: SeverityInfo}
	var worst []*Finding
	for i := range r.Findings {
		f := &r.Findings[i]
		if i == 0 {
			v.Severity = f.Severity
		}
		if f.Severity == v.Severity {
			worst = append(worst, f)
		}
	}
	switch v.Severity {
	case SeverityLeak:
		v.Leak = true
		v.Sentence = r.accuse(worst, "leaks handles")
	case SeveritySuspect:
		v.Sentence = r.accuse(worst, "may leak handles")
	default:
		if files := r.partial(); len(files) > 0 {
			v.Severity = SeverityUnknown
			v.Sentence = fmt.Sprintf("Cannot tell whether handles leak: not all handles of %s could be read. In what could: %s.", words.List(files...), r.counts())
		} else {
			v.Sentence = r.acquit()
		}
	}
	return v
}

// accuse names the processes and their largest finding, the largest of all
// first.
func (r *Report) accuse(worst []*Finding, verb string) string {
	place := func(p *Process) int {
		return slices.IndexFunc(worst, func(f *Finding) bool { return f.Process == p.Series.ProcessIdentity })
	}
	processes := slices.SortedStableFunc(slices.Values(r.Processes), func(p, q *Process) int { return cmp.Compare(place(p), place(q)) })
	var parts []string
	for _, p := range processes {
		var mine []*Finding
		for _, f := range worst {
			if f.Process == p.Series.ProcessIdentity {
				mine = append(mine, f)
			}
		}
		if len(mine) == 0 {
			continue
		}
		s := fmt.Sprintf("%s %s: %s", p.Series, verb, mine[0].Sentence)
		if g := mine[0].Group; g != nil && g.Opener != nil && mine[0].Rule != "outstanding-opens" { // whose sentence names it
			if o := g.Opener; 10*uint64(o.Opens) >= 9*o.Of {
				s += ", opened by " + o.Place()
			} else {
				s += fmt.Sprintf(", %s of them opened by %s", words.Count(o.Opens), o.Place())
			}
		}
		if g := mine[0].Group; g != nil && g.Rate != nil {
			s += fmt.Sprintf(", %s an hour", words.Decimal(g.Rate.PerHour))
		}
		if len(mine) > 1 {
			s += fmt.Sprintf("; %s", words.Plural(len(mine)-1, "more group")+" too")
		}
		if suspects := r.suspects(p); mine[0].Severity == SeverityLeak && suspects > 0 {
			s += fmt.Sprintf("; %s may leak", words.Plural(suspects, "other group"))
		}
		parts = append(parts, s+" ("+p.basis()+")")
	}
	return strings.Join(parts, "; ") + "."
}

// suspects counts the findings of a process that are suspicions.
func (r *Report) suspects(p *Process) int {
	n := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity == SeveritySuspect && f.Process == p.Series.ProcessIdentity {
			n++
		}
	}
	return n
}

// acquit says that nothing was found.
func (r *Report) acquit() string {
	if len(r.Processes) == 0 {
		return "No dump, no verdict."
	}
	what := "No handle leak found"
	if accepted := r.accepted(); accepted > 0 {
		what = fmt.Sprintf("No handle leak found but %s that %s accepted as known",
			words.Plural(accepted, "finding"), map[bool]string{true: "was", false: "were"}[accepted == 1])
	}
	return what + ": " + r.counts() + "."
}

// counts says how many handles the processes have, and what that rests on.
func (r *Report) counts() string {
	var parts []string
	for _, p := range r.Processes {
		parts = append(parts, fmt.Sprintf("%s in %s (%s)", words.Plural(p.Total.Last(), "handle"), p.Series, p.basis()))
	}
	return strings.Join(parts, "; ")
}

// partial names the dumps that could not be read whole.
func (r *Report) partial() (files []string) {
	for _, p := range r.Processes {
		for _, s := range p.Partial {
			files = append(files, s.File)
		}
	}
	return files
}

// accepted counts the findings above info that were suppressed.
func (r *Report) accepted() int {
	n := 0
	for i := range r.Suppressed {
		if r.Suppressed[i].Severity != SeverityInfo {
			n++
		}
	}
	return n
}

// basis says what a verdict rests on.
func (p *Process) basis() string {
	n := len(p.Series.Snapshots)
	if n == 1 {
		return "one dump, which can show a suspicion at most"
	}
	s := fmt.Sprintf("%d dumps", n)
	if d := p.Series.Span(); d > 0 {
		s += " over " + words.Duration(d)
	}
	return s
}
