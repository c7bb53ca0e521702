// Package nest finds the innermost of the spans that hold an address, where
// spans lie within one another. It imports nothing of the module.
package nest

import (
	"cmp"
	"slices"
	"sort"
)

// A Span is a stretch of addresses and the number of what it belongs to.
type Span struct {
	Start, Size uint32 // Size in bytes
	Number      uint32
	around      int32 // index of the nearest span before that reaches over this one's start; -1 for none
}

func (s *Span) holds(addr uint32) bool { return addr-s.Start < s.Size }

// An Index is spans in the order of their starts.
type Index []Span

// New sorts spans, which it takes over. Those of no size are left out.
func New(spans []Span) Index {
	spans = slices.DeleteFunc(spans, func(s Span) bool { return s.Size == 0 })
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.Size, a.Size))
	})
	open := int32(-1)
	for i := range spans {
		for open >= 0 && !spans[open].holds(spans[i].Start) {
			open = spans[open].around
		}
		spans[i].around = open
		open = int32(i)
	}
	return spans
}

// Find returns the span that holds an address and begins last.
func (x Index) Find(addr uint32) (Span, bool) {
	i := int32(sort.Search(len(x), func(i int) bool { return x[i].Start > addr })) - 1
	for ; i >= 0; i = x[i].around {
		if x[i].holds(addr) {
			return x[i], true
		}
	}
	return Span{}, false
}
