package render

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// shownBreaches is how many numbers of one check the text lists. A baseline of
// another program exceeds in hundreds; JSON and JUnit have them all.
const shownBreaches = 10

// Text writes the outcome for people: one line for each check, and below those
// in breach what is too high and the group that caused it.
func (r *CheckReport) Text(w io.Writer, style Style) error {
	b := bufio.NewWriter(w)
	for i := range r.Check.Results {
		result := &r.Check.Results[i]
		fmt.Fprintf(b, "%s  %s: %s", statusWord(result.Status, style), checkFiles(result), words.Escape(checkName(result)))
		switch {
		case result.Status == check.Unknown:
			fmt.Fprintf(b, ": cannot tell: %s\n", words.Escape(result.Reason))
		case result.Status == check.Passed && len(result.Measures) > 0:
			fmt.Fprintf(b, ": %s\n", words.Escape(measureSentence(result, &result.Measures[0])))
		default:
			b.WriteByte('\n')
		}
		if result.Status != check.Breach {
			continue
		}
		for n := range result.Measures {
			if n == shownBreaches {
				fmt.Fprintf(b, "        ... and %s\n", countOf(uint64(len(result.Measures)-n), "more breach"))
				break
			}
			fmt.Fprintf(b, "        %s\n", words.Escape(measureSentence(result, &result.Measures[n])))
		}
	}
	if len(r.Check.Results) > 0 {
		fmt.Fprintf(b, "%s\n", r.sums())
	}
	if r.Wrote != "" {
		fmt.Fprintf(b, "wrote the baseline %s\n", words.Escape(r.Wrote))
	}
	return b.Flush()
}

// sums counts the outcomes in words.
func (r *CheckReport) sums() string {
	text := fmt.Sprintf("%d of %d checks passed", r.Check.Count(check.Passed), len(r.Check.Results))
	if n := r.Check.Count(check.Breach); n > 0 {
		text += fmt.Sprintf(", %d in breach", n)
	}
	if n := r.Check.Count(check.Unknown); n > 0 {
		text += fmt.Sprintf(", %d cannot be told", n)
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

// checkName is a check as on the command line, without the dashes.
func checkName(r *check.Result) string {
	if r.Limit == nil {
		return "baseline"
	}
	return string(r.Limit.Kind) + " " + r.Limit.String()
}

// checkFiles names what was checked.
func checkFiles(r *check.Result) string {
	return words.Escape(strings.Join(r.Files, " to "))
}

// measureSentence says in words how many handles there are, how many may be,
// and which group adds most. It is not escaped.
func measureSentence(r *check.Result, m *check.Measure) string {
	var text string
	switch {
	case r.Limit == nil && m.Group:
		return fmt.Sprintf("%s: %s, %s in the baseline, %s allowed", m.Cause.HandleKind, count(m.Count), count(m.Base), count(m.Allowed))
	case r.Limit == nil:
		text = fmt.Sprintf("%s: %s, %s in the baseline, %s allowed", m.Subject, count(m.Count), count(m.Base), count(m.Allowed))
	case r.Limit.Kind == check.LimitCount:
		text = fmt.Sprintf("%s: %s, %s allowed", m.Subject, count(m.Count), count(m.Allowed))
	default:
		text = fmt.Sprintf("%s: %s to %s, %s", m.Subject, count(m.Base), count(m.Count), signed(m.Growth))
		if r.Elapsed > 0 {
			text += " in " + words.Duration(r.Elapsed)
		}
		if r.Limit.Kind == check.LimitRate {
			text += fmt.Sprintf(", %s an hour, %s %s allowed", hourly(m.PerHour), count(r.Limit.N), perWord(r.Limit.Per))
		} else {
			text += fmt.Sprintf(", +%s allowed", count(m.Allowed))
		}
	}
	if r.Status == check.Breach {
		text += "; " + causeClause(r, &m.Cause)
	}
	return text
}

// causeClause names the group that adds most.
func causeClause(r *check.Result, c *check.Cause) string {
	if r.Limit != nil && r.Limit.Kind == check.LimitCount {
		return fmt.Sprintf("%s of them are %s", count(c.Count), c.HandleKind)
	}
	return fmt.Sprintf("most by %s: %s to %s", c.HandleKind, count(c.Base), count(c.Count))
}

// hourly writes a number that may be small with three digits.
func hourly(perHour float64) string {
	if math.Abs(perHour) < 100 {
		return strconv.FormatFloat(perHour, 'g', 3, 64)
	}
	return humanize.Comma(int64(math.Round(perHour)))
}

func perWord(d time.Duration) string {
	switch d {
	case time.Second:
		return "a second"
	case time.Minute:
		return "a minute"
	case time.Hour:
		return "an hour"
	}
	return "a day"
}
