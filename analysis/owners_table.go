package analysis

import (
	"cmp"
	"math/bits"
	"slices"
)

// A constellation is a word in memory and its distance to a handle.
type constellation struct {
	word   uint64
	offset uint32 // bytes from the word to the handle
}

const (
	// minOwnerHandles is the least number of distinct handles that an owner
	// must hold.
	minOwnerHandles = 8
	// survivingBits is how many of the 64 bits of a tally must be set for a
	// constellation to survive the first pass. Eight values set fewer than
	// five once in several hundred thousand times.
	survivingBits = 5
	// maxTallies bounds the constellations that one worker keeps.
	maxTallies = 1 << 18
)

// A tally says roughly how many different handles a constellation holds: each
// sets one of 64 bits.
type tally struct {
	key  constellation
	hits uint32 // saturates; 0 marks a free place
	seen uint64
}

// constellationTable counts constellations in bounded memory. When it is full,
// those with the fewest handles make room.
type constellationTable struct {
	places []tally // open addressing; a power of two
	used   int
}

// add counts one handle of a constellation.
func (t *constellationTable) add(c constellation, handle uint64) {
	if t.used >= len(t.places)/4*3 {
		t.makeRoom()
	}
	p := t.place(c)
	if p.hits == 0 {
		p.key = c
		t.used++
	}
	if p.hits+1 != 0 {
		p.hits++
	}
	p.seen |= 1 << (mix(handle) >> 58)
}

// place finds the place of a constellation, or the free one where it belongs.
func (t *constellationTable) place(c constellation) *tally {
	mask := uint64(len(t.places) - 1)
	for i := mix(c.word+uint64(c.offset)<<48) >> 20 & mask; ; i = (i + 1) & mask {
		p := &t.places[i]
		if p.hits == 0 || p.key == c {
			return p
		}
	}
}

// makeRoom doubles the table or, when it may not grow, drops what holds the
// fewest handles until half of it is free.
func (t *constellationTable) makeRoom() {
	if size := max(2*len(t.places), 1<<12); size <= maxTallies {
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
		if p := &old[i]; p.hits != 0 && bits.OnesCount64(p.seen) > bitsAbove {
			*t.place(p.key) = *p
			t.used++
		}
	}
}

// merge adds the tallies of another table.
func (t *constellationTable) merge(o *constellationTable) {
	for i := range o.places {
		p := &o.places[i]
		if p.hits == 0 {
			continue
		}
		if t.used >= len(t.places)/4*3 {
			// All workers together may fill what each of them could: the
			// bound on a merged table is that of all of them.
			t.rebuild(max(2*len(t.places), 1<<12), 0)
		}
		q := t.place(p.key)
		if q.hits == 0 {
			q.key = p.key
			t.used++
		}
		q.hits += min(p.hits, ^q.hits)
		q.seen |= p.seen
	}
	o.places = nil
}

// mix spreads the bits of x over the upper bits of the result (Fibonacci
// hashing, twice).
func mix(x uint64) uint64 {
	const golden = 0x9e3779b97f4a7c15
	x *= golden
	return (x ^ x>>32) * golden
}

// survivors returns the constellations that may hold enough handles, the
// fullest first, as many as the second pass has memory for. Words that point
// nowhere after all are left out.
func (h *ownerHunt) survivors(t *constellationTable) []constellation {
	var best []tally
	for i := range t.places {
		p := &t.places[i]
		if p.hits >= minOwnerHandles && bits.OnesCount64(p.seen) >= survivingBits && h.pointsSomewhere(p.key.word) {
			best = append(best, *p)
		}
	}
	slices.SortFunc(best, func(a, b tally) int {
		return cmp.Or(
			cmp.Compare(bits.OnesCount64(b.seen), bits.OnesCount64(a.seen)), cmp.Compare(b.hits, a.hits),
			cmp.Compare(a.key.offset, b.key.offset), cmp.Compare(a.key.word, b.key.word))
	})
	out := make([]constellation, 0, min(len(best), h.maxFields()))
	for _, p := range best[:cap(out)] {
		out = append(out, p.key)
	}
	return out
}

// pointsSomewhere reports whether the word is an address that pointerKinds
// only takes it for.
func (h *ownerHunt) pointsSomewhere(word uint64) bool {
	if _, ok := h.space.modules.Find(vaOf(word)); ok {
		return true
	}
	return h.mem.Contains(vaOf(word))
}
