package leaks

import (
	"cmp"
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Turnover says which handles of a group came and went. [analysis.HandleID]
// says which handles of two dumps are the same: one that was closed and opened
// again for a like object between two dumps counts as never closed, because no
// dump shows it.
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

// An idSet is handles, ascending and distinct.
type idSet []analysis.HandleID

func (s idSet) seal() idSet {
	slices.SortFunc(s, analysis.HandleID.Compare)
	return slices.Compact(s)
}

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

// and returns the handles that are in both.
func (s idSet) and(o idSet) idSet { return s.less(s.less(o)) }

// values are the values of the handles, ascending.
func (s idSet) values() []uint64 {
	values := make([]uint64, len(s))
	for i, id := range s {
		values[i] = id.Value
	}
	return values
}

// groupHandles are the handles of the groups in one dump.
type groupHandles struct{ own, kin []idSet }

// measureTurnover follows the handles of groups through the dumps of a series
// of at least two. It reads each dump once more, and holds the handles of the
// groups in five of them. The error is that of ctx, or of a dump that can no
// longer be read.
func measureTurnover(ctx context.Context, p *Process, groups []turnoverGroup, dumps *dumpReader) ([]Turnover, error) {
	s := p.Series
	m := newTurnoverMeter(p.table, groups)
	out := make([]Turnover, len(groups))
	n := len(s.Snapshots)
	early := earlyAt(n)
	last, err := m.read(ctx, p, dumps, n-1, nil)
	if err != nil {
		return nil, err
	}
	owners := indexOwners(last.own)
	first, err := m.read(ctx, p, dumps, 0, func(id analysis.HandleID) {
		owners.each(id.Value, func(now analysis.HandleID, group int32) {
			if now != id {
				out[group].Reused++
			}
		})
	})
	if err != nil {
		return nil, err
	}
	before := first
	kept := make([]idSet, len(groups))
	for i := 1; i < n; i++ {
		now := last
		if i < n-1 {
			if now, err = m.read(ctx, p, dumps, i, nil); err != nil {
				return nil, err
			}
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
		out[g].Survivors = last.own[g].less(first.kin[g]).values()
		out[g].Opened = uint64(len(out[g].Survivors))
		out[g].Closed = uint64(len(first.own[g].less(last.kin[g])))
	}
	return out, nil
}

// A turnoverMeter knows the groups of each row.
type turnoverMeter struct {
	find     *analysis.KindFinder
	match    *analysis.HandleMatcher
	alone    []bool    // groups without other kin
	own, kin [][]int32 // groups by row
}

func newTurnoverMeter(t *analysis.KindTable, groups []turnoverGroup) *turnoverMeter {
	m := &turnoverMeter{
		find: t.Finder(), match: analysis.NewHandleMatcher(!t.NamesIgnored), alone: make([]bool, len(groups)),
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

// read collects the handles of the i-th dump. each, if not nil, gets all of
// them.
func (m *turnoverMeter) read(ctx context.Context, p *Process, dumps *dumpReader, i int, each func(analysis.HandleID)) (groupHandles, error) {
	v := groupHandles{make([]idSet, len(m.alone)), make([]idSet, len(m.alone))}
	err := dumps.handles(ctx, p.Series.Snapshots[i], func(h *minidump.Handle) {
		row := m.find.Row(h)
		if row < 0 {
			return // damaged, and read differently the second time
		}
		id := m.match.ID(h)
		for _, g := range m.own[row] {
			v.own[g] = append(v.own[g], id)
		}
		for _, g := range m.kin[row] {
			v.kin[g] = append(v.kin[g], id)
		}
		if each != nil {
			each(id)
		}
	})
	for g := range v.own {
		v.own[g] = v.own[g].seal()
		if m.alone[g] {
			v.kin[g] = v.own[g]
		} else {
			v.kin[g] = v.kin[g].seal()
		}
	}
	return v, err
}

// An ownerIndex finds the handles of groups by value.
type ownerIndex struct {
	ids    []analysis.HandleID // ascending
	groups []int32
}

func indexOwners(own []idSet) *ownerIndex {
	type entry struct {
		id    analysis.HandleID
		group int32
	}
	var all []entry
	for g, set := range own {
		for _, id := range set {
			all = append(all, entry{id, int32(g)})
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(a.id.Compare(b.id), cmp.Compare(a.group, b.group))
	})
	x := &ownerIndex{ids: make([]analysis.HandleID, len(all)), groups: make([]int32, len(all))}
	for i, e := range all {
		x.ids[i], x.groups[i] = e.id, e.group
	}
	return x
}

// each calls visit for the handles with a value, and their groups.
func (x *ownerIndex) each(value uint64, visit func(id analysis.HandleID, group int32)) {
	i, _ := slices.BinarySearchFunc(x.ids, analysis.HandleID{Value: value}, analysis.HandleID.Compare)
	for ; i < len(x.ids) && x.ids[i].Value == value; i++ {
		visit(x.ids[i], x.groups[i])
	}
}
