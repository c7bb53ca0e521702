package render

import (
	"fmt"
	"strconv"

	"github.com/dustin/go-humanize"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// DominantSentence says in words which type holds most handles, and which
// command looks closer. dump is the dump's name for that command.
func DominantSentence(d *analysis.Dominant, dump string) string {
	s := fmt.Sprintf("%s: %s of %s handles, %s", words.Escape(d.Type), count(d.Count), count(d.Total), percent(d.Share))
	if d.Unnamed > 0 {
		s += fmt.Sprintf("; %s of them have no name", count(d.Unnamed))
	}
	s += fmt.Sprintf("; granted access %#x in %s", d.Access, count(d.AccessCount))
	return s + fmt.Sprintf(". Next: dumpscan handles %s 0 ff %s", words.ShellQuote(dump), words.ShellQuote(d.Type))
}

// count writes a number for people, "65,602".
func count(n uint64) string {
	if n > 1<<62 {
		return strconv.FormatUint(n, 10)
	}
	return humanize.Comma(int64(n))
}

// percent writes a share as "98.9 %". What is not all never reads "100.0 %",
// and what is not nothing never reads "0.0 %".
func percent(share float64) string {
	p := share * 100
	switch {
	case share < 1 && p >= 99.95:
		return "over 99.9 %"
	case share > 0 && p < 0.05:
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}
