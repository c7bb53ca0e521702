package minidump_test

import (
	"fmt"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// manyHandles is a dump in dbghelp's layout: strings handle by handle, a third
// of the keys with a name.
func manyHandles(n int) dumptest.Dump {
	types := []string{"Key", "Key", "Key", "Event", "Key", "File", "Key", "Semaphore"}
	return dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			h := dumptest.Handle{Value: uint64(i+1) * 4, Type: types[i/7%len(types)], GrantedAccess: 0x20019}
			if h.Type == "Key" && i%3 == 0 {
				h.Name = fmt.Sprintf(`\REGISTRY\MACHINE\SOFTWARE\Classes\%d`, i%1000)
			}
			return h
		}),
	}}
}

func openMany(b *testing.B, n int) *minidump.HandleData {
	b.Helper()
	r, err := manyHandles(n).Reader()
	if err != nil {
		b.Fatal(err)
	}
	f, err := minidump.NewFile(r, r.Size())
	if err != nil {
		b.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		b.Fatal(err)
	}
	return hd
}

// BenchmarkHandles reads handles with their types, as a summary does, and
// with everything, as a listing does. Allocations must not grow with the
// number of handles. Ten million handles take part unless -short is given.
func BenchmarkHandles(b *testing.B) {
	sizes := []int{66_316, 1_000_000, 10_000_000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, n := range sizes {
		hd := openMany(b, n)
		for name, parts := range map[string]minidump.HandleParts{
			"types": minidump.HandleTypeName, "all": minidump.HandleAllParts,
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					got := 0
					for _, err := range hd.Only(parts) {
						if err != nil {
							b.Fatal(err)
						}
						got++
					}
					if got != n {
						b.Fatalf("%d handles, want %d", got, n)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/handle")
			})
		}
	}
}

// BenchmarkHugeDump counts the handles of a dump with 8 GiB of memory and
// reports the bytes read from the file, which the memory must not add to.
func BenchmarkHugeDump(b *testing.B) {
	d := manyHandles(66_316)
	d.Memory64 = []dumptest.MemoryRange{{Start: 0x10000, Size: 8 << 30}}
	r, err := d.Reader()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r.Reset()
		f, err := minidump.NewFile(r, r.Size())
		if err != nil {
			b.Fatal(err)
		}
		hd, err := f.HandleData()
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range hd.Only(minidump.HandleTypeName) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(r.BytesRead()), "file-bytes/op")
}
