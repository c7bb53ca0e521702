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
		typ             string
		wrong, previous int // stacks
		badRef          bool
	}
	type builder struct {
		AnomalyGroup
		wrong, previous callers
	}
	builders := map[key]*builder{}
	var order []*builder
	for _, a := range t.Anomalies {
		k := key{kind: a.Kind, typ: a.Type, wrong: none, previous: none}
		if a.Position != none {
			op := t.Operation(a.Position)
			k.wrong, k.badRef = op.Stack, op.OperationType == minidump.OperationBadRef
		}
		if a.Previous != none {
			k.previous = t.Operation(a.Previous).Stack
		}
		b := builders[k]
		if b == nil {
			b = &builder{AnomalyGroup: AnomalyGroup{Kind: a.Kind, Type: a.Type, BadRef: k.badRef}}
			builders[k] = b
			order = append(order, b)
		}
		b.Count += a.Count
		b.Handles = append(b.Handles, a.Handle)
		b.wrong.add(t, a.Position)
		b.previous.add(t, a.Previous)
	}
	groups := make([]AnomalyGroup, len(order))
	for i, b := range order {
		slices.Sort(b.Handles)
		b.Handles = slices.Compact(b.Handles)
		b.Wrong, b.Previous = b.wrong.caller(t, names, system), b.previous.caller(t, names, system)
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

// callers collects the threads that used one stack.
type callers struct {
	stack   int
	threads map[[2]uint32]int
}

func (c *callers) add(t *Trace, position int) {
	if position == none {
		return
	}
	op := t.Operation(position)
	if c.threads == nil {
		c.threads = map[[2]uint32]int{}
	}
	c.stack = op.Stack
	c.threads[[2]uint32{op.ThreadID, op.ProcessID}]++
}

func (c *callers) caller(t *Trace, names symbol.Names, system *SystemModules) *Caller {
	if c.threads == nil {
		return nil
	}
	frames := t.Frames(c.stack)
	caller := &Caller{Stack: c.stack, Culprit: system.Culprit(frames), Threads: threadCounts(c.threads)}
	if caller.Culprit.Frame != none {
		caller.Location = names.At(frames[caller.Culprit.Frame])
	}
	return caller
}

// threadCounts sorts by count, then by process and thread.
func threadCounts(m map[[2]uint32]int) []ThreadCount {
	counts := make([]ThreadCount, 0, len(m))
	for id, n := range m {
		counts = append(counts, ThreadCount{id[0], id[1], n})
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
