package leaks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// hard are the programs whose dumps do not show the truth, and what is said of
// them: dbgate loses some 12 Events an interval beside a pool that swings by a
// hundred, and the Semaphores of migrate, which take the place of its Mutants,
// rise as those of a leak do.
var hard = map[string]leaks.Severity{"dbgate": leaks.SeverityInfo, "migrate": leaks.SeveritySuspect}

// Real programs, whose truth they have counted themselves: see
// testdata/programs.
func TestScenarioPrograms(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "testdata", "programs")
	text, err := os.ReadFile(filepath.Join(root, "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if i == 0 {
			continue
		}
		row := strings.Split(line, "\t")
		name, arch, leaking, typ, openers := row[0], row[1], row[3] == "leaks", row[4], strings.Fields(row[7])
		var shots []string
		var dumps int
		if _, err := fmt.Sscan(row[2], &dumps); err != nil {
			t.Fatal(err)
		}
		for k := range dumps {
			shots = append(shots, fmt.Sprintf("programs/%s-%s-%d.dmp.gz", name, arch, k+1))
		}
		r := judge(t, files(shots...)(t), leaks.Options{
			Owners: leaks.HuntNever,
			Resolver: func(f *minidump.File) (leaks.ResolveCloser, error) {
				return symbol.NewResolver(f, symbol.Options{ImagePath: filepath.Join(root, "images", arch), Offline: true})
			},
		})
		t.Logf("%-9s %s  %-7s  %s", name, arch, row[3], r.Verdict.Sentence)
		want, isHard := hard[name]
		if isHard {
			if r.Verdict.Severity != want {
				t.Errorf("%s %s: %s, want %s: %s", name, arch, r.Verdict.Severity, want, r.Verdict.Sentence)
			}
		} else if accused := r.Verdict.Severity == leaks.SeverityLeak || r.Verdict.Severity == leaks.SeveritySuspect; accused != leaking {
			t.Errorf("%s %s: %s: %s", name, arch, r.Verdict.Severity, r.Verdict.Sentence)
		}
		if !leaking {
			continue
		}
		// Whatever is said of it, the group is there; and who is accused opened it.
		found := slices.IndexFunc(r.Findings, func(f leaks.Finding) bool { return f.Group != nil && f.Group.Type == typ && f.Group.Net() > 0 })
		if found < 0 {
			t.Errorf("%s %s: nothing is said of %s", name, arch, typ)
		} else if g := r.Findings[found].Group; !isHard && (g.Opener == nil || !slices.ContainsFunc(openers, func(o string) bool {
			return strings.HasSuffix(g.Opener.Location.Function, o)
		})) {
			t.Errorf("%s %s: opened by %+v, want %s", name, arch, g.Opener, openers)
		}
	}
}
