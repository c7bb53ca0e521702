package owners

import (
	"context"
	"slices"
)

const (
	// aliveShare is the part of a class's objects that others must point to, for
	// one that nobody points to to be dead.
	aliveShare = 0.9
	// deadShare is the part of the places of a class that may hold the value of
	// a closed handle: where more do, dead objects lie about.
	deadShare = 0.25
	// usedShare is the part of the same objects in which a mark must differ to
	// be known as one that is written when they are used.
	usedShare = 0.2
	// movedTogether is the part of the objects elsewhere that have moved by the
	// same distance, if what holds them has moved and not their handles.
	movedTogether = 0.5
	// leastElsewhere is how many such objects there must be to know that.
	leastElsewhere = 3
	// mostOfValue is how many objects may have one value, dead ones among them.
	mostOfValue = 8
	// leastTurnover is how many handles of a class must be seen to have changed
	// their objects, or the other way round, for each that numbers alone call
	// replaced; at least two.
	leastTurnover = 0.2
	// mostElsewhere is how many values may have an object elsewhere, for each such
	// one: where they do, memory and values do not go to the same one.
	mostElsewhere = 0.3
	// leftoverTimes is how many more objects must have an equal mark, if that is
	// all they have, than there may be leftovers.
	leftoverTimes = 5
)

// A verdict is what a class says of one value.
type verdict uint8

const (
	verdictNothing   verdict = iota
	verdictSame              // a mark is equal, and none differs
	verdictUsed              // a valid mark is equal, and others differ: used, or another one
	verdictDiffers           // numbers differ, enough of them to be another object
	verdictNamed             // a text differs, and something else
	verdictReplaced          // another object, for sure
	verdictChanged           // the marks differ, which may be the use of the object
	verdictElsewhere         // an object elsewhere, whose marks differ
	verdictMoved             // an object elsewhere, without marks
)

// A classJudge compares the objects of one class.
type classJudge struct {
	*comparison
	class *holderClass
	marks []mark

	verdicts  map[uint64]verdict // of values; the rest is nothing
	same      int                // objects with a mark that is equal
	used      []int              // by mark: in so many of these it differs
	usedIn    map[uint64][]int   // by value: the marks that differ
	shifts    map[uint64]int     // of objects elsewhere
	equal     []int              // by mark: objects in which it is equal
	differ    []int              // by mark: objects in which it differs
	alone     map[uint64]int     // by value: the mark that is equal, if it is the only one
	elsewhere int                // values whose object is elsewhere
	turnover  int                // handles that surely have another object, and objects another handle
	pointed   bool               // others point to nearly all objects

	buf [2][]byte
}

// judge says what a class knows of the values that both dumps have.
func (c *comparison) judge(ctx context.Context, class *holderClass) HolderIdentity {
	h := HolderIdentity{Owner: *class.owner}
	s := c.sample(class)
	if class.stride == 0 {
		class.hi = c.commonPointer(class, s)
		for i := range s.new {
			s.new[i].new.cut(class.hi)
			s.new[i].old.cut(class.hi)
		}
		for i := range s.old {
			s.old[i].cut(class.hi)
		}
	}
	j := &classJudge{comparison: c, class: class, marks: c.marks(class, s), verdicts: map[uint64]verdict{}, shifts: map[uint64]int{}}
	j.used, j.usedIn = make([]int, len(j.marks)), map[uint64][]int{}
	j.equal, j.differ, j.alone = make([]int, len(j.marks)), make([]int, len(j.marks)), map[uint64]int{}
	pointed := 0
	for _, yes := range class.places[1].pointed {
		if yes {
			pointed++
		}
	}
	j.pointed = float64(pointed) >= aliveShare*float64(len(class.places[1].held))
	j.buf = [2][]byte{make([]byte, class.hi-class.lo), make([]byte, class.hi-class.lo)}
	j.seeTurnover()
	list := class.places[1].byValue
	for len(list) > 0 && ctx.Err() == nil {
		n := 1
		for n < len(list) && list[n].value == list[0].value {
			n++
		}
		if v := list[0].value; c.values.of(v)&valueKept != 0 {
			h.Kept++
			if verdict := j.value(v, list[:n]); verdict != verdictNothing {
				j.verdicts[v] = verdict
			}
		}
		list = list[n:]
	}
	j.settle(s)
	for v, verdict := range j.verdicts {
		switch verdict {
		case verdictSame:
			h.Same++
			c.values[v>>2] |= valueSame
		case verdictReplaced:
			h.Replaced++
			c.values[v>>2] |= valueReplaced
		case verdictChanged:
			h.Changed++
		}
	}
	for _, m := range j.marks {
		h.Marks = append(h.Marks, Mark{Offset: m.off + class.start(), Size: m.size})
	}
	slices.SortFunc(h.Marks, compareMarks)
	return h
}

// seeTurnover counts the handles that were closed, and the places that have
// another one.
func (j *classJudge) seeTurnover() {
	old, new := &j.class.places[0], &j.class.places[1]
	for _, h := range old.held {
		if j.values.of(h.value)&valueKept == 0 {
			j.turnover++
		}
	}
	for _, h := range new.held {
		if i, ok := old.find(h.at); ok && old.held[i].value != h.value {
			j.turnover++
		}
	}
}

// cut leaves out what lies at an offset and behind.
func (x *contents) cut(hi int) { x.b = x.b[:min(len(x.b), max(hi-x.lo, 0))] }

// settle decides what can only be decided when all objects were seen.
func (j *classJudge) settle(s *sampled) {
	elsewhere, together := 0, 0
	for _, n := range j.shifts {
		elsewhere += n
		together = max(together, n)
	}
	apart := float64(together) < movedTogether*float64(elsewhere)
	var differ, numbers []uint64
	for v, verdict := range j.verdicts {
		switch verdict {
		case verdictUsed:
			j.verdicts[v] = verdictNothing
			if !slices.ContainsFunc(j.usedIn[v], func(i int) bool { return float64(j.used[i]) < usedShare*float64(j.same) }) {
				j.verdicts[v] = verdictSame
			}
		case verdictMoved:
			j.verdicts[v] = verdictNothing
			if apart && elsewhere >= leastElsewhere {
				j.verdicts[v] = verdictReplaced
			}
		case verdictElsewhere:
			j.verdicts[v] = verdictNothing
			if apart || together == 1 {
				j.verdicts[v] = verdictReplaced
			}
		case verdictSame:
			if m, alone := j.alone[v]; alone && float64(j.equal[m]) < leftoverTimes*j.marks[m].leftover*float64(j.differ[m]) {
				j.verdicts[v] = verdictNothing
			}
		case verdictDiffers:
			numbers = append(numbers, v)
		case verdictNamed:
			differ = append(differ, v)
		}
	}
	n := float64(len(numbers))
	if j.turnover >= 2 && float64(j.turnover) >= leastTurnover*n && float64(j.elsewhere) <= mostElsewhere*n {
		differ = append(differ, numbers...)
	} else {
		for _, v := range numbers {
			j.verdicts[v] = verdictChanged
		}
	}
	slices.Sort(differ)
	replaced := verdictReplaced
	if j.agree(s, differ) {
		replaced = verdictChanged
	}
	for _, v := range differ {
		j.verdicts[v] = replaced
	}
}
