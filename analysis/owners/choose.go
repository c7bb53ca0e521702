package owners

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// sameOwner is how much of one another's handles two constellations must hold
// to be two views of the same objects.
const sameOwner = 0.9

// ownShare is how much of an owner's handles must have no other owner. What has
// less sees the objects of another one, or those beside them.
const ownShare = 0.5

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
// memory, a class of the CLR that has the handle inside of its objects before them all, and then the word that is nearest to the handle, since what is
// further away may belong to another object. RTTI shows if that vtable belongs
// to a base class in the middle of the object; then the word as far before it
// as RTTI says is taken. What is left of the other suspects must be enough for
// an owner of its own.
func (h *hunt) choose(ctx context.Context, c *crowd, fields []*ownerField, kind Kind) []*claim {
	bySet := map[uint16][]*suspect{}
	for _, f := range fields {
		for set := range f.sets {
			if ctx.Err() != nil {
				return nil
			}
			if kind == KindRecord && !h.pure(f, set) {
				continue
			}
			if chance, ok := h.judge(c, &f.numbers, set); ok {
				s := &suspect{field: f, fieldChance: chance}
				if kind == KindObject {
					s.image = h.images.of(f.word)
					if s.beside() {
						continue
					}
				}
				bySet[set] = append(bySet[set], s)
			}
		}
	}
	var claims []*claim
	for _, set := range slices.Sorted(maps.Keys(bySet)) {
		if ctx.Err() != nil {
			return nil
		}
		suspects := bySet[set]
		slices.SortFunc(suspects, func(a, b *suspect) int {
			return cmp.Or(cmp.Compare(a.field.offset, b.field.offset), cmp.Compare(a.field.word, b.field.word))
		})
		claims = append(claims, h.cover(set, suspects, kind)...)
	}
	return claims
}

// A claim is an owner whose surroundings are still to be looked at.
type claim struct {
	Owner
	set    uint16
	places []uint64   // of handles, ascending; of the first cell of an array
	same   []*suspect // what holds the same handles

	image     *targetInfo    // of an object's word
	referring []*holderGroup // the objects of the CLR that refer to those of the claim
	frontier  []uint64       // objects of the CLR that lead to it: what refers to them is to be found
	seen      []string       // classes on the way there
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
		if !h.explained.has(slot) {
			left[set]++
		}
	}
	return func(set uint16) bool { return h.targets.sets[set].wanted && left[set] >= h.leastOf(set) }
}

// cover picks the suspects to report.
func (h *hunt) cover(set uint16, suspects []*suspect, kind Kind) []*claim {
	least := h.leastOf(set)
	var chosen []*claim
	for {
		var best *suspect
		most := 0
		for _, s := range suspects {
			if n, _ := h.overlap(s, nil); n > most && float64(n) >= ownShare*float64(s.handles) {
				best, most = s, n
			}
		}
		if most < least || kind == KindRecord && most < minRecords {
			return chosen
		}
		var same []*suspect
		for _, s := range suspects {
			n, both := h.overlap(s, best)
			if float64(both) >= sameOwner*float64(most) && float64(both) >= sameOwner*float64(n) {
				same = append(same, s)
			}
		}
		s := canonicalRecord(same, nil)
		if kind == KindObject {
			s = canonical(same, nil)
		}
		chosen = append(chosen, h.claim(s, kind, same))
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
// handles, which are sorted by offset. Where the start is known, so many bytes
// before the handle, what stands before it is another object's.
func canonical(same []*suspect, start *int) *suspect {
	best := slices.MinFunc(same, func(a, b *suspect) int {
		return cmp.Or(
			cmp.Compare(a.before(start), b.before(start)),
			cmp.Compare(a.image.rank(), b.image.rank()), cmp.Compare(a.field.offset, b.field.offset))
	})
	if before := best.image.before; before > 0 {
		for _, s := range same {
			if s.field.offset == best.field.offset+int16(before) && s.image.target == TargetVtable {
				return s
			}
		}
	}
	return best
}

// before is 1 for a word that stands before the start of the object.
func (s *suspect) before(start *int) int {
	if start != nil && int(s.field.offset) > *start {
		return 1
	}
	return 0
}

// claim makes the fact of a suspect.
func (h *hunt) claim(s *suspect, kind Kind, same []*suspect) *claim {
	set, found := h.targets.sets[s.set], s.field.sets[s.set]
	c := &claim{set: s.set, places: slices.Sorted(slices.Values(found.places)), Owner: Owner{
		Kind: kind, Type: set.Type, Label: set.Label, Of: set.Count, Width: s.field.width,
	}}
	c.same = same
	c.is(s)
	return c
}

// is takes over what the suspect found.
func (c *claim) is(s *suspect) {
	found := s.field.sets[s.set]
	c.FieldOffset = int(s.field.offset)
	c.Handles, c.Objects = s.handles, found.objects
	c.Instances, c.Empty = s.field.instances, s.field.empty
	c.ExpectedByChance, c.Confidence = s.expected, s.confidence()
	c.Examples = found.examples
	if c.Kind == KindObject {
		c.Address = minidump.VA(s.field.word)
		c.Module, c.ModuleOffset, c.Target, c.Class = s.image.module, s.image.offset, s.image.target, s.image.class
		if c.image = s.image; c.image.managed != nil {
			c.ClassModule = c.image.managed.Module
		}
	} else {
		c.Constant = uint32(s.field.word)
		c.Text = constantText(c.Constant)
	}
}

func (c *fieldChance) confidence() float64 { return math.Floor((1-c.sum)*1e6) / 1e6 }
