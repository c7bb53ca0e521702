package words

import "strings"

// Plural writes a number of things: "1 handle", "65,602 handles", "0 handles".
// The noun is the singular, and its last word gets the ending: "entry" is
// "entries", "close" is "closes", "process" is "processes", "bad reference" is
// "bad references".
func Plural[T Integer](n T, noun string) string {
	if n != 1 {
		noun = plural(noun)
	}
	return Count(n) + " " + noun
}

// plural is the regular plural of English; no noun of a report has another.
func plural(noun string) string {
	switch {
	case endsIn(noun, "s", "sh", "ch", "x", "z"):
		return noun + "es"
	case strings.HasSuffix(noun, "y") && !endsIn(noun, "ay", "ey", "oy", "uy"):
		return strings.TrimSuffix(noun, "y") + "ies"
	}
	return noun + "s"
}

func endsIn(s string, endings ...string) bool {
	for _, e := range endings {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

// Times writes how often: "once", "1,234 times", "0 times".
func Times[T Integer](n T) string {
	if n == 1 {
		return "once"
	}
	return Count(n) + " times"
}

// Of writes a part of a number of things: "235 of 1,639 operations", "0 of 1
// handle".
func Of[T Integer](part, whole T, noun string) string {
	return Count(part) + " of " + Plural(whole, noun)
}

// More is the line below a list that leaves things out: "… and 3 more groups".
func More[T Integer](n T, noun string) string {
	return "… and " + Plural(n, "more "+noun)
}

// List joins words that all hold: "a, b and c".
func List(words ...string) string { return join(words, " and ") }

// Choice joins words of which one holds: "a, b or c".
func Choice(words ...string) string { return join(words, " or ") }

func join(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + last + words[n]
}

// HexList writes the first few of many values, such as handles, in hexadecimal:
// "0x4, 0x8, 0xc …". The ellipsis stands for the rest, if there is one.
func HexList[T Integer](values []T, most int) string {
	var b strings.Builder
	for i, v := range values[:min(len(values), max(most, 0))] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Hex(v))
	}
	if len(values) > most {
		b.WriteString(" …")
	}
	return strings.TrimPrefix(b.String(), " ")
}
