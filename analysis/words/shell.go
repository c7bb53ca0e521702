package words

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Command writes a command to be pasted into a shell, each word quoted if it
// needs it: dumpscan handles 'my dump.dmp' 0 ff. A file name that begins with a
// dash needs "--" before it; that is for the caller to add.
func Command(args ...string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = ShellQuote(a)
	}
	return strings.Join(quoted, " ")
}

// ShellQuote quotes a word for a POSIX shell if it needs it. What it returns is
// safe for a terminal, and can be pasted: the shell makes the word of it again,
// byte for byte.
//
// A word with what [Escape] would replace is written as $'a\033b'. Bash, zsh, ksh
// and busybox read that, as POSIX says since 2024; dash does not yet. A NUL
// cannot be in an argument, and is written as "<U+0000>".
func ShellQuote(word string) string {
	switch {
	case indexUnsafe(word) >= 0:
		return ansiQuote(word)
	case word == "" || word[0] == '=' || strings.ContainsFunc(word, needsQuotes): // zsh looks up =word
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// needsQuotes reports whether a shell may take a rune for anything but a part
// of a word.
func needsQuotes(r rune) bool {
	switch {
	case r >= utf8.RuneSelf:
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("/.-_:=+,@", r)
}

// ansiQuote writes a word as $'…'. Three octal digits are the one escape for
// any byte that all shells read alike, whatever follows and in any locale.
func ansiQuote(word string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(word); {
		r, n := utf8.DecodeRuneInString(word[i:])
		switch {
		case r == 0:
			b.WriteString(Escape("\x00"))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\'', r == '!', broken(r, n), UnsafeRune(r): // interactive shells expand ! even here
			for _, c := range []byte(word[i : i+n]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteString(word[i : i+n])
		}
		i += n
	}
	b.WriteByte('\'')
	return b.String()
}
