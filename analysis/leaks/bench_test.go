package leaks_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// bigDump is a dump of n handles: two in three are unnamed keys, the others
// files with names of their own.
func bigDump(tb testing.TB, n int, hours uint32) *minidump.File {
	d := dumptest.Dump{
		TimeDateStamp: dumptest.DefaultTime + 3600*hours,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 1, ProcessCreateTime: dumptest.DefaultTime - 3600},
		HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			h := plainKey
			if i%3 == 0 {
				h = tempFile
				h.Name = fmt.Sprintf(h.Name, i)
			}
			h.Value = uint64(4 * (i + 1))
			return h
		})},
	}
	r, err := d.Reader()
	if err != nil {
		tb.Fatal(err)
	}
	f, err := minidump.NewFile(r, r.Size())
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// BenchmarkLoadSnapshot counts the handles of one dump. Ten million take part
// unless -short is given: memory must not grow with their number.
func BenchmarkLoadSnapshot(b *testing.B) {
	sizes := []int{66_000, 1_000_000, 10_000_000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := bigDump(b, n, 0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := analysis.LoadSnapshot(b.Context(), f, "big.dmp"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/handle")
		})
	}
}

// BenchmarkFindLeaks judges three dumps that grow to a million handles, which
// is a second pass over each.
func BenchmarkFindLeaks(b *testing.B) {
	var snapshots []*analysis.Snapshot
	files := map[string]*minidump.File{}
	for i, n := range []int{600_000, 800_000, 1_000_000} {
		name := fmt.Sprintf("%d.dmp", i)
		files[name] = bigDump(b, n, uint32(i))
		s, err := analysis.LoadSnapshot(b.Context(), files[name], name)
		if err != nil {
			b.Fatal(err)
		}
		snapshots = append(snapshots, s)
	}
	open := func(_ context.Context, name string) (*minidump.File, func() error, error) {
		return files[name], func() error { return nil }, nil
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := leaks.Find(b.Context(), snapshots, leaks.Options{Open: open})
		if err != nil || !r.Verdict.Leak {
			b.Fatal(err, r.Verdict)
		}
	}
}
