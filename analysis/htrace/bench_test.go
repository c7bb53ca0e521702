package htrace_test

import (
	"fmt"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// BenchmarkContradictions reads and groups traces in which each operation
// contradicts another, of 500 stacks and 16 threads.
func BenchmarkContradictions(b *testing.B) {
	for name, kind := range map[string]uint32{
		"opens": dumptest.OperationOpen, "closes": dumptest.OperationClose, "badrefs": dumptest.OperationBadRef,
	} {
		for _, n := range []int{66_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				r, err := dumptest.Dump{
					MiscInfo: &dumptest.MiscInfo{ProcessID: 1},
					HandleOperations: &dumptest.HandleOperationList{Each: func(yield func(dumptest.HandleOperation) bool) {
						for i := range n {
							at := 0x7ff000000000 + uint64(i*7919%500)
							if !yield(dumptest.HandleOperation{
								Handle: uint64(i%1000)*4 + 4, ProcessID: 1, ThreadID: uint32(i * 31 % 16), Type: kind,
								Stack: []uint64{at, 0x7ff000001000, at + 0x2000},
							}) {
								return
							}
						}
					}},
				}.Reader()
				if err != nil {
					b.Fatal(err)
				}
				f, err := minidump.NewFile(r, r.Size())
				if err != nil {
					b.Fatal(err)
				}
				system, err := htrace.NewSystemModules(nil, nil, nil, nil)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					trace, err := htrace.Read(b.Context(), f, "")
					if err != nil {
						b.Fatal(err)
					}
					trace.Explain(trace.GroupAnomalies(nil, system))
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/operation")
			})
		}
	}
}
