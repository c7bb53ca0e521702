package analysis

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/dumpscan/dumpscan/minidump"
)

const (
	// ownerWindow is the memory that is read and searched at a time, in bytes;
	// small enough to be still in the cache when it is searched.
	ownerWindow = 256 << 10
	// ownerWorkers search different windows at the same time. The number does
	// not depend on the machine, so that neither does the result.
	ownerWorkers = 4
)

// ownerHunt is the state of one call of FindOwners.
type ownerHunt struct {
	mem       *minidump.Memory
	space     *ownerSpace
	targets   *ownerTargets
	maxOffset int

	progress func(done, total int64)
	mu       sync.Mutex // guards done
	done     int64      // bytes read in both passes

	hits uint64 // words equal to a handle of a set
}

// A window is a piece of memory with some of its surroundings.
type window struct {
	data       []byte
	start      uint64 // address of data[0]
	begin, end int    // the part of data that no other window covers
}

// eachWindow reads all memory to be searched, each window with the given
// number of bytes before and after it as far as they were captured. It calls
// visit on several goroutines; worker tells them apart, and the same worker
// always gets the same windows, by ascending address.
func (h *ownerHunt) eachWindow(ctx context.Context, before, after int, visit func(worker int, w *window)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for worker := range ownerWorkers {
		wg.Go(func() {
			if err := h.readWindows(ctx, worker, before, after, visit); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (h *ownerHunt) readWindows(ctx context.Context, worker, before, after int, visit func(worker int, w *window)) error {
	buf := make([]byte, before+ownerWindow+after)
	n := 0
	for _, r := range h.space.scan {
		// Addresses are kept aligned, whatever a range begins with.
		skip := -uint64(r.Start) % uint64(h.space.ptr)
		for ; skip < r.Size; skip += ownerWindow {
			if n++; n%ownerWorkers != worker {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			from := skip - min(skip, uint64(before))
			from += -(uint64(r.Start) + from) % uint64(h.space.ptr)
			to := min(skip+ownerWindow+uint64(after), r.Size)
			data := buf[:to-from]
			if _, err := h.mem.ReadRange(data, r, from); err != nil {
				return err
			}
			end := min(skip+ownerWindow, r.Size)
			visit(worker, &window{data: data, start: uint64(r.Start) + from, begin: int(skip - from), end: int(end - from)})
			h.report(int64(end - skip))
		}
	}
	return nil
}

// report tells the progress.
func (h *ownerHunt) report(n int64) {
	if h.progress == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done += n
	h.progress(h.done, int64(2*h.space.bytes))
}

// finish reports the end, which comes early if nothing survives the first pass.
func (h *ownerHunt) finish() {
	h.report(int64(2*h.space.bytes) - h.done)
}

// collect is the first pass: it returns the constellations that hold enough
// handles to be worth a closer look.
func (h *ownerHunt) collect(ctx context.Context) ([]constellation, error) {
	var tables [ownerWorkers]constellationTable
	var hits [ownerWorkers]uint64
	err := h.eachWindow(ctx, h.maxOffset, 0, func(worker int, w *window) {
		if h.space.ptr == 4 {
			hits[worker] += h.collect32(&tables[worker], w)
		} else {
			hits[worker] += h.collect64(&tables[worker], w)
		}
	})
	if err != nil {
		return nil, err
	}
	all := &tables[0]
	for i := range tables {
		h.hits += hits[i]
		if i > 0 {
			all.merge(&tables[i])
		}
	}
	return h.survivors(all), nil
}

// collect64 looks for handles in 8-byte words. The first condition turns away
// nearly every word; it is true of 4 to the largest handle, and of nothing else.
func (h *ownerHunt) collect64(t *constellationTable, w *window) (hits uint64) {
	slots := h.targets.slots
	span := h.targets.max() - 4
	data := w.data[:w.end]
	for i := w.begin; i+8 <= len(data); i += 8 {
		v := binary.LittleEndian.Uint64(data[i:])
		if v-4 > span || v&3 != 0 || slots[v>>2] < firstSet {
			continue
		}
		hits++
		for d := 8; d <= h.maxOffset && d <= i; d += 8 {
			p := binary.LittleEndian.Uint64(data[i-d:])
			if p&7 == 0 && p >= minPointer {
				h.note(t, p, d, v)
			}
		}
	}
	return hits
}

// collect32 is collect64 for words of 4 bytes.
func (h *ownerHunt) collect32(t *constellationTable, w *window) (hits uint64) {
	slots := h.targets.slots
	span := uint32(h.targets.max() - 4)
	data := w.data[:w.end]
	for i := w.begin; i+4 <= len(data); i += 4 {
		v := binary.LittleEndian.Uint32(data[i:])
		if v-4 > span || v&3 != 0 || slots[v>>2] < firstSet {
			continue
		}
		hits++
		for d := 4; d <= h.maxOffset && d <= i; d += 4 {
			p := binary.LittleEndian.Uint32(data[i-d:])
			if p&3 == 0 && p >= minPointer {
				h.note(t, uint64(p), d, uint64(v))
			}
		}
	}
	return hits
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
func (h *ownerHunt) note(t *constellationTable, p uint64, d int, v uint64) {
	switch kind := h.space.kinds.of(p); {
	case kind&pointsToModule != 0:
	case kind&pointsToMemory != 0 && d <= memoryReach*h.space.ptr:
	default:
		return
	}
	t.add(constellation{p, uint32(d)}, v)
}
