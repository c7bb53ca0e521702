package pdb

import (
	"cmp"
	"container/heap"
	"slices"
)

// rng is a piece of code.
type rng struct {
	start  address
	length uint32
}

func (r rng) covers(a address) bool {
	return r.start.seg == a.seg && a.off >= r.start.off && a.off-r.start.off < r.length
}

// item is what a lookup needs to know of a record that stands for code.
type item struct {
	rng
	off, size uint32 // of the record, or the body of the subsection, in the stream
	kind      Kind   // of a function
}

// span is a piece of code and the record that speaks for it.
type span struct {
	rng
	item item
}

// spans are the records of a list by address. They do not overlap: where records do, as those of functions that the
// linker folded, the first in the list speaks. The list is read once, and then found in by binary search.
type spans []span

func (a address) key() uint64 { return uint64(a.seg)<<32 | uint64(a.off) }

// end returns where a piece of code ends, at the end of its section at the latest.
func (r rng) end() uint64 {
	return min(r.start.key()+uint64(r.length), (uint64(r.start.seg)+1)<<32)
}

// newSpans sorts the records of a list.
func newSpans(items []item) spans {
	items = slices.DeleteFunc(items, func(it item) bool { return it.length == 0 })
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.start.key(), b.start.key()), cmp.Compare(a.off, b.off))
	})
	out := make(spans, 0, len(items))
	var open byList
	var pos uint64
	for next := 0; next < len(items) || len(open) > 0; {
		if len(open) == 0 {
			pos = items[next].start.key()
		}
		for ; next < len(items) && items[next].start.key() <= pos; next++ {
			heap.Push(&open, items[next])
		}
		for len(open) > 0 && open[0].end() <= pos {
			heap.Pop(&open)
		}
		if len(open) == 0 {
			continue
		}
		it := open[0]
		end := it.end()
		if next < len(items) {
			end = min(end, items[next].start.key())
		}
		if last := len(out) - 1; last >= 0 && out[last].item.off == it.off && out[last].end() == pos {
			out[last].length += uint32(end - pos)
		} else {
			out = append(out, span{rng{address{it.start.seg, uint32(pos)}, uint32(end - pos)}, it})
		}
		pos = end
	}
	return out
}

// byList has the records that cover a place, the first in the list on top.
type byList []item

func (l byList) Len() int           { return len(l) }
func (l byList) Less(i, j int) bool { return l[i].off < l[j].off }
func (l byList) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *byList) Push(x any)        { *l = append(*l, x.(item)) }
func (l *byList) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	*l = (*l)[:last]
	return x
}

// find returns the piece that an address is in.
func (s spans) find(a address) (span, bool) {
	key := a.key()
	lo, hi := 0, len(s)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); s[mid].start.key() <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 || !s[lo-1].covers(a) {
		return span{}, false
	}
	return s[lo-1], true
}
