package render

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestDocumented: every field of these answers has its place on the page about
// them, in the package comment.
func TestDocumented(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	page := string(source)
	for _, r := range []Report{&HandlesReport{}, &DiffReport{}, &InfoReport{}} {
		if !strings.Contains(page, r.schema()) {
			t.Errorf("doc.go does not name %s", r.schema())
		}
		for _, name := range fieldNames(reflect.TypeOf(r)) {
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(page) {
				t.Errorf("%s: doc.go does not mention the field %q", r.schema(), name)
			}
		}
	}
}

// fieldNames are the names in JSON of all fields of a type, and of those below.
func fieldNames(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		if t == reflect.TypeFor[*HandleStream]() {
			return fieldNames(reflect.TypeFor[Handle]())
		}
		return fieldNames(t.Elem())
	case reflect.Struct:
		var names []string
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if name != "" {
				names = append(names, name)
			}
			names = append(names, fieldNames(f.Type)...)
		}
		return names
	}
	return nil
}
