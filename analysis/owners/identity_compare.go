package owners

import "slices"

// value compares the places of one value.
func (j *classJudge) value(v uint64, now []holding) verdict {
	before := j.class.places[0].of(v)
	if len(now) > mostOfValue || len(before) > mostOfValue {
		return verdictNothing // a number that is everywhere
	}
	var stays, comes, goes []uint64
	for _, h := range now {
		if slices.Contains(before, h) {
			stays = append(stays, h.at)
		} else {
			comes = append(comes, h.at)
		}
	}
	for _, h := range before {
		if !slices.Contains(now, h) {
			goes = append(goes, h.at)
		}
	}
	if len(comes) > 0 && len(before) > 0 {
		j.elsewhere++
	}
	switch {
	case len(stays) > 0 && len(comes) == 0:
		return j.stays(v, stays)
	case len(stays) == 0 && len(comes) == 1 && len(goes) == 1:
		return j.moved(v, goes[0], comes[0])
	}
	return verdictNothing // which of several is the holder is not known
}

// stays compares the objects that hold a value in both dumps. If there are
// several, remains of dead objects among them, they must agree.
func (j *classJudge) stays(v uint64, places []uint64) verdict {
	var all verdict
	for i, at := range places {
		got := j.marksOf(v, at, at)
		if i > 0 && got != all {
			return verdictNothing
		}
		all = got
		if !j.alive(at) {
			return verdictNothing
		}
	}
	return all
}

// moved compares an object with one elsewhere that has the value now.
func (j *classJudge) moved(v, from, to uint64) verdict {
	got := j.marksOf(v, from, to)
	switch got {
	case verdictSame, verdictUsed:
		return got
	case verdictDiffers, verdictNamed:
		j.shifts[to-from]++
		return verdictElsewhere
	}
	if j.class.moves() || len(j.marks) > 0 {
		return verdictNothing
	}
	// One that is still there, and empty, has handed its handle on.
	left := j.sides[1].read(j.class, from, j.buf[1])
	if value, ok := left.handle(j.class); ok && emptyValue(value) && left.is(j.class, 1) {
		return verdictNothing
	}
	j.shifts[to-from]++
	return verdictMoved
}

// marksOf compares the marks of the object that has a value in the older dump
// with those of the one that has it in the newer.
func (j *classJudge) marksOf(v, from, to uint64) verdict {
	old, new := j.sides[0].read(j.class, from, j.buf[0]), j.sides[1].read(j.class, to, j.buf[1])
	equal, valid, differ, counts, texts := 0, 0, 0, 0, 0
	var differing []int
	last := 0
	for i, m := range j.marks {
		was, ok1 := old.value(m.markField)
		is, ok2 := new.value(m.markField)
		switch {
		case !ok1 || !ok2:
		case was == is:
			equal++
			last = i
			j.equal[i]++
			if m.valid {
				valid++
			}
		default:
			differ++
			j.differ[i]++
			differing = append(differing, i)
			if m.counts {
				counts++
			}
			if m.size == 0 {
				texts++
			}
		}
	}
	switch {
	case equal > 0 && differ == 0:
		j.same++
		if equal == 1 {
			j.alone[v] = last
		}
		return verdictSame
	case valid > 0:
		j.same++
		j.usedIn[v] = differing
		for _, i := range differing {
			j.used[i]++
		}
		return verdictUsed
	case equal == 0 && texts > 0 && differ > texts:
		return verdictNamed
	case equal == 0 && (counts > 0 || differ > 1):
		return verdictDiffers
	}
	return verdictNothing
}

// alive reports whether an object of the newer dump is not known to be dead.
func (j *classJudge) alive(at uint64) bool {
	p := &j.class.places[1]
	if j.class.stride > 0 {
		return true
	}
	if j.pointed {
		i, ok := p.find(at)
		return ok && p.pointed[i]
	}
	return float64(p.dead) <= deadShare*float64(p.dead+len(p.held))
}
