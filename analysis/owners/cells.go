package owners

import (
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A cellReader reads arrays, one after another, with the same memory.
type cellReader struct {
	*hunt
	buf  []byte
	last []uint32 // by slot: the cell that had the handle last, plus one; zero but for used
	used []uint64 // slots
	array
}

// read reads the cells of a run, and in its margins what was captured. The
// array is the longest part that has no handle twice. It returns nil for what
// repeats too often.
func (c *cellReader) read(r run) *array {
	if c.buf == nil {
		c.buf, c.last, c.numbers, c.inside = make([]byte, windowSize), make([]uint32, len(c.targets.slots)), newNumbers(c.targets), newNumbers(c.targets)
	}
	whole := r.cells()
	if r = c.trim(c.longest(c.trim(r))); float64(r.cells()) < leastUnrepeated*float64(whole) || c.runsThrough(r) {
		return nil
	}
	clear(c.multiples)
	clear(c.others)
	clear(c.inside.multiples)
	clear(c.inside.others)
	c.array = array{run: r, numbers: c.numbers, inside: c.inside}
	margin := max(minHandles, uint64(arrayMargin*float64(r.cells()))) * uint64(r.stride)
	slots := c.targets.fieldSlots()
	c.cells(r.first-min(margin, r.first/uint64(r.stride)*uint64(r.stride)), r.last+margin, r, func(at, v uint64) { c.array.cell(c.targets, at, v, slots) })
	return &c.array
}

// longest returns the longest part of a run that has no handle twice.
func (c *cellReader) longest(r run) run {
	defer func() { // of all slots a run uses few
		for _, slot := range c.used {
			c.last[slot] = 0
		}
		c.used = c.used[:0]
	}()
	stride := uint64(r.stride)
	n, from, best, length := uint32(0), uint32(0), uint32(0), uint32(0)
	c.cells(r.first, r.last, r, func(at, v uint64) {
		n++
		if c.targets.set(v) != r.set {
			return
		}
		from = max(from, c.last[v>>2])
		c.last[v>>2] = n
		c.used = append(c.used, v>>2)
		if n-from > length {
			best, length = from, n-from
		}
	})
	r.last = r.first + uint64(best+max(length, 1)-1)*stride
	r.first += uint64(best) * stride
	return r
}

// runsThrough reports whether the cells are some of those of a finer table: what
// stands between two of them lies between their values, too.
func (c *cellReader) runsThrough(r run) bool {
	const pairs = 16 // are looked at
	stride, width := uint64(r.stride), uint64(r.width)
	if stride < 8*width {
		return false // handles that were opened one after another
	}
	word := func(at uint64) (v uint64) {
		c.cells(at, at, run{first: at, width: r.width, stride: r.stride}, func(_, value uint64) { v = value })
		return v
	}
	through, seen := 0, 0
	for at := r.first; at < r.last && seen < pairs; at += stride {
		from, to := word(at), word(at+stride)
		low, high := min(from, to), max(from, to)
		near, middle := word(at+width), word(at+stride/width/2*width)
		if seen++; low < near && near < high && low < middle && middle < high {
			through++
		}
	}
	return float64(through) >= cellShare*float64(seen)
}

// trim lets a run begin and end with two handles in a row: a single one before
// a hole is a number nearby.
func (c *cellReader) trim(r run) run {
	stride := uint64(r.stride)
	holds := func(at uint64) (yes bool) {
		c.cells(at, at, r, func(_, v uint64) { yes = c.targets.set(v) == r.set })
		return yes
	}
	for r.first < r.last && !(holds(r.first) && holds(r.first+stride)) {
		r.first += stride
	}
	for r.first < r.last && !(holds(r.last) && holds(r.last-stride)) {
		r.last -= stride
	}
	return r
}

// cells calls f for the cells of a run from one address up to another that lie
// in the same piece of memory.
func (c *cellReader) cells(from, to uint64, r run, f func(at, v uint64)) {
	stride, width := uint64(r.stride), int(r.width)
	i, _ := slices.BinarySearchFunc(c.space.scan, r.first, func(m minidump.MemoryRange, at uint64) int {
		if uint64(m.End()) <= at {
			return -1
		}
		return 1
	})
	if i == len(c.space.scan) || uint64(c.space.scan[i].Start) > r.first {
		return
	}
	in := c.space.scan[i]
	if start := uint64(in.Start); from < start {
		from += (start - from + stride - 1) / stride * stride
	}
	end := min(to+uint64(width), uint64(in.End()))
	for at := from; at+uint64(width) <= end; {
		b := c.buf[:min(uint64(len(c.buf)), end-at)]
		if _, err := c.mem.ReadRange(b, in, at-uint64(in.Start)); err != nil {
			return // the first pass has read it
		}
		off := 0
		for ; off+width <= len(b); off += int(stride) {
			v := readValue(b[off:], width)
			if width < c.space.ptr && c.space.highs.has(v<<32) {
				v = 0 // rather the upper half of a pointer
			}
			f(at+uint64(off), v)
		}
		at += uint64(off)
	}
}

// cell takes down what a cell holds.
func (a *array) cell(t *targets, at, v uint64, slots int) {
	inside := at >= a.first && at <= a.last
	switch near := uint64(continued) * uint64(a.stride); {
	case inside:
		a.instances++
	case at < a.first && a.first-at <= near:
		a.before = append([]uint64{v}, a.before...)
	case at > a.last && at-a.last <= near:
		a.after = append(a.after, v)
	}
	if v == 0 || v == math.MaxUint64 {
		if inside {
			a.empty++
		}
		return
	}
	a.add(v, slots)
	if inside {
		a.inside.add(v, slots)
	}
	if !inside || t.set(v) != a.set {
		return
	}
	slot := int(v >> 2)
	if n := len(a.slots); n > 0 && slot > a.slots[n-1] {
		a.up++
	} else if n > 0 {
		a.down++
	}
	a.slots = append(a.slots, slot)
	if len(a.examples) < ownerExamples {
		a.examples = append(a.examples, Example{Object: vaOf(at), Handle: v})
	}
}
