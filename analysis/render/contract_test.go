package render_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/render"
)

// Every field of an answer is on the page of the package comment, in the
// section of the answer or in the type that it points to.
func TestContracts(t *testing.T) {
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := map[reflect.Type]bool{ // documented once, for all answers
		reflect.TypeFor[render.DumpHeader](): true, reflect.TypeFor[render.Frame](): true,
	}
	for command, report := range map[string]reflect.Type{
		"check": reflect.TypeFor[render.CheckReport](), "leaks": reflect.TypeFor[render.LeakReport](), "owners": reflect.TypeFor[render.OwnersReport](),
	} {
		_, section, ok := strings.Cut(string(page), "// # JSON of "+command+"\n")
		if !ok {
			t.Errorf("%s: no section", command)
			continue
		}
		section, _, _ = strings.Cut(section, "// # ")
		skip := map[reflect.Type]bool{}
		for e := range elsewhere {
			skip[e] = true
		}
		if command == "leaks" {
			skip[reflect.TypeFor[render.Owner]()] = true // as in owners
		}
		for _, name := range jsonNames(report, skip) {
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(section) {
				t.Errorf("%s: %s is not documented", command, name)
			}
		}
	}
}

// jsonNames are the names of all fields of a type and of what is in it.
func jsonNames(typ reflect.Type, skip map[reflect.Type]bool) (names []string) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || skip[typ] {
		return nil
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name != "" {
			names = append(names, name)
		}
		names = append(names, jsonNames(f.Type, skip)...)
	}
	return names
}
