package leaks

import (
	"cmp"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
)

// What follows handles through a series is bounded in memory.
const (
	// mostFollowed is how many dumps of a long series are looked at: evenly
	// spaced, the first and the last among them.
	mostFollowed = 12
	// mostHandles is how many handles of one dump are followed. Of a dump with
	// more, one in so many is, chosen by the value, the same in all dumps.
	mostHandles = 1 << 18
)

// A followed is one handle of one dump.
type followed struct {
	analysis.HandleID
	group int32 // index of its group in ProcessFacts.Kinds; -1: too small to have one
	typ   int32 // index of its type
}

func compareFollowed(a, b followed) int { return a.Compare(b.HandleID) }

// A follower holds the handles of some dumps of a series.
type follower struct {
	groups, types int // how many there are
	sample        uint64
	dumps         [][]followed
	byGroup       []memberIndex // of each dump, once they are sorted
	byType        []memberIndex
}

// A memberIndex knows the handles of each group, or of each type, of a dump.
type memberIndex struct {
	first []int // where those of a group begin in order
	order []int32
}

// newMemberIndex sorts the handles of a dump by one of n groups, and leaves
// those of a group in the order in which they are.
func newMemberIndex(handles []followed, n int, group func(*followed) int32) memberIndex {
	x := memberIndex{first: make([]int, n+2), order: make([]int32, len(handles))}
	for i := range handles {
		x.first[group(&handles[i])+2]++ // handles without a group come first
	}
	for g := range n + 1 {
		x.first[g+1] += x.first[g]
	}
	next := slices.Clone(x.first)
	for i := range handles {
		g := group(&handles[i]) + 1
		x.order[next[g]] = int32(i)
		next[g]++
	}
	x.first = x.first[1:]
	return x
}

// newFollower prepares to follow the handles of dumps, the largest of which has
// so many.
func newFollower(groups, types int, largest uint64) *follower {
	return &follower{groups: groups, types: types, sample: (largest + mostHandles - 1) / mostHandles}
}

// whole reports whether all handles are followed, and not one in so many.
func (f *follower) whole() bool { return f.sample <= 1 }

// dump begins the next dump.
func (f *follower) dump() { f.dumps = append(f.dumps, nil) }

// follows reports whether handles with a value are among those to add: the same
// ones in every run, and not those of one rest, which may be of one place of the
// program (the values are mixed as in G. Steele et al., Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014).
func (f *follower) follows(value uint64) bool {
	if f.whole() {
		return true
	}
	value = (value ^ value>>30) * 0xbf58476d1ce4e5b9
	value = (value ^ value>>27) * 0x94d049bb133111eb
	return (value^value>>31)%f.sample == 0
}

// add enters a handle of the dump that was begun last.
func (f *follower) add(id analysis.HandleID, group, typ int32) {
	last := &f.dumps[len(f.dumps)-1]
	*last = append(*last, followed{id, group, typ})
}

// A pairing is what two dumps have in common, for each group or type.
type pairing struct {
	shared []float64 // handles that are in both dumps, in the same group
	moved  []float64 // handles of the later dump that were in another group: their object has changed its state
	flow   float64   // mean of the handles that came and that went, of all groups together
}

// flows are the pairings of all pairs of dumps.
type flows struct {
	groups, types [][]*pairing // [earlier][later]
}

// flows compares all dumps with each other.
func (f *follower) flows() *flows {
	n := len(f.dumps)
	f.sort()
	x := &flows{groups: make([][]*pairing, n), types: make([][]*pairing, n)}
	for i := range n {
		x.groups[i], x.types[i] = make([]*pairing, n), make([]*pairing, n)
		for j := i + 1; j < n; j++ {
			x.groups[i][j], x.types[i][j] = f.pair(f.dumps[i], f.dumps[j])
		}
	}
	return x
}

// sort orders the handles of each dump, and indexes them.
func (f *follower) sort() {
	f.byGroup, f.byType = nil, nil
	for _, handles := range f.dumps {
		slices.SortFunc(handles, compareFollowed)
		f.byGroup = append(f.byGroup, newMemberIndex(handles, f.groups, func(h *followed) int32 { return h.group }))
		f.byType = append(f.byType, newMemberIndex(handles, f.types, func(h *followed) int32 { return h.typ }))
	}
}

// pair compares two dumps.
func (f *follower) pair(a, b []followed) (groups, types *pairing) {
	scale := float64(max(f.sample, 1))
	groups = &pairing{shared: make([]float64, f.groups), moved: make([]float64, f.groups)}
	types = &pairing{shared: make([]float64, f.types), moved: make([]float64, f.types)}
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch c := compareFollowed(a[i], b[j]); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			both++
			if g := b[j].group; g >= 0 {
				if a[i].group == g {
					groups.shared[g] += scale
				} else {
					groups.moved[g] += scale
				}
			}
			types.shared[b[j].typ] += scale
			i++
			j++
		}
	}
	flow := scale * (float64(len(a)+len(b))/2 - float64(both))
	groups.flow, types.flow = flow, flow
	return groups, types
}

// alike is, for each group or type, the chance that two of its handles in the
// last dump differ in nothing but their values: 1 if they have no names and no
// object information, little if every object has a name of its own. A value that
// is used again is taken for the same handle only then.
func (f *follower) alike(ofType bool) []float64 {
	last := slices.Clone(f.dumps[len(f.dumps)-1])
	group := func(h followed) int32 {
		if ofType {
			return h.typ
		}
		return h.group
	}
	slices.SortFunc(last, func(a, b followed) int {
		return cmp.Or(cmp.Compare(group(a), group(b)), cmp.Compare(a.Object, b.Object))
	})
	n := f.groups
	if ofType {
		n = f.types
	}
	pairs, all := make([]float64, n), make([]float64, n)
	for start := 0; start < len(last); {
		end := start + 1
		for end < len(last) && group(last[end]) == group(last[start]) && last[end].Object == last[start].Object {
			end++
		}
		if g := group(last[start]); g >= 0 {
			same := float64(end - start)
			pairs[g] += same * (same - 1)
			all[g] += same
		}
		start = end
	}
	for g := range pairs {
		pairs[g] /= max(1, all[g]*(all[g]-1))
	}
	return pairs
}

// members returns the handles of one group, or of one type, in a dump.
func (f *follower) members(dump, group int, ofType bool) idSet {
	x := f.byGroup[dump]
	if ofType {
		x = f.byType[dump]
	}
	var set idSet
	for _, i := range x.order[x.first[group]:x.first[group+1]] {
		set = append(set, f.dumps[dump][i].HandleID)
	}
	return slices.Compact(set)
}

// in reports whether a dump has a handle, in whatever group.
func (f *follower) in(dump int, id analysis.HandleID) bool {
	_, ok := slices.BinarySearchFunc(f.dumps[dump], id, func(h followed, id analysis.HandleID) int { return h.Compare(id) })
	return ok
}

// spaced chooses the dumps of a series that are followed.
func spaced(dumps int) []int {
	n := min(dumps, mostFollowed)
	chosen := make([]int, n)
	for i := range chosen {
		chosen[i] = i * (dumps - 1) / max(n-1, 1)
	}
	return slices.CompactFunc(chosen, func(a, b int) bool { return cmp.Compare(a, b) == 0 })
}
