package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
)

func TestParseAccess(t *testing.T) {
	type granted struct {
		typ  string
		mask uint32
	}
	for _, tt := range []struct {
		text  string
		types []string
		match []granted
		not   []granted
	}{
		{"20019", nil, []granted{{"Key", 0x20019}, {"Key", 0xf003f}, {"Gadget", 0x20019}}, []granted{{"Key", 0x20018}}},
		{"=0x20019", nil, []granted{{"Key", 0x20019}}, []granted{{"Key", 0xf003f}, {"Key", 0x20018}}},
		{"0", nil, []granted{{"Key", 0}, {"", 7}}, nil},
		{"setvalue", []string{"KEY"}, []granted{{"Key", 0x2}, {"Key", 0xf003f}}, []granted{{"Key", 0x20019}}},
		// A right belongs to its types.
		{"QueryValue", nil, []granted{{"Key", 1}}, []granted{{"Event", 1}, {"Key", 2}, {"", 1}}},
		{"QueryInfo", nil, []granted{{"Process", 0x400}, {"Thread", 0x40}}, []granted{{"Process", 0x40}, {"Thread", 0x400}, {"Key", 0x440}}},
		{"=QueryValue", []string{"Key", "Event"}, []granted{{"Key", 1}}, []granted{{"Key", 3}, {"Event", 1}}},
		{"KEY_SET_VALUE,Delete", nil, []granted{{"Key", 0x10002}}, []granted{{"Key", 0x2}, {"Key", 0x10000}}},
		{"delete, QueryState ,ModifyState", nil, []granted{{"Event", 0x10003}, {"Timer", 0x10003}}, []granted{{"Mutant", 0x10003}, {"Event", 3}}},
		{"SYNCHRONIZE", nil, []granted{{"Event", 0x100000}, {"Gadget", 0x1f0000}}, []granted{{"Event", 3}}},
		{"MAXIMUM_ALLOWED", nil, []granted{{"Event", 0x2000000}}, []granted{{"Event", 0x1f0003}}},
		// What stands for several rights.
		{"KEY_READ", nil, []granted{{"Key", 0x20019}, {"Key", 0xf003f}}, []granted{{"Key", 0x19}, {"Event", 0x20019}}},
		{"=KEY_ALL_ACCESS", nil, []granted{{"Key", 0xf003f}}, []granted{{"Key", 0x1f003f}}},
		{"KEY_WRITE", nil, []granted{{"Key", 0x20006}}, []granted{{"Key", 0x20019}}},
		{"EVENT_ALL_ACCESS", nil, []granted{{"Event", 0x1f0003}}, []granted{{"Event", 0x100003}, {"Semaphore", 0x1f0003}}},
		{"FILE_GENERIC_READ", nil, []granted{{"File", 0x12019f}}, []granted{{"File", 0x100081}}},
		{"PROCESS_ALL_ACCESS", nil, []granted{{"Process", 0x1fffff}}, []granted{{"Process", 0x1f0fff}}},
		{"GENERIC_READ", nil, []granted{{"Key", 0x20019}, {"Event", 0x20001}, {"File", 0x120089}, {"Token", 0x2001a}},
			[]granted{{"Key", 0x20001}, {"File", 0x20001}, {"Gadget", 0xffffffff}}},
		{"GENERIC_ALL", nil, []granted{{"Desktop", 0xf01ff}, {"WindowStation", 0xf037f}}, []granted{{"Desktop", 0xf00ff}}},
		{"generic_write", []string{"File"}, []granted{{"File", 0x120116}}, []granted{{"File", 0x120089}}},
		{"GENERIC_EXECUTE", nil, []granted{{"Section", 0x20008}}, []granted{{"ALPC Port", 0x1f0001}}}, // ports have no such right
	} {
		p, err := analysis.ParseAccess(tt.text, tt.types...)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		for _, g := range tt.match {
			if !p.Match(g.typ, g.mask) {
				t.Errorf("%s does not match %s %#x", tt.text, g.typ, g.mask)
			}
		}
		for _, g := range tt.not {
			if p.Match(g.typ, g.mask) {
				t.Errorf("%s matches %s %#x", tt.text, g.typ, g.mask)
			}
		}
	}
	for _, tt := range []struct {
		text  string
		types []string
		want  string
	}{
		{"", nil, `no right ""; give a mask such as 0x20019 or the name of a right such as KEY_READ`},
		{"=", nil, `no right ""; give a mask`},
		{"KEY_RAED", nil, `no right "KEY_RAED"; did you mean KEY_READ?`},
		{"qureyvalue", nil, `no right "qureyvalue"; did you mean QueryValue?`},
		{"1ffffffff", nil, `no right "1ffffffff"`},
		{"QueryValue,DupHandle", nil, "no type has all the rights QueryValue,DupHandle"},
		{"QueryInfo", []string{"Key", "Event"}, "Key or Event has no right QueryInfo, which is one of Process and Thread"},
	} {
		if _, err := analysis.ParseAccess(tt.text, tt.types...); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q of %v: error %v, want %s", tt.text, tt.types, err, tt.want)
		}
	}
}

// Every name that is offered is understood.
func TestRightNames(t *testing.T) {
	names := analysis.RightNames()
	for _, name := range names {
		if _, err := analysis.ParseAccess(name); err != nil {
			t.Errorf("%s is offered, but %v", name, err)
		}
	}
	for _, name := range []string{"QueryValue", "KEY_READ", "GENERIC_ALL", "Synch", "TOKEN_QUERY"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not offered", name)
		}
	}
	want := []string{"QueryState", "Delete", "ReadControl", "WriteDac", "WriteOwner", "Synch",
		"MUTANT_ALL_ACCESS", "MUTEX_ALL_ACCESS", "MUTEX_MODIFY_STATE", "GENERIC_ALL", "GENERIC_EXECUTE", "GENERIC_WRITE", "GENERIC_READ"}
	if diff := cmp.Diff(want, analysis.RightNames("mutant")); diff != "" {
		t.Errorf("of a mutant (-want +got):\n%s", diff)
	}
}
