package leaks

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// A Rule looks at the facts about one process for one thing. It is a pure
// function; what it needs and how it errs stands in its Doc.
type Rule struct {
	Name  string
	Doc   string
	Apply func(*Process) []Finding
}

// Rules returns the rules in the order in which they are applied. Where several
// of them find the same group, the finding of the first stays, and the others
// are part of its evidence: what is surer comes first.
func Rules() []Rule {
	return []Rule{
		{"steady-growth", "Three dumps and more: a group that grows from dump to dump, and whose new handles stay. A cache that has not yet begun to slow down looks the same.", steadyGrowth},
		{"growth", "A group that has grown in the only or in the last interval: leak, burst or cache cannot be told apart yet.", growth},
		{"type-growth", "The same for all handles of a type, where no group of it explains the growth: names without a common form.", typeGrowth},
		{"same-object", "One dump: hundreds of handles to one named object, which nobody needs.", sameObject},
		{"dominant-type", "One dump: a type that holds most handles of the process, and far more than usual.", dominantType},
		{"outstanding-opens", "A handle trace: a place in the program that opens handles and closes hardly any.", outstanding},
		{"exited-threads", "Handles that are left of threads and processes that have exited.", exited},
		{"abandoned-mutants", "Mutexes whose owner exited without releasing them.", abandoned},
		{"handle-limit", "The number of handles comes near the limit.", handleLimit},
		{"pool-quota", "What the process is charged for kernel objects, the cause of the events 2019 and 2020.", poolQuota},
		{"no-leak", "Groups that have grown and do not leak, and why: cache, sawtooth, burst, step.", innocent},
		{"restarted", "The program was restarted between the dumps.", restarted},
	}
}

// applyRules runs all rules and joins what they say of the same group.
func applyRules(p *Process) []Finding {
	var all []Finding
	for _, r := range Rules() {
		for _, f := range r.Apply(p) {
			f.Rule, f.Process = r.Name, p.Series.ProcessIdentity
			i := slices.IndexFunc(all, func(o Finding) bool { return o.Group != nil && f.Group != nil && o.Group.same(f.Group) })
			if i < 0 {
				all = append(all, f)
			} else {
				all[i].Evidence = append(all[i].Evidence, f.Sentence)
			}
		}
	}
	return all
}

func (g *Group) same(o *Group) bool {
	return g.HandleKind == o.HandleKind && (g.Kinds > 0) == (o.Kinds > 0)
}

// Label names the group in a sentence: its type and name.
func (g *Group) Label() string {
	label := typeWord(g.Type)
	switch {
	case g.Kinds > 0:
		return label
	case g.Name == "":
		label += " without name"
	default:
		label += " " + g.Name
	}
	if g.State != "" {
		label += ", " + g.State
	}
	return label
}

// typeWord is a type's name, or WinDbg's word for none.
func typeWord(name string) string { return cmp.Or(name, analysis.Untyped) }

// number writes a number for people, "65,602".
func number[T ~int | ~int64 | ~uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// decimal writes a rate with as many digits as mean something.
func decimal(f float64) string {
	switch a := max(f, -f); {
	case a >= 100 && a < 1e15:
		return number(int64(f + 0.5))
	case a >= 10:
		return strconv.FormatFloat(f, 'f', 0, 64)
	default:
		return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	}
}

// share writes a part of a whole, "98.9 %".
func share(part, whole uint64) string {
	p := 100 * float64(part) / float64(max(whole, 1))
	if part < whole && p >= 99.95 {
		return "over 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// span writes a time of seconds to years in its two largest units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	var parts []string
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{365 * day, "years"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.unit; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.unit
		}
	}
	if len(parts) == 0 {
		return "under 1 s"
	}
	return strings.Join(parts, " ")
}

// shellWord quotes a file name in a command for a POSIX shell if it needs it.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$`&|;<>()*?[]{}!#~") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// place names an address. The nearest exported function is a guess where the
// address lies far behind it, and is marked as such.
func place(l symbol.Location) string {
	if l.Trust == symbol.TrustExport {
		return l.String() + " (export)"
	}
	return l.String()
}
