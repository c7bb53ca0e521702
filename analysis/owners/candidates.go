package owners

import (
	"cmp"
	"math"
	"slices"
)

// bitCounts says of how many tallies have so many bits.
type bitCounts [tallyBits + 1]int

// atLeast counts the constellations that hold so many handles, or may do so,
// and at least one.
func (b *bitCounts) atLeast(handles int) int {
	n := 0
	for _, of := range b[bitsOf(handles, math.MaxInt):] {
		n += of
	}
	return max(n, 1)
}

// candidates returns the constellations that may hold enough handles, each with
// its tallies, and counts them. Words that are not what they seem are left out.
func candidates(t *constellationTable, counts *bitCounts, sound func(word uint64) bool) []candidate {
	enough := bitsOf(minHandles, math.MaxInt)
	found := map[constellation]*candidate{}
	for i := range t.places {
		p := &t.places[i]
		if p.set == decoySet || int(p.bits) < enough || !sound(p.word) {
			continue
		}
		key := constellation{p.word, p.offset}
		if found[key] == nil {
			found[key] = &candidate{constellation: key}
		}
		counts[p.bits]++
	}
	for i := range t.places {
		p := &t.places[i]
		if p.bits == 0 {
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
	slices.SortFunc(out, func(a, b candidate) int { return compareConstellations(a.constellation, b.constellation) })
	return out
}

// A candidate is a constellation that holds a few handles at least.
type candidate struct {
	constellation
	tallies []tally // in no order
}

// bits counts the bits of the tallies of all sets of handles, and the decoys
// that those of the decoys stand for.
func (c *candidate) bits() (handles, decoys int) {
	for _, t := range c.tallies {
		if t.set == decoySet {
			decoys += min(decoyWeight*int(t.bits), tallyBits)
		} else {
			handles += int(t.bits)
		}
	}
	return handles, decoys
}

// survivors returns the candidates that may convince by their handles of one
// set that is asked for, or of all together, the fullest first: as many as
// the second pass has memory for.
func (h *hunt) survivors(c *crowd, list []candidate, asked func(set uint16) bool) []candidate {
	var best []candidate
	for _, l := range list {
		if _, decoys := l.bits(); h.convincing(c, &l, asked, decoys) {
			best = append(best, l)
		}
	}
	slices.SortStableFunc(best, func(a, b candidate) int {
		inA, _ := a.bits()
		inB, _ := b.bits()
		return cmp.Or(cmp.Compare(inB, inA), cmp.Compare(a.offset, b.offset))
	})
	return best[:min(len(best), h.maxFields())]
}

// convincing reports whether a candidate may convince, if at least so many other
// numbers are in its field.
func (h *hunt) convincing(c *crowd, l *candidate, asked func(set uint16) bool, others int) bool {
	all, _ := l.bits()
	asking := false
	for _, t := range l.tallies {
		n := int(t.bits)
		if t.set != decoySet && asked(t.set) && n >= bitsOf(h.leastOf(t.set), h.targets.sets[t.set].Count) {
			asking = true
			if h.mayConvince(c, int(t.set), n, others) {
				return true
			}
		}
	}
	return asking && h.mayConvince(c, len(h.targets.sets), min(all, tallyBits), others)
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
