package render

import (
	"strings"
	"unicode/utf8"
)

// Style is how text for people looks. The zero value is plain text of
// unlimited width, which is what a pipe gets.
type Style struct {
	Color    bool
	Width    int  // columns of the terminal; 0 unlimited
	Terminal bool // decorations that would disturb a program are welcome
}

// Bold returns the text in bold, if there is colour.
func (s Style) Bold(text string) string { return s.sgr("1", text) }

// Dim returns the text in a pale colour.
func (s Style) Dim(text string) string { return s.sgr("2", text) }

// Alarm returns the text in red, for what is wrong.
func (s Style) Alarm(text string) string { return s.sgr("1;31", text) }

// Warn returns the text in yellow, for what is suspicious.
func (s Style) Warn(text string) string { return s.sgr("33", text) }

// Good returns the text in green.
func (s Style) Good(text string) string { return s.sgr("32", text) }

func (s Style) sgr(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// minProse is the narrowest column of prose: below it a word a line is worse
// than what the terminal does.
const minProse = 20

// Wrap breaks prose between words where a terminal has no room for it. The
// first line begins behind indent columns that are written already, the others
// with as many blanks. A word that is longer than a line, such as a command or
// a path, is left whole. There must be no colour in the text.
func (s Style) Wrap(text string, indent int) string {
	width := s.Width - indent
	if s.Width == 0 || width < minProse || utf8.RuneCountInString(text) <= width {
		return text
	}
	var lines []string
	line, used := "", 0
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
		default:
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return strings.Join(append(lines, line), "\n"+strings.Repeat(" ", indent))
}

// Bar draws a share between 0 and 1 with eighths of a block.
func Bar(share float64, width int) string {
	eighths := int(max(0, min(share, 1))*float64(width*8) + 0.5)
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return bar
}
