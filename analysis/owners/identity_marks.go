package owners

import (
	"cmp"
	"slices"
	"time"
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
	// derived is the part of neighbours in memory whose difference is that of
	// their places, in fields that follow from the place.
	derived = 0.7
)

// A markRow is one object of a class, in both dumps.
type markRow struct {
	new, old contents // of the same place
	value    uint64   // the handle in the newer dump
	before   uint64   // what the older one has there
	there    bool     // the older one has an object of the class there
	state    uint8    // of value
}

// stays reports whether both dumps have the value at the same place.
func (r *markRow) stays() bool { return r.there && r.before == r.value && r.state&valueKept != 0 }

// born reports whether the object is new for sure, because the handle is.
func (r *markRow) born() bool { return r.state&valueKept == 0 }

// A mark is a field that tells the objects of a class apart.
type mark struct {
	markField
	valid  bool // new objects show that it is written when an object is made
	counts bool // later objects have larger values: it may show that another one has come
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

// marks finds the fields that tell the objects of a class apart.
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
	var born, bad, later, there, unchanged, changed, fresh, above int
	for i := range s.new {
		r := &s.new[i]
		v, ok := r.new.value(f)
		was, had := r.old.value(f)
		_, known := before[v]
		if r.born() {
			born++
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
	if !moving && f.size > 0 && (c.derivedFromPlace(s, f) || dense(now, len(class.places[1].held))) {
		return m, false
	}
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

// derivedFromHandle reports whether the field is the handle in other words, or
// another handle: values are given to the next taker, too.
func (c *comparison) derivedFromHandle(s *sampled, f markField) bool {
	n := 0
	for i := range s.new {
		if v, ok := s.new[i].new.value(f); ok {
			h := s.new[i].value
			if v&^3 == h || v == h>>2 || v == h>>2-1 || v == uint64(^uint32(h)) || c.values.of(v)&valueNew != 0 {
				n++
			}
		}
	}
	return 2*n > len(s.new)
}

// derivedFromPlace reports whether the field grows with the place, as an index
// does. That of objects which were made one after another does so too; but then
// others take their places sooner or later.
func (c *comparison) derivedFromPlace(s *sampled, f markField) bool {
	ratios := map[float64]int{}
	most := 0
	var last uint64
	var at uint64
	for i := range s.new {
		v, ok := s.new[i].new.value(f)
		if !ok {
			continue
		}
		if at != 0 && s.new[i].new.at != at {
			ratio := float64(int64(v-last)) / float64(s.new[i].new.at-at)
			ratios[ratio]++
			most = max(most, ratios[ratio])
		}
		last, at = v, s.new[i].new.at
	}
	return float64(most) >= derived*float64(len(s.new)-1)
}

// dense reports whether numbers are as close together as indices are, which are
// given to the next object when one is gone.
func dense(values map[uint64]uint64, objects int) bool {
	low, high := ^uint64(0), uint64(0)
	for v := range values {
		low, high = min(low, v), max(high, v)
	}
	return high-low < 4*uint64(objects)
}

// isTime reports whether the field is a time: of the last use perhaps, and not
// of the creation.
func (c *comparison) isTime(s *sampled, f markField, largest uint64, now map[uint64]uint64) bool {
	const years = 30 * 365 * 24 * 3600
	seconds := uint64(max(c.time.Unix(), 0))
	near := func(v uint64) bool { return v+years > seconds && v < seconds+years }
	fileTime := func(v uint64) bool { return near(v/1e7 - 11644473600) } // 100 ns since 1601
	newest, times := uint64(0), 0
	for v := range now {
		newest = max(newest, v)
		if near(v) || f.size == 8 && (fileTime(v) || near(v/1e3) || near(v/1e6)) {
			times++
		}
	}
	if 2*times > len(now) {
		return true
	}
	// The lower half of a time.
	times = 0
	for i := range s.new {
		x := &s.new[i].new
		for _, off := range [...]int{f.off, f.off - 4} {
			if v, ok := x.value(markField{off, 8}); ok && f.size == 4 && (fileTime(v) || near(v/1e3) || near(v/1e6)) {
				times++
			}
		}
	}
	if 2*times > len(s.new) {
		return true
	}
	// A clock that began somewhere goes on by what is between the dumps.
	for _, unit := range [...]time.Duration{time.Second, time.Millisecond, time.Microsecond, 100 * time.Nanosecond, time.Nanosecond} {
		ticks := float64(c.elapsed) / float64(unit)
		if went := float64(newest - min(newest, largest)); ticks >= 8 && went >= 0.8*ticks && went <= 1.05*ticks {
			return true
		}
	}
	return false
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
