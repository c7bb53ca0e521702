package owners

import (
	"math"
	"math/bits"
)

// How chance is told from an owner.
//
// The field of a constellation holds n different numbers up to a quarter above
// the largest handle (0 and -1 are left out); k of them are handles of the
// set. The numbers of an innocent field are sizes, counts, offsets or indices.
// They are taken at their most misleading: multiples of the largest power of
// two that divides all k, so that only such multiples count, and of about the
// size of the handles.
//
//  1. Draws. Say that the n numbers are drawn from the multiples up to a scale
//     x, and that all scales from 64 to 2^32 are equally likely by their
//     logarithm. Then k or more are handles of the set with a probability below
//     exp(-n KL(k/n, r)), Chernoff's bound of the binomial tail, where r is the
//     part of the multiples up to x that are handles of the set; KL is the
//     relative entropy. Scales below the largest of the k would not have
//     yielded it. In a process whose handles nearly all belong to the set, r is
//     close to 1 and the bound close to useless: what remains is that numbers
//     of another kind hardly end where the handles end.
//
//     A class may own handles of several types. So the same is asked about the
//     open handles of any type, and the better answer counts, twice.
//
//  2. Counters. Numbers such as 256, 260, 264 ... are not drawn one by one. If
//     the k numbers, all moved by the same amount, would hit the set as well for
//     a part s of all amounts, then a counter hits it with probability s. One
//     numeric field in a thousand is taken to count in steps of four or more;
//     those constellations are asked that hold at least k/2 handles.
//
//  3. Many questions. Out of many constellations some look odd. Step 1 is
//     multiplied by the number of constellations there may be: the words
//     searched, times the offsets, by the least number of handles. Where the
//     set is so dense that a field of k numbers of any kind would hold 16 of
//     its handles or more, the constellations that hold half as many will do.
//
// The sum is the number of innocent constellations to be expected in the whole
// scan that look as guilty as this one. Above maxFalseOwners nothing is said.
// Below, 1 less the sum is the confidence.
const (
	maxFalseOwners  = 0.01
	counterPrior    = 0.001
	smallestScale   = 64
	largestScale    = 1 << 32
	minOwnerShare   = 0.01 // of the handles of the set
	minDecoys       = 256
	shiftTolerance  = 0.02 // part of the k numbers that may miss when moved
	maxShifts       = 512  // tried to each side, for objects
	maxShiftsTried  = 1 << 15
	maxShifted      = 256 // of the k numbers
	denseSet        = 1.0 / 8
	numericFieldPer = 4 // a number of any kind is a multiple of four this often
)

// fieldChance is what chance has to say about one field and one set.
type fieldChance struct {
	set      uint16
	handles  int     // k
	expected float64 // ExpectedByChance
	sum      float64 // 1 - Confidence
}

// A crowd is what the suspects of one kind stand out from.
type crowd struct {
	places    float64               // of the word or cell that a constellation begins with, times distances
	disjoint  bool                  // constellations have no places in common
	atLeast   func(handles int) int // those that hold so many handles, or may do so, and at least one
	prior     float64               // part of those with numbers that count in fours
	shifts    int                   // tried to each side
	tolerance float64               // part of the numbers that may miss when moved
}

// judge compares the field with chance. It reports false if the set is not
// asked for, or chance may explain what the field holds of it.
func (h *hunt) judge(c *crowd, f *numbers, set uint16) (fieldChance, bool) {
	t := h.targets
	total := t.sets[set].Count
	if !t.sets[set].wanted {
		return fieldChance{}, false
	}
	member := func(slot int) bool { return slot < len(t.slots) && t.slots[slot] == set }
	open := func(slot int) bool { return slot < len(t.slots) && t.slots[slot] != slotFree }

	hits := hitsOf(f.multiples, member)
	k := len(hits)
	if k < h.leastOf(set) {
		return fieldChance{}, false
	}
	n := f.multiples.count() + f.others.count()
	draw := drawChance(hits, n, t.fieldSlots(), member)
	all := hitsOf(f.multiples, open)
	if anyType := drawChance(all, n, t.fieldSlots(), open); anyType < draw {
		hits, member, draw = all, open, anyType
	}
	sum := 2 * math.Exp(draw) * c.rivals(k, total, len(t.slots))
	if sum > maxFalseOwners {
		return fieldChance{}, false
	}
	sum += c.prior * c.shiftShare(hits, len(t.slots), member) * float64(c.atLeast(k/2))
	if sum > maxFalseOwners {
		return fieldChance{}, false
	}
	return fieldChance{
		set: set, handles: k, sum: sum,
		expected: expectedByChance(f.multiples, len(t.slots), total, k, member),
	}, true
}

// rivals is the number of constellations that step 1 has to be multiplied by,
// for k handles of a set of the given size among so many slots.
func (c *crowd) rivals(k, total, slots int) float64 {
	density := float64(total) / float64(slots)
	if shown := float64(k) * density / numericFieldPer; density >= denseSet && shown >= 2*minHandles {
		return float64(c.atLeast(int(shown / 2)))
	}
	if c.disjoint {
		return max(1, c.places/float64(k))
	}
	return max(1, c.places/minHandles)
}

