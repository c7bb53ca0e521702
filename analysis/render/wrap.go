package render

import (
	"strings"
	"unicode/utf8"
)

// wrap breaks plain prose between words, so that it fits the terminal. Lines
// from the second on begin with indent. A word that is longer than a line, such
// as a path, stays whole.
func (s Style) wrap(text, indent string) string {
	if s.Width == 0 || utf8.RuneCountInString(text) <= s.Width {
		return text
	}
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > s.Width && column > utf8.RuneCountInString(indent):
			b.WriteString("\n" + indent)
			column = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// labelled writes a label, in the colours that mark gives it, and prose behind
// it, wrapped. Text of a dump in it must be safe already.
func (s Style) labelled(mark func(string) string, label, text string) string {
	return mark(label) + strings.TrimPrefix(s.wrap(label+" "+text, "  "), label)
}
