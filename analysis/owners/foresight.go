package owners

import (
	"cmp"
	"math"
	"slices"
)

// Foresight saves a pass: what the first one finds in the early windows shows
// which constellations it will be worth looking at, and in the later windows it
// looks at these at once. The early windows, and what was not foreseen, are left
// to the second pass. The answer is the same without.

const (
	// earlyPart is the part of the windows that are early, as a divisor.
	earlyPart = 8
	// leastForeseen is the number of windows that foresight is for.
	leastForeseen = 256
	// maxForeseen bounds what is looked at in vain.
	maxForeseen = 32
)

// A foresight is what the first pass has looked at.
type foresight struct {
	*inspection
	from int // number of the first window
}

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

// foresee chooses among the pointers into modules that were seen with the most
// handles, less what decoys were there.
func (h *hunt) foresee(tables []*constellationTable, from int) *foresight {
	type sight struct {
		constellation
		bits int
	}
	var all []sight
	for _, t := range tables {
		for i := range t.places {
			if p := &t.places[i]; p.bits > 1 {
				s := sight{constellation{p.word, p.offset}, int(p.bits)}
				if p.set == decoySet {
					s.bits *= -decoyWeight
				}
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b sight) int { return compareConstellations(a.constellation, b.constellation) })
	best := all[:0]
	for _, s := range all {
		if n := len(best); n > 0 && best[n-1].constellation == s.constellation {
			best[n-1].bits += s.bits
		} else {
			best = append(best, s)
		}
	}
	best = slices.DeleteFunc(best, func(s sight) bool {
		_, ok := h.space.modules.Find(vaOf(s.word))
		return !ok || s.bits < minHandles
	})
	slices.SortStableFunc(best, func(a, b sight) int { return cmp.Compare(b.bits, a.bits) })
	l := &look{wordSize: h.space.ptr, width: h.space.ptr}
	var fields []*ownerField
	for _, s := range best[:min(len(best), maxForeseen, h.maxFields())] {
		fields = append(fields, h.newField(s.constellation, l.width))
	}
	return &foresight{h.newInspection(l, fields), from}
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

// split returns the windows before those that were looked at, and these.
func (f *foresight) split() (early, later windowSpan) {
	if f == nil {
		return allWindows, windowSpan{}
	}
	return windowSpan{0, f.from}, windowSpan{f.from, math.MaxInt}
}

// inspected returns what was seen.
func (f *foresight) inspected() *inspection {
	if f == nil {
		return &inspection{}
	}
	return f.inspection
}
