package unwind

import (
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// BenchmarkAMD64Stacks unwinds the threads of testdata/unwind/threads-x64.dmp.gz, from
// six frames to 38.
func BenchmarkAMD64Stacks(b *testing.B) {
	f := testdump.Open(b, "testdata/unwind/threads-x64.dmp.gz")
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	code := s.Code(b.Context())
	u, err := New(f, s, code)
	if err != nil {
		b.Fatal(err)
	}
	threads, err := f.Threads()
	if err != nil {
		b.Fatal(err)
	}
	var indexes []int
	for i := range threads {
		indexes = append(indexes, i)
	}
	stacks, frames := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		list, err := u.Threads(b.Context(), f, threads, nil, indexes)
		if err != nil {
			b.Fatal(err)
		}
		for i := range list {
			if list[i].Err == nil {
				stacks, frames = stacks+1, frames+len(list[i].Frames)
			}
		}
	}
	b.ReportMetric(float64(stacks)/b.Elapsed().Seconds(), "stacks/s")
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}
