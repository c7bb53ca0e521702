package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
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
		{"broken\xff\xc0", "broken<0xFF><0xC0>"},
		{"replaced \ufffd", "replaced \ufffd"},
		{"private \ue000 tag \U000e0041", "private <U+E000> tag <U+E0041>"},
	} {
		if got := Escape(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCSVCell(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+x": "'+x", "-x": "'-x", "@x": "'@x", `\Device`: `\Device`, "": "", "a=b": "a=b",
	} {
		if got := CSVCell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b]0;title\a\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q is no UTF-8", got)
		}
		for _, r := range got {
			if r != utf8.RuneError && unsafeRune(r) {
				t.Errorf("%q has %U", got, r)
			}
		}
		if Escape(got) != got {
			t.Errorf("%q changes when escaped again", got)
		}

		// A JSON string comes back as the same text, and its bytes are safe.
		text, err := marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(text) {
			if r != utf8.RuneError && unsafeRune(r) {
				t.Errorf("JSON %q has %U", text, r)
			}
		}
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Errorf("JSON %s is %q, %v; want %q", text, back, err, s)
		}

		// A CSV row has as many cells as were written.
		var b bytes.Buffer
		if err := writeCSV(&b, []string{"name"}, func(row func(...string)) { row(CSVCell(s)) }); err != nil {
			t.Fatal(err)
		}
		if _, err := csv.NewReader(&b).ReadAll(); err != nil {
			t.Errorf("CSV: %v", err)
		}
	})
}
