package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/dumpscan/dumpscan/analysis"
)

// DominantSentence says in words which type holds most handles, and which
// command looks closer. dump is the dump's name for that command.
func DominantSentence(d *analysis.Dominant, dump string) string {
	s := fmt.Sprintf("%s: %s of %s handles, %s", Escape(d.Type), count(d.Count), count(d.Total), percent(d.Share))
	if d.Unnamed > 0 {
		s += fmt.Sprintf("; %s of them have no name", count(d.Unnamed))
	}
	s += fmt.Sprintf("; granted access %#x in %s", d.Access, count(d.AccessCount))
	return s + fmt.Sprintf(". Next: dumpscan handles %s 0 ff %s", ShellQuote(dump), ShellQuote(d.Type))
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

// ShellQuote quotes a word for a POSIX shell if it needs it, so that a command
// in a hint can be pasted.
func ShellQuote(word string) string {
	word = Escape(word)
	for _, r := range word {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r > 0x7f:
		case r == '/' || r == '.' || r == '-' || r == '_' || r == ':' || r == '=' || r == '+' || r == ',' || r == '@':
		default:
			return "'" + quoteReplacer.Replace(word) + "'"
		}
	}
	if word == "" {
		return "''"
	}
	return word
}

// quoteReplacer ends the quotation, adds a quoted apostrophe and begins anew.
var quoteReplacer = strings.NewReplacer("'", `'\''`)
