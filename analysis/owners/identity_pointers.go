package owners

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
)

// A target of pointers: a place that holds a handle.
type pointerTarget struct {
	at       uint64
	class, n int
}

// followPointers finds the pointers into the objects of the classes, and behind
// them. What others point to behind a handle is where something else may begin;
// and what nobody points to may be dead.
func (s *identitySide) followPointers(ctx context.Context, classes []*holderClass, side int) error {
	var targets []pointerTarget
	lines := make([]uint64, 1<<lineBits/64)
	for i, c := range classes {
		if c.stride > 0 {
			continue
		}
		before := uint64(max(c.distance, c.start(), 0))
		for n, h := range c.places[side].held {
			targets = append(targets, pointerTarget{h.at, i, n})
			for line := (h.at - min(before, h.at)) >> 8; line <= (h.at+identityReach)>>8; line++ {
				bit := lineHash(line)
				lines[bit/64] |= 1 << (bit % 64)
			}
		}
	}
	if len(targets) == 0 {
		return nil
	}
	slices.SortFunc(targets, func(a, b pointerTarget) int { return cmp.Compare(a.at, b.at) })
	low := targets[0].at - min(MaxOffset, targets[0].at)
	span := targets[len(targets)-1].at + identityReach - low
	ptr := s.space.ptr
	return s.each(ctx, func(b []byte, start uint64) {
		for i := 0; i+ptr <= len(b); i += ptr {
			v := wordAt(b[i:], ptr)
			if v-low > span {
				continue
			}
			if bit := lineHash(v >> 8); lines[bit/64]>>(bit%64)&1 != 0 {
				pointerTo(targets, classes, side, start+uint64(i), v)
			}
		}
	})
}

// pointerTo notes a pointer at from. Those of an object to itself are none.
func pointerTo(targets []pointerTarget, classes []*holderClass, side int, from, to uint64) {
	i, _ := slices.BinarySearchFunc(targets, to, func(t pointerTarget, at uint64) int { return cmp.Compare(t.at, at+1) })
	for j := i; j < len(targets) && j < i+4; j++ {
		t := targets[j]
		c := classes[t.class]
		if d := int64(t.at - to); d > MaxOffset {
			break
		} else if d != int64(c.distance) && d != int64(c.start()) {
			continue
		}
		if from < to || from >= t.at+uint64(c.width) {
			c.places[side].pointed[t.n] = true
		}
	}
	if i == 0 {
		return
	}
	t := targets[i-1] // the last one at or before
	c := classes[t.class]
	if t.at-to == uint64(int64(c.distance)) {
		c.places[side].pointed[t.n] = true // the word stands behind the handle
	}
	d := to - t.at
	if d < uint64(c.inside()) || d >= identityReach || from >= t.at-uint64(max(c.distance, 0)) && from < to {
		return
	}
	c.places[side].marks[t.n] |= 1 << (d / 4)
}

// ends is how far behind a handle its object reaches at most: up to where pointers
// of others lead in many objects.
func (c *holderClass) ends() int {
	const many = 0.3
	end := c.hi
	for side := range c.places {
		var count [64]int
		for _, marks := range c.places[side].marks {
			for ; marks != 0; marks &= marks - 1 {
				count[bits.TrailingZeros64(marks)]++
			}
		}
		for i, n := range count {
			if n >= minHandles && float64(n) >= many*float64(len(c.places[side].held)) {
				end = min(end, 4*i)
			}
		}
	}
	return max(end, c.inside())
}
