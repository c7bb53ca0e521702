package render_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/render"
)

// Every field of these answers is in its section of the package comment.
func TestTraceContracts(t *testing.T) {
	var page []byte
	for _, name := range []string{"doc_trace.go", "doc_stack.go", "doc_process.go", "doc_streams.go"} {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page = append(page, part...)
	}
	for command, types := range map[string][]any{
		"htrace":             {render.TraceReport{}, render.TraceHandleOperation{}, render.TraceAnomaly{}},
		"htrace --calls":     {render.CallReport{}},
		"memory":             {render.MemoryReport{}},
		"memory ADDRESS":     {render.MemoryDump{}, render.MemoryRow{}},
		"modules":            {render.ModuleReport{}},
		"peb":                {render.PEBReport{}},
		"stacks":             {render.StackReport{}},
		"exception":          {render.ExceptionReport{}},
		"streams":            {render.StreamsReport{}},
		"token":              {render.TokenReport{}},
		"symbols":            {render.SymbolReport{}},
		"symbols --manifest": {render.SymbolManifest{}},
		"threads":            {render.ThreadReport{}},
	} {
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
