package undecorate

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestAgainstLLVM holds the parser against llvm-undname over the names of testdata/corpus.cpp. A name may stay raw, where
// the parser does not know its form, but whatever it says must be what LLVM says.
func TestAgainstLLVM(t *testing.T) {
	data, err := os.ReadFile("testdata/names.golden")
	if err != nil {
		t.Fatal(err)
	}
	total, raw := 0, 0
	for line := range strings.Lines(string(data)) {
		decorated, short, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		total++
		if !check(t, decorated, short) {
			t.Logf("raw: %s = %s", decorated, short)
			raw++
		}
	}
	if total < 400 || raw > total/50 {
		t.Errorf("%d names, %d of them left raw", total, raw)
	}
}

// check compares one name with LLVM's reading and reports whether it was understood.
func check(t *testing.T, decorated, short string) bool {
	name := Name(decorated)
	if name == decorated {
		return false
	}
	if strings.Contains(decorated, "$$A6AXH@Z") {
		return true // the short form lacks return types even in template arguments
	}
	want := nested.ReplaceAllString(keyless(house(short)), "$1$2")
	want = strings.TrimPrefix(strings.TrimPrefix(want, "const "), "[thunk]: ")
	if rest, ok := strings.CutPrefix(want, name); !ok || rest != "" && rest[0] != '(' {
		t.Errorf("%s\nname: %s\nLLVM: %s", decorated, name, want)
	}
	return true
}

// nested finds functions named inside of names, as scopes and template arguments, with the return type and the parameters
// that this package leaves out.
var nested = regexp.MustCompile("(`|[<,]&)(?:[^`'<>]* )?([^`' (]+)\\([^()]*\\)")

// house turns LLVM's way of writing into undname's, which this package follows: no space behind a comma, one between two
// closing brackets, destructor in full.
func house(s string) string {
	s = strings.ReplaceAll(spelling.Replace(s), "operator>>", "operator\x00")
	for strings.Contains(s, ">>") {
		s = strings.ReplaceAll(s, ">>", "> >")
	}
	return strings.ReplaceAll(s, "operator\x00", "operator>>")
}

var spelling = strings.NewReplacer(
	", ", ",", "`scalar deleting dtor'", "`scalar deleting destructor'", "`vector deleting dtor'", "`vector deleting destructor'",
	"`vbase dtor'", "`vbase destructor'", "`default ctor closure'", "`default constructor closure'",
	"`copy ctor closure'", "`copy constructor closure'", "ctor iterator'", "constructor iterator'", "dtor iterator'", "destructor iterator'",
)

// keyless drops the keys before types, as WinDbg does.
var keyless = strings.NewReplacer("class ", "", "struct ", "", "union ", "", "enum ", "").Replace
