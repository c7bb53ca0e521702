package owners

import (
	"context"
	"encoding/binary"
	"slices"
)

// The rest is what the first rounds leave unexplained. Its handles are looked
// for again, in whole words and in halves, and this time all that surrounds
// them is taken down, not the pointers alone.

const (
	// recordBefore and recordAfter are how far from a handle the word of a
	// record may stand, in bytes.
	recordBefore = 128
	recordAfter  = 64
	// maxOftenRest is maxOften for the rest.
	maxOftenRest = 16
	// smallestConstant is the least number that can be the word of a record:
	// counts, flags and lengths say nothing.
	smallestConstant = 16
)

// rest is what a pass collects of the unexplained handles.
type rest struct {
	records     recordFinds // around whole words
	halves      finds
	halfRecords recordFinds
}

// recordFinds are the constellations of a number.
type recordFinds struct {
	list   []candidate
	counts bitCounts
}

// A restCollector is what one worker gathers.
type restCollector struct {
	*hunt
	wanted                                       []bool // by set: may still have an owner
	w                                            *window
	records                                      constellationTable
	runs                                         runFinder
	halves, halfRecords                          constellationTable
	often, oftenHalf, oftenDecoy, oftenHalfDecoy [oftenSlots]uint8
}

// collectRest is the pass that looks for the unexplained handles of all sets
// that may still have an owner.
func (h *hunt) collectRest(ctx context.Context) (*rest, error) {
	enough := h.enoughLeft()
	wanted := make([]bool, len(h.targets.sets))
	for set := range wanted {
		wanted[set] = set != slotFree && enough(uint16(set))
	}
	r := &rest{halves: finds{width: 4}}
	if !slices.Contains(wanted, true) {
		return r, nil
	}
	var workers [workers]*restCollector
	for i := range workers {
		workers[i] = &restCollector{hunt: h, wanted: wanted}
		workers[i].runs.width = 4
	}
	before := max(h.maxOffset, runReach, recordBefore)
	err := h.eachWindow(ctx, before, recordAfter+h.space.ptr, readAll, func(worker int, w *window) {
		c := workers[worker]
		c.w = w
		if h.space.ptr == 4 {
			c.collect32()
		} else {
			c.collect64()
		}
	})
	if err != nil {
		return nil, err
	}
	var records, halves, halfRecords []*constellationTable
	var runs []*runFinder
	for _, c := range workers {
		records, halves, halfRecords = append(records, &c.records), append(halves, &c.halves), append(halfRecords, &c.halfRecords)
		runs = append(runs, &c.runs)
	}
	any := func(uint64) bool { return true }
	r.records.list = candidates(mergeTables(records), &r.records.counts, any)
	r.halfRecords.list = candidates(mergeTables(halfRecords), &r.halfRecords.counts, any)
	r.halves.list = candidates(mergeTables(halves), &r.halves.counts, h.pointsSomewhere)
	r.halves.runs = joinRuns(runs...)
	return r, nil
}

// collect32 looks for handles in words of 4 bytes.
func (c *restCollector) collect32() {
	span := uint32(c.targets.max() - 4)
	for i := c.w.begin; i+4 <= c.w.end; i += 4 {
		v := binary.LittleEndian.Uint32(c.w.data[i:])
		if v-4 <= span && v&1 == 0 && c.follow(uint64(v), &c.often, &c.oftenDecoy) {
			c.around(&c.records, i, 4, uint64(v))
		}
	}
}

// collect64 looks for handles in words of 8 bytes, and in the halves of those
// that are no pointers.
func (c *restCollector) collect64() {
	span, span32 := c.targets.max()-4, uint32(c.targets.max()-4)
	c.runsBefore(span, span32)
	for i := c.w.begin; i+8 <= c.w.end; i += 8 {
		v := binary.LittleEndian.Uint64(c.w.data[i:])
		if v-4 <= span {
			if v&1 == 0 && c.follow(v, &c.often, &c.oftenDecoy) {
				c.around(&c.records, i, 8, v)
			}
			continue
		}
		low, high := uint32(v), uint32(v>>32)
		if low-4 > span32 && high-4 > span32 || c.space.kinds.of(v) != 0 && c.pointsSomewhere(v) {
			continue
		}
		if low-4 <= span32 && low&1 == 0 {
			c.half(i, uint64(low))
		}
		if high-4 <= span32 && high&1 == 0 {
			c.half(i+4, uint64(high))
		}
	}
}

