package leaks

import (
	"cmp"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
)

// A Turnover tells which handles of a group came and went. A handle is known by
// its value: one that was closed and opened again for the same kind of object
// between two dumps counts as never closed, because no dump shows it.
type Turnover struct {
	Opened, Closed uint64 // in the last dump and not in the first, and the other way round
	// Born and Gone are the same from each dump to the next, added up.
	Born, Gone uint64
	// Reused counts those among Opened whose value stood for another object in
	// the first dump.
	Reused uint64
	// Early were opened between the first dump and that with the index
	// EarlyAt; Kept of them are in all dumps since. What is opened for good
	// stays, what is opened for a request does not.
	Early, Kept uint64
	EarlyAt     int
	// Survivors are the values of Opened: the handles to look at, ascending.
	Survivors []uint64
}

// earlyAt chooses the dump for Turnover.Early: in the first half, and with
// three dumps behind it if there are so many. The value of a handle that was
// closed can become one of the same kind again, but hardly three times in a
// row.
func earlyAt(dumps int) int { return max(min((dumps-1)/2, dumps-4), 1) }

// A turnoverGroup is the rows of a table whose handles are followed.
type turnoverGroup struct {
	rows []int
	// kin are rows that differ from rows in their state only, rows among them:
	// a thread that exits is no handle closed and another opened. Nil: there
	// are no others.
	kin []int
}

// A valueSet is handle values, ascending and distinct.
type valueSet []uint64

func (s valueSet) seal() valueSet {
	slices.Sort(s)
	return slices.Compact(s)
}

// less returns the values of s that are not in o.
func (s valueSet) less(o valueSet) valueSet {
	var rest valueSet
	for i, j := 0, 0; i < len(s); i++ {
		for j < len(o) && o[j] < s[i] {
			j++
		}
		if j == len(o) || o[j] != s[i] {
			rest = append(rest, s[i])
		}
	}
	return rest
}

// and returns the values that are in both.
func (s valueSet) and(o valueSet) valueSet { return s.less(s.less(o)) }

// groupValues are the handles of the groups in one dump.
type groupValues struct{ own, kin []valueSet }

// measureTurnover follows the handles of groups through the dumps of a series
// of at least two. It reads each dump once more, and holds the values of the
// groups in five of them.
func measureTurnover(s *analysis.Series, t *analysis.KindTable, groups []turnoverGroup) []Turnover {
	m := newTurnoverMeter(t, groups)
	out := make([]Turnover, len(groups))
	n := len(s.Snapshots)
	early := earlyAt(n)
	last := m.read(s.Last(), nil)
	owner := m.merge(last.own)
	first := m.read(s.First(), func(h uint64, row int) {
		for _, g := range owner.of(h) {
			if !slices.Contains(m.own[row], g) && !slices.Contains(m.kin[row], g) {
				out[g].Reused++
			}
		}
	})
	before := first
	kept := make([]valueSet, len(groups))
	for i := 1; i < n; i++ {
		now := last
		if i < n-1 {
			now = m.read(s.Snapshots[i], nil)
		}
		for g := range groups {
			out[g].Born += uint64(len(now.own[g].less(before.kin[g])))
			out[g].Gone += uint64(len(before.own[g].less(now.kin[g])))
			switch {
			case i == early:
				kept[g] = now.own[g].less(first.kin[g])
				out[g].Early, out[g].EarlyAt = uint64(len(kept[g])), early
			case i > early:
				kept[g] = kept[g].and(now.kin[g])
			}
		}
		before = now
	}
	for g := range groups {
		out[g].Kept = uint64(len(kept[g]))
		out[g].Survivors = last.own[g].less(first.kin[g])
		out[g].Opened = uint64(len(out[g].Survivors))
		out[g].Closed = uint64(len(first.own[g].less(last.kin[g])))
	}
	return out
}

// A turnoverMeter knows the groups of each row.
type turnoverMeter struct {
	find     *analysis.KindFinder
	alone    []bool    // groups without other kin
	own, kin [][]int32 // groups by row
}

func newTurnoverMeter(t *analysis.KindTable, groups []turnoverGroup) *turnoverMeter {
	m := &turnoverMeter{
		find: t.Finder(), alone: make([]bool, len(groups)),
		own: make([][]int32, len(t.Rows)), kin: make([][]int32, len(t.Rows)),
	}
	for g, group := range groups {
		for _, r := range group.rows {
			m.own[r] = append(m.own[r], int32(g))
		}
		m.alone[g] = group.kin == nil
		for _, r := range group.kin {
			m.kin[r] = append(m.kin[r], int32(g))
		}
	}
	return m
}

// read collects the values of one dump. each, if not nil, gets every handle
// and the row of its kind.
func (m *turnoverMeter) read(s *analysis.Snapshot, each func(value uint64, row int)) groupValues {
	v := groupValues{make([]valueSet, len(m.alone)), make([]valueSet, len(m.alone))}
	for h := range s.Handles(analysis.KindParts) {
		row := m.find.Row(h)
		if row < 0 {
			continue // damaged, and read differently the second time
		}
		for _, g := range m.own[row] {
			v.own[g] = append(v.own[g], h.Handle)
		}
		for _, g := range m.kin[row] {
			v.kin[g] = append(v.kin[g], h.Handle)
		}
		if each != nil {
			each(h.Handle, row)
		}
	}
	for g := range v.own {
		v.own[g] = v.own[g].seal()
		if m.alone[g] {
			v.kin[g] = v.own[g]
		} else {
			v.kin[g] = v.kin[g].seal()
		}
	}
	return v
}

// ownerIndex finds the groups of a value.
type ownerIndex struct {
	values []uint64
	groups []int32
}

func (m *turnoverMeter) merge(own []valueSet) *ownerIndex {
	type entry struct {
		value uint64
		group int32
	}
	var all []entry
	for g, set := range own {
		for _, v := range set {
			all = append(all, entry{v, int32(g)})
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.group, b.group))
	})
	x := &ownerIndex{values: make([]uint64, len(all)), groups: make([]int32, len(all))}
	for i, e := range all {
		x.values[i], x.groups[i] = e.value, e.group
	}
	return x
}

func (x *ownerIndex) of(value uint64) []int32 {
	from, _ := slices.BinarySearch(x.values, value)
	to := from
	for to < len(x.values) && x.values[to] == value {
		to++
	}
	return x.groups[from:to]
}
