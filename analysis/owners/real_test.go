package owners

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
)

// The dumps of the leaking program: see testdata/leaky/README.md. It has also
// objects whose field counts, at the place where others have their handle.
func TestOwnersOfRealDumps(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"testdata/leaky/leaky-x64-c-heap.dmp.gz", []string{
			"698 of 706 Key at +8 of vtable MyCustomDll+0x3070",
			"120 of 131 Event at +16 of vtable MyCustomDll+0x3080",
		}},
		{"testdata/leaky/leaky-x86-c-heap.dmp.gz", []string{
			"698 of 706 Key at +4 of vtable MyCustomDll+0x3068",
			"120 of 131 Event at +8 of vtable MyCustomDll+0x3070",
		}},
		{"../shared/dumps/leaky-c.dmp.gz", []string{
			"700 of 706 Key at +8 of vtable MyCustomDll+0x4040",
		}},
		{"../shared/dumps/fizzbuzz_wow64.dmp.gz", []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := testdump.Open(t, test.name)
			r, err := Find(t.Context(), f, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, ownerTexts(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := Find(t.Context(), f, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, again); diff != "" {
				t.Errorf("a second run differs (-first +second):\n%s", diff)
			}
		})
	}
}

func BenchmarkFindOwners(b *testing.B) {
	for _, bench := range []struct{ name, dump string }{
		{"x64", "testdata/leaky/leaky-x64-c-heap.dmp.gz"},
		{"x86", "testdata/leaky/leaky-x86-c-heap.dmp.gz"},
		{"FullMemory", "../shared/dumps/leaky-c.dmp.gz"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := testdump.Open(b, bench.dump)
			b.SetBytes(f.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Find(b.Context(), f, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
