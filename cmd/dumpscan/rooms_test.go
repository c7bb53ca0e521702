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

// rooms is the plan of the house: a row for each package, with all that it
// imports of this module and of others beside the standard library. Data flows
// one way: bytes, records, facts, reports, command. A new package needs a row,
// and an arrow that is no longer drawn loses its place here.
var rooms = map[string]string{
	"minidump":          "",
	"minidump/dumptest": "", // a second transcription of the format must not share the first one's mistakes
	"minidump/dumpfile": "minidump github.com/klauspost/compress/flate github.com/klauspost/compress/gzip github.com/klauspost/compress/zstd",

	"analysis":                              "minidump analysis/words analysis/internal/extsort",
	"analysis/words":                        "github.com/dustin/go-humanize",
	"analysis/internal/testdump":            "minidump minidump/dumptest", // for tests alone
	"analysis/symbol":                       "minidump analysis/internal/breakpad analysis/internal/cfi analysis/internal/ctxlock analysis/internal/dwarfsym analysis/internal/pdb analysis/internal/peimage analysis/internal/store analysis/internal/undecorate analysis/internal/openfile",
	"analysis/symbol/symserver":             "analysis/symbol",
	"analysis/internal/bounded":             "",
	"analysis/internal/breakpad":            "analysis/internal/nest analysis/internal/openfile",
	"analysis/internal/extsort":             "",
	"analysis/internal/cfi":                 "analysis/internal/bounded",
	"analysis/internal/nest":                "",
	"analysis/internal/cab":                 "analysis/internal/bounded",
	"analysis/internal/clr":                 "analysis/internal/clrmeta analysis/internal/peimage",
	"analysis/internal/clrmeta":             "analysis/internal/bounded",
	"analysis/internal/clrmeta/clrmetatest": "", // as dumptest
	"analysis/internal/ctxlock":             "",
	"analysis/internal/dwarfsym":            "analysis/internal/peimage",
	"analysis/internal/pdb":                 "analysis/internal/bounded analysis/internal/nest analysis/internal/openfile",
	"analysis/internal/pdb/pdbtest":         "",
	"analysis/internal/peimage":             "analysis/internal/bounded analysis/internal/openfile",
	"analysis/internal/store":               "analysis/internal/cab analysis/internal/ctxlock analysis/internal/openfile",
	"analysis/internal/undecorate":          "github.com/ianlancetaylor/demangle",
	"analysis/unwind":                       "minidump analysis/symbol analysis/internal/cfi analysis/internal/peimage golang.org/x/arch/arm64/arm64asm golang.org/x/arch/x86/x86asm",
	"analysis/htrace":                       "minidump analysis analysis/words analysis/symbol",
	"analysis/owners":                       "minidump analysis analysis/words analysis/symbol analysis/internal/clr analysis/internal/peimage analysis/internal/undecorate",
	"analysis/leaks":                        "minidump analysis analysis/words analysis/symbol analysis/htrace analysis/owners analysis/waits gonum.org/v1/gonum/mat gonum.org/v1/gonum/stat gonum.org/v1/gonum/stat/distuv",
	"analysis/waits":                        "minidump analysis analysis/words analysis/symbol",
	"analysis/check":                        "minidump analysis analysis/words",
	"analysis/internal/openfile":            "",
	"analysis/render": "minidump analysis analysis/words analysis/symbol analysis/unwind analysis/waits analysis/htrace analysis/owners analysis/leaks analysis/check" +
		" github.com/google/pprof/profile",
	"cmd/dumpscan": "minidump minidump/dumpfile analysis analysis/words analysis/symbol analysis/symbol/symserver analysis/unwind analysis/waits analysis/htrace analysis/owners analysis/leaks analysis/check analysis/render" +
		" github.com/spf13/cobra github.com/spf13/pflag golang.org/x/term",
}

func TestRooms(t *testing.T) {
	drawn := map[string][]string{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		drawn[pkg] = slices.Grow(drawn[pkg], 1)
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue // standard library
			}
			if imported = strings.TrimPrefix(imported, module); !slices.Contains(drawn[pkg], imported) {
				drawn[pkg] = append(drawn[pkg], imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg, imports := range drawn {
		row, ok := rooms[pkg]
		if !ok {
			t.Errorf("package %s has no row in the table of rooms", pkg)
		}
		planned := strings.Fields(row)
		for _, imported := range imports {
			if !slices.Contains(planned, imported) {
				t.Errorf("%s imports %s, which is not in its row", pkg, imported)
			}
		}
		for _, imported := range planned {
			if !slices.Contains(imports, imported) {
				t.Errorf("%s no longer imports %s: take it out of its row", pkg, imported)
			}
		}
	}
	for pkg := range rooms {
		if _, ok := drawn[pkg]; !ok {
			t.Errorf("there is no package %s: take its row out", pkg)
		}
	}
}
