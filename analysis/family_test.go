package analysis_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// countNamed counts handles with names.
func countNamed(names ...string) *analysis.KindCounts {
	c := analysis.NewKindCounter()
	for _, n := range names {
		c.Add(&minidump.Handle{TypeName: "File", ObjectName: n, GrantedAccess: 1})
	}
	return c.Counts()
}

// words makes n names that have nothing in common but what the format says.
func wordsOf(format string, from, n int) (names []string) {
	for i := from; i < from+n; i++ {
		word := []byte("ghijkl")
		for j := range word {
			word[j] = byte('g' + (i>>(2*j)&3)*5%20)
		}
		names = append(names, fmt.Sprintf(format, word))
	}
	return names
}

func TestFamilies(t *testing.T) {
	rows := func(dumps ...*analysis.KindCounts) (out []string) {
		for _, r := range analysis.AlignKinds(dumps...).Rows {
			out = append(out, fmt.Sprintf("%s %v", r.Name, r.Counts))
		}
		return out
	}
	many := func(name string, n int) (names []string) {
		for range n {
			names = append(names, name)
		}
		return names
	}
	for _, c := range []struct {
		name        string
		first, last []string
		want        []string
	}{
		{"a first word and an extension", wordsOf(`\t\up-%s.tmp`, 0, 9), wordsOf(`\t\up-%s.tmp`, 5, 20), []string{`\t\up-<any>.tmp [9 20]`}},
		{"another extension is another family", wordsOf(`\t\up-%s.tmp`, 0, 17), append(wordsOf(`\t\up-%s.log`, 0, 17), `\t\down-x.tmp`),
			[]string{`\t\down-x.tmp [0 1]`, `\t\up-<any>.log [0 17]`, `\t\up-<any>.tmp [17 0]`}},
		{"a folder full of documents", wordsOf(`\d\%s`, 0, 40), wordsOf(`\d\%s`, 30, 40), []string{`\d\<any> [40 40]`}},
		{"one name of which there are many", wordsOf(`\d\%s.x`, 0, 70), append(wordsOf(`\d\%s.x`, 0, 70), many(`\d\leak.x`, 500)...),
			[]string{`\d\<any>.x [70 70]`, `\d\leak.x [0 500]`}},
		{"few", []string{`\d\a.dll`, `\d\b.dll`}, []string{`\d\b.dll`}, []string{`\d\a.dll [1 0]`, `\d\b.dll [1 1]`}},
	} {
		if diff := cmp.Diff(c.want, rows(countNamed(c.first...), countNamed(c.last...))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		table := analysis.AlignKinds(countNamed(c.first...), countNamed(c.last...))
		find := table.Finder()
		for _, n := range append(c.first, c.last...) {
			if find.Row(&minidump.Handle{TypeName: "File", ObjectName: n, GrantedAccess: 1}) < 0 {
				t.Errorf("%s: no row for %s", c.name, n)
			}
		}
	}
}
