package owners

import (
	"context"
	"encoding/binary"
	"math"
)

// A collector is what one worker gathers in the first pass.
type collector struct {
	*hunt
	sought []bool // by set
	table  constellationTable
	runs   runFinder
	hits   uint64
	// often counts how often the smallest handles and decoys were found.
	often, oftenDecoy [oftenSlots]uint16
}

const (
	// The values below 4*oftenSlots are numbers that memory is full of. A
	// worker follows up each of them so often only; what is found in owners
	// is other handles too.
	oftenSlots = 4096
	maxOften   = 64
)

// collect is the first pass: it returns the constellations that hold a few
// handles at least, and what may be arrays.
func (h *hunt) collect(ctx context.Context) (*finds, error) {
	var workers [workers]collector
	for i := range workers {
		workers[i].hunt = h
		workers[i].runs.width = h.space.ptr
		for _, s := range h.targets.sets {
			workers[i].sought = append(workers[i].sought, s.sought)
		}
	}
	visit := func(worker int, w *window) {
		if h.space.ptr == 4 {
			workers[worker].collect32(w)
		} else {
			workers[worker].collect64(w)
		}
	}
	var tables []*constellationTable
	for i := range workers {
		tables = append(tables, &workers[i].table)
	}
	before := max(h.maxOffset, runReach)
	if h.early > 0 {
		if err := h.eachWindow(ctx, windowSpan{0, h.early}, before, 0, visit); err != nil {
			return nil, err
		}
		h.foreseen = h.foresee(tables)
	}
	err := h.eachWindow(ctx, windowSpan{h.early, math.MaxInt}, before, h.maxOffset+h.space.ptr, func(worker int, w *window) {
		visit(worker, w)
		if h.foreseen != nil && len(h.foreseen.fields) > 0 {
			h.foreseen.visit(worker, w)
		}
	})
	if err != nil {
		return nil, err
	}
	var runs []*runFinder
	for i := range workers {
		h.hits += workers[i].hits
		runs = append(runs, &workers[i].runs)
	}
	f := &finds{width: h.space.ptr, runs: joinRuns(runs...)}
	f.list = candidates(mergeTables(tables), &f.counts, h.pointsSomewhere)
	return f, nil
}

// pointsSomewhere reports whether the word is an address that pointerKinds
// only takes it for.
func (h *hunt) pointsSomewhere(word uint64) bool {
	if _, ok := h.space.modules.Find(vaOf(word)); ok {
		return true
	}
	return h.mem.Contains(vaOf(word))
}

// runsBefore gives the runs of a window what stands before it, which is another
// worker's: an array may lie across.
func (c *collector) runsBefore(w *window) {
	ptr := c.space.ptr
	from := max(0, w.begin-runReach)
	for i := from + (w.begin-from)%ptr; i < w.begin; i += ptr {
		v := readValue(w.data[i:], ptr)
		if v > c.targets.max() {
			continue
		}
		if set := c.targets.set(v); set != slotFree && c.sought[set] {
			c.runs.add(w.n+1, set, w.start+uint64(i), int(v>>2))
		}
	}
}

// collect64 looks for handles in 8-byte words. Nearly no word is one; the speed
// depends on turning the others away, eight at a time. Handles are found by one
// condition: less 4, they are at most the largest one less 4.
func (c *collector) collect64(w *window) {
	c.runsBefore(w)
	i, data, span := w.begin, w.data[:w.end], c.targets.max()-4
	for ; i+64 <= len(data); i += 64 {
		b := (*[64]byte)(data[i:])
		v0, v1 := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
		v2, v3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		v4, v5 := binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[40:])
		v6, v7 := binary.LittleEndian.Uint64(b[48:]), binary.LittleEndian.Uint64(b[56:])
		if v0-4 > span && v1-4 > span && v2-4 > span && v3-4 > span &&
			v4-4 > span && v5-4 > span && v6-4 > span && v7-4 > span {
			continue
		}
		c.some64(w, i, i+64)
	}
	c.some64(w, i, w.end)
}

