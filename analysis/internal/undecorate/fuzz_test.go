package undecorate

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzName: nothing panics, two runs agree, the text is bounded, and what is understood has no decoration left.
func FuzzName(f *testing.F) {
	data, err := os.ReadFile("testdata/names.golden")
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		if n++; n%4 == 0 {
			name, _, _ := strings.Cut(line, "\t")
			f.Add(name)
		}
	}
	f.Add("_ZN2ns4RingIiLj8EE4pushEi")
	f.Add("_RNvCs1234_7mycrate3foo")
	f.Fuzz(func(t *testing.T, decorated string) {
		name := Name(decorated)
		if name != Name(decorated) {
			t.Error("two runs differ")
		}
		NameX86(decorated)
		if !strings.HasPrefix(decorated, "?") {
			return
		}
		if len(name) > max(2*maxText, len(decorated)) {
			t.Errorf("%d bytes from %d", len(name), len(decorated))
		}
		if utf8.ValidString(decorated) && !utf8.ValidString(name) {
			t.Errorf("%q is not text", name)
		}
		if name != decorated && strings.HasPrefix(name, "?") {
			t.Errorf("half read: %q", name)
		}
	})
}

func BenchmarkName(b *testing.B) {
	data, err := os.ReadFile("testdata/names.golden")
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, name)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Name(names[i%len(names)])
	}
}
