package analysis

import (
	"iter"
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

	// Named tells whether any object has a name. It is known only if the
	// names were read.
	Named bool
}

// etwAccess is the access mask of an EtwRegistration.
const etwAccess = 0x804

// Select filters handles. Errors pass through, and so do the parts of handles
// that came with an error and match.
func Select(handles iter.Seq2[minidump.Handle, error], filter *HandleFilter) iter.Seq2[minidump.Handle, error] {
	if *filter == (HandleFilter{}) {
		return handles
	}
	return func(yield func(minidump.Handle, error) bool) {
		for h, err := range handles {
			if !filter.Match(&h) {
				if err == nil {
					continue
				}
				h = minidump.Handle{} // not selected, but the error counts
			}
			if !yield(h, err) {
				return
			}
		}
	}
}

// Handles iterates over the handles of seq and notes the errors. A handle that
// came with an error is passed on with the parts that could be read. The
// pointer is valid until the next step.
func Handles(seq iter.Seq2[minidump.Handle, error], failed *Failures) iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		for h, err := range seq {
			failed.Note(err)
			// The error that ends a list comes with the zero Handle.
			if err != nil && h.Handle == 0 && h.GrantedAccess == 0 && h.TypeName == "" {
				continue
			}
			if !yield(&h) {
				return
			}
		}
	}
}

// Summarize counts handles by type. The error, if not nil, tells what could
// not be read; the summary covers the rest.
func Summarize(handles iter.Seq2[minidump.Handle, error]) (*HandleSummary, error) {
	var failed Failures
	c := NewHandleCounter()
	for h := range Handles(handles, &failed) {
		c.Add(h)
	}
	return c.Summary(), failed.Err()
}

// SummarizeData is [Summarize] for the handles of a dump that pass the filter,
// read with the given parts. It uses all processors.
func SummarizeData(hd *minidump.HandleData, parts minidump.HandleParts, filter *HandleFilter) (*HandleSummary, error) {
	parts |= minidump.HandleTypeName | filter.Parts()
	// The number of goroutines depends on the dump alone: where a hostile one
	// is refused further strings must not depend on the machine.
	const worthwhile, most = 50_000, 8
	total, short := hd.Len()
	n := min(most, total/worthwhile+1)
	counters := make([]*HandleCounter, n)
	failed := make([]Failures, n)
	var wait sync.WaitGroup
	for i := range n {
		counters[i] = NewHandleCounter()
		wait.Go(func() {
			bound := func(i int) int { return int(int64(total) * int64(i) / int64(n)) }
			part := hd.Range(bound(i), bound(i+1), parts)
			for h := range Handles(Select(part, filter), &failed[i]) {
				counters[i].Add(h)
			}
		})
	}
	wait.Wait()
	var allFailed Failures
	for i := range n {
		allFailed.add(failed[i])
		if i > 0 {
			counters[0].merge(counters[i])
		}
	}
	allFailed.Note(short)
	return counters[0].Summary(), allFailed.Err()
}

// A HandleCounter makes a [HandleSummary] of handles that pass by.
type HandleCounter struct {
	summary HandleSummary
	counts  map[string]*uint64
	// Handles of a leak mostly come in runs of one type.
	lastType  string
	lastCount *uint64
}

// NewHandleCounter returns a counter that has seen no handle.
func NewHandleCounter() *HandleCounter {
	c := &HandleCounter{counts: map[string]*uint64{"": new(uint64)}}
	c.lastCount = c.counts[""]
	return c
}

// Add counts one handle.
func (c *HandleCounter) Add(h *minidump.Handle) {
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
func (c *HandleCounter) merge(other *HandleCounter) {
	for name, n := range other.counts {
		if c.counts[name] == nil {
			c.counts[name] = new(uint64)
		}
		*c.counts[name] += *n
	}
	c.summary.UntypedEtw += other.summary.UntypedEtw
	c.summary.Named = c.summary.Named || other.summary.Named
}

// Summary returns the counts so far.
func (c *HandleCounter) Summary() *HandleSummary {
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
