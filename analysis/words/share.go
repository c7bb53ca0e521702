package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Share writes which part of a whole a count is: "98.9 %". What is not all
// never reads "100.0 %" but "over 99.9 %", and what is not nothing never "0.0 %"
// but "under 0.1 %". Of nothing the share is "0.0 %".
func Share[T Integer](part, whole T) string {
	if part == 0 || whole == 0 {
		return Percent(0)
	}
	share := float64(part) / float64(whole)
	switch { // past its 53 bits a float does not tell the two apart
	case part < whole:
		share = min(share, math.Nextafter(1, 0))
	case part > whole:
		share = max(share, math.Nextafter(1, 2))
	}
	return Percent(share)
}

// Percent is [Share] for a share that has been computed: 0.989 is "98.9 %", 1 is
// all. It may be more than all, "120.0 %", but not negative.
func Percent(share float64) string {
	p := share * 100
	switch {
	case math.IsNaN(p):
		return "unknown"
	case share > 0 && p < 0.05:
		return "under 0.1 %"
	case share < 1 && p >= 99.95:
		return "over 99.9 %"
	case share > 1 && p < 100.05:
		return "over 100.0 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// Confidence writes how sure something is, from 0 to 1: "97.3 %", "99.98 %",
// "99.9997 %". It is cut off after the first digit that is not a nine, and is
// never rounded up. Nothing is certain: 1, and what is close to it, is "over
// 99.9999 %".
func Confidence(c float64) string {
	const most = 4 // digits behind the point
	switch {
	case math.IsNaN(c):
		return "unknown"
	case c >= 1:
		return "over 99.9999 %"
	case c <= 0:
		return "0.0 %"
	case c < 0.001:
		return "under 0.1 %"
	}
	// The shortest digits that are this float, "0.99973", and not its product
	// with 100, which may be the float below 99.973.
	digits := strings.TrimPrefix(strconv.FormatFloat(c, 'f', -1, 64), "0.") + "000"
	whole, digits := digits[:2], digits[2:]
	nines := len(digits) - len(strings.TrimLeft(digits, "9"))
	over := ""
	if whole != "99" {
		nines = 0
	} else if nines >= most {
		nines = most - 1
		if strings.Trim(digits[most:], "0") != "" {
			over = "over "
		}
	}
	if whole[0] == '0' {
		whole = whole[1:]
	}
	shown := digits[:nines+1]
	if nines > 0 {
		shown = strings.TrimSuffix(shown, "0")
	}
	return over + whole + "." + shown + " %"
}
