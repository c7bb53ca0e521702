package htrace

import (
	"cmp"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// An AnomalyGroup is a number of anomalies of one kind that come from the
// same stacks.
type AnomalyGroup struct {
	Kind     AnomalyKind
	Count    int      // handles that they stand for
	Handles  []uint64 // distinct values, ascending; one example for OpenWithoutEntry and Duplicated
	Type     string   // of OpenWithoutEntry
	Wrong    *Caller
	Previous *Caller // the operation before on the same value; nil if there is none
	// BadRef says that the operation is a bad reference, and not a close.
	BadRef bool
}

// A Caller says who made the operations of an [AnomalyGroup].
type Caller struct {
	Stack    int
	Culprit  Culprit
	Location symbol.Location // of the culprit's frame
	Threads  []ThreadCount
}

// GroupAnomalies groups the anomalies by kind and stacks, in the order of
// their kinds, the most frequent of a kind first.
func (t *Trace) GroupAnomalies(names symbol.Names, system *SystemModules) []AnomalyGroup {
	type key struct {
		kind            AnomalyKind
		wrong, previous int // stacks
		badRef          bool
	}
	builders := map[key]*anomalyBuilder{}
	var order []*anomalyBuilder
	var last *anomalyBuilder
	var lastKey key
	t.replay(func(kind AnomalyKind, position, previous int) bool {
		r := t.records[position]
		k := key{kind: kind, wrong: int(r.stack), previous: none, badRef: t.kinds[r.caller] == kindBadRef}
		if previous != none {
			k.previous = int(t.records[previous].stack)
		}
		b := last
		if k != lastKey || last == nil {
			if b = builders[k]; b == nil {
				b = &anomalyBuilder{AnomalyGroup: AnomalyGroup{Kind: kind, BadRef: k.badRef}}
				builders[k] = b
				order = append(order, b)
			}
			last, lastKey = b, k
		}
		b.add(t, t.pool.handles[r.handle], 1, position, previous)
		return true
	})
	for _, a := range t.summed {
		b := &anomalyBuilder{AnomalyGroup: AnomalyGroup{Kind: a.Kind, Type: a.Type}}
		b.add(t, a.Handle, a.Count, a.Position, a.Previous)
		order = append(order, b)
	}
	groups := make([]AnomalyGroup, len(order))
	for i, b := range order {
		b.Handles = distinct(b.Handles)
		b.Wrong, b.Previous = b.wrong.describe(t, names, system), b.previous.describe(t, names, system)
		groups[i] = b.AnomalyGroup
	}
	rank := map[AnomalyKind]int{}
	for i, k := range AnomalyKinds() {
		rank[k] = i
	}
	slices.SortStableFunc(groups, func(a, b AnomalyGroup) int {
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(b.Count, a.Count))
	})
	return groups
}

// An anomalyBuilder collects one group. What it keeps depends on how many values
// and threads there are, and not on how often they come.
type anomalyBuilder struct {
	AnomalyGroup
	wrong, previous callers
}

func (b *anomalyBuilder) add(t *Trace, handle uint64, count, position, previous int) {
	b.Count += count
	b.Handles = addDistinct(b.Handles, handle)
	b.wrong.add(t, position)
	b.previous.add(t, previous)
}

// addDistinct adds a value to a list that distinct completes. Before the list
// grows, values that it has more than once go.
func addDistinct(values []uint64, v uint64) []uint64 {
	const few = 64
	n := len(values)
	switch {
	case n > 0 && values[n-1] == v:
		return values
	case n == cap(values) && n >= few:
		if values = distinct(values); len(values) > n/2 {
			values = slices.Grow(values, n)
		}
	}
	return append(values, v)
}

// distinct sorts values, and leaves each once.
func distinct(values []uint64) []uint64 {
	slices.Sort(values)
	return slices.Compact(values)
}

// callers counts, by their number in the pool, the callers that used one stack.
type callers struct {
	stack int
	tallies[uint32]
}

func (c *callers) add(t *Trace, position int) {
	if position != none {
		r := t.records[position]
		c.stack = int(r.stack)
		c.tallies.add(r.caller)
	}
}

func (c *callers) describe(t *Trace, names symbol.Names, system *SystemModules) *Caller {
	if c.counts == nil {
		return nil
	}
	var threads tallies[[2]uint32] // which may have callers for several operations
	for id, n := range c.counts {
		caller := t.pool.callers[id]
		threads.addMany([2]uint32{caller.thread, caller.process}, *n)
	}
	frames := t.Frames(c.stack)
	caller := &Caller{Stack: c.stack, Culprit: system.Culprit(frames), Threads: threadCounts(&threads)}
	if caller.Culprit.Frame != none {
		caller.Location = names.At(frames[caller.Culprit.Frame])
	}
	return caller
}

// threadCounts sorts by count, then by process and thread.
func threadCounts(t *tallies[[2]uint32]) []ThreadCount {
	counts := make([]ThreadCount, 0, len(t.counts))
	for id, n := range t.counts {
		counts = append(counts, ThreadCount{id[0], id[1], *n})
	}
	slices.SortFunc(counts, func(x, y ThreadCount) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.ProcessID, y.ProcessID), cmp.Compare(x.ThreadID, y.ThreadID))
	})
	return counts
}

// A Site is a stack, its caller and how many operations of one kind they
// made.
type Site struct {
	OperationType minidump.OperationType
	Stack         int
	ProcessID     uint32
	ThreadID      uint32
	Count         int
}

// Sites counts the operations from a position on by kind, stack and caller, in
// no particular but a fixed order.
func (t *Trace) Sites(from int) []Site {
	counts := map[[2]uint32]int{} // by stack and caller
	for _, r := range t.records[min(max(from, 0), len(t.records)):] {
		counts[[2]uint32{r.stack, r.caller}]++
	}
	sites := make([]Site, 0, len(counts))
	for id, n := range counts {
		c := t.pool.callers[id[1]]
		sites = append(sites, Site{c.operation, int(id[0]), c.process, c.thread, n})
	}
	slices.SortFunc(sites, func(a, b Site) int {
		return cmp.Or(t.compareStacks(a.Stack, b.Stack), cmp.Compare(a.OperationType, b.OperationType),
			cmp.Compare(a.ProcessID, b.ProcessID), cmp.Compare(a.ThreadID, b.ThreadID))
	})
	return sites
}
