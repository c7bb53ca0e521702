package htrace

import (
	"cmp"
	"iter"
	"slices"
)

// AnomalyKind names something in a trace that a sound program and a
// complete trace would not show.
type AnomalyKind string

// The kinds.
const (
	// A close, or a bad reference, of a value that was closed and not opened
	// again since. If another thread had opened something in between, it would
	// have got the value, and lost it.
	DoubleClose AnomalyKind = "double-close"
	// A use of a value as a handle that it is not, and that the trace does not
	// know as closed: it was never open, or closed before the trace begins. If
	// the trace has it as open, its close is missing.
	BadReference AnomalyKind = "bad-reference"
	// An open of a value that is open: the close between the two is missing.
	OpenOfOpen AnomalyKind = "open-of-open"
	// A close whose open is not in the trace: it was overwritten, or happened
	// before tracing began.
	CloseWithoutOpen AnomalyKind = "close-without-open"
	// An open by another process, which put the handle here with
	// DuplicateHandle.
	Injected AnomalyKind = "injected"
	// A close by another process: DuplicateHandle with DUPLICATE_CLOSE_SOURCE.
	ForeignClose AnomalyKind = "foreign-close"
	// Handles that are open in the dump and whose opening is not in the trace:
	// it was overwritten, happened before tracing began, or was inherited. One
	// anomaly stands for all of one type.
	OpenWithoutEntry AnomalyKind = "open-without-entry"
	// A second handle to an object that the process had a handle to, made by
	// DuplicateHandle within the process. One anomaly stands for all opens of
	// one stack. Only [Trace.FindDuplicates] reports it, as it needs names.
	Duplicated AnomalyKind = "duplicated"
)

// AnomalyKinds returns all kinds, in the order in which they are listed.
func AnomalyKinds() []AnomalyKind {
	return []AnomalyKind{
		DoubleClose, BadReference, OpenOfOpen, Injected, ForeignClose, Duplicated,
		CloseWithoutOpen, OpenWithoutEntry,
	}
}

// An Anomaly is one thing that is wrong, or worth knowing, in a trace.
type Anomaly struct {
	Kind   AnomalyKind
	Handle uint64 // the value; an example of them if Count is not 1
	// Position is the operation that is wrong, or -1.
	Position int
	// Previous is the open or close of the same value before it, or -1.
	Previous int
	Count    int    // handles that this stands for
	Type     string // of OpenWithoutEntry: their type
}

// none is the position of an operation that is not there.
const none = -1

// replay finds what is wrong with single operations, the oldest first, until
// visit returns false. A hostile trace is wrong everywhere, so that the trace is
// replayed whenever someone asks, and nothing is kept.
func (t *Trace) replay(visit func(kind AnomalyKind, position, previous int) bool) {
	last := make([]int32, len(t.pool.handles))   // position of the last open or close
	state := make([]opKind, len(t.pool.handles)) // and its kind
	for i, r := range t.records {
		op, before, previous := t.kinds[r.caller], state[r.handle], none
		if before != kindOther {
			previous = int(last[r.handle])
		}
		if kind := judge(before, op); kind != "" && !visit(kind, i, previous) {
			return
		}
		if op != kindOpen && op != kindClose {
			continue
		}
		last[r.handle], state[r.handle] = int32(i), op
		if t.pool.callers[r.caller].process != t.ProcessID {
			kind := Injected
			if op == kindClose {
				kind = ForeignClose
			}
			if !visit(kind, i, previous) {
				return
			}
		}
	}
}

// countAnomalies counts the anomalies that are single operations.
func (t *Trace) countAnomalies() {
	t.anomalies = map[AnomalyKind]int{}
	var lastKind AnomalyKind
	run := 0
	t.replay(func(kind AnomalyKind, _, _ int) bool {
		if kind != lastKind {
			t.anomalies[lastKind] += run
			lastKind, run = kind, 0
		}
		run++
		return true
	})
	t.anomalies[lastKind] += run
}

// Anomalies are what is wrong in the trace, by kind in the order of
// [AnomalyKinds], then by position. They are found anew for each kind.
func (t *Trace) Anomalies() iter.Seq[Anomaly] {
	return func(yield func(Anomaly) bool) {
		for _, kind := range AnomalyKinds() {
			more := true
			if t.anomalies[kind] > 0 {
				t.replay(func(k AnomalyKind, position, previous int) bool {
					more = k != kind || yield(Anomaly{
						Kind: kind, Handle: t.pool.handles[t.records[position].handle],
						Position: position, Previous: previous, Count: 1,
					})
					return more
				})
			}
			for i := 0; more && i < len(t.summed); i++ {
				more = t.summed[i].Kind != kind || yield(t.summed[i])
			}
			if !more {
				return
			}
		}
	}
}

// judge says what is wrong with an operation on a value whose last open or
// close was before; "" if nothing is.
func judge(before, op opKind) AnomalyKind {
	switch op {
	case kindOpen:
		if before == kindOpen {
			return OpenOfOpen
		}
	case kindClose:
		switch before {
		case kindClose:
			return DoubleClose
		case kindOther:
			return CloseWithoutOpen
		}
	case kindBadRef:
		if before == kindClose {
			return DoubleClose
		}
		return BadReference
	}
	return ""
}

// sum replaces the anomalies of a kind that stand for many operations.
func (t *Trace) sum(kind AnomalyKind, anomalies []Anomaly) {
	t.summed = slices.DeleteFunc(t.summed, func(a Anomaly) bool { return a.Kind == kind })
	slices.SortFunc(anomalies, func(a, b Anomaly) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type))
	})
	t.summed = append(t.summed, anomalies...)
}

// outstanding collects the opens without a later close, going back in time.
func (t *Trace) outstanding() {
	const closed, opened = 1, 2
	later := make([]uint8, len(t.pool.handles))
	opens := make([]int32, len(t.pool.handles)) // not yet passed
	n := 0
	for _, r := range slices.Backward(t.records) {
		switch t.kinds[r.caller] {
		case kindClose:
			later[r.handle] = closed
		case kindOpen:
			opens[r.handle]++
			if later[r.handle] != closed {
				n++
			}
		}
	}
	if n == 0 {
		return
	}
	t.Outstanding = make([]Open, 0, n)
	clear(later)
	for i, r := range slices.Backward(t.records) {
		switch t.kinds[r.caller] {
		case kindClose:
			later[r.handle] |= closed
		case kindOpen:
			opens[r.handle]--
			if later[r.handle]&closed == 0 {
				caller := &t.pool.callers[r.caller]
				t.Outstanding = append(t.Outstanding, Open{
					Position: i, Handle: t.pool.handles[r.handle], Stack: int(r.stack),
					ThreadID: caller.thread, ProcessID: caller.process, Object: &unlistedObject,
					Earlier: opens[r.handle], Superseded: later[r.handle]&opened != 0,
				})
			}
			later[r.handle] |= opened
		}
	}
}

// CountAnomalies returns how many handles the anomalies of a kind stand for.
func (t *Trace) CountAnomalies(kind AnomalyKind) int {
	n := t.anomalies[kind]
	for _, a := range t.summed {
		if a.Kind == kind {
			n += a.Count
		}
	}
	return n
}
