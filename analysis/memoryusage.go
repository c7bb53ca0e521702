package analysis

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

// memoryUsages knows what addresses are used for.
type memoryUsages struct {
	m     *minidump.Memory // nil if the dump has none
	spans []usageSpan      // disjoint, ascending
	// marks are addresses whose whole allocation has a usage, ascending.
	marks       []usageSpan
	allocations map[minidump.VA]string // by the base of the allocation
	heaps       map[minidump.VA]int    // the pointer size of those of the PEBs
	wow64       bool
}

// A usageSpan is addresses with a usage. last is inclusive.
type usageSpan struct {
	start, last minidump.VA
	usage       string
}

const (
	pageSize  = 0x1000
	tebSize64 = 2 * pageSize // what Windows allocates
)

// newMemoryUsages finds out what the dump says: stacks and TEBs of the threads,
// the PEBs and their heaps, and, if there is no list of regions, the images.
func newMemoryUsages(f *minidump.File, m *minidump.Memory, a *AddressSpace) *memoryUsages {
	u := &memoryUsages{m: m, allocations: map[minidump.VA]string{}, heaps: map[minidump.VA]int{}, wow64: a.WOW64}
	threads, err := Threads(f)
	if !errors.Is(err, minidump.ErrNoStream) {
		a.problem(err)
	}
	pointer := f.PointerSize()
	var spans []usageSpan
	add := func(usage string, start minidump.VA, size uint64) {
		if start != 0 && size > 0 && uint64(start) <= -size {
			spans = append(spans, usageSpan{start, start + minidump.VA(size-1), usage})
		}
	}
	for i := range threads {
		t := &threads[i]
		known := false
		for _, b := range []*TEB{t.Block, t.Block32} {
			if b == nil || b.StackBase == 0 {
				continue
			}
			known = true
			u.marks = append(u.marks, usageSpan{start: b.StackBase - 1, usage: u.name(UsageStack, b.PointerSize)})
			if b.StackLimit < b.StackBase {
				add(u.name(UsageStack, b.PointerSize), b.StackLimit, uint64(b.StackBase-b.StackLimit))
			}
		}
		if at := t.Stack.StartOfMemoryRange; !known && at != 0 {
			known = true
			u.marks = append(u.marks, usageSpan{start: at, usage: u.name(UsageStack, pointer)})
			add(u.name(UsageStack, pointer), at, uint64(t.Stack.Memory.DataSize))
		}
		if !known {
			a.StacksUnknown++
		}
		size := uint64(pageSize)
		if pointer == 8 {
			size = tebSize64
		}
		add(u.name(UsageTEB, pointer), t.Teb, size)
		if t.Block32 != nil {
			add(u.name(UsageTEB, 4), t.Block32.Address, pageSize)
		}
	}
	pebs, _ := ReadPEBs(f) // without, less is known
	a.HeapsKnown = len(pebs) > 0
	for i := range pebs {
		p := &pebs[i]
		a.HeapsKnown = a.HeapsKnown && uint32(len(p.Heaps)) == p.NumberOfHeaps
		add(u.name(UsagePEB, p.PointerSize), p.Address, pageSize)
		for _, heap := range append([]minidump.VA{p.ProcessHeap}, p.Heaps...) {
			if heap != 0 {
				u.heaps[heap] = p.PointerSize
				u.marks = append(u.marks, usageSpan{start: heap, usage: u.name(UsageHeap, p.PointerSize)})
			}
		}
	}
	if !a.Listed {
		modules, _ := f.Modules() // those that can be read
		for i := range modules {
			add(UsageImage, modules[i].BaseOfImage, uint64(modules[i].SizeOfImage))
		}
	}
	u.spans = disjoint(spans)
	slices.SortFunc(u.marks, func(a, b usageSpan) int { return cmp.Compare(a.start, b.start) })
	return u
}

// name is a usage, as WinDbg writes it for a process that has it twice.
func (u *memoryUsages) name(usage string, pointer int) string {
	switch {
	case !u.wow64:
		return usage
	case pointer == 4:
		return usage + "32"
	}
	return usage + "64"
}

