package analysis

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// openGzip opens a packed dump in memory.
func openGzip(t testing.TB, name string) *minidump.File {
	t.Helper()
	packed, err := os.Open(name)
	if err != nil {
		t.Skipf("the dump is not there: %v", err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The dumps of the leaking program: see testdata/leaky/README.md. It has also
// objects whose field counts, at the place where others have their handle.
func TestOwnersOfRealDumps(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"../testdata/leaky/leaky-x64-c-heap.dmp.gz", []string{
			"698 of 706 Key at +8 of vtable MyCustomDll+0x3070",
			"120 of 131 Event at +16 of vtable MyCustomDll+0x3080",
		}},
		{"../testdata/leaky/leaky-x86-c-heap.dmp.gz", []string{
			"698 of 706 Key at +4 of vtable MyCustomDll+0x3068",
			"120 of 131 Event at +8 of vtable MyCustomDll+0x3070",
		}},
		{"../../shared/dumps/leaky-c.dmp.gz", []string{
			"700 of 706 Key at +8 of vtable MyCustomDll+0x4040",
		}},
		{"../../shared/dumps/fizzbuzz_wow64.dmp.gz", []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := openGzip(t, test.name)
			r, err := FindOwners(t.Context(), f, OwnerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, ownerTexts(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := FindOwners(t.Context(), f, OwnerOptions{})
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
		{"x64", "../testdata/leaky/leaky-x64-c-heap.dmp.gz"},
		{"x86", "../testdata/leaky/leaky-x86-c-heap.dmp.gz"},
		{"FullMemory", "../../shared/dumps/leaky-c.dmp.gz"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := openGzip(b, bench.dump)
			b.SetBytes(f.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FindOwners(b.Context(), f, OwnerOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
