package pdb

import (
	"math"
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
// the list only as far as it has to, and remembers for each piece of it what addresses are to be found there.
// So what it answers never depends on what it was asked before. It is safe for concurrent use.
type index struct {
	s *stream
	// walk calls visit for the records from where the window stands to the end of the one that reaches stop. It is told
	// when it goes there for the first time.
	walk func(w *window, stop int64, fresh bool, visit func(item)) error

	mu     sync.Mutex
	next   int64 // where the list has been walked over to
	end    int64
	pieces []piece
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

// find gives the first record that covers an address.
func (x *index) find(a address) (found item, ok bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	first := func(it item) {
		if !ok && it.covers(a) {
			found, ok = it, true
		}
	}
	for _, p := range x.pieces {
		if key := a.key(); key < p.low || key >= p.high {
			continue
		}
		w := x.s.window(int64(p.off), int64(p.end))
		w.piece = int(p.end - p.off)
		if err := x.walk(w, w.end, false, first); err != nil || ok {
			return found, ok, err
		}
	}
	return found, ok, x.grow(first, func() bool { return ok })
}

// all walks over the list to its end.
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
