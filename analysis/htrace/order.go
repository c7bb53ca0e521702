package htrace

import (
	"slices"
	"sync"
)

// OrderEvidence says why a trace was read in one order and not in the other.
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
	OrderByOverlap   OrderReason = "overlap"   // in this order the later of two dumps continues the earlier one
	OrderByPair      OrderReason = "pair"      // no difference, but the other dump of the process has one
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

// weigh counts what speaks against each order of the records.
//
// In the wrong order opens and closes still alternate; what differs are the
// ends. A value that was opened and closed seems to be closed first; one that
// is open seems closed, which the handle stream contradicts; and one that was
// reused seems to come from the wrong stack. A ring that has overwritten opens
// has a few closes without them in the right order too.
func (t *Trace) weigh() {
	e := &t.Evidence
	var both sync.WaitGroup
	both.Go(func() { e.OldestFirst = t.evidence(false) })
	both.Go(func() { e.NewestFirst = t.evidence(true) })
	both.Wait()
}

// orient decides on the order of the records, which are those of the file, and
// turns them so that the oldest comes first.
func (t *Trace) orient(order Order) {
	reason := OrderByRequest
	if order == "" {
		order, reason = t.Evidence.decide()
	}
	t.turn(order, reason)
}

// decide chooses the order that less speaks against.
func (e *OrderEvidence) decide() (Order, OrderReason) {
	old, young := e.OldestFirst, e.NewestFirst
	switch {
	case old.sum() < young.sum():
		return OldestFirst, OrderByAnomalies
	case old.sum() > young.sum():
		return NewestFirst, OrderByAnomalies
	case old.Contradictions < young.Contradictions:
		return OldestFirst, OrderByHandles
	case old.Contradictions > young.Contradictions:
		return NewestFirst, OrderByHandles
	}
	return NewestFirst, OrderByDefault
}

// turn brings the records, which are in the order of the file, into that of
// time.
func (t *Trace) turn(order Order, reason OrderReason) {
	t.Order, t.Evidence.Reason = order, reason
	if order == NewestFirst {
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
