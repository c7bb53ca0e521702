package owners

import (
	"cmp"
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// sameOwner is how much of one another's handles two constellations must hold
// to be two views of the same objects.
const sameOwner = 0.9

// A suspect is a field that chance does not explain, for one set of handles.
type suspect struct {
	field *ownerField
	fieldChance
	image *targetInfo
}

// choose reports each handle for one owner.
//
// The same objects make many constellations: the word at their start, pointers
// in other members, the start of the object before them if they are all of one
// size. So the suspect that explains most handles is taken, with all that hold
// the same ones, and of these the one that looks most like the start of an
// object: a vtable before other data, data before code, modules before other
// memory, and then the word that is nearest to the handle, since what is
// further away may belong to another object. RTTI shows if that vtable belongs
// to a base class in the middle of the object; then the word as far before it
// as RTTI says is taken. What is left of the other suspects must be enough for
// an owner of its own.
func (h *hunt) choose(fields []*ownerField) []Owner {
	images := &images{hunt: h, known: map[uint64]*targetInfo{}}
	bySet := map[uint16][]*suspect{}
	for _, f := range fields {
		for set := range f.sets {
			if c, ok := h.judge(f, set); ok {
				bySet[set] = append(bySet[set], &suspect{f, c, images.of(f.word)})
			}
		}
	}
	var owners []Owner
	for set, suspects := range bySet {
		slices.SortFunc(suspects, func(a, b *suspect) int {
			return cmp.Or(cmp.Compare(a.field.offset, b.field.offset), cmp.Compare(a.field.word, b.field.word))
		})
		for _, s := range h.cover(set, suspects) {
			owners = append(owners, h.owner(s))
		}
	}
	return owners
}

func compareOwners(a, b Owner) int {
	return cmp.Or(
		compareSets(Set{a.Type, a.Label, a.Of}, Set{b.Type, b.Label, b.Of}),
		cmp.Compare(b.Handles, a.Handles), cmp.Compare(a.Address, b.Address), cmp.Compare(a.FieldOffset, b.FieldOffset))
}

// leastOf returns how many handles of a set an owner must have.
func (h *hunt) leastOf(set uint16) int {
	return max(minHandles, int(math.Ceil(minOwnerShare*float64(h.targets.sets[set].Count))))
}

// enoughLeft reports of which sets enough handles are without an owner.
func (h *hunt) enoughLeft() func(set uint16) bool {
	left := make([]int, len(h.targets.sets))
	for slot, set := range h.targets.slots {
		if h.explained[slot/64]>>(slot%64)&1 == 0 {
			left[set]++
		}
	}
	return func(set uint16) bool { return h.targets.sets[set].wanted && left[set] >= h.leastOf(set) }
}

// cover picks the suspects to report.
func (h *hunt) cover(set uint16, suspects []*suspect) []*suspect {
	least := h.leastOf(set)
	var chosen []*suspect
	for {
		var best *suspect
		most := 0
		for _, s := range suspects {
			if n, _ := h.overlap(s, nil); n > most {
				best, most = s, n
			}
		}
		if most < least {
			return chosen
		}
		var same []*suspect
		for _, s := range suspects {
			n, both := h.overlap(s, best)
			if float64(both) >= sameOwner*float64(most) && float64(both) >= sameOwner*float64(n) {
				same = append(same, s)
			}
		}
		s := canonical(same)
		chosen = append(chosen, s)
		for _, slot := range h.handlesOf(best) {
			h.explained.set(uint64(slot))
		}
		for _, slot := range h.handlesOf(s) {
			h.explained.set(uint64(slot))
		}
	}
}

// handlesOf returns the handles of the suspect's set in its field, as slots.
func (h *hunt) handlesOf(s *suspect) []int {
	slots := h.targets.slots
	return hitsOf(s.field.multiples, func(slot int) bool { return slot < len(slots) && slots[slot] == s.set })
}

// overlap counts the handles of a that are not explained, and those of them
// that b, if not nil, has too.
func (h *hunt) overlap(a, b *suspect) (n, both int) {
	for _, slot := range h.handlesOf(a) {
		bit := uint64(1) << (slot % 64)
		if h.explained[slot/64]&bit != 0 {
			continue
		}
		n++
		if b != nil && b.field.multiples[slot/64]&bit != 0 {
			both++
		}
	}
	return n, both
}

// canonical picks the start of the object among constellations of the same
// handles, which are sorted by offset.
func canonical(same []*suspect) *suspect {
	best := slices.MinFunc(same, func(a, b *suspect) int {
		return cmp.Or(cmp.Compare(a.image.rank(), b.image.rank()), cmp.Compare(a.field.offset, b.field.offset))
	})
	if before := best.image.before; before > 0 {
		for _, s := range same {
			if s.field.offset == best.field.offset+uint16(before) && s.image.target == TargetVtable {
				return s
			}
		}
	}
	return best
}

// owner makes the fact of a suspect.
func (h *hunt) owner(s *suspect) Owner {
	set := h.targets.sets[s.set]
	found := s.field.sets[s.set]
	return Owner{
		Type: set.Type, Label: set.Label,
		Address: minidump.VA(s.field.word), Module: s.image.module, ModuleOffset: s.image.offset,
		Target: s.image.target, Class: s.image.class, FieldOffset: int(s.field.offset),
		Handles: s.handles, Of: set.Count, Objects: found.objects,
		Instances: s.field.instances, Empty: s.field.empty,
		ExpectedByChance: s.expected, Confidence: math.Floor((1-s.sum)*1e6) / 1e6,
		Examples: found.examples,
	}
}
