package htrace

import (
	"context"
	"runtime"
	"sync"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// scanPart is the least number of operations that is worth a goroutine.
const scanPart = 1 << 15

// scan reads the operations into records, in the order of the file. Slots
// that were never used are left out and counted. The error, an
// [*analysis.PartialError], says which operations could not be read, and why the
// list ended early.
func scan(ctx context.Context, l *minidump.HandleOperationList) (pool *pool, records []record, unused int, err error) {
	n, short := l.Len()
	parts := min(runtime.GOMAXPROCS(0), n/scanPart+1)
	scans := make([]partScan, parts)
	records = make([]record, n)
	var wg sync.WaitGroup
	pool = newPool()
	for i := range scans {
		s := &scans[i]
		start, end := i*(n/parts), (i+1)*(n/parts)
		if i == parts-1 {
			end = n
		}
		if s.pool = pool; i > 0 {
			s.pool = newPool()
		}
		s.records = records[start:start:end]
		wg.Go(func() { s.read(ctx, l, start, end) })
	}
	wg.Wait()
	records = records[:0]
	var failed analysis.Failures
	for i := range scans {
		s := &scans[i]
		if i > 0 {
			pool.absorb(s.pool, s.records)
		}
		records = append(records, s.records...)
		unused += s.unused
		failed.Note(s.failed.Err())
	}
	failed.Note(short)
	return pool, records, unused, failed.Err()
}

// A partScan is one goroutine's share of a trace.
type partScan struct {
	pool    *pool
	records []record
	unused  int
	failed  analysis.Failures
}

func (s *partScan) read(ctx context.Context, l *minidump.HandleOperationList, start, end int) {
	n := 0
	for op, err := range l.Range(start, end) {
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return
		}
		if err != nil {
			// A record that cannot be read says nothing; the next ones may.
			s.failed.Note(err)
			continue
		}
		if op.OperationType == minidump.OperationUnused && op.Handle == 0 {
			s.unused++
			continue
		}
		s.records = append(s.records, s.pool.add(op))
	}
}
