package render

import "strings"

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

// Bar draws a share between 0 and 1 with eighths of a block.
func Bar(share float64, width int) string {
	eighths := int(max(0, min(share, 1))*float64(width*8) + 0.5)
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return bar
}
