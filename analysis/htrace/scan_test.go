package htrace_test

import (
	"errors"
	"testing"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// The operations that cannot be read are counted, and the others are all there.
func TestReadDamaged(t *testing.T) {
	const n, size = 1000, 288
	ops := make([]dumptest.HandleOperation, n)
	for i := range ops {
		ops[i] = dumptest.HandleOperation{Handle: uint64(4 + 4*i), Type: dumptest.OperationOpen, ThreadID: 1, ProcessID: 7}
	}
	d := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: ops}}
	f := testdump.Damaged(t, d, "HandleOperationList[500]", 10*size)
	trace, err := htrace.Read(t.Context(), f, htrace.OldestFirst)
	if trace == nil || !errors.Is(err, minidump.ErrUnreadable) {
		t.Fatalf("error %v", err)
	}
	list := analysis.Flatten(err)
	if len(list) != 1 || list[0].Count < 10 || int(list[0].Count) != n-trace.Len() {
		t.Errorf("%d of %d operations, problems %v", trace.Len(), n, list)
	}
}
