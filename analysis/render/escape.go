package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes text from a dump safe for a terminal, a table cell or a line of
// a report: control characters, characters that reorder or hide what is
// around them, line separators and bytes that are no UTF-8 are written as
// "<U+001B>" or "<0xFF>". All other text is returned as it is.
func Escape(s string) string {
	i := strings.IndexFunc(s, unsafeRune)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "<0x%02X>", s[i])
		case r != utf8.RuneError && unsafeRune(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unsafeRune reports whether r must not reach a terminal: controls (Cc),
// format characters such as bidirectional overrides and zero-width ones (Cf),
// line and paragraph separators, private use and surrogates. The replacement
// character is suspect only if it stands for a broken byte, which the caller
// finds out.
func unsafeRune(r rune) bool {
	if r < 0x7f {
		return r < 0x20
	}
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// CSVCell is Escape for a cell of a CSV file: a text that a spreadsheet would
// take for a formula gets an apostrophe in front, as spreadsheets themselves
// write it.
func CSVCell(s string) string {
	s = Escape(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
