package owners

import (
	"context"
	"slices"
	"sort"
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
	// mostGuessed is how many runs guessArrays looks at.
	mostGuessed = 256
)

// arrays judges runs, the longest first, and claims what chance does not
// explain: those in the variables of modules, or those elsewhere. The caller
// looks at ctx.
func (h *hunt) arrays(ctx context.Context, runs []run, inModule bool) []*claim {
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
	families := map[family][]run{}
	var order []family
	for _, r := range runs {
		if ctx.Err() != nil {
			return nil
		}
		if r.hits < minHandles {
			continue
		}
		if _, ok := h.space.modules.Find(vaOf(r.first)); ok != inModule || !enough(r.set) {
			continue
		}
		if a := reader.read(r); a.sound() {
			if claim := h.claimArray(c, a, 1); claim != nil {
				claims = append(claims, claim)
				enough = h.enoughLeft()
				continue
			}
			key := family{r.set, r.stride}
			if families[key] == nil {
				order = append(order, key)
			}
			families[key] = append(families[key], r)
		}
	}
	for _, key := range order {
		if members := families[key]; len(members) > 1 && enough(key.set) {
			if claim := h.claimFamily(c, members); claim != nil {
				claims = append(claims, claim)
				enough = h.enoughLeft()
			}
		}
	}
	return claims
}

// guessArrays returns the arrays that will be claimed if nothing else is found
// before them, so that what leads to them is looked for in good time.
func (h *hunt) guessArrays(ctx context.Context, runs []run) ([]*claim, error) {
	explained := slices.Clone(h.explained)
	guessed := h.arrays(ctx, runs[:min(len(runs), mostGuessed)], false)
	h.explained = explained
	return guessed, ctx.Err()
}

// An array is what the cells of a run hold.
type array struct {
	run
	numbers                  // in its cells and in the margins
	inside           numbers // in its cells
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

// sound reports whether what was read may be an array at all.
func (a *array) sound() bool {
	return a != nil && len(a.slots) > 0 && float64(len(a.slots)) >= cellShare*float64(a.instances) && !a.goesOn()
}

// claimArray judges one array or several, and claims the handles if enough of
// them have no owner.
func (h *hunt) claimArray(c *crowd, a *array, arrays int) *claim {
	left := 0
	for _, slot := range a.slots {
		if !h.explained.has(slot) {
			left++
		}
	}
	if left < h.leastOf(a.set) || float64(left) < ownShare*float64(len(a.slots)) {
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
		Kind: KindArray, Type: set.Type, Label: set.Label, Of: set.Count, Width: int(a.width), Stride: int(a.stride), Arrays: arrays,
		Address: vaOf(a.first), Handles: len(a.slots), Objects: len(a.slots), Instances: a.instances, Empty: a.empty,
		ExpectedByChance: chance.expected, Confidence: chance.confidence(), Examples: a.examples,
	}
	if m, ok := h.space.modules.Find(o.Address); ok {
		o.Kind, o.Module, o.ModuleOffset = KindGlobal, m.Name(), uint64(o.Address-m.BaseOfImage)
	}
	return &claim{Owner: o, set: a.set, places: []uint64{a.first}}
}