// disjoint sorts spans, and cuts those that overlap the one before.
func disjoint(spans []usageSpan) []usageSpan {
	slices.SortStableFunc(spans, func(a, b usageSpan) int { return cmp.Compare(a.start, b.start) })
	var out []usageSpan
	for _, s := range spans {
		if n := len(out); n > 0 && s.start <= out[n-1].last {
			if s.last <= out[n-1].last {
				continue
			}
			s.start = out[n-1].last + 1
		}
		out = append(out, s)
	}
	return out
}

// markAllocation keeps the usage of the allocation that a region is part of, if
// a stack or a heap is known to lie in the region.
func (u *memoryUsages) markAllocation(r *minidump.MemoryInfo) {
	if r.State == minidump.MemFree || r.Type == minidump.MemImage {
		return
	}
	last := r.BaseAddress + minidump.VA(r.RegionSize-1)
	i := sort.Search(len(u.marks), func(i int) bool { return u.marks[i].start >= r.BaseAddress })
	if i < len(u.marks) && u.marks[i].start <= last {
		u.allocations[r.AllocationBase] = u.marks[i].usage
	} else if r.BaseAddress == r.AllocationBase && r.State == minidump.MemCommit {
		if heap, ok := u.heapOf(r.BaseAddress); ok {
			u.allocations[r.AllocationBase] = u.name(UsageHeap, u.heaps[heap])
		}
	}
}

// heapOf returns the heap that an allocation is a further segment of, by the
// _HEAP_SEGMENT that it begins with: a signature and the address of the heap,
// at the same places since Windows Vista.
func (u *memoryUsages) heapOf(at minidump.VA) (minidump.VA, bool) {
	const signature = 0xffeeffee
	if u.m == nil || len(u.heaps) == 0 {
		return 0, false
	}
	var p [0x30]byte
	if _, err := u.m.ReadAt(p[:], at); err != nil {
		return 0, false
	}
	wide := minidump.VA(binary.LittleEndian.Uint64(p[0x28:]))
	if binary.LittleEndian.Uint32(p[0x10:]) == signature && u.heaps[wide] == 8 {
		return wide, true
	}
	narrow := minidump.VA(binary.LittleEndian.Uint32(p[0x18:]))
	if binary.LittleEndian.Uint32(p[0x08:]) == signature && u.heaps[narrow] == 4 {
		return narrow, true
	}
	return 0, false
}

// allocation is the usage of a region that is in use, but for the spans in it.
func (u *memoryUsages) allocation(r *minidump.MemoryInfo) string {
	if usage := u.allocations[r.AllocationBase]; usage != "" && r.Type != minidump.MemImage {
		return usage
	}
	if r.Type == minidump.MemImage {
		return UsageImage
	}
	return UsageUnknown
}

// split calls piece for the parts of some memory: those of a span, and between
// them those of the other usage. A span of that usage makes no part of its own.
func (u *memoryUsages) split(start minidump.VA, size uint64, other string, piece func(usage string, at minidump.VA, size uint64)) {
	last := start + minidump.VA(size-1)
	part := usageSpan{start: start}
	flush := func(end minidump.VA) { // end is inclusive
		if part.usage != "" && end >= part.start {
			piece(part.usage, part.start, uint64(end-part.start)+1)
		}
	}
	turn := func(at minidump.VA, usage string) {
		if usage == part.usage {
			return
		}
		if at > start {
			flush(at - 1)
		}
		part = usageSpan{start: at, usage: usage}
	}
	turn(start, other)
	i := sort.Search(len(u.spans), func(i int) bool { return u.spans[i].last >= start })
	for ; i < len(u.spans) && u.spans[i].start <= last; i++ {
		s := u.spans[i]
		turn(max(s.start, start), s.usage)
		if s.last >= last {
			break
		}
		turn(s.last+1, other)
	}
	flush(last)
}
