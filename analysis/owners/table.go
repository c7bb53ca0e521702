package owners

import (
	"cmp"
	"math/bits"
	"slices"
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
	tallyKey
	bits uint16 // in seen; 0 marks a free place
	seen bitSet
}

// A tallyKey is what one tally is about.
type tallyKey struct {
	word   uint64
	offset int16
	set    uint16
}

func (k tallyKey) hash() uint64 {
	return mix(k.word+uint64(uint16(k.offset))<<48+uint64(k.set)<<32) >> 20
}

// see sets the bit of a rank.
func (t *tally) see(rank uint8) {
	word, bit := &t.seen[rank/64], uint64(1)<<(rank%64)
	if *word&bit == 0 {
		*word |= bit
		t.bits++
	}
}

// join sets the bits of another tally.
func (t *tally) join(o *tally) {
	n := 0
	for i := range t.seen {
		t.seen[i] |= o.seen[i]
		n += bits.OnesCount64(t.seen[i])
	}
	t.bits = uint16(n)
}

// A bitSet holds numbers below tallyBits.
type bitSet [4]uint64

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
	key := tallyKey{word, offset, set}
	hash := key.hash()
	earlier := rank
	switch first := &t.first[hash%firstSlots]; *first {
	case 0, rank + 1:
		*first = rank + 1
		return
	case firstPassed:
	default:
		earlier = *first - 1
		*first = firstPassed
	}
	p := t.place(key, hash)
	p.see(rank)
	p.see(earlier)
}

// place returns the tally of a key, a new one if there was none.
func (t *constellationTable) place(key tallyKey, hash uint64) *tally {
	p := t.find(key, hash)
	if p != nil && p.bits > 0 {
		return p
	}
	if t.used >= len(t.places)/4*3 {
		t.makeRoom()
		p = t.find(key, hash)
	}
	p.tallyKey, p.seen = key, bitSet{}
	t.used++
	return p
}

// find finds the tally of a key, or the free one where it belongs; nil if there
// are no places.
func (t *constellationTable) find(key tallyKey, hash uint64) *tally {
	mask := uint64(len(t.places) - 1)
	for i := hash & mask; i < uint64(len(t.places)); i = (i + 1) & mask {
		if p := &t.places[i]; p.bits == 0 || p.tallyKey == key {
			return p
		}
	}
	return nil
}

func (t *constellationTable) most() int { return cmp.Or(t.limit, maxTallies) }

// makeRoom enlarges the table or, when it may not grow, drops what holds the
// fewest handles until half of it is free.
func (t *constellationTable) makeRoom() {
	if size := max(4*len(t.places), 1<<10); size <= t.most() {
		old := t.places
		t.places = make([]tally, size)
		for i := range old {
			if p := &old[i]; p.bits > 0 {
				*t.find(p.tallyKey, p.hash()) = *p
			}
		}
		return
	}
	var byBits [tallyBits + 1]int
	for i := range t.places {
		byBits[t.places[i].bits]++
	}
	least, left := uint16(0), t.used
	for left > len(t.places)/2 {
		least++
		left -= byBits[least]
	}
	t.drop(least)
	t.used = left
}

// drop frees the places of the tallies of so many bits or fewer. The others move
// up to where find looks for them; since no run of places reaches across a free
// one, it begins behind one of these and moves each only once.
func (t *constellationTable) drop(most uint16) {
	mask := len(t.places) - 1
	start := slices.IndexFunc(t.places, func(p tally) bool { return p.bits == 0 })
	for n := range t.places {
		at := (start + n) & mask
		p := &t.places[at]
		if p.bits <= most {
			p.bits = 0
			continue
		}
		for i := int(p.hash()) & mask; i != at; i = (i + 1) & mask {
			if t.places[i].bits == 0 {
				t.places[i], p.bits = *p, 0
				break
			}
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
			if p := &o.places[i]; p.bits > 0 {
				all.place(p.tallyKey, p.hash()).join(p)
			}
		}
		o.places = nil
	}
	for i := range all.places {
		p := &all.places[i]
		if p.bits == 0 {
			continue
		}
		hash := p.hash()
		for _, t := range tables {
			if t.first == nil {
				continue
			}
			if first := t.first[hash%firstSlots]; first != 0 && first != firstPassed {
				p.see(first - 1)
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
