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

// item is what a lookup needs to know of a record that stands for code: a piece of that code, and where the record is.
type item struct {
	rng
	skip      uint32 // bytes of the record's code before this piece
	off, size uint32 // of the record, or the body of the subsection, in the stream
	kind      Kind   // of a function
}

// origin returns where the record's code begins.
func (it item) origin() address { return address{it.start.seg, it.start.off - it.skip} }

// spans are the records of a list by address, in pieces that do not overlap: where records do, as those of functions that
// the linker folded, the first in the list counts. The list is read once, and then found in by binary search.
type spans []item

func (a address) key() uint64 { return uint64(a.seg)<<32 | uint64(a.off) }

// end returns where a piece of code ends, at the end of its section at the latest.
func (r rng) end() uint64 {
	return min(r.start.key()+uint64(r.length), (uint64(r.start.seg)+1)<<32)
}

// list collects the records of a list in pieces, so that a long one is not copied again and again as it grows.
type list struct {
	full [][]item
	last []item
}

func (l *list) add(it item) {
	const most = 1 << 12
	if it.length == 0 {
		return // covers nothing
	}
	if len(l.last) == most {
		l.full, l.last = append(l.full, l.last), make([]item, 0, most)
	}
	l.last = append(l.last, it)
}

// spans sorts the records.
func (l *list) spans() spans {
	items := l.last
	if l.full != nil {
		items = slices.Concat(append(l.full, l.last)...)
	}
	byAddress := func(a, b item) int {
		return cmp.Or(cmp.Compare(a.start.key(), b.start.key()), cmp.Compare(a.off, b.off))
	}
	if !slices.IsSortedFunc(items, byAddress) {
		slices.SortFunc(items, byAddress)
	}
	for i := 1; i < len(items); i++ {
		if items[i].start.key() < items[i-1].end() {
			return cut(items)
		}
	}
	return items
}

// cut makes pieces that do not overlap of records in the order of their addresses.
func cut(items []item) spans {
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
		piece := open[0]
		end := piece.end()
		if next < len(items) {
			end = min(end, items[next].start.key())
		}
		if last := len(out) - 1; last >= 0 && out[last].off == piece.off && out[last].end() == pos {
			out[last].length += uint32(end - pos)
		} else {
			piece.skip = uint32(pos - piece.start.key())
			piece.start.off += piece.skip
			piece.length = uint32(end - pos)
			out = append(out, piece)
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
func (s spans) find(a address) (item, bool) {
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
		return item{}, false
	}
	return s[lo-1], true
}