// hitsOf returns the members among the numbers of a field, by number / 4.
func hitsOf(numbers bitmap, member func(slot int) bool) []int {
	var hits []int
	numbers.each(func(slot int) {
		if member(slot) {
			hits = append(hits, slot)
		}
	})
	return hits
}

// drawChance is step 1: the logarithm of a bound of the probability that at
// least len(hits) of n numbers are members. hits are slots, ascending; all n
// numbers lie below limit.
func drawChance(hits []int, n, limit int, member func(slot int) bool) float64 {
	k := len(hits)
	if k == 0 {
		return 0
	}
	step := latticeStep(hits)
	at, found := 0, 0
	members := func(upTo float64) int { // on the lattice; upTo ascends
		for next := at + step; next < limit && float64(next) <= upTo; next += step {
			if member(next) {
				found++
			}
			at = next
		}
		return found
	}
	// The integral over the logarithm of the scale goes in steps that begin
	// narrow and grow; each is taken at its most likely.
	all := math.Log(largestScale / smallestScale)
	left := all // of the scales
	width := 1 / (8 * float64(n))
	sum := math.Inf(-1)
	scale := float64(hits[k-1])
	for scale < float64(limit) {
		next := scale * math.Exp(width)
		rate := float64(members(next)) / math.Floor(scale/float64(step))
		sum = logAdd(sum, chernoff(k, n, rate)+math.Log(width/all))
		scale = next
		left -= width
		width *= 1.25
	}
	// Larger scales all look alike below the limit.
	rate := float64(members(scale)) / math.Floor(float64(limit)/float64(step))
	sum = logAdd(sum, chernoff(k, n, rate)+math.Log(max(left, 0)/all))
	return math.Min(0, sum)
}

// latticeStep is the largest power of two that divides all slots.
func latticeStep(slots []int) int {
	all := 0
	for _, s := range slots {
		all |= s
	}
	return 1 << bits.TrailingZeros(uint(all))
}

// chernoff is the logarithm of Chernoff's bound of the probability that k or
// more of n draws succeed that each succeed at the given rate.
func chernoff(k, n int, rate float64) float64 {
	got := float64(k) / float64(n)
	switch {
	case got <= rate:
		return 0
	case rate <= 0:
		return math.Inf(-1)
	}
	entropy := got * math.Log(got/rate)
	if got < 1 {
		entropy += (1 - got) * math.Log((1-got)/(1-rate))
	}
	return -float64(n) * entropy
}

// logAdd is log(exp(a) + exp(b)).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// shiftShare is step 2: the part of all shifts for which nearly all hits would
// still be members. The true position counts as one of them, so that the share
// is never zero. slots is the number of places there are.
func (c *crowd) shiftShare(hits []int, slots int, member func(slot int) bool) float64 {
	step := latticeStep(hits)
	most := slots / step
	every := 1 // of the shifts is tried
	if c.shifts > 0 {
		most = min(most, c.shifts)
	} else {
		every = max(1, most/maxShiftsTried)
	}
	hits = spread(hits, maxShifted)
	allowed := int(c.tolerance * float64(len(hits)))
	good, tried := 1, 1
	for shift := every; shift <= most; shift += every {
		for _, by := range [...]int{-shift * step, shift * step} {
			tried++
			if shiftHits(hits, by, allowed, member) {
				good++
			}
		}
	}
	return float64(good) / float64(tried)
}

// spread picks at most n of the hits, evenly.
func spread(hits []int, n int) []int {
	if len(hits) <= n {
		return hits
	}
	some := make([]int, n)
	for i := range some {
		some[i] = hits[i*len(hits)/n]
	}
	return some
}

func shiftHits(hits []int, by, allowed int, member func(slot int) bool) bool {
	missed := 0
	for _, slot := range hits {
		if at := slot + by; at < 0 || !member(at) {
			if missed++; missed > allowed {
				return false
			}
		}
	}
	return true
}

// expectedByChance estimates how many handles of the set a field would hold
// that holds other things than handles: as many as the share of decoys in it
// suggests. Decoys are the multiples of four up to the largest handle that are
// no handles of the set, or above it until there are enough. Half a decoy more
// than was seen is counted, as in Jeffreys' estimate of a rate.
func expectedByChance(multiples bitmap, slots, total, k int, handle func(slot int) bool) float64 {
	decoys, seen := 0, 0
	for slot := 1; slot < slots || decoys < minDecoys; slot++ {
		if handle(slot) {
			continue
		}
		decoys++
		if multiples.has(slot) {
			seen++
		}
	}
	expected := float64(total) * (float64(seen) + 0.5) / float64(decoys+1)
	return math.Min(math.Round(expected*100)/100, float64(k))
}