// half takes down half a word that may be a handle.
func (c *restCollector) half(i int, v uint64) {
	if v&3 == 0 {
		if set := c.targets.slots[v>>2]; c.wanted[set] {
			c.runs.add(c.w.n+1, set, c.w.start+uint64(i), int(v>>2))
		}
	}
	if !c.follow(v, &c.oftenHalf, &c.oftenHalfDecoy) {
		return
	}
	c.around(&c.halfRecords, i, 4, v)
	for d := 4; d <= c.maxOffset && d <= i; d += 4 {
		if (i-d)%8 != 0 {
			continue
		}
		p := binary.LittleEndian.Uint64(c.w.data[i-d:])
		if p < minPointer || p&7 != 0 {
			continue
		}
		if kind := c.space.kinds.of(p); kind&pointsToModule != 0 || kind&pointsToMemory != 0 && d <= memoryReach*8 {
			c.note(&c.halves, p, d, v)
		}
	}
}

// runsBefore gives the runs the halves that stand before the window.
func (c *restCollector) runsBefore(span uint64, span32 uint32) {
	from := max(0, c.w.begin-runReach)
	for i := from + (c.w.begin-from)%8; i < c.w.begin; i += 8 {
		v := binary.LittleEndian.Uint64(c.w.data[i:])
		if v-4 <= span || uint32(v)-4 > span32 && uint32(v>>32)-4 > span32 || c.space.kinds.of(v) != 0 && c.pointsSomewhere(v) {
			continue
		}
		for half := range 2 {
			v := uint64(uint32(v >> (32 * half)))
			if set := c.targets.set(v); set != slotFree && c.wanted[set] {
				c.runs.add(c.w.n+1, set, c.w.start+uint64(i+4*half), int(v>>2))
			}
		}
	}
}

// follow reports whether to look at what surrounds a word that may be a handle,
// or is a decoy.
func (c *restCollector) follow(v uint64, often, oftenDecoy *[oftenSlots]uint8) bool {
	slot := v >> 2
	if v&3 == 0 {
		if !c.wanted[c.targets.slots[slot]] || c.explained[slot/64]>>(slot%64)&1 != 0 {
			return false
		}
	} else {
		often = oftenDecoy
	}
	if slot >= oftenSlots {
		return true
	}
	if often[slot] >= maxOftenRest {
		return false
	}
	often[slot]++
	return true
}

// around enters the numbers that surround a handle at data[i].
func (c *restCollector) around(t *constellationTable, i, width int, v uint64) {
	data, ptr := c.w.data, c.space.ptr
	from := max(0, i-recordBefore)
	from += (i - from) % ptr
	for at := i - i%ptr - (i-i%ptr-from)/ptr*ptr; at+ptr <= min(len(data), i+recordAfter); at += ptr {
		if ptr == 8 {
			word := binary.LittleEndian.Uint64(data[at:])
			if word == 0 || word >= minPointer && c.space.kinds.of(word) != 0 && c.pointsSomewhere(word) {
				continue
			}
			c.constant(t, at, i, width, uint32(word), v)
			c.constant(t, at+4, i, width, uint32(word>>32), v)
			continue
		}
		word := binary.LittleEndian.Uint32(data[at:])
		if word >= minPointer && c.space.kinds.of(uint64(word)) != 0 && c.pointsSomewhere(uint64(word)) {
			continue
		}
		c.constant(t, at, i, width, word, v)
	}
}

// constant enters one number.
func (c *restCollector) constant(t *constellationTable, at, i, width int, word uint32, v uint64) {
	if word+smallestConstant < 2*smallestConstant || at+4 > i && at < i+width {
		return // small, or small and negative; or the handle itself
	}
	c.note(t, uint64(word), i-at, v)
}

// note enters a constellation of a handle or a decoy.
func (c *restCollector) note(t *constellationTable, word uint64, offset int, v uint64) {
	slot := v >> 2
	if v&3 == 0 {
		t.note(word, int16(offset), c.targets.slots[slot], c.targets.ranks[slot])
	} else {
		t.note(word, int16(offset), decoySet, uint8(slot%tallyBits))
	}
}
