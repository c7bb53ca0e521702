package owners

import (
	"context"
	"encoding/binary"
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
	// maxTalliesRest is maxTallies for each table of the rest.
	maxTalliesRest = 1 << 15
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
	open                                         bitmap // handles without an owner, of sets that may still have one
	wanted                                       wantedNumbers
	w                                            *window
	records                                      constellationTable
	runs                                         runFinder
	halves, halfRecords                          constellationTable
	often, oftenHalf, oftenDecoy, oftenHalfDecoy [oftenSlots]uint8
}

// collectRest is the pass that looks for the unexplained handles of all sets
// that may still have an owner. On the way the linker looks for its pointers; it
// is left as it is if no such pass is needed.
func (h *hunt) collectRest(ctx context.Context, l *linker) (*rest, error) {
	open, largest := h.unexplained()
	r := &rest{halves: finds{width: 4}}
	if largest == 0 {
		return r, nil
	}
	var workers [workers]*restCollector
	for i := range workers {
		workers[i] = &restCollector{hunt: h, open: open}
		if i == 0 {
			workers[i].wanted.init(open, largest)
		} else {
			workers[i].wanted = workers[0].wanted
		}
		workers[i].runs.width = 4
		for _, t := range [...]*constellationTable{&workers[i].records, &workers[i].halves, &workers[i].halfRecords} {
			t.limit = maxTalliesRest
		}
	}
	l.begin()
	before := max(h.maxOffset, runReach, recordBefore)
	err := h.eachWindow(ctx, allWindows, before, recordAfter+h.space.ptr, func(worker int, w *window) {
		c := workers[worker]
		c.w = w
		if h.space.ptr == 4 {
			c.collect32()
		} else {
			c.collect64()
		}
		l.visit(worker, w)
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

// unexplained returns the handles without an owner, of the sets that may still
// have one, and the largest.
func (h *hunt) unexplained() (open bitmap, largest uint64) {
	enough := h.enoughLeft()
	wanted := make([]bool, len(h.targets.sets))
	for set := range wanted {
		wanted[set] = set != slotFree && enough(uint16(set))
	}
	open = make(bitmap, len(h.targets.slots)/64+1)
	for slot, set := range h.targets.slots {
		if wanted[set] && !h.explained.has(slot) {
			open.set(uint64(slot))
			largest = uint64(4 * slot)
		}
	}
	return open, largest
}

// collect32 looks for handles in words of 4 bytes.
func (c *restCollector) collect32() {
	i, data := c.w.begin, c.w.data[:c.w.end]
	for ; i+32 <= len(data); i += 32 {
		if c.wanted.among((*[32]byte)(data[i:])) {
			c.some32(i, i+32)
		}
	}
	c.some32(i, len(data))
}

// some32 looks at a part of the window.
func (c *restCollector) some32(from, to int) {
	for i := from; i+4 <= to; i += 4 {
		if v := binary.LittleEndian.Uint32(c.w.data[i:]); c.wanted.has(v) != 0 && c.follow(uint64(v), &c.often, &c.oftenDecoy) {
			c.around(&c.records, i, 4, uint64(v))
		}
	}
}

// collect64 looks for handles in words of 8 bytes, and in the halves of those
// that are no pointers.
func (c *restCollector) collect64() {
	c.runsBefore()
	i, data := c.w.begin, c.w.data[:c.w.end]
	for ; i+32 <= len(data); i += 32 {
		if c.wanted.among((*[32]byte)(data[i:])) {
			c.some64(i, i+32)
		}
	}
	c.some64(i, len(data))
}

// some64 looks at a part of the window.
func (c *restCollector) some64(from, to int) {
	for i := from; i+8 <= to; i += 8 {
		v := binary.LittleEndian.Uint64(c.w.data[i:])
		low, high := uint32(v), uint32(v>>32)
		inLow, inHigh := c.wanted.has(low) != 0, c.wanted.has(high) != 0
		switch {
		case !inLow && !inHigh:
		case high == 0:
			if c.follow(v, &c.often, &c.oftenDecoy) {
				c.around(&c.records, i, 8, v)
			}
		case !c.pointer(v):
			if inLow {
				c.half(i, uint64(low))
			}
			if inHigh {
				c.half(i+4, uint64(high))
			}
		}
	}
}

// pointer reports whether the word is an address of the process. A pair of
// numbers whose upper one is that of an address may be taken for one.
func (c *restCollector) pointer(v uint64) bool {
	return c.space.highs.has(v) && c.space.kinds.of(v) != 0 && (v>>32 != 0 || c.pointsSomewhere(v))
}

// half takes down half a word that may be a handle.
func (c *restCollector) half(i int, v uint64) {
	slot := int(v >> 2)
	if v&3 == 0 && c.open.has(slot) {
		c.runs.add(c.w.n+1, c.targets.slots[slot], c.w.start+uint64(i), slot)
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
func (c *restCollector) runsBefore() {
	from := max(0, c.w.begin-runReach)
	for i := from + (c.w.begin-from)%8; i < c.w.begin; i += 8 {
		v := binary.LittleEndian.Uint64(c.w.data[i:])
		low, high := uint32(v), uint32(v>>32)
		if high == 0 || c.wanted.has(low)|c.wanted.has(high) == 0 || c.pointer(v) {
			continue
		}
		for half, v := range [...]uint32{low, high} {
			if slot := int(v >> 2); c.wanted.has(v) != 0 && v&3 == 0 && c.open.has(slot) {
				c.runs.add(c.w.n+1, c.targets.slots[slot], c.w.start+uint64(i+4*half), slot)
			}
		}
	}
}

// follow reports whether to look at what surrounds a word that may be a handle,
// or is a decoy.
func (c *restCollector) follow(v uint64, often, oftenDecoy *[oftenSlots]uint8) bool {
	slot := v >> 2
	decoy := isDecoy(v)
	if decoy {
		often = oftenDecoy
	} else if v&3 != 0 || !c.open.has(int(slot)) {
		return false // wanted was wrong
	}
	if slot >= oftenSlots {
		return true
	}
	if often[slot] >= maxOftenRest {
		return false
	}
	often[slot]++
	if decoy && c.oftenDecoy[slot] >= maxOftenRest && (c.space.ptr == 4 || c.oftenHalfDecoy[slot] >= maxOftenRest) {
		c.wanted.remove(uint32(v))
	}
	return true
}

// around enters the numbers that surround a handle at data[i].
func (c *restCollector) around(t *constellationTable, i, width int, v uint64) {
	data, ptr := c.w.data, c.space.ptr
	from := max(0, i-min(recordBefore, c.maxOffset))
	from += (i - from) % ptr
	for at := i - i%ptr - (i-i%ptr-from)/ptr*ptr; at+ptr <= min(len(data), i+recordAfter); at += ptr {
		if ptr == 8 {
			word := binary.LittleEndian.Uint64(data[at:])
			if word == 0 || word >= minPointer && c.pointer(word) {
				continue
			}
			c.constant(t, at, i, width, uint32(word), v)
			c.constant(t, at+4, i, width, uint32(word>>32), v)
			continue
		}
		word := binary.LittleEndian.Uint32(data[at:])
		if word >= minPointer && c.pointer(uint64(word)) {
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
	if slot := v >> 2; v&3 == 0 {
		t.note(word, int16(offset), c.targets.slots[slot], c.targets.ranks[slot])
	} else {
		t.note(word, int16(offset), decoySet, decoyRank(v))
	}
}
