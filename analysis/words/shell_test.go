package words

import (
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var shellWords = []struct{ word, want string }{
	{"w3wp.dmp", "w3wp.dmp"},
	{"azAZ09", "azAZ09"},
	{"", "''"},
	{"/srv/dumps/w3wp-1.dmp", "/srv/dumps/w3wp-1.dmp"},
	{"--type=Key,Event", "--type=Key,Event"},
	{"Key=+50", "Key=+50"},
	{"dir/a@b:c.dmp", "dir/a@b:c.dmp"},
	{"日本/Größe.dmp", "日本/Größe.dmp"},
	{"my dump.dmp", "'my dump.dmp'"},
	{"it's.dmp", `'it'\''s.dmp'`},
	{"'", `''\'''`},
	{`C:\dumps\a.dmp`, `'C:\dumps\a.dmp'`},
	{"=ls", "'=ls'"},
	{"~/a.dmp", "'~/a.dmp'"},
	{"{a,b}", "'{a,b}'"},
	{"a^b%c#d", "'a^b%c#d'"},
	{"$(reboot)`reboot`;&|<>*?[]!", "'$(reboot)`reboot`;&|<>*?[]!'"},
	{"no\u00a0break", "'no\u00a0break'"},
	{"a\x1b[2Jb", `$'a\033[2Jb'`},
	{"a\n\t\rb", `$'a\n\t\015b'`},
	{"\x1b1'\\!日 x", `$'\0331\047\\\041日 x'`},
	{"\u202egpj.exe", `$'\342\200\256gpj.exe'`},
	{"broken\xff7", `$'broken\3777'`},
	{"replaced\ufffd", "'replaced\ufffd'"},
	{"a\x00b", "$'a<U+0000>b'"},
}

func TestShellQuote(t *testing.T) {
	for _, tt := range shellWords {
		compare(t, []said{{tt.word, ShellQuote(tt.word), tt.want}})
	}
	compare(t, []said{
		{"command", Command("dumpscan", "handles", "my dump.dmp", "7e0", "f", ""), "dumpscan handles 'my dump.dmp' 7e0 f ''"},
		{"no command", Command(), ""},
	})
}

// A shell makes of a command the words that it was made of.
func TestShellQuotePasted(t *testing.T) {
	for _, shell := range []string{"sh", "bash", "zsh", "ksh"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(err)
			}
			ansi, err := exec.Command(path, "-c", `printf %s $'\033'`).Output()
			words := pasted(err == nil && string(ansi) == "\x1b")
			out, err := exec.Command(path, "-c", Command(append([]string{"printf", `%s\0`}, words...)...)).Output()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(words, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
				t.Errorf("(-given +received):\n%s", diff)
			}
		})
	}
}

// pasted are words without NUL, those of the table and others, with control
// characters only for a shell that reads $'…'.
func pasted(ansi bool) []string {
	var words []string
	add := func(w string) {
		if !strings.Contains(w, "\x00") && (ansi || Escape(w) == w) {
			words = append(words, w)
		}
	}
	for _, tt := range shellWords {
		add(tt.word)
	}
	for c := range 256 {
		add(string([]byte{byte(c)}))
		add(string(rune(c)) + "7'")
	}
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "7", " ", "'", "\\", "\"", "$", "!", "\n", "\x1b", "\xff", "ö", "\u202e", "~", "=", "#", "-"}
	for range 500 {
		var b strings.Builder
		for range random.IntN(8) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		add(b.String())
	}
	return words
}

func FuzzShellQuote(f *testing.F) {
	for _, tt := range shellWords {
		f.Add(tt.word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		got := ShellQuote(word)
		checkSafe(t, "ShellQuote", got)
		if Escape(got) != got {
			t.Errorf("%q changes when escaped", got)
		}
		if back := unquote(t, got); back != strings.ReplaceAll(word, "\x00", "<U+0000>") {
			t.Errorf("%s is %q to a shell, want %q", got, back, word)
		}
	})
}

// unquote reads one word as POSIX says a shell does.
func unquote(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for s != "" {
		switch ansi := strings.HasPrefix(s, "$'"); {
		case ansi:
			s = s[2:]
			for s != "" && s[0] != '\'' {
				n := 1
				switch {
				case s[0] != '\\':
					b.WriteByte(s[0])
				case strings.IndexByte(`\nt`, s[1]) >= 0:
					b.WriteByte(map[byte]byte{'\\': '\\', 'n': '\n', 't': '\t'}[s[1]])
					n = 2
				default:
					octal, err := strconv.ParseUint(s[1:4], 8, 8)
					if err != nil {
						t.Fatal(err)
					}
					b.WriteByte(byte(octal))
					n = 4
				}
				s = s[n:]
			}
			s = strings.TrimPrefix(s, "'")
		case s[0] == '\'':
			text, rest, closed := strings.Cut(s[1:], "'")
			if !closed {
				t.Fatalf("%s is not closed", s)
			}
			b.WriteString(text)
			s = rest
		case s[0] == '\\':
			b.WriteByte(s[1])
			s = s[2:]
		case strings.IndexByte(" \t\n\"$`&|;<>()*?[]{}!#~^%", s[0]) >= 0:
			t.Fatalf("%q is not quoted", s[0])
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}
