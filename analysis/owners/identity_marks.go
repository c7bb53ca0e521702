package owners

import (
	"cmp"
	"slices"
)

const (
	// identitySample is how many objects of a class are looked at to find its
	// marks.
	identitySample = 1 << 13
	// markFew is the part of objects that may lack a mark, or share it, or
	// break another of its rules.
	markFew = 0.05
	// validated is from how many new objects on a mark is known to be written
	// when an object is made; validatedThere the same for those that have taken
	// the place of another one of their class.
	validated, validatedThere = 8, 4
	// leftover is the part of new objects in which a mark may be what was there
	// before, if so many have not shown more or less.
	leftover, leftoverPrior = 0.05, 5
)

// A markRow is one object of a class, in both dumps.
type markRow struct {
	new, old contents // of the same place
	value    uint64   // the handle in the newer dump
	before   uint64   // what the older one has there
	there    bool     // the older one has an object of the class there
	state    uint8    // of value
}

// born reports whether the object is new for sure, because the handle is.
func (r *markRow) born() bool { return r.state&valueKept == 0 }

// A mark is a field that distinguishes the objects of a class.
type mark struct {
	markField
	valid bool // new objects show that it is written when an object is made
	// leftover estimates in how many new objects it is what was there before.
	leftover float64
	counts   bool // later objects have larger values: it may show that another one has come
}

// sampled are rows of a class, and the older objects.
type sampled struct {
	new       []markRow
	old       []contents
	oldValues []uint64
}

// sample reads objects of a class in even distances.
func (c *comparison) sample(class *holderClass) *sampled {
	s := &sampled{}
	old, new := class.places[0].held, class.places[1].held
	each := func(list []holding, do func(h holding)) {
		n := min(len(list), identitySample)
		for i := range n {
			do(list[i*len(list)/n])
		}
	}
	room := func() []byte { return make([]byte, class.hi-class.lo) }
	each(old, func(h holding) {
		s.old = append(s.old, c.sides[0].read(class, h.at, room()))
		s.oldValues = append(s.oldValues, h.value)
	})
	each(new, func(h holding) { s.new = append(s.new, c.row(class, h, room(), room())) })
	return s
}

// row reads one object in both dumps.
func (c *comparison) row(class *holderClass, h holding, new, old []byte) markRow {
	r := markRow{value: h.value, state: c.values.of(h.value)}
	r.new, r.old = c.sides[1].read(class, h.at, new), c.sides[0].read(class, h.at, old)
	if r.there = r.old.is(class, 0); r.there {
		var ok bool
		r.before, ok = r.old.handle(class)
		r.there = ok
	}
	return r
}

// marks finds the fields that distinguish the objects of a class.
func (c *comparison) marks(class *holderClass, s *sampled) (marks []mark) {
	for _, f := range class.markFields(c.sides[1].space.ptr) {
		if m, ok := c.mark(class, s, f); ok {
			marks = append(marks, m)
		}
	}
	// The halves of a number that is a mark say nothing more.
	return slices.DeleteFunc(marks, func(m mark) bool {
		return m.size == 4 && slices.ContainsFunc(marks, func(o mark) bool {
			return o.size == 8 && m.off >= o.off && m.off < o.off+8
		})
	})
}

// mark judges one field.
func (c *comparison) mark(class *holderClass, s *sampled, f markField) (mark, bool) {
	m := mark{markField: f}
	before := distinct(len(s.old), func(i int) (uint64, uint64, bool) {
		v, ok := s.old[i].value(f)
		return s.oldValues[i], v, ok
	})
	if before == nil {
		return m, false
	}
	now := distinct(len(s.new), func(i int) (uint64, uint64, bool) {
		v, ok := s.new[i].new.value(f)
		return s.new[i].value, v, ok
	})
	if now == nil || c.derivedFromHandle(s, f) {
		return m, false
	}
	largest := uint64(0)
	for v := range before {
		largest = max(largest, v)
	}
	var born, bad, reused, left, later, there, unchanged, changed, fresh, above int
	for i := range s.new {
		r := &s.new[i]
		v, ok := r.new.value(f)
		was, had := r.old.value(f)
		_, known := before[v]
		if r.born() {
			born++
			if had {
				if reused++; was == v {
					left++
				}
			}
			if !ok || known || had && was == v {
				bad++
			} else if v > largest {
				later++
			}
		}
		if !r.there || !ok || !had {
			continue
		}
		if r.born() && !emptyValue(r.before) {
			if there++; was == v {
				unchanged++
			}
		}
		if was != v {
			changed++
			if !known {
				fresh++
			}
			if v > largest {
				above++
			}
		}
	}
	few := func(n, of int) bool { return float64(n) <= markFew*float64(of) }
	if !few(bad, born) || !few(unchanged, there) || !few(changed-fresh, changed) {
		return m, false
	}
	moving := changed >= 2
	// What stands behind the handle may be the heap's, which writes down there
	// what follows from the place, or a neighbour's.
	own := class.stride == 0 && f.off < class.inside()
	if !own && !moving && (born < validated || bad > 0 || f.size > 0 && later < born) {
		return m, false
	}
	if f.size > 0 && (!moving && c.derivedFromPlace(s, f) || c.passedOn(class, now, largest)) {
		return m, false
	}
	m.leftover = (float64(left) + leftover*leftoverPrior) / (float64(reused) + leftoverPrior)
	m.valid = bad == 0 && born >= validated || unchanged == 0 && there >= validatedThere
	m.counts = moving && f.size > 0 && few(changed-above, changed) && !c.isTime(s, f, largest, now)
	return m, true
}

// distinct returns the values of a field if nearly all objects have one of their
// own. Several places with the same handle are one object and its remains.
func distinct(n int, object func(i int) (handle, v uint64, ok bool)) map[uint64]uint64 {
	seen := map[uint64]uint64{}
	handles := map[uint64]bool{}
	lacking, shared := 0, 0
	for i := range n {
		handle, v, ok := object(i)
		handles[handle] = true
		if !ok {
			lacking++
		} else if first, twice := seen[v]; twice && first != handle {
			shared++
		} else {
			seen[v] = handle
		}
		if i == 4*minHandles && lacking+shared > i/2 {
			return nil // most fields are not looked at any further
		}
	}
	if len(handles) < minHandles || float64(lacking+shared) > markFew*float64(n) {
		return nil
	}
	return seen
}

// commonPointer finds where something else begins behind the handle: a word that
// leads to the same place of a module in most objects.
func (c *comparison) commonPointer(class *holderClass, s *sampled) int {
	end := class.ends()
	ptr := c.sides[1].space.ptr
	for off := class.inside() + (ptr-class.inside()%ptr)%ptr; off < end; off += ptr {
		count := map[uint64]int{}
		most := 0
		for i := range s.new {
			b := s.new[i].new.word(off, ptr)
			if b == nil {
				continue
			}
			v := wordAt(b, ptr)
			if _, ok := c.sides[1].space.modules.Find(vaOf(v)); ok {
				count[v]++
				most = max(most, count[v])
			}
		}
		if 2*most > len(s.new) {
			return off
		}
	}
	return end
}

func compareMarks(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size))
}
