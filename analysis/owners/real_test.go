package owners

import (
	"runtime"
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
		{"../shared/dumps/diag/l03-3.dmp.gz", []string{ // a vector of handles, older copies before it
			"900 of 901 Mutant, 8 bytes in array every 8 at 0xc968c0",
			"80 of 81 Event, 8 bytes in array every 8 at 0x349750",
		}},
		{"../shared/dumps/diag/l05-3.dmp.gz", []string{ // the table of functions is the second word
			"249 of 330 Event at +24-8 of vtable l05_ops+0xa090",
		}},
		{"../shared/dumps/diag/l06-3.dmp.gz", []string{ // structs with a text
			`525 of 526 Semaphore at -12 of record 0x20626f6a "job "`,
			"80 of 81 Event, 8 bytes in array every 8 at 0x34cd30",
		}},
		{"../shared/dumps/diag/l11-3.dmp.gz", []string{ // nobody has the threads
			"80 of 81 Event, 8 bytes in array every 8 at 0x349780",
		}},
		{"../shared/dumps/diag/l13-3.dmp.gz", []string{ // structs with a magic number
			`376 of 457 Event at +8 of record 0x5167 ""`,
		}},
		{"../shared/dumps/diag/h05-5.dmp.gz", []string{ // a global array
			"5000 of 5081 Event, 8 bytes in global every 8 at h05_batch+0xd040",
		}},
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
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
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

func BenchmarkFind(b *testing.B) {
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
