package analysis_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
)

// FuzzParseAccess: what is understood matches a handle that was granted
// everything, and the order of the names does not matter.
func FuzzParseAccess(f *testing.F) {
	for _, text := range []string{"20019", "=0x1", "QueryValue,delete", "KEY_READ", "=GENERIC_ALL", "QueryState,Synch", "", ",", "0x", "Post"} {
		f.Add(text)
	}
	types := append(analysis.KnownTypes(), "IRTimer", "EtwRegistration", "DebugObject", "Partition", "Session", "Type", "EtwConsumer")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := analysis.ParseAccess(text)
		if (p == nil) != (err != nil) {
			t.Fatalf("%q: pattern %v, error %v", text, p, err)
		}
		if err != nil || len(text) > 0 && text[0] == '=' {
			return
		}
		if !slices.ContainsFunc(types, func(typ string) bool { return p.Match(typ, 0xffffffff) }) {
			t.Errorf("%q matches no handle at all", text)
		}
	})
}

// FuzzParseHandleQuery: an argument that is understood is understood in the same
// way in all the forms that WinDbg has for it.
func FuzzParseHandleQuery(f *testing.F) {
	f.Add("7e0", "ff", "Key")
	f.Add("-1", "0", "")
	f.Add("ffffffff`ffffffff", "8", "alpc port")
	f.Fuzz(func(t *testing.T, handle, flags, typ string) {
		q, err := analysis.ParseHandleQuery([]string{handle, flags, typ})
		if (q == nil) != (err != nil) {
			t.Fatalf("query %v, error %v", q, err)
		}
		if err != nil || handle == "-1" || flags == "-1" {
			return
		}
		again, err := analysis.ParseHandleQuery([]string{"0x" + trim(handle), "0x" + trim(flags), typ})
		if diff := cmp.Diff(q, again); diff != "" || err != nil {
			t.Errorf("with 0x: error %v (-want +got):\n%s", err, diff)
		}
		if !q.OneHandle && q.Flags == 0 && q.Listing {
			t.Error("nothing of all handles is listed")
		}
	})
}

// trim removes the prefix that a number may have.
func trim(s string) string {
	for _, prefix := range []string{"0x", "0X"} {
		if len(s) > 2 && s[:2] == prefix {
			return s[2:]
		}
	}
	return s
}
