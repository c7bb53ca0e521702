package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// Names that are no Unicode come back from JSON as they were, in a listing and in
// lists; the report keeps them, so that it can be written twice.
func TestJSONLosesNothing(t *testing.T) {
	names := []string{"\xed\xa0\x80A", "\xed\xa0\x81A", "\xed\xbf\xbf", "\ufffdA", "\ufffd", "\xff", "<U+D800>", `\ud800`, "ü\x00\u202e"}
	var modules []minidump.Module
	for _, name := range names {
		modules = append(modules, minidump.Module{ModuleName: name})
	}
	list := render.NewModuleReport(render.DumpHeader{Process: names[0]}, modules, nil, 0)
	stream := &render.HandlesReport{Handles: render.NewHandleStream(func(visit func(*minidump.Handle) bool) error {
		for i := range names {
			visit(&minidump.Handle{Handle: uint64(4 * i), ObjectName: names[i]})
		}
		return nil
	}, nil)}
	type element struct{ Name, Path string }
	for range 2 {
		var got struct {
			Dump             struct{ Process string }
			Modules, Handles []element
		}
		for _, r := range []render.Report{list, stream} {
			text := formatted(t, r, render.JSON)
			if strings.Contains(text, `\ufffd"`) || strings.Contains(text, "\u202e") {
				t.Errorf("a loss, or what a terminal must not see:\n%q", text)
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
		}
		var paths, objects []string
		for i := range got.Modules {
			paths = append(paths, words.FromJSONText(got.Modules[i].Path))
			objects = append(objects, words.FromJSONText(got.Handles[i].Name))
		}
		if diff := cmp.Diff(names, paths); diff != "" {
			t.Errorf("modules (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(names, objects); diff != "" {
			t.Errorf("handles (-want +got):\n%s", diff)
		}
	}
	texts := map[string]string{}
	for _, name := range names {
		text := words.Escape(name)
		if other, ok := texts[text]; ok && name != "<U+D800>" {
			t.Errorf("%q and %q are both %s", name, other, text)
		}
		texts[text] = name
	}
}

// A baseline knows the groups again whose names are no Unicode.
func TestBaselineLosesNothing(t *testing.T) {
	odd := "\xed\xa0\x80\ufffd\xff"
	want := &check.Baseline{
		Process: odd,
		Types:   []analysis.TypeCount{{Type: "Key", Count: 3}, {Type: odd, Count: 1}},
		Groups:  []check.BaselineGroup{{Type: "Key", Name: odd, GrantedAccess: 1, Count: 2}, {Type: "Key", Name: odd + "x", Count: 1}},
	}
	got, err := check.ReadBaseline(strings.NewReader(formatted(t, render.NewBaselineFile(want), render.JSON)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
