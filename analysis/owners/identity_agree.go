package owners

import (
	"math"
	"slices"
)

// agree reports whether objects whose marks differ have more in common than
// objects of the class do by chance: then they are the same ones, and the marks
// are written when they are used. What objects that are new for sure have in
// common with those before them says nothing.
func (j *classJudge) agree(s *sampled, differ []uint64) bool {
	const most = 1 << 12 // objects that are compared
	var pairs []markRow
	for i := range differ[:min(len(differ), most)] {
		now := j.class.places[1].of(differ[i])
		before := j.class.places[0].of(differ[i])
		size := j.class.hi - j.class.lo
		pairs = append(pairs, markRow{
			new: j.sides[1].read(j.class, now[0].at, make([]byte, size)),
			old: j.sides[0].read(j.class, before[0].at, make([]byte, size)),
		})
	}
	var made []markRow
	for i := range s.new {
		if r := &s.new[i]; r.there && r.born() && !emptyValue(r.before) {
			made = append(made, *r)
		}
	}
	end := j.class.inside() // what surely belongs to the object
	for _, m := range j.marks {
		end = max(end, m.off+m.size)
	}
	for _, f := range j.class.markFields(j.sides[1].space.ptr) {
		if f.size != 4 || slices.ContainsFunc(j.marks, func(m mark) bool { return m.size > 0 && f.off >= m.off && f.off < m.off+m.size }) || j.derivedFromPlace(s, f) {
			continue
		}
		n, agree, chance := agreement(pairs, f)
		if float64(agree) <= chance+3*math.Sqrt(chance*max(0, 1-chance/float64(max(n, 1))))+1 {
			continue
		}
		m, equal, _ := agreement(made, f)
		if m < validatedThere && f.off >= end {
			continue // it may be the heap's
		}
		if m >= validatedThere && 2*float64(equal)/float64(m) >= float64(agree)/float64(n) {
			continue
		}
		return true
	}
	return false
}

// agreement counts the objects in which a field has the same value in both dumps,
// among those where it is no address, and how many chance would give. Of a field
// that nearly all objects have in common it is nothing.
func agreement(pairs []markRow, f markField) (n, agree int, chance float64) {
	old, new := map[uint64]int{}, map[uint64]int{}
	most := 0
	for i := range pairs {
		a, b := pairs[i].old.word(f.off, 4), pairs[i].new.word(f.off, 4)
		if a == nil || b == nil || pairs[i].old.address(f.off) || pairs[i].new.address(f.off) {
			continue
		}
		was, is := wordAt(a, 4), wordAt(b, 4)
		n++
		old[was]++
		new[is]++
		most = max(most, old[was])
		if was == is {
			agree++
		}
	}
	if float64(most) > 0.9*float64(n) {
		return n, 0, 0
	}
	for v, k := range old {
		chance += float64(k) * float64(new[v]) / float64(n)
	}
	return n, agree, chance
}
