package leaks

import (
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
)

// A Turnover says which handles of a group came and went, in the dumps that
// were followed. [analysis.HandleID] says which handles of two dumps are the
// same: one that was closed and opened again for a like object between two
// dumps counts as never closed, because no dump shows it.
type Turnover struct {
	Opened, Closed uint64 // in the last dump and not in the first, and the other way round
	// Born and Gone are the same from each dump to the next, added up.
	Born, Gone uint64
	// Early were opened between the first dump and that with the index
	// EarlyAt; Kept of them are in all dumps since. What is opened for good
	// stays, what is opened for a request does not.
	Early, Kept uint64
	EarlyAt     int
	// Held says how many of Kept are the same handles, if what holds them was
	// compared from the dump EarlyAt on; else nil.
	Held *Held
	// Survivors are values of Opened: the handles to look at, ascending.
	Survivors []uint64
	// OneOf is how many handles one that was followed stands for. If it is more
	// than 1 all numbers are estimates, and Survivors are not all.
	OneOf uint64
	// Identified says that names or object information tell the handles apart,
	// so that what stays is known, and not only its value.
	Identified bool

	stayed []uint64 // the values of Kept
}

// earlyAt chooses the dump for Turnover.Early: in the first half, and with
// three dumps behind it if there are so many. The value of a handle that was
// closed can become one of the same kind again, but hardly three times in a
// row.
func earlyAt(dumps int) int { return max(min((dumps-1)/2, dumps-4), 1) }

// An idSet is handles, ascending and distinct.
type idSet []analysis.HandleID

// less returns the handles of s that are not in o.
func (s idSet) less(o idSet) idSet {
	var rest idSet
	for i, j := 0, 0; i < len(s); i++ {
		for j < len(o) && o[j].Compare(s[i]) < 0 {
			j++
		}
		if j == len(o) || o[j] != s[i] {
			rest = append(rest, s[i])
		}
	}
	return rest
}

// values are the values of the handles, ascending.
func (s idSet) values() []uint64 {
	values := make([]uint64, len(s))
	for i, id := range s {
		values[i] = id.Value
	}
	return slices.Compact(values)
}

// turnover follows one group, or one type, through the dumps. A handle whose
// object has changed its state is in another group, but still there.
func (f *follower) turnover(group int, ofType bool, chosen []int) Turnover {
	n := len(f.dumps)
	sets := make([]idSet, n)
	for i := range sets {
		sets[i] = f.members(i, group, ofType)
	}
	// missing returns the handles of one dump's set that another dump lacks.
	missing := func(set idSet, dump int) idSet {
		rest := set.less(sets[dump])
		return slices.DeleteFunc(rest, func(id analysis.HandleID) bool { return f.in(dump, id) })
	}
	scale := max(f.sample, 1)
	count := func(set idSet) uint64 { return scale * uint64(len(set)) }
	early := earlyAt(n)
	t := Turnover{OneOf: scale, EarlyAt: chosen[early]}
	opened := missing(sets[n-1], 0)
	t.Survivors = opened.values()
	t.Opened, t.Closed = count(opened), count(missing(sets[0], n-1))
	for i := 1; i < n; i++ {
		t.Born += count(missing(sets[i], i-1))
		t.Gone += count(missing(sets[i-1], i))
	}
	kept := missing(sets[early], 0)
	t.Early = count(kept)
	for i := early + 1; i < n; i++ {
		kept = slices.DeleteFunc(kept, func(id analysis.HandleID) bool { return !f.in(i, id) })
	}
	t.Kept, t.stayed = count(kept), kept.values()
	return t
}
