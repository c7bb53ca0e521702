package analysis

import (
	"slices"
	"sync"
)

// OrderEvidence tells why a trace was read in one order and not in the other.
type OrderEvidence struct {
	Reason      OrderReason
	OldestFirst OrderCount // what replaying the file as oldest first meets
	NewestFirst OrderCount
}

// OrderReason says what decided on the order of a trace.
type OrderReason string

// The reasons.
const (
	OrderByAnomalies OrderReason = "anomalies" // the other order has more anomalies and contradictions
	OrderByHandles   OrderReason = "handles"   // equal sums, but the other order contradicts the handle stream more often
	OrderByDefault   OrderReason = "default"   // no difference: newest first, as !htrace lists them
	OrderByRequest   OrderReason = "request"   // the caller said so
)

// An OrderCount is the evidence against one order.
type OrderCount struct {
	// Anomalies counts closes of a value that is not open, opens of one that
	// is, and bad references to one that is.
	Anomalies int
	// Contradictions counts the values whose last operation is a close, but
	// that the handle stream lists as open.
	Contradictions int
}

func (c OrderCount) sum() int { return c.Anomalies + c.Contradictions }

// orient decides on the order of the records, which are those of the file, and
// turns them so that the oldest comes first.
//
// In the wrong order opens and closes still alternate; what differs are the
// ends. A value that was opened and closed seems to be closed first, and one
// that is open seems closed, which the handle stream contradicts. A ring that
// has overwritten opens has a few closes without them in the right order too.
func (t *Trace) orient(order TraceOrder) {
	e := &t.Evidence
	var both sync.WaitGroup
	both.Go(func() { e.OldestFirst = t.evidence(false) })
	both.Go(func() { e.NewestFirst = t.evidence(true) })
	both.Wait()
	old, young := e.OldestFirst, e.NewestFirst
	t.Order, e.Reason = NewestFirst, OrderByDefault
	switch {
	case order != "":
		t.Order, e.Reason = order, OrderByRequest
	case old.sum() != young.sum():
		e.Reason = OrderByAnomalies
		if old.sum() < young.sum() {
			t.Order = OldestFirst
		}
	case old.Contradictions != young.Contradictions:
		e.Reason = OrderByHandles
		if old.Contradictions < young.Contradictions {
			t.Order = OldestFirst
		}
	}
	if t.Order == NewestFirst {
		slices.Reverse(t.records)
	}
}

// evidence replays the records of the file, backwards if newestFirst, and
// counts what speaks against that order.
func (t *Trace) evidence(newestFirst bool) OrderCount {
	var c OrderCount
	n := len(t.records)
	last := make([]siteKind, len(t.pool.handles))
	for i := range n {
		if newestFirst {
			i = n - 1 - i
		}
		r := t.records[i]
		state, op := last[r.handle], t.kinds[r.site]
		switch {
		case op == kindOpen && state == kindOpen,
			op == kindClose && state != kindOpen,
			op == kindBadRef && state == kindOpen:
			c.Anomalies++
		}
		if op == kindOpen || op == kindClose {
			last[r.handle] = op
		}
	}
	for id, state := range last {
		if state == kindClose && t.Handles.listed[id] {
			c.Contradictions++
		}
	}
	return c
}
