package dwarfsym_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The variables of the leaking program: constant tables, and lists.
func TestVariable(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "leaky", "images", "x64", "MyCustomDll.dll"))
	if err != nil {
		t.Fatal(err)
	}
	_, f, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]string{}
	for _, rva := range []uint32{0x3070, 0x3078, 0x3080, 0x3090, 0x6008, 0x100} {
		v, ok, err := f.Variable(rva)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			got[rva] = v.Name
			if v.RVA > rva {
				t.Errorf("%#x: begins at %#x", rva, v.RVA)
			}
		}
	}
	want := map[uint32]string{
		0x3070: "settings_vtable", 0x3078: "settings_vtable", 0x3080: "subscription_vtable", 0x3090: "request_vtable", 0x6008: "all_subscriptions",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
