package leaks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/leaks"
)

// cutOff makes a dump whose file ends inside its list of handles.
func cutOff(s shot, percent int) shot {
	return shot{s.file, s.data[:len(s.data)*percent/100]}
}

// What is missing in a dump that was cut off proves neither growth nor that
// there is none.
func TestPartialDumps(t *testing.T) {
	steady := func() []shot {
		p := newProcess("a.exe", 1, 1)
		p.open("keys", plainKey, 3000)
		return p.series(3, time.Hour, func(int) {})
	}
	for _, c := range []struct {
		name  string
		shots []shot
		want  leaks.Severity
		says  string
	}{
		{"whole", steady(), leaks.SeverityInfo, "No handle leak found"},
		{"the first cut off", func() []shot { s := steady(); s[0] = cutOff(s[0], 60); return s }(), leaks.SeverityUnknown, "a.exe-00.dmp"},
		{"the last cut off", func() []shot { s := steady(); s[2] = cutOff(s[2], 60); return s }(), leaks.SeverityUnknown, "a.exe-02.dmp"},
		{"one dump, cut off", []shot{cutOff(steady()[0], 60)}, leaks.SeverityUnknown, "Cannot tell"},
		{"a leak, and a dump cut off", func() []shot {
			p := newProcess("a.exe", 1, 1)
			p.start(1)
			s := p.series(4, time.Hour, func(int) { p.open("leak", plainKey, 200) })
			s[1] = cutOff(s[1], 60)
			return s
		}(), leaks.SeverityLeak, "leaks handles"},
	} {
		r := findLeaks(t, c.shots)
		if r.Verdict.Severity != c.want || !strings.Contains(r.Verdict.Sentence, c.says) {
			t.Errorf("%s: %s: %s", c.name, r.Verdict.Severity, r.Verdict.Sentence)
		}
		if c.name != "whole" && !strings.Contains(strings.Join(r.Notes, "\n"), "could not be read whole") {
			t.Errorf("%s: notes %q", c.name, r.Notes)
		}
	}
}
