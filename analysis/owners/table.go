package owners

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// A constellation is a word in memory and its distance to a handle.
type constellation struct {
	word   uint64
	offset uint16 // bytes from the word to the handle
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
	offset uint16
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
	limit  int // of places, if more than maxTallies
}

const (
	firstPassed = 0xff
	firstSlots  = 1 << 16
)

// note counts one handle of the given rank in its set.
func (t *constellationTable) note(word uint64, offset, set uint16, rank uint8) {
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
	return mix(t.word+uint64(t.offset)<<48+uint64(t.set)<<32) >> 20
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

// makeRoom enlarges the table or, when it may not grow, drops what holds the
// fewest handles until half of it is free.
func (t *constellationTable) makeRoom() {
	if size := max(4*len(t.places), 1<<10); size <= max(maxTallies, t.limit) {
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
	all.limit = len(tables) * maxTallies
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

// candidates returns the constellations that may hold enough handles, each with
// its tallies, and counts them. Words that point nowhere after all are left out.
func (h *hunt) candidates(t *constellationTable) []candidate {
	enough := bitsOf(minHandles, math.MaxInt)
	found := map[constellation]*candidate{}
	for i := range t.places {
		p := &t.places[i]
		if p.set == decoySet || p.seen.count() < enough || !h.pointsSomewhere(p.word) {
			continue
		}
		key := constellation{p.word, p.offset}
		if found[key] == nil {
			found[key] = &candidate{constellation: key}
		}
		h.bits[p.seen.count()]++
	}
	for i := range t.places {
		p := &t.places[i]
		if p.hits == 0 {
			continue
		}
		if c := found[constellation{p.word, p.offset}]; c != nil {
			c.tallies = append(c.tallies, *p)
		}
	}
	var out []candidate
	for _, c := range found {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.offset, b.offset))
	})
	return out
}

// A candidate is a constellation that holds a few handles at least.
type candidate struct {
	constellation
	tallies []tally // in no order
}

// bits counts the bits of the tallies of all sets of handles, and those of the
// decoys.
func (c *candidate) bits() (handles, decoys int) {
	for _, t := range c.tallies {
		if t.set == decoySet {
			decoys += t.seen.count()
		} else {
			handles += t.seen.count()
		}
	}
	return handles, decoys
}

// survivors returns the candidates that may convince by their handles of one
// set that is asked for, or of all together, the fullest first: as many as
// the second pass has memory for.
func (h *hunt) survivors(list []candidate, asked func(set uint16) bool) []constellation {
	type survivor struct {
		constellation
		bits int
	}
	var best []survivor
	for _, c := range list {
		all, decoys := c.bits()
		asking, convincing := false, false
		for _, t := range c.tallies {
			n := t.seen.count()
			if t.set != decoySet && asked(t.set) && n >= bitsOf(h.leastOf(t.set), h.targets.sets[t.set].Count) {
				asking = true
				convincing = convincing || h.mayConvince(int(t.set), n, decoys)
			}
		}
		if convincing || asking && h.mayConvince(len(h.targets.sets), min(all, tallyBits), decoys) {
			best = append(best, survivor{c.constellation, all})
		}
	}
	slices.SortStableFunc(best, func(a, b survivor) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.offset, b.offset))
	})
	out := make([]constellation, 0, min(len(best), h.maxFields()))
	for _, c := range best[:cap(out)] {
		out = append(out, c.constellation)
	}
	return out
}

// bitsOf returns how many bits of a tally so many handles of a set set at the
// very least: in a large set, four standard deviations less than the mean.
func bitsOf(handles, of int) int {
	if of <= tallyBits {
		return handles
	}
	load := float64(handles) / tallyBits
	free := math.Exp(-load)
	mean, variance := tallyBits*(1-free), tallyBits*free*(1-(1+load)*free)
	return max(1, int(mean-4*math.Sqrt(variance)))
}

// pointsSomewhere reports whether the word is an address that pointerKinds
// only takes it for.
func (h *hunt) pointsSomewhere(word uint64) bool {
	if _, ok := h.space.modules.Find(vaOf(word)); ok {
		return true
	}
	return h.mem.Contains(vaOf(word))
}