// some64 looks for handles in a part of a window.
func (c *collector) some64(w *window, from, to int) {
	span := c.targets.max() - 4
	for i := from; i+8 <= to; i += 8 {
		if v := binary.LittleEndian.Uint64(w.data[i:]); v-4 <= span && c.follow(w, i, v) {
			c.lookBack64(w.data[:i], v)
		}
	}
}

// lookBack64 enters the pointers that stand before a handle.
func (c *collector) lookBack64(before []byte, handle uint64) {
	for d := 8; d <= c.maxOffset && d <= len(before); d += 8 {
		p := binary.LittleEndian.Uint64(before[len(before)-d:])
		if p >= minPointer && p&7 == 0 {
			c.note(p, d, handle)
		}
	}
}

// collect32 is collect64 for words of 4 bytes.
func (c *collector) collect32(w *window) {
	c.runsBefore(w)
	i, data, span := w.begin, w.data[:w.end], uint32(c.targets.max()-4)
	for ; i+32 <= len(data); i += 32 {
		b := (*[32]byte)(data[i:])
		v0, v1 := binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:])
		v2, v3 := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
		v4, v5 := binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:])
		v6, v7 := binary.LittleEndian.Uint32(b[24:]), binary.LittleEndian.Uint32(b[28:])
		if v0-4 > span && v1-4 > span && v2-4 > span && v3-4 > span &&
			v4-4 > span && v5-4 > span && v6-4 > span && v7-4 > span {
			continue
		}
		c.some32(w, i, i+32)
	}
	c.some32(w, i, w.end)
}

// some32 is some64 for words of 4 bytes.
func (c *collector) some32(w *window, from, to int) {
	span := uint32(c.targets.max() - 4)
	for i := from; i+4 <= to; i += 4 {
		if v := binary.LittleEndian.Uint32(w.data[i:]); v-4 <= span && c.follow(w, i, uint64(v)) {
			c.lookBack32(w.data[:i], uint64(v))
		}
	}
}

// lookBack32 is lookBack64 for words of 4 bytes.
func (c *collector) lookBack32(before []byte, handle uint64) {
	for d := 4; d <= c.maxOffset && d <= len(before); d += 4 {
		p := binary.LittleEndian.Uint32(before[len(before)-d:])
		if p >= minPointer && p&3 == 0 {
			c.note(uint64(p), d, handle)
		}
	}
}

// follow counts a word that may be a handle, and reports whether to look at what
// is before it. It may be a decoy, too.
func (c *collector) follow(w *window, i int, v uint64) bool {
	slot := v >> 2
	often := &c.often
	switch {
	case v&3 == 0:
		set := c.targets.slots[slot]
		if !c.sought[set] {
			return false
		}
		c.hits++
		c.runs.add(w.n+1, set, w.start+uint64(i), int(slot))
	case isDecoy(v):
		often = &c.oftenDecoy
	default:
		return false
	}
	if slot >= oftenSlots {
		return true
	}
	if often[slot] >= maxOften {
		return false
	}
	often[slot]++
	return true
}

const (
	// minPointer is where Windows lets the first memory of a process begin.
	minPointer = 0x10000
	// memoryReach is how many words before a handle a pointer to memory
	// outside all modules may stand. Such pointers are many; that of a managed
	// object to its MethodTable is the first word, and the references come
	// between it and a handle.
	memoryReach = 8
)

// note enters a constellation if the word points somewhere.
func (c *collector) note(p uint64, d int, value uint64) {
	switch kind := c.space.kinds.of(p); {
	case kind&pointsToModule != 0:
	case kind&pointsToMemory != 0 && d <= memoryReach*c.space.ptr:
	default:
		return
	}
	if slot := value >> 2; value&3 == 0 {
		c.table.note(p, int16(d), c.targets.slots[slot], c.targets.ranks[slot])
	} else {
		c.table.note(p, int16(d), decoySet, decoyRank(value))
	}
}
