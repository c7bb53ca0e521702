package owners

import (
	"cmp"
	"slices"
)

// Foresight saves passes. What the first one finds in the early windows shows
// which constellations it will be worth looking at, and in the later windows it
// looks at these at once. What was not foreseen is looked at in the early windows
// first; few of that need be looked for in the later ones. The answer is the same
// without.

const (
	// earlyPart is the part of the windows that are early, as a divisor.
	earlyPart = 8
	// leastForeseen is the number of windows that foresight is for.
	leastForeseen = 256
	// maxForeseen bounds what is looked at in vain.
	maxForeseen = 32
)

// A foresight is what the first pass has looked at, in all windows but the early
// ones.
type foresight struct{ *inspection }

// earlyWindows returns how many windows are early; 0 if there are too few.
func (s *space) earlyWindows() int {
	n := 0
	for range s.windows() {
		n++
	}
	if n < leastForeseen {
		return 0
	}
	return n / earlyPart
}

// foresee chooses among the pointers into modules those that already may
// convince.
func (h *hunt) foresee(tables []*constellationTable) *foresight {
	var all []tally
	for _, t := range tables {
		for _, p := range t.places {
			if p.bits > 1 {
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b tally) int {
		return compareConstellations(constellation{a.word, a.offset}, constellation{b.word, b.offset})
	})
	type sight struct {
		constellation
		handles int
	}
	var best []sight
	c := &crowd{places: h.places(h.space.ptr), atLeast: func(int) int { return 1 }}
	for len(all) > 0 {
		s, decoys, n := sight{constellation: constellation{all[0].word, all[0].offset}}, 0, 0
		for ; n < len(all) && all[n].word == s.word && all[n].offset == s.offset; n++ {
			if all[n].set == decoySet {
				decoys += decoyWeight * int(all[n].bits)
			} else {
				s.handles += int(all[n].bits)
			}
		}
		all = all[n:]
		if s.handles < minHandles || !h.mayConvince(c, len(h.targets.sets), min(s.handles, tallyBits), decoys) {
			continue
		}
		if _, ok := h.space.modules.Find(vaOf(s.word)); ok {
			best = append(best, s)
		}
	}
	slices.SortStableFunc(best, func(a, b sight) int { return cmp.Compare(b.handles, a.handles) })
	l := &look{wordSize: h.space.ptr, width: h.space.ptr}
	var fields []*ownerField
	for _, s := range best[:min(len(best), maxForeseen, h.maxFields()/4)] {
		fields = append(fields, h.newField(s.constellation, l.width))
	}
	return &foresight{h.newInspection(l, fields)}
}

func compareConstellations(a, b constellation) int {
	return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.offset, b.offset))
}

// of returns what was foreseen of a look; nil if it is one of another kind.
func (f *foresight) of(l *look) *foresight {
	if f == nil || l.wordSize != f.look.wordSize || l.width != f.look.width {
		return nil
	}
	return f
}

// field returns the field of a constellation that was foreseen; else nil.
func (f *foresight) field(c constellation) *ownerField {
	if f == nil {
		return nil
	}
	i := slices.IndexFunc(f.fields, func(f *ownerField) bool { return f.constellation == c })
	if i < 0 {
		return nil
	}
	return f.fields[i]
}

// inspected returns what was seen.
func (f *foresight) inspected() *inspection {
	if f == nil {
		return &inspection{}
	}
	return f.inspection
}
