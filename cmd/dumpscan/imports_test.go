package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dumpscan/dumpscan/"

// importPolicy lists, for each package, what it may import of this module
// besides the packages below it, and of other modules. Data flows one way:
// bytes, records, facts, text, command.
var importPolicy = map[string][]string{
	"minidump":          {},
	"minidump/dumptest": {}, // a second transcription of the format must not share the first one's mistakes
	"minidump/dumpfile": {"minidump", "github.com/klauspost/compress"},

	"analysis/internal": {"github.com/ianlancetaylor/demangle"},
	"analysis/symbol":   {"minidump", "analysis/internal"},
	"analysis":          {"minidump", "analysis/internal", "analysis/symbol", "golang.org/x/arch"},
	"analysis/render": {
		"minidump", "analysis", "analysis/symbol",
		"github.com/dustin/go-humanize", "github.com/google/pprof",
	},
	"cmd/dumpscan": {
		"minidump", "minidump/dumpfile", "analysis", "analysis/symbol", "analysis/render",
		"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/schollz/progressbar",
		"golang.org/x/term", "golang.org/x/sys", "github.com/dustin/go-humanize",
	},
}

// policyOf returns the policy of a package or of the nearest folder above it
// that has one.
func policyOf(pkg string) (rule string, allowed []string) {
	for rule = pkg; rule != "."; rule = path.Dir(rule) {
		if allowed, ok := importPolicy[rule]; ok {
			return rule, allowed
		}
	}
	return pkg, nil
}

func TestImportPolicy(t *testing.T) {
	root := os.DirFS("../..")
	files := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		if strings.HasPrefix(name, "testdata/") {
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		rule, allowed := policyOf(pkg)
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !mayImport(rule, allowed, imported) {
				t.Errorf("%s imports %s, which the policy of %s does not allow", name, imported, rule)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("only %d files found: the test looks in the wrong place", files)
	}
}

func mayImport(rule string, allowed []string, imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true // standard library
	}
	imported = strings.TrimPrefix(imported, module)
	if imported == rule || strings.HasPrefix(imported, rule+"/") && policyRule(imported) == rule {
		return true // a package below
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		return imported == a || strings.HasPrefix(imported, a+"/") && (policyRule(imported) == a || strings.Contains(a, "."))
	})
}

func policyRule(pkg string) string {
	rule, _ := policyOf(pkg)
	return rule
}
