package words

import (
	"slices"
	"strings"
)

// Similar returns the candidate that somebody may have meant who typed word, or
// "" if none is like it: at most two letters were left out, added, exchanged or
// replaced, and fewer than half of them. Case does not matter.
func Similar(word string, candidates []string) string {
	best, least := "", 3
	for _, c := range candidates {
		a, b := []rune(strings.ToLower(word)), []rune(strings.ToLower(c))
		// Longer words differ by more; and this bounds the work.
		if d := len(a) - len(b); d > 2 || d < -2 {
			continue
		}
		if d := distance(a, b); d < least && 2*d < len(b) {
			best, least = c, d
		}
	}
	return best
}

// distance counts the edits between two words; two neighbours that changed
// places are one edit (the restricted Damerau-Levenshtein distance).
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, slices.Clone(row)
	}
	return last[len(b)]
}
