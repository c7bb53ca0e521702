package htrace

import (
	"math"
	"math/bits"
)

// A Share is how many of the handles that one place opened are still open.
type Share struct {
	Opens int // all that the trace has
	Open  int // those that were never closed
	// Young are those of Open that may be in use and be closed in time: they are
	// no older, in operations of the trace, than 99 of 100 handles of the same
	// place became that were closed.
	Young int
}

// kept are the opens that would have been closed by now if they were to be.
func (s Share) kept() int { return s.Open - s.Young }

// settled are the opens that were kept or closed.
func (s Share) settled() int { return s.Opens - s.Young }

func (s Share) part() float64 { return float64(s.kept()) / float64(max(s.settled(), 1)) }

func (s Share) plus(o Share) Share {
	return Share{s.Opens + o.Opens, s.Open + o.Open, s.Young + o.Young}
}

func (s Share) minus(o Share) Share {
	return Share{s.Opens - o.Opens, s.Open - o.Open, s.Young - o.Young}
}

// minKept is how many handles a caller must have kept to stand out.
const minKept = 5

// standsOut reports whether one of several callers keeps at least twice as much
// of what it opens as the others together, and more than chance explains:
// Fisher's exact test, at one in a thousand for all callers.
func (s Share) standsOut(whole Share, callers int) bool {
	others := whole.minus(s)
	if s.kept() < minKept || others.settled() == 0 || s.part() < 2*others.part() {
		return false
	}
	return fisher(s.kept(), s.settled(), whole.kept(), whole.settled())*float64(callers) < 0.001
}

// fisher is the probability that, of total things of which some are marked, n
// drawn at random have k marked ones or more.
func fisher(k, n, marked, total int) float64 {
	all, p := logChoose(total, n), 0.0
	for ; k <= min(n, marked); k++ {
		term := math.Exp(logChoose(marked, k) + logChoose(total-marked, n-k) - all)
		if p += term; term < p*1e-9 {
			break
		}
	}
	return p
}

// logChoose is the logarithm of the number of ways to choose k of n; -Inf if
// there is none.
func logChoose(n, k int) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// lives are the opens of one stack.
type lives struct {
	opens  int
	closed []int32 // how old those became that were closed, in operations
	open   []int32 // how old those are that were not
}

// lives sorts the opens of a trace by their stacks.
func (t *Trace) lives() []lives {
	all := make([]lives, t.Stacks())
	n := make([]int32, len(all)) // closed ones
	t.closes(func(open record, _ int32) { n[open.stack]++ })
	closed := 0
	for i := range n {
		closed += int(n[i])
	}
	room := make([]int32, closed)
	for i := range all {
		all[i].closed, room = room[:0:n[i]], room[n[i]:]
	}
	t.closes(func(open record, age int32) {
		l := &all[open.stack]
		l.closed = append(l.closed, age)
	})
	for _, r := range t.records {
		if t.kinds[r.caller] == kindOpen {
			all[r.stack].opens++
		}
	}
	for i := range t.Outstanding {
		o := &t.Outstanding[i]
		l := &all[o.Stack]
		l.open = append(l.open, int32(t.Len()-o.Position))
	}
	return all
}

// closes calls f for each open that was closed, with the number of operations
// in between.
func (t *Trace) closes(f func(open record, age int32)) {
	last := make([]int32, len(t.pool.handles)) // position of the open, from 1; 0 if it is not open
	for i, r := range t.records {
		switch t.kinds[r.caller] {
		case kindOpen:
			last[r.handle] = int32(i) + 1
		case kindClose:
			if at := last[r.handle]; at > 0 {
				f(t.records[at-1], int32(i)+1-at)
			}
			last[r.handle] = 0
		}
	}
}

// A tally counts opens by age, in classes that are a quarter of an octave wide:
// sums of many stacks are soon made, and accurate enough.
type tally struct {
	opens        int
	closedBy     [ageClasses]int32
	openBy       [ageClasses]int32
	closed, open int
}

const ageClasses = 32 * 4

// ageClass returns the class of an age of at least 1.
func ageClass(age int32) int {
	octave := bits.Len32(uint32(age)) - 1
	if octave < 2 {
		return int(age)
	}
	return octave*4 + int(age>>(octave-2))&3
}

// oldest is the highest age of a class.
func oldest(class int) int {
	if class < 8 {
		return min(class, 3)
	}
	return (5+class%4)<<(class/4-2) - 1
}

func (t *tally) add(l *lives) {
	t.opens += l.opens
	t.closed += len(l.closed)
	t.open += len(l.open)
	for _, age := range l.closed {
		t.closedBy[ageClass(age)]++
	}
	for _, age := range l.open {
		t.openBy[ageClass(age)]++
	}
}

// class is that of the age which 99 of 100 closed handles did not exceed; -1
// if none was closed.
func (t *tally) class() int {
	class, older := ageClasses-1, 0
	for ; class >= 0; class-- {
		if older += int(t.closedBy[class]); older*100 > t.closed {
			break
		}
	}
	return class
}

// lifetime is the highest age of that class, or 0.
func (t *tally) lifetime() int {
	if class := t.class(); class >= 0 {
		return oldest(class)
	}
	return 0
}

func (t *tally) share() Share {
	s := Share{Opens: t.opens, Open: t.open}
	for _, n := range t.openBy[:t.class()+1] {
		s.Young += int(n)
	}
	return s
}
