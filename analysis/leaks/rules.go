package leaks

import (
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A Rule looks at the facts about one process for one thing. It is a pure
// function; what it needs and how it errs stands in its Doc.
type Rule struct {
	Name  string
	Doc   string
	Apply func(*Process) []Finding
	// Rest is set if the rule is for processes that those before it do not
	// accuse.
	Rest bool
}

// Rules returns the rules in the order in which they are applied. Where several
// of them find the same group, the finding of the first stays, and the others
// are part of its evidence: what is surer comes first.
func Rules() []Rule {
	return []Rule{
		{"steady-growth", "Three dumps and more: a group that grows from dump to dump, and whose new handles stay. A cache that has not yet begun to slow down looks the same.", steadyGrowth, false},
		{"growth", "A group that has grown in the only or in the last interval: leak, burst or cache cannot be told apart yet.", growth, false},
		{"type-growth", "The same for all handles of a type, where no group of it explains the growth: names without a common form.", typeGrowth, false},
		{"same-object", "One dump: hundreds of handles to one object, which nobody needs.", sameObject, false},
		{"dominant-type", "One dump: a type that holds most handles of the process, and far more than usual.", dominantType, false},
		{"outstanding-opens", "A handle trace: a place in the program that opens handles and closes hardly any.", outstanding, false},
		{"exited-threads", "Handles that are left of threads that have exited.", exitedThreads, false},
		{"exited-processes", "Handles that are left of processes that have exited.", exitedProcesses, false},
		{"abandoned-mutants", "Mutexes whose owner exited without releasing them.", abandoned, false},
		{"deadlock", "Threads that wait for each other's Mutexes in a circle, by registers and object information.", deadlock, false},
		{"handle-limit", "The number of handles comes near the limit.", handleLimit, false},
		{"many-handles", "Far more handles than most processes have, where nothing else is accused.", manyOfAll, true},
		{"pool-quota", "What the process is charged for kernel objects, the cause of the events 2019 and 2020.", poolQuota, false},
		{"no-leak", "Groups that have grown and do not leak, and why: cache, sawtooth, burst, step.", innocent, false},
		{"restarted", "The program was restarted between the dumps.", restarted, false},
	}
}

// applyRules runs all rules and joins what they say of the same group.
func applyRules(p *Process) []Finding {
	var all []Finding
	type about struct {
		analysis.HandleKind
		ofType bool
	}
	at := map[about]int{} // index in all of the finding about a group
	for _, r := range Rules() {
		if r.Rest && slices.ContainsFunc(all, func(f Finding) bool { return f.Severity != SeverityInfo }) {
			continue
		}
		for _, f := range r.Apply(p) {
			f.Rule, f.Process = r.Name, p.Series.ProcessIdentity
			if f.Group != nil {
				key := about{f.Group.HandleKind, f.Group.Kinds > 0}
				if i, ok := at[key]; ok {
					all[i].Evidence = append(all[i].Evidence, f.Sentence)
					continue
				}
				at[key] = len(all)
			}
			all = append(all, f)
		}
	}
	return all
}

// Label names the group in a sentence: its type and name.
func (g *Group) Label() string {
	label := words.Type(g.Type)
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

// say is a next step without a command.
func say(text string) analysis.Step { return analysis.Step{Text: text} }
