package owners

import (
	"math"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

// How chance is told from an array.
//
// The numbers are those in its cells, and those in as many cells again around
// it, since the array was taken to begin and end with a hit. They are judged as
// those of an object's field are, with two differences. Much of what stands in
// rows counts: offsets, sizes, tables of ids. And it does so whatever the
// amount, so that all shifts are tried, and few numbers may miss. And what
// rises or falls, and goes on so beyond the first or the last handle, is no array
// of handles, but a table that runs through their values.
const (
	arrayPrior     = 0.3
	arrayTolerance = 0.005
	// arrayMargin is the part of an array that is looked at before and behind
	// it, in cells; at least minHandles.
	arrayMargin = 0.5
	// leastUnrepeated is the part of a run without any handle twice. Copies of
	// an array that has grown may stand one behind another, and are not much
	// longer together than the last one; numbers repeat much sooner.
	leastUnrepeated = 1.0 / 3
)

// arrays judges runs, the longest first, and claims what chance does not
// explain: those in the variables of modules, or those elsewhere.
func (h *hunt) arrays(runs []run, inModule bool) []*claim {
	if len(runs) == 0 {
		return nil
	}
	width := uint64(runs[0].width)
	c := &crowd{
		places: float64(h.space.bytes) / float64(width) * maxStride / float64(width), disjoint: true,
		atLeast: func(handles int) int {
			return max(1, sort.Search(len(runs), func(i int) bool { return int(runs[i].hits) < handles }))
		},
		prior: arrayPrior, tolerance: arrayTolerance,
	}
	enough := h.enoughLeft()
	var claims []*claim
	reader := &cellReader{hunt: h}
	for _, r := range runs {
		if int(r.hits) < h.leastOf(r.set) {
			continue
		}
		if _, ok := h.space.modules.Find(vaOf(r.first)); ok != inModule || !enough(r.set) {
			continue
		}
		claim := h.claimArray(c, reader.read(r))
		if claim == nil {
			continue
		}
		claims = append(claims, claim)
		enough = h.enoughLeft()
	}
	return claims
}

// An array is what the cells of a run hold.
type array struct {
	run
	numbers
	instances, empty int
	slots            []int // handles of the set
	examples         []Example

	before, after []uint64 // what the nearest cells of the margins hold
	up, down      int      // neighbours in slots that rise, and that fall
}

// continued is how many cells beyond an array show whether it goes on.
const continued = 6

// goesOn reports whether the array is a part of a longer table.
func (a *array) goesOn() bool {
	n := a.up + a.down
	rising, falling := float64(a.up) >= 0.9*float64(n), float64(a.down) >= 0.9*float64(n)
	if n == 0 || !rising && !falling {
		return false
	}
	widest := 0
	for i := range a.slots[1:] {
		widest = max(widest, a.slots[i+1]-a.slots[i], a.slots[i]-a.slots[i+1])
	}
	follows := func(from, to uint64, up bool) bool {
		if !up {
			from, to = to, from
		}
		return from < to && to-from <= uint64(4*4*widest)
	}
	steps := func(at uint64, cells []uint64, up bool) int {
		n := 0
		for _, v := range cells {
			if !follows(at, v, up) {
				break
			}
			at = v
			n++
		}
		return n
	}
	return steps(4*uint64(a.slots[len(a.slots)-1]), a.after, rising) >= continued/2 ||
		steps(4*uint64(a.slots[0]), a.before, falling) >= continued/2
}

// A cellReader reads arrays, one after another, with the same memory.
type cellReader struct {
	*hunt
	buf  []byte
	last []uint32 // by slot: the cell that had the handle last, plus one
	array
}

// read reads the cells of a run, and in its margins what was captured. The
// array is the longest part that has no handle twice. It returns nil for what
// repeats too often.
func (c *cellReader) read(r run) *array {
	if c.buf == nil {
		c.buf, c.last, c.numbers = make([]byte, windowSize), make([]uint32, len(c.targets.slots)), newNumbers(c.targets)
	}
	whole := r.cells()
	if r = c.trim(c.longest(c.trim(r))); float64(r.cells()) < leastUnrepeated*float64(whole) {
		return nil
	}
	clear(c.multiples)
	clear(c.others)
	c.array = array{run: r, numbers: c.numbers}
	margin := max(minHandles, uint64(arrayMargin*float64(r.cells()))) * uint64(r.stride)
	slots := c.targets.fieldSlots()
	c.cells(r.first-min(margin, r.first/uint64(r.stride)*uint64(r.stride)), r.last+margin, r, func(at, v uint64) { c.array.cell(c.targets, at, v, slots) })
	return &c.array
}

// longest returns the longest part of a run that has no handle twice.
func (c *cellReader) longest(r run) run {
	clear(c.last)
	stride := uint64(r.stride)
	n, from, best, length := uint32(0), uint32(0), uint32(0), uint32(0)
	c.cells(r.first, r.last, r, func(at, v uint64) {
		n++
		if c.targets.set(v) != r.set {
			return
		}
		from = max(from, c.last[v>>2])
		c.last[v>>2] = n
		if n-from > length {
			best, length = from, n-from
		}
	})
	r.last = r.first + uint64(best+max(length, 1)-1)*stride
	r.first += uint64(best) * stride
	return r
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
			f(at+uint64(off), readValue(b[off:], width))
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

// claimArray judges an array, and claims its handles if enough of them have no
// owner.
func (h *hunt) claimArray(c *crowd, a *array) *claim {
	if a == nil || a.goesOn() {
		return nil
	}
	left := 0
	for _, slot := range a.slots {
		if !h.explained.has(slot) {
			left++
		}
	}
	if left < h.leastOf(a.set) || float64(len(a.slots)) < cellShare*float64(a.instances) {
		return nil
	}
	chance, ok := h.judge(c, &a.numbers, a.set)
	if !ok {
		return nil
	}
	for _, slot := range a.slots {
		h.explained.set(uint64(slot))
	}
	set := h.targets.sets[a.set]
	o := Owner{
		Kind: KindArray, Type: set.Type, Label: set.Label, Of: set.Count, Width: int(a.width), Stride: int(a.stride),
		Address: vaOf(a.first), Handles: len(a.slots), Objects: len(a.slots), Instances: a.instances, Empty: a.empty,
		ExpectedByChance: chance.expected, Confidence: chance.confidence(), Examples: a.examples,
	}
	if m, ok := h.space.modules.Find(o.Address); ok {
		o.Kind, o.Module, o.ModuleOffset = KindGlobal, m.Name(), uint64(o.Address-m.BaseOfImage)
	}
	return &claim{Owner: o, set: a.set, places: []uint64{a.first}}
}
