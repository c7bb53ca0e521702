package render_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/render"
)

func TestTraceContracts(t *testing.T) {
	checkSections(t, "doc_trace.go", map[string][]any{
		"htrace":             {render.TraceReport{}, render.TraceHandleOperation{}, render.TraceAnomaly{}},
		"htrace --calls":     {render.CallReport{}},
		"modules":            {render.ModuleReport{}},
		"symbols":            {render.SymbolReport{}},
		"symbols --manifest": {render.SymbolManifest{}},
		"threads":            {render.ThreadReport{}},
	})
}

func TestProcessContracts(t *testing.T) {
	checkSections(t, "doc_process.go", map[string][]any{
		"memory":         {render.MemoryReport{}},
		"memory ADDRESS": {render.MemoryDump{}, render.MemoryRow{}},
		"peb":            {render.PEBReport{}},
	})
}

// checkSections checks that every field of the answers of some commands is in
// the command's section of the package comment, which a file has.
func checkSections(t *testing.T, file string, commands map[string][]any) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for command, types := range commands {
		_, section, ok := strings.Cut(string(page), "// # JSON of "+command+"\n")
		if !ok {
			t.Errorf("%s: no section", command)
			continue
		}
		section, _, _ = strings.Cut(section, "// # ")
		for _, report := range types {
			eachField(reflect.TypeOf(report), func(name string) {
				if !regexp.MustCompile(`\b` + name + `\b`).MatchString(section) {
					t.Errorf("%s: %s is not documented", command, name)
				}
			})
		}
	}
}

// eachField calls do with the JSON names of all fields of a type and of what is
// in it, but for the parts that are documented once for all answers.
func eachField(typ reflect.Type, do func(name string)) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[render.DumpHeader]() || typ == reflect.TypeFor[render.Frame]() {
		return
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" && !f.Anonymous {
			continue
		}
		if name != "" {
			do(name)
		}
		eachField(f.Type, do)
	}
}
