package owners

import "math"

// maxPruned is the number of handles from which on the rarest are taken to be
// as rare as those that so many have to include.
const maxPruned = 512

// rarest is, for each set and last for the open handles of all types, a lower
// bound of the rate at which numbers are handles, by the number k of handles
// that were found: however they lie, below the largest of them the rate is at
// least rarest[set][min(k, maxPruned)].
type rarest [][]float64

func newRarest(t *targets) rarest {
	anyType := len(t.sets)
	r := make(rarest, anyType+1)
	for set, n := range t.totals() {
		r[set] = make([]float64, min(n, maxPruned)+1)
	}
	// As in drawChance, the handles may all be multiples of a power of two.
	for step := 1; step < len(t.slots); step *= 2 {
		count := make([]int, anyType+1)
		for slot := step; slot < len(t.slots); slot += step {
			if t.slots[slot] == slotFree {
				continue
			}
			for _, set := range [...]int{int(t.slots[slot]), anyType} {
				count[set]++
				low := &r[set][min(count[set], maxPruned)]
				if rate := float64(count[set]) / float64(slot/step); *low == 0 || rate < *low {
					*low = rate
				}
			}
		}
	}
	for set := range r {
		for k := len(r[set]) - 2; k > 0; k-- {
			if next := r[set][k+1]; next != 0 && (r[set][k] == 0 || next < r[set][k]) {
				r[set][k] = next
			}
		}
	}
	return r
}

// mayConvince reports whether a constellation whose tally of a set has so many
// bits can be an owner at all, if at least so many other numbers are in the
// field. It is what makes a second look at most constellations superfluous. It
// says yes too often, since it takes a part of the sum of drawChance for the
// whole, and the handles for the rarest that there are.
func (h *hunt) mayConvince(c *crowd, set, bits, others int) bool {
	if h.rarest == nil {
		h.rarest = newRarest(h.targets)
	}
	total := h.targets.totals()[set]
	for k := max(bits, minHandles); k <= total; k++ {
		if bits < tallyBits && bitsOf(k, total) > bits {
			return false
		}
		if k >= maxPruned { // the more handles, the more convincing: the last of some speaks for them
			k = min(k+k/8, total)
		}
		n := k + others
		width := 1 / (8 * float64(n))
		draw := chernoff(k, n, h.rarest[set][min(k, maxPruned)]) + math.Log(width/math.Log(largestScale/smallestScale))
		if 2*math.Exp(draw)*c.rivals(k, total, len(h.targets.slots)) <= maxFalseOwners {
			return true
		}
	}
	return false
}
