package owners

import (
	"cmp"
	"slices"
)

const (
	// maxStride is the largest distance of two cells of an array, in bytes.
	maxStride = 256
	// maxHole is how many cells in a row may lack a handle.
	maxHole = 4
	// cellShare is the part of the cells that must hold handles.
	cellShare = 0.7
	// minRunHits is how many hits a window must show of an array.
	minRunHits = 6
	// runReach is how far before a window its runs may begin: whatever 8 cells
	// of an array lie within so many bytes are seen together.
	runReach = 8 * maxStride
	// runMemory bounds the runs that one worker keeps; the shortest make room.
	runMemory = 1 << 14
)

// A run is a piece of memory that holds handles of one set at one stride.
type run struct {
	set         uint16
	width       uint8
	stride      uint16
	hits        uint32
	first, last uint64 // addresses of the outer hits
}

// cells is the number of cells from the first hit to the last.
func (r *run) cells() uint64 { return (r.last-r.first)/uint64(r.stride) + 1 }

// A runFinder finds runs among the hits of one window after another. Each hit
// continues the runs of its set that are at hand, and may begin one with each
// of the three hits before it.
type runFinder struct {
	width int
	sets  []*runState // by set
	found []run
	least uint32 // hits a run must have, since runMemory was exceeded
}

const runsAtHand = 12

// runState is what a runFinder knows of a set.
type runState struct {
	window int
	seen   int // of last
	last   [3]uint64
	slot   int // of last[0]
	open   int // of runs
	runs   [runsAtHand]openRun
}

type openRun struct {
	run
	slot int // of the last hit
}

// add takes the next hit of a window.
func (f *runFinder) add(window int, set uint16, at uint64, slot int) {
	if int(set) >= len(f.sets) {
		f.sets = append(f.sets, make([]*runState, int(set)+1-len(f.sets))...)
	}
	s := f.sets[set]
	if s == nil {
		s = &runState{}
		f.sets[set] = s
	}
	if s.window != window {
		f.close(s)
		s.window, s.seen = window, 0
	}
	if s.seen > 0 && at-s.last[0] > maxStride {
		if s.open > 0 {
			f.extend(s, at, slot)
		}
		s.seen = 0
	} else if s.seen > 0 && !f.extend(s, at, slot) && slot != s.slot {
		f.begin(s, set, at, slot)
	}
	s.last[2], s.last[1], s.last[0] = s.last[1], s.last[0], at
	s.seen, s.slot = min(s.seen+1, len(s.last)), slot
}

// extend continues the runs whose stride leads to the hit. It reports whether
// one of them leaves no doubt, so that none needs to begin here.
func (f *runFinder) extend(s *runState, at uint64, slot int) (sure bool) {
	for i := 0; i < s.open; i++ {
		r := &s.runs[i]
		stride, d := uint64(r.stride), at-r.last
		if d > maxHole*stride || r.hits < 4 && d > 3*stride {
			f.drop(s, i)
			i--
			continue
		}
		if d == 0 || d%stride != 0 || slot == r.slot {
			continue // an array does not hold one handle twice in a row
		}
		r.last, r.slot = at, slot
		r.hits++
		if !sure && r.hits >= 4 && float64(r.hits) >= cellShare*float64(r.cells()) {
			sure = true
			f.thin(s, i)
			i = -1 // each is looked at again; none is extended twice
		}
	}
	return sure
}

// thin forgets the runs that are every second or third cell of a sure one.
func (f *runFinder) thin(s *runState, sure int) {
	k := s.runs[sure]
	open := s.runs[:0]
	for _, r := range s.runs[:s.open] {
		if r.stride > k.stride && r.stride%k.stride == 0 && r.first >= k.first && (r.first-k.first)%uint64(k.stride) == 0 {
			continue
		}
		open = append(open, r)
	}
	s.open = len(open)
}

// begin makes runs of the hit and those before it.
func (f *runFinder) begin(s *runState, set uint16, at uint64, slot int) {
	for _, from := range s.last[:s.seen] {
		stride := at - from
		if stride > maxStride {
			return
		}
		known := false
		for i := range s.runs[:s.open] {
			known = known || s.runs[i].last == at && uint64(s.runs[i].stride) == stride
		}
		if known {
			continue
		}
		if s.open == runsAtHand {
			least := 0
			for i, r := range s.runs {
				if l := s.runs[least]; r.hits < l.hits || r.hits == l.hits && r.stride > l.stride {
					least = i
				}
			}
			f.drop(s, least)
		}
		s.runs[s.open] = openRun{run{set: set, width: uint8(f.width), stride: uint16(stride), hits: 2, first: from, last: at}, slot}
		s.open++
	}
}

// drop ends a run, and keeps it if it is one.
func (f *runFinder) drop(s *runState, i int) {
	r := s.runs[i].run
	s.open--
	s.runs[i] = s.runs[s.open]
	if r.hits < max(minRunHits, f.least) || float64(r.hits) < cellShare*float64(r.cells()) {
		return
	}
	if f.found = append(f.found, r); len(f.found) < runMemory {
		return
	}
	for len(f.found) > runMemory/2 {
		f.least = max(f.least, minRunHits) + 1
		f.found = slices.DeleteFunc(f.found, func(r run) bool { return r.hits < f.least })
	}
}

func (f *runFinder) close(s *runState) {
	for s.open > 0 {
		f.drop(s, s.open-1)
	}
}

// joinRuns puts the runs of all workers together, and those that continue one
// another: the longest come first.
func joinRuns(finders ...*runFinder) []run {
	var all []run
	for _, f := range finders {
		for _, s := range f.sets {
			if s != nil {
				f.close(s)
			}
		}
		all = append(all, f.found...)
		f.found = nil
	}
	phase := func(r run) uint64 { return r.first % uint64(r.stride) }
	slices.SortFunc(all, func(a, b run) int {
		return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.stride, b.stride), cmp.Compare(phase(a), phase(b)),
			cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last), cmp.Compare(a.hits, b.hits))
	})
	joined := all[:0]
	for _, r := range all {
		if n := len(joined); n > 0 {
			l := &joined[n-1]
			if l.set == r.set && l.stride == r.stride && phase(*l) == phase(r) && r.first <= l.last+maxHole*uint64(l.stride) {
				if r.last > l.last {
					// The windows overlap: what both saw counts once.
					both := uint64(0)
					if r.first <= l.last {
						both = min((l.last-r.first)/uint64(r.stride)+1, uint64(r.hits))
					}
					l.hits += r.hits - uint32(both)
					l.last = r.last
				}
				continue
			}
		}
		joined = append(joined, r)
	}
	slices.SortStableFunc(joined, func(a, b run) int {
		return cmp.Or(cmp.Compare(b.hits, a.hits), cmp.Compare(a.first, b.first), cmp.Compare(a.stride, b.stride))
	})
	// Every second or third cell of a run makes a run, too.
	kept := joined[:0]
	for _, r := range joined {
		if !slices.ContainsFunc(kept[:min(len(kept), mostCompared)], func(k run) bool {
			return k.set == r.set && k.first <= r.first && k.last >= r.last && r.stride%k.stride == 0 && (r.first-k.first)%uint64(k.stride) == 0
		}) {
			kept = append(kept, r)
		}
	}
	return kept
}

// mostCompared is with how many of the longest runs the others are compared.
const mostCompared = 256
