package analysis

import (
	"context"
	"slices"
	"sync"

	"github.com/dumpscan/dumpscan/minidump"
)

// TypeCount is the number of handles of one object type.
type TypeCount struct {
	Type  string // "" for handles without a type
	Count uint64
}

// HandleSummary is what "!handle 0 0" shows, and what can be said about it at
// a glance.
type HandleSummary struct {
	Total uint64
	Types []TypeCount // in WinDbg's order, types that it does not know last

	// UntypedEtw counts the handles without a type whose granted access is
	// 0x804, the mask of an EtwRegistration. Crashpad leaves handles that it
	// cannot duplicate like this, so that these are probably registrations of
	// event trace providers. They are part of the handles of type "".
	UntypedEtw uint64

	// Named reports whether any object has a name. It is known only if the
	// names were read.
	Named bool
}

// etwAccess is the access mask of an EtwRegistration.
const etwAccess = 0x804

// Summarize counts handles by type. Names are looked at if they are among the
// parts. It uses all processors. With an error that is not that of ctx the
// summary covers what could be read.
func Summarize(ctx context.Context, l *HandleList, parts minidump.HandleParts) (*HandleSummary, error) {
	parts |= minidump.HandleTypeName | l.filter.Parts()
	// The number of goroutines depends on the dump alone: where a hostile one
	// is refused further strings must not depend on the machine.
	const worthwhile, most = 50_000, 8
	total, short := l.data.Len()
	n := min(most, total/worthwhile+1)
	counters := make([]*handleCounter, n)
	failed := make([]Failures, n)
	stopped := make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		counters[i] = newHandleCounter()
		wait.Go(func() {
			bound := func(i int) int { return int(int64(total) * int64(i) / int64(n)) }
			part := l.data.Range(bound(i), bound(i+1), parts)
			stopped[i] = l.walk(ctx, part, &failed[i], func(h *minidump.Handle) bool {
				counters[i].add(h)
				return true
			})
		})
	}
	wait.Wait()
	var all Failures
	for i := range n {
		if stopped[i] != nil {
			return nil, stopped[i]
		}
		all.add(failed[i])
		if i > 0 {
			counters[0].merge(counters[i])
		}
	}
	all.Note(short)
	return counters[0].result(), all.Err()
}

// A handleCounter makes a [HandleSummary].
type handleCounter struct {
	summary HandleSummary
	counts  map[string]*uint64
	// Handles of a leak mostly come in runs of one type.
	lastType  string
	lastCount *uint64
}

// newHandleCounter returns a counter that has seen no handle.
func newHandleCounter() *handleCounter {
	c := &handleCounter{counts: map[string]*uint64{"": new(uint64)}}
	c.lastCount = c.counts[""]
	return c
}

// add counts one handle.
func (c *handleCounter) add(h *minidump.Handle) {
	if h.TypeName != c.lastType {
		c.lastType, c.lastCount = h.TypeName, c.counts[h.TypeName]
		if c.lastCount == nil {
			c.lastCount = new(uint64)
			c.counts[c.lastType] = c.lastCount
		}
	}
	*c.lastCount++
	if h.TypeName == "" && h.GrantedAccess == etwAccess {
		c.summary.UntypedEtw++
	}
	if h.ObjectName != "" {
		c.summary.Named = true
	}
}

// merge adds the counts of another counter.
func (c *handleCounter) merge(other *handleCounter) {
	for name, n := range other.counts {
		if c.counts[name] == nil {
			c.counts[name] = new(uint64)
		}
		*c.counts[name] += *n
	}
	c.summary.UntypedEtw += other.summary.UntypedEtw
	c.summary.Named = c.summary.Named || other.summary.Named
}

// result returns the counts so far.
func (c *handleCounter) result() *HandleSummary {
	s := c.summary
	for name, n := range c.counts {
		if *n > 0 {
			s.Types = append(s.Types, TypeCount{Type: name, Count: *n})
			s.Total += *n
		}
	}
	slices.SortFunc(s.Types, func(a, b TypeCount) int { return CompareTypes(a.Type, b.Type) })
	return &s
}

// WinDbgTypes returns the counts as WinDbg groups them: types that it does not
// know are part of the handles without a type.
func (s *HandleSummary) WinDbgTypes() []TypeCount {
	var types []TypeCount
	folded := TypeCount{}
	for _, t := range s.Types {
		if KnownType(t.Type) {
			types = append(types, t)
		} else {
			folded.Count += t.Count
		}
	}
	if folded.Count > 0 {
		types = slices.Insert(types, 0, folded)
	}
	return types
}
