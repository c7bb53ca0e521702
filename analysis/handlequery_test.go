package analysis_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
)

func TestParseHandleQuery(t *testing.T) {
	const all, flags = analysis.ShowAll, analysis.ShowType
	for _, tt := range []struct {
		args []string
		want analysis.HandleQuery
	}{
		{nil, analysis.HandleQuery{Flags: all}},
		{[]string{"0"}, analysis.HandleQuery{Flags: flags, Listing: true}},
		{[]string{"7e0"}, analysis.HandleQuery{OneHandle: true, Handle: 0x7e0, Flags: flags, Listing: true}},
		{[]string{"0x7e3", "F"}, analysis.HandleQuery{OneHandle: true, Handle: 0x7e3, Flags: all, Listing: true}},
		{[]string{"1"}, analysis.HandleQuery{OneHandle: true, Handle: 1, Flags: flags, Listing: true}},
		{[]string{"0", "0"}, analysis.HandleQuery{}},
		{[]string{"7e0", "0"}, analysis.HandleQuery{OneHandle: true, Handle: 0x7e0, Listing: true}},
		{[]string{"-1", "ff"}, analysis.HandleQuery{Flags: 0xff, Listing: true}},
		{[]string{"ffffffff", "4", "key"}, analysis.HandleQuery{Flags: analysis.ShowName, Type: "key", Listing: true}},
		{[]string{"ffffffff`ffffffff", "0", "Key"}, analysis.HandleQuery{Type: "Key"}},
		{[]string{"00000000`000007e0", "8"}, analysis.HandleQuery{OneHandle: true, Handle: 0x7e0, Flags: analysis.ShowObject, Listing: true}},
	} {
		got, err := analysis.ParseHandleQuery(tt.args)
		if err != nil {
			t.Errorf("%q: %v", tt.args, err)
			continue
		}
		if diff := cmp.Diff(tt.want, *got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.args, diff)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"xyz"}, `HANDLE: "xyz" is not a hexadecimal number`},
		{[]string{"key"}, `HANDLE: "key" is a type and no number; use --type Key, or 0 ff Key`},
		{[]string{"Kye"}, `HANDLE: "Kye" is not a hexadecimal number; did you mean --type Key?`},
		{[]string{""}, `HANDLE: "" is not a hexadecimal number`},
		{[]string{"0", "Key"}, `FLAGS: "Key" is not a hexadecimal number`},
		{[]string{"0", "10000000000000000"}, `FLAGS: "10000000000000000" is not a hexadecimal number`},
		{[]string{"0", "f", "Key", "x"}, `"x" is one argument too many`},
	} {
		if _, err := analysis.ParseHandleQuery(tt.args); err == nil || err.Error() != tt.want {
			t.Errorf("%q: error %v, want %s", tt.args, err, tt.want)
		}
	}
}
