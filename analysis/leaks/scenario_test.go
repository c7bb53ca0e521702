package leaks_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/leaks"
)

// recorded are the scenarios whose dumps are files of testdata.
var recorded = []scenario{
	{"field report", files("w3wp.dmp.gz")},
	{"leaky program, x64", files("leaky/leaky-x64-a.dmp.gz", "leaky/leaky-x64-b.dmp.gz", "leaky/leaky-x64-c.dmp.gz")},
	{"leaky program, x86", files("leaky/leaky-x86-a.dmp.gz", "leaky/leaky-x86-b.dmp.gz", "leaky/leaky-x86-c.dmp.gz")},
	{"leaky program, the last dump alone", files("leaky/leaky-x64-c.dmp.gz")},
	{"leaky program, before it leaks", files("leaky/leaky-x64-a.dmp.gz")},
}

// files reads compressed dumps below testdata.
func files(names ...string) func(t testing.TB) []shot {
	return func(t testing.TB) []shot {
		var shots []shot
		for _, name := range names {
			shots = append(shots, shot{name, testdump.Read(t, "testdata/"+name)})
		}
		return shots
	}
}

// A truth is what leaks in a scenario, and what the verdict names.
type truth struct{ leaks, named []string }

// truths reads testdata/scenarios/truth.tsv.
func truths(t testing.TB) map[string]truth {
	f, err := os.Open(filepath.Join("..", "..", "testdata", "scenarios", "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]truth{}
	add := func(list []string, group string) []string {
		if list == nil {
			list = []string{}
		}
		if group != "-" {
			list = append(list, group)
		}
		return list
	}
	in := bufio.NewScanner(f)
	in.Scan() // the head of the table
	for in.Scan() {
		columns := strings.Split(in.Text(), "\t")
		if len(columns) != 3 {
			t.Fatalf("truth.tsv: %q has not three columns", in.Text())
		}
		w := all[columns[0]]
		all[columns[0]] = truth{add(w.leaks, columns[1]), add(w.named, columns[2])}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// accused names the groups of a report above info, as the truth file does.
func accused(r *leaks.Report) []string {
	list := []string{}
	for _, f := range r.Findings {
		if f.Severity != leaks.SeverityInfo {
			list = append(list, fmt.Sprintf("%s: %s", f.Process.Name(), f.Group.Label()))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// score counts how often the verdict is right.
type score struct{ right, wrong, missed int }

func (s *score) add(want, got []string) {
	for _, g := range got {
		if slices.Contains(want, g) {
			s.right++
		} else {
			s.wrong++
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			s.missed++
		}
	}
}

// TestScenarios judges every scenario and holds the groups that are named
// against the truth. With -v it prints the table.
func TestScenarios(t *testing.T) {
	known := truths(t)
	var total score
	fmt.Fprintf(t.Output(), "%-55s %-8s %s\n", "SCENARIO", "VERDICT", "NAMED")
	for _, s := range slices.Concat(recorded, simulated, healthy()) {
		entry, told := known[s.name]
		want := entry.leaks
		if strings.HasPrefix(s.name, "healthy: ") {
			want, told = []string{}, true
		}
		if !told {
			t.Errorf("%s: not in truth.tsv", s.name)
			continue
		}
		delete(known, s.name)
		shots := s.make(t)
		r := findLeaks(t, shots)
		got := accused(r)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-truth +verdict)\n%s%s", s.name, diff, r.Verdict.Sentence)
		}
		var alone score
		alone.add(want, got)
		total.right, total.wrong, total.missed = total.right+alone.right, total.wrong+alone.wrong, total.missed+alone.missed
		fmt.Fprintf(t.Output(), "%-55s %-8s %s\n", s.name, r.Verdict.Severity, strings.Join(got, "; "))

		if len(want) == 0 && strings.HasPrefix(s.name, "healthy") {
			continue // the same again for the many healthy ones takes its time
		}
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(shots), func(i, j int) { shots[i], shots[j] = shots[j], shots[i] })
		if again := findLeaks(t, shots); again.Verdict != r.Verdict && !strings.Contains(s.name, "twice") {
			t.Errorf("%s: in another order of the dumps\n%s\nbecomes\n%s", s.name, r.Verdict.Sentence, again.Verdict.Sentence)
		}
	}
	precision := float64(total.right) / float64(total.right+total.wrong)
	recall := float64(total.right) / float64(total.right+total.missed)
	fmt.Fprintf(t.Output(), "%d groups named rightly, %d wrongly, %d missed: precision %.3f, recall %.3f\n", total.right, total.wrong, total.missed, precision, recall)
	if total.right == 0 || precision != 1 || recall != 1 {
		t.Errorf("precision %v, recall %v", precision, recall)
	}
	for _, s := range mistakes {
		delete(known, s.name)
	}
	if rest := slices.Sorted(maps.Keys(known)); len(rest) > 0 {
		t.Errorf("truth.tsv has scenarios that are not made: %q", rest)
	}
}

// TestScenarioMistakes keeps what the verdict is known to get wrong from
// changing unnoticed.
func TestScenarioMistakes(t *testing.T) {
	known := truths(t)
	for _, s := range mistakes {
		got := accused(findLeaks(t, s.make(t)))
		if diff := cmp.Diff(known[s.name].named, got); diff != "" {
			t.Errorf("%s: (-expected +verdict)\n%s", s.name, diff)
		}
		if slices.Equal(known[s.name].leaks, got) {
			t.Errorf("%s: the verdict is right by now; move the scenario", s.name)
		}
		fmt.Fprintf(t.Output(), "%-55s true: %s; named: %s\n", s.name, strings.Join(known[s.name].leaks, "; "), strings.Join(got, "; "))
	}
}
