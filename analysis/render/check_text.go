package render

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// shownBreaches is how many numbers of one check the text lists. A baseline of
// another program exceeds in hundreds; JSON and JUnit have them all.
const shownBreaches = 10

// text writes one line for each check, and below those in breach what is too
// high and the group that caused it.
func (r *CheckReport) text(b *bufio.Writer, style Style) error {
	for i := range r.Results {
		result := &r.Results[i]
		fmt.Fprintf(b, "%s  %s: %s", statusWord(result.Status, style), words.Escape(result.files()), words.Escape(result.Check))
		switch {
		case result.Status == check.Unknown:
			fmt.Fprintf(b, ": cannot tell: %s", words.Escape(result.Reason))
		case result.Status == check.Passed && len(result.Measures) > 0:
			fmt.Fprintf(b, ": %s", words.Escape(result.Measures[0].Sentence))
		}
		b.WriteByte('\n')
		if result.Status != check.Breach {
			continue
		}
		shown := min(len(result.Measures), shownBreaches)
		for _, m := range result.Measures[:shown] {
			fmt.Fprintf(b, "        %s\n", words.Escape(m.Sentence))
		}
		if more := len(result.Measures) - shown; more > 0 {
			fmt.Fprintf(b, "        %s\n", words.More(more, "breach"))
		}
	}
	if len(r.Results) > 0 {
		fmt.Fprintf(b, "%s\n", r.sums())
	}
	if r.Wrote != "" {
		fmt.Fprintf(b, "wrote the baseline %s\n", words.Escape(r.Wrote))
	}
	return nil
}

// sums counts the outcomes.
func (r *CheckReport) sums() string {
	n := map[check.Status]int{}
	for i := range r.Results {
		n[r.Results[i].Status]++
	}
	text := fmt.Sprintf("%s of %s checks passed", words.Count(n[check.Passed]), words.Count(len(r.Results)))
	if n := n[check.Breach]; n > 0 {
		text += fmt.Sprintf(", %s in breach", words.Count(n))
	}
	if n := n[check.Unknown]; n > 0 {
		text += fmt.Sprintf(", %s cannot be told", words.Count(n))
	}
	return text
}

func statusWord(s check.Status, style Style) string {
	switch s {
	case check.Passed:
		return style.Good("ok    ")
	case check.Breach:
		return style.Alarm("BREACH")
	}
	return style.Warn("?     ")
}

// files names what was checked.
func (r *CheckResult) files() string { return strings.Join(r.Files, " to ") }
