package words

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`\REGISTRY\MACHINE\Straße\日本`, `\REGISTRY\MACHINE\Straße\日本`},
		{"", ""},
		{"a\x1b[2Jb", "a<U+001B>[2Jb"},
		{"line\nline\r\t\x00", "line<U+000A>line<U+000D><U+0009><U+0000>"},
		{"\u202egpj.exe", "<U+202E>gpj.exe"},
		{"zero\u200bwidth", "zero<U+200B>width"},
		{"\u2028\u2029\u009b\x7f", "<U+2028><U+2029><U+009B><U+007F>"},
		{"soft\u00adhyphen", "soft<U+00AD>hyphen"},
		{"broken\xff\xc0", "broken<0xFF><0xC0>"},
		{"surrogates\xed\xa0\x80\xed\xbf\xbf", "surrogates<U+D800><U+DFFF>"},
		{"no surrogate\xed\xa0", "no surrogate<0xED><0xA0>"},
		{"cut\xe6\x97", "cut<0xE6><0x97>"},
		{"replaced \ufffd", "replaced \ufffd"},
		{"private \ue000 tag \U000e0041", "private <U+E000> tag <U+E0041>"},
		{"after the first \x01: 日本 \U0001f600", "after the first <U+0001>: 日本 \U0001f600"},
	} {
		compare(t, []said{{tt.in, Escape(tt.in), tt.want}})
	}
}

// The shortcuts for the scripts of most names say what the tables say.
func TestUnsafeRune(t *testing.T) {
	for r := rune(-1); r <= unicode.MaxRune+1; r++ {
		if UnsafeRune(r) != (r < 0 || inUnsafeTables(r)) {
			t.Errorf("UnsafeRune(%U) is %v", r, UnsafeRune(r))
		}
	}
}

func TestEscapeAllocates(t *testing.T) {
	name := `\REGISTRY\MACHINE\SOFTWARE\Straße\日本`
	if n := testing.AllocsPerRun(100, func() { Escape(name) }); n != 0 {
		t.Errorf("%v allocations for a name that is safe", n)
	}
}

func TestCSVCell(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+x": "'+x", "-x": "'-x", "@x": "'@x", `\Device`: `\Device`, "": "", "a=b": "a=b",
		"\uff1d1": "'\uff1d1", "\uff0bx": "'\uff0bx", "\uff0dx": "'\uff0dx", "\uff20x": "'\uff20x",
		"\ufe661": "'\ufe661", "\ufe62x": "'\ufe62x", "\ufe63x": "'\ufe63x", "\ufe6bx": "'\ufe6bx", "a\uff1d": "a\uff1d",
		"\t=1": "<U+0009>=1", "\ufeff=1": "<U+FEFF>=1", "\ufffd": "\ufffd", "\xff": "<0xFF>",
	} {
		compare(t, []said{{in, CSVCell(in), want}})
	}
}

func TestEscapeJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"name": "日本"}`:        `{"name": "日本"}`,
		"\"a\u202eb\"":          `"a\u202eb"`,
		"\"\x7f\u009b\"":        `"\u007f\u009b"`,
		"\"\U000e0041\ufffd\"":  "\"\\udb40\\udc41\ufffd\"",
		"\"\u2028\U0010fffd\"":  `"\u2028\udbff\udffd"`,
		"[1, \"\u200b\", null]": `[1, "\u200b", null]`,
	} {
		compare(t, []said{{in, string(EscapeJSON([]byte(in))), want}})
	}
}

// JSONText keeps apart what JSON would make one, and loses nothing.
func TestJSONText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{`\REGISTRY\Straße\日本\ud800`, `\REGISTRY\Straße\日本\ud800`},
		{"a\xed\xa0\x80b", "a\ufffdD800b"},
		{"a\xed\xa0\x81b", "a\ufffdD801b"},
		{"\xed\xbf\xbf\xed\xa0\xbd", "\ufffdDFFF\ufffdD83D"},
		{"\ufffd", "\ufffdFFFD"},
		{"\ufffdD800", "\ufffdFFFDD800"},
		{"\xff\xed\xa0", "\ufffd00FF\ufffd00ED\ufffd00A0"},
		{"\U0001f600\x00", "\U0001f600\x00"},
	} {
		compare(t, []said{{tt.in, JSONText(tt.in), tt.want}, {tt.want, FromJSONText(tt.want), tt.in}})
	}
	for _, foreign := range []string{"\ufffd", "\ufffd12", "\ufffdxyzw", "\ufffd1234", "a\ufffdé"} {
		compare(t, []said{{foreign, FromJSONText(foreign), foreign}})
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b]0;title\a\u202e\xff")
	f.Add("=\uff1d \U000e0041 ö")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 256 {
			return // what is longer has nothing that is new
		}
		got := Escape(s)
		checkSafe(t, "Escape", got)
		if Escape(got) != got {
			t.Errorf("%q changes when escaped again", got)
		}
		if cell := CSVCell(s); strings.TrimPrefix(cell, "'") != strings.TrimPrefix(got, "'") ||
			strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "\uff1d") {
			t.Errorf("CSVCell(%q) is %q", s, cell)
		}

		if form := JSONText(s); !utf8.ValidString(form) || FromJSONText(form) != s {
			t.Errorf("JSONText(%q) is %q, and back %q", s, form, FromJSONText(form))
		}

		// A JSON string comes back as the same text, and its bytes are safe.
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		safe := EscapeJSON(text)
		checkSafe(t, "EscapeJSON", string(safe))
		var want, back string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(safe, &back); err != nil || back != want {
			t.Errorf("JSON %s is %q, %v; want %q", safe, back, err, want)
		}
	})
}

// checkSafe reports what a terminal must not see, by the tables and not by the
// shortcuts.
func checkSafe(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: %q is no UTF-8", what, text)
	}
	for _, r := range text {
		if inUnsafeTables(r) {
			t.Errorf("%s: %q has %U", what, text, r)
		}
	}
}

func BenchmarkEscape(b *testing.B) {
	for name, text := range map[string]string{
		"ascii":  `\REGISTRY\MACHINE\SOFTWARE\Classes\CLSID\{00000000-0000-0000-0000-000000000000}`,
		"latin":  `\REGISTRY\MACHINE\SOFTWARE\Größenänderung\Straße`,
		"cjk":    `\REGISTRY\MACHINE\SOFTWARE\日本語の名前がここにあります`,
		"unsafe": "\\REGISTRY\\MACHINE\\SOFTWARE\\\x1b[2J\u202e",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Escape(text)
			}
		})
	}
}
