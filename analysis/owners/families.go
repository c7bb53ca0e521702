package owners

import (
	"cmp"
	"slices"
)

// A family are the arrays of one set and stride: pieces of a larger structure.
// One by one they may be tables that count, where the handles are dense; but
// tables do not share the handles out among one another. Where so many arrays
// begin and end says nothing, and their margins are left out.
type family struct {
	set, stride uint16
}

const (
	// maxTwice is the part of a family's handles that may be in two of its
	// arrays.
	maxTwice = 0.1
	// familyShare is the part of the set that a family must hold: fields of
	// objects that stand in rows are families, too.
	familyShare = 0.5
)

// claimFamily judges the arrays of a family together.
func (h *hunt) claimFamily(c *crowd, members []run) *claim {
	slices.SortFunc(members, func(a, b run) int { return cmp.Compare(a.first, b.first) })
	reader := &cellReader{hunt: h}
	all := &array{run: members[0], numbers: newNumbers(h.targets)}
	seen := make(bitmap, len(h.targets.slots)/64+1)
	arrays, twice := 0, 0
	var places []uint64
	for _, r := range members {
		a := reader.read(r)
		fresh := 0
		for _, slot := range a.slots {
			if !h.explained.has(slot) && !seen.has(slot) {
				fresh++
			}
		}
		if float64(fresh) < ownShare*float64(len(a.slots)) {
			continue // a copy of what others hold
		}
		for _, slot := range a.slots {
			if seen.has(slot) {
				twice++
				continue
			}
			seen.set(uint64(slot))
			all.slots = append(all.slots, slot)
		}
		for i := range all.multiples {
			all.multiples[i] |= a.inside.multiples[i]
			all.others[i] |= a.inside.others[i]
		}
		all.instances, all.empty = all.instances+a.instances, all.empty+a.empty
		all.examples = append(all.examples, a.examples[:min(len(a.examples), ownerExamples-len(all.examples))]...)
		if len(places) < workers*maxPlaces {
			places = append(places, a.first)
		}
		arrays++
	}
	if arrays < 2 || float64(len(all.slots)) < familyShare*float64(h.targets.sets[all.set].Count) || float64(twice) > maxTwice*float64(len(all.slots)) {
		return nil
	}
	claim := h.claimArray(c, all, arrays)
	if claim != nil {
		claim.places = places
	}
	return claim
}
