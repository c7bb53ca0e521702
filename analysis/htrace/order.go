package htrace

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
	OrderByAnomalies OrderReason = "anomalies" // the other order meets more that cannot be
	OrderByHandles   OrderReason = "handles"   // equal sums, but the other order contradicts the handle stream more often
	OrderByDefault   OrderReason = "default"   // no difference: newest first, as !htrace lists them
	OrderByOverlap   OrderReason = "overlap"   // no difference, but in this order the dump continues an earlier one
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
	// OtherTypes counts the open handles whose type is not the one that most
	// handles opened by the same stack have: the value was reused, and the
	// stack that seems to have opened it last did so before another one.
	OtherTypes int
}

func (c OrderCount) sum() int { return c.Anomalies + c.Contradictions + c.OtherTypes }

// orient decides on the order of the records, which are those of the file, and
// turns them so that the oldest comes first.
//
// In the wrong order opens and closes still alternate; what differs are the
// ends. A value that was opened and closed seems to be closed first; one that
// is open seems closed, which the handle stream contradicts; and one that was
// reused seems to come from the wrong stack. A ring that has overwritten opens
// has a few closes without them in the right order too.
func (t *Trace) orient(order Order) {
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
	last := make([]opKind, len(t.pool.handles))
	opener := make([]uint32, len(t.pool.handles)) // stack of the last open
	for i := range n {
		if newestFirst {
			i = n - 1 - i
		}
		r := t.records[i]
		state, op := last[r.handle], t.kinds[r.caller]
		switch {
		case op == kindOpen && state == kindOpen,
			op == kindClose && state != kindOpen,
			op == kindBadRef && state == kindOpen:
			c.Anomalies++
		}
		switch op {
		case kindOpen:
			last[r.handle], opener[r.handle] = op, r.stack
		case kindClose:
			last[r.handle] = op
		}
	}
	types := map[[2]uint32]int{} // by stack and type
	common := map[uint32]int{}   // the greatest of these, by stack
	for id, state := range last {
		typ := t.Handles.types[id]
		if typ != unlisted && state == kindClose {
			c.Contradictions++
		}
		if typ <= untypedHandle || state != kindOpen {
			continue
		}
		stack := opener[id]
		types[[2]uint32{stack, typ}]++
		c.OtherTypes++ // less those of the common type, below
		common[stack] = max(common[stack], types[[2]uint32{stack, typ}])
	}
	for _, n := range common {
		c.OtherTypes -= n
	}
	return c
}
