package words

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes text from a dump safe for a terminal, a table cell or a line of
// a report: control characters, characters that reorder or hide what is
// around them, line separators, surrogates without their pair and bytes that are no
// UTF-8 are written as "<U+001B>" or "<0xFF>". All other text is returned as it is, without copying
// it. To escape twice is the same as once.
func Escape(s string) string {
	i := indexUnsafe(s)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if broken(r, n) {
			if lone, ok := surrogate(s[i:]); ok {
				r, n = lone, surrogateBytes
			}
		}
		switch {
		case broken(r, n):
			fmt.Fprintf(&b, "<0x%02X>", s[i])
		case UnsafeRune(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// UnsafeRune reports whether r must not reach a terminal: controls (Cc),
// format characters such as bidirectional overrides and zero-width ones (Cf),
// line and paragraph separators, private use and surrogates. The replacement
// character is safe; whether it stands for a broken byte is for the caller to
// find out.
func UnsafeRune(r rune) bool {
	// Most names are of these scripts, and the tables are slow.
	switch {
	case r < 0x600:
		return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xad
	case r >= 0x3000 && r < 0xd800: // Chinese, Japanese, Korean and more
		return false
	}
	return inUnsafeTables(r)
}

func inUnsafeTables(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// broken reports whether a decoded rune is a byte that is no UTF-8.
func broken(r rune, size int) bool { return r == utf8.RuneError && size == 1 }

// surrogateBytes is how many bytes a surrogate that has no pair takes in text of a
// dump.
const surrogateBytes = 3

// surrogate returns the surrogate without pair that text of a dump begins with, as
// DecodeUTF16 of package minidump writes it.
func surrogate(s string) (rune, bool) {
	if len(s) < surrogateBytes || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

// JSONText makes text from a dump Unicode, as JSON needs it, without a loss: a
// surrogate without its pair, which a Windows name may have, becomes U+FFFD and
// its four hexadecimal digits (U+FFFD D800), a byte that is no UTF-8 the same
// (U+FFFD 00FF), and so that they can be told apart, U+FFFD itself U+FFFD FFFD. All
// other text is returned as it is, without copying it. [FromJSONText] is the
// reverse.
func JSONText(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, replacement) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		code := r
		if broken(r, n) {
			code = rune(s[i])
			if lone, ok := surrogate(s[i:]); ok {
				code, n = lone, surrogateBytes
			}
		}
		if r == utf8.RuneError {
			fmt.Fprintf(&b, replacement+"%04X", code)
		} else {
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

const replacement = "\ufffd"

// FromJSONText returns the text of which [JSONText] is the form. Text that no
// JSONText has written is returned as it is.
func FromJSONText(s string) string {
	parts := strings.Split(s, replacement)
	var b strings.Builder
	b.WriteString(parts[0])
	for _, part := range parts[1:] {
		code, err := strconv.ParseUint(part[:min(len(part), 4)], 16, 16)
		switch {
		case err != nil || len(part) < 4:
			b.WriteString(replacement)
		case code < 0x100:
			b.WriteByte(byte(code))
			part = part[4:]
		case code >= 0xd800 && code < 0xe000:
			b.Write([]byte{0xe0 | byte(code>>12), 0x80 | byte(code>>6)&0x3f, 0x80 | byte(code)&0x3f})
			part = part[4:]
		case code == utf8.RuneError:
			b.WriteString(replacement)
			part = part[4:]
		default:
			b.WriteString(replacement)
		}
		b.WriteString(part)
	}
	return b.String()
}

// indexUnsafe is the position of the first rune or byte that Escape replaces,
// or -1. Millions of names pass here, nearly all of them ASCII.
func indexUnsafe[T string | []byte](s T) int {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= 0x20 && c < 0x7f:
			i++
			continue
		case c < utf8.RuneSelf:
			return i
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
		if broken(r, n) || UnsafeRune(r) {
			return i
		}
		i += n
	}
	return -1
}

// formulas are the characters that a formula begins with, and their full-width and
// small forms, which spreadsheets may take for them.
const formulas = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"

// CSVCell is [Escape] for a cell of a CSV file: a text that a spreadsheet would
// take for a formula, which begins with =, +, - or @ or a full-width or small form
// of one, gets an apostrophe in front, as spreadsheets themselves write it. Cells
// that the program makes, such as numbers, need it not.
func CSVCell(s string) string {
	s = Escape(s)
	if r, _ := utf8.DecodeRuneInString(s); strings.ContainsRune(formulas, r) && s != "" {
		return "'" + s
	}
	return s
}

// EscapeJSON writes what a terminal must not see in encoded JSON as \u and four
// digits, which is the same JSON value. The text must be valid JSON on one
// line, as json.Marshal writes it; it is returned as it is if it is safe.
func EscapeJSON(text []byte) []byte {
	if indexUnsafe(text) < 0 {
		return text
	}
	safe := make([]byte, 0, len(text)+16)
	for _, r := range string(text) {
		switch {
		case !UnsafeRune(r):
			safe = utf8.AppendRune(safe, r)
		case r > 0xffff:
			hi, lo := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, hi, lo)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r)
		}
	}
	return safe
}
