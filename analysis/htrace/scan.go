package htrace

import (
	"runtime"
	"sync"

	"github.com/dumpscan/dumpscan/minidump"
)

// scanPart is the least number of operations that is worth a goroutine.
const scanPart = 1 << 15

// scan reads the operations into records, in the order of the file. Slots
// that were never used are left out and counted. The error tells why the list
// ended early.
func scan(l *minidump.HandleOperationList) (pool *pool, records []record, unused int, err error) {
	n, err := l.Len()
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
		s.pool = pool
		if i > 0 {
			s.pool = pool.like()
		}
		s.records = records[start:start:end]
		wg.Go(func() { s.read(l, start, end) })
	}
	wg.Wait()
	records = records[:0]
	for i := range scans {
		s := &scans[i]
		if i > 0 {
			pool.absorb(s.pool, s.records)
		}
		records = append(records, s.records...)
		unused += s.unused
		if s.err != nil {
			return pool, records, unused, s.err
		}
	}
	return pool, records, unused, err
}

// A partScan is one goroutine's share of a trace.
type partScan struct {
	pool    *pool
	records []record
	unused  int
	err     error
}

func (s *partScan) read(l *minidump.HandleOperationList, start, end int) {
	for op, err := range l.Range(start, end) {
		if err != nil {
			s.err = err
			return
		}
		if op.OperationType == minidump.OperationUnused && op.Handle == 0 {
			s.unused++
			continue
		}
		s.records = append(s.records, s.pool.add(op))
	}
}
