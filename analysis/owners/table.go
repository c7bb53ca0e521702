package owners

import (
	"cmp"
	"math/bits"
)

// A constellation is a word in memory and its distance to a handle.
type constellation struct {
	word   uint64
	offset int16 // bytes from the word to the handle; negative if the word stands behind it
}

const (
	// minHandles is the least number of distinct handles that an owner
	// must hold.
	minHandles = 8
	// tallyBits is the number of bits in a tally that are used; the ranks of
	// handles leave two values of a byte for constellationTable.first.
	tallyBits = 254
	// maxTallies bounds the constellations that one worker keeps.
	maxTallies = 1 << 17
)

// A tally says roughly how many different handles of one set a constellation
// holds: each sets the bit of its rank. For sets of up to tallyBits handles, and
// for runs of handles, that is their exact number.
type tally struct {
	word   uint64
	offset int16
	set    uint16
	hits   uint32 // saturates; 0 marks a free place
	seen   bitSet
}

// A bitSet holds numbers below tallyBits.
type bitSet [4]uint64

func (s *bitSet) set(i uint8) { s[i/64] |= 1 << (i % 64) }

func (s *bitSet) join(o *bitSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s *bitSet) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (t *tally) is(o *tally) bool { return t.word == o.word && t.offset == o.offset && t.set == o.set }

// constellationTable counts constellations in bounded memory. Most of them are
// seen with one handle and never again; these stay in first, where a byte is
// all they take. When the table is full, those with the fewest handles make
// room.
type constellationTable struct {
	// first holds, by hash, the rank of the handle that was seen first, plus
	// one; then, when another handle was seen, firstPassed.
	first  []uint8
	places []tally // open addressing; a power of two
	used   int
	limit  int // of places; 0 means maxTallies
}

const (
	firstPassed = 0xff
	firstSlots  = 1 << 16
)

// note counts one handle of the given rank in its set.
func (t *constellationTable) note(word uint64, offset int16, set uint16, rank uint8) {
	if t.first == nil {
		t.first = make([]uint8, firstSlots)
	}
	o := tally{word: word, offset: offset, set: set, hits: 1}
	o.seen.set(rank)
	switch first := &t.first[o.hash()%firstSlots]; *first {
	case 0, rank + 1:
		*first = rank + 1
		return
	case firstPassed:
	default:
		o.seen.set(*first - 1)
		*first = firstPassed
	}
	t.add(o)
}

func (t *tally) hash() uint64 {
	return mix(t.word+uint64(uint16(t.offset))<<48+uint64(t.set)<<32) >> 20
}

// add counts what o holds.
func (t *constellationTable) add(o tally) {
	p := t.place(&o)
	if p.hits == 0 {
		if t.used >= len(t.places)/4*3 {
			t.makeRoom()
			p = t.place(&o)
		}
		*p = o
		t.used++
		return
	}
	p.hits += min(o.hits, ^p.hits)
	p.seen.join(&o.seen)
}

// place finds the place of a tally, or the free one where it belongs.
func (t *constellationTable) place(o *tally) *tally {
	if len(t.places) == 0 {
		return &tally{}
	}
	mask := uint64(len(t.places) - 1)
	for i := o.hash() & mask; ; i = (i + 1) & mask {
		p := &t.places[i]
		if p.hits == 0 || p.is(o) {
			return p
		}
	}
}

func (t *constellationTable) most() int { return cmp.Or(t.limit, maxTallies) }

// makeRoom enlarges the table or, when it may not grow, drops what holds the
// fewest handles until half of it is free.
func (t *constellationTable) makeRoom() {
	if size := max(4*len(t.places), 1<<10); size <= t.most() {
		t.rebuild(size, 0)
		return
	}
	for least := 1; t.used > len(t.places)/2; least++ {
		t.rebuild(len(t.places), least)
	}
}

// rebuild makes a table of the given size of the tallies with more bits.
func (t *constellationTable) rebuild(size, bitsAbove int) {
	old := t.places
	t.places, t.used = make([]tally, size), 0
	for i := range old {
		if p := &old[i]; p.hits != 0 && p.seen.count() > bitsAbove {
			*t.place(p) = *p
			t.used++
		}
	}
}

// mergeTables joins the tables of all workers in the first, whose bound is that
// of all together. What a worker saw once counts for the constellations that
// others saw more often; now and then it was another one of the same hash.
func mergeTables(tables []*constellationTable) *constellationTable {
	all := tables[0]
	all.limit = len(tables) * all.most()
	for _, o := range tables[1:] {
		for i := range o.places {
			if o.places[i].hits != 0 {
				all.add(o.places[i])
			}
		}
		o.places = nil
	}
	for i := range all.places {
		p := &all.places[i]
		if p.hits == 0 {
			continue
		}
		for _, t := range tables {
			if t.first == nil {
				continue
			}
			if first := t.first[p.hash()%firstSlots]; first != 0 && first != firstPassed {
				p.seen.set(first - 1)
			}
		}
	}
	return all
}

// mix spreads the bits of x over the upper bits of the result (Fibonacci
// hashing, twice).
func mix(x uint64) uint64 {
	const golden = 0x9e3779b97f4a7c15
	x *= golden
	return (x ^ x>>32) * golden
}
