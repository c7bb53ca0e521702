package pdb

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"sync"
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

// index finds, in a list of records that lies in a stream in any order, the first that covers an address. It walks over
// the list only as far as it has to, and remembers for each piece of it what addresses are to be found there. Once it
// has walked over pieces again for longer than the list is long, it keeps the records sorted instead. What it answers
// never depends on what it was asked before. It is safe for concurrent use.
type index struct {
	s *stream
	// walk calls visit for the records from where the window stands to the end of the one that reaches stop. fresh says
	// that it goes there for the first time.
	walk       func(w *window, stop int64, fresh bool, visit func(item)) error
	begin, end int64

	mu     sync.Mutex
	pieces []piece
	next   int64 // where the list has been walked over to
	again  int64 // bytes walked over again

	sorted []item   // by start
	reach  []uint64 // how far any of the items up to that one reaches
}

func newIndex(s *stream, begin, end int64, walk func(*window, int64, bool, func(item)) error) index {
	return index{s: s, walk: walk, begin: begin, next: begin, end: end}
}

// pieceSize is how many bytes of a list an index remembers as one: few enough to walk over again for each lookup.
const pieceSize = 1 << 13

// piece is a part of a list.
type piece struct {
	off, end uint32 // in the stream
	low      uint64 // addresses of its records, from here
	high     uint64 // to here, excluded
}

func (a address) key() uint64 { return uint64(a.seg)<<32 | uint64(a.off) }

// find returns the first record that covers an address.
func (x *index) find(a address) (found item, ok bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.sorted == nil && x.again > x.end-x.begin {
		x.sort()
	}
	if x.sorted != nil {
		found, ok = x.lookup(a)
		return found, ok, nil
	}
	first := func(it item) {
		if !ok && it.covers(a) {
			found, ok = it, true
		}
	}
	for _, p := range x.pieces {
		if key := a.key(); key < p.low || key >= p.high {
			continue
		}
		x.again += int64(p.end - p.off)
		w := x.s.window(int64(p.off), int64(p.end))
		w.piece = int(p.end - p.off)
		if err := x.walk(w, w.end, false, first); err != nil || ok {
			return found, ok, err
		}
	}
	return found, ok, x.grow(first, func() bool { return ok })
}

// all walks through the list to its end.
func (x *index) all() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.grow(func(item) {}, func() bool { return false })
}

// grow walks on over the list until enough.
func (x *index) grow(visit func(item), enough func() bool) error {
	w := x.s.window(x.next, x.end)
	for w.left() > 0 && !enough() {
		p := piece{off: uint32(w.off), low: math.MaxUint64}
		err := x.walk(w, w.off+pieceSize, true, func(it item) {
			key := it.start.key()
			p.low, p.high = min(p.low, key), max(p.high, key+uint64(it.length))
			visit(it)
		})
		if err != nil {
			return err
		}
		p.end = uint32(w.off)
		x.pieces, x.next = append(x.pieces, p), w.off
	}
	return nil
}

// sort takes all records into memory. Where a part of the list is damaged it leaves things as they are: walking over the
// pieces finds what lies before the damage, and meets the error behind it.
func (x *index) sort() {
	x.again = 0
	if x.grow(func(item) {}, func() bool { return false }) != nil {
		return
	}
	items := []item{}
	if x.walk(x.s.window(x.begin, x.end), x.end, false, func(it item) { items = append(items, it) }) != nil {
		return
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.start.key(), b.start.key()) })
	x.reach = make([]uint64, len(items))
	var reach uint64
	for i, it := range items {
		reach = max(reach, it.start.key()+uint64(it.length))
		x.reach[i] = reach
	}
	x.sorted, x.pieces = items, nil
}

// lookup gives, of the sorted records that cover an address, the one that comes first in the list.
func (x *index) lookup(a address) (found item, ok bool) {
	after := sort.Search(len(x.sorted), func(i int) bool { return x.sorted[i].start.key() > a.key() })
	for i := after - 1; i >= 0 && x.reach[i] > a.key(); i-- {
		if it := x.sorted[i]; it.covers(a) && (!ok || it.off < found.off) {
			found, ok = it, true
		}
	}
	return found, ok
}
