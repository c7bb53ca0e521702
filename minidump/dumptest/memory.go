package dumptest

// MemoryRange is memory of the dumped process.
type MemoryRange struct {
	Start uint64 // virtual address
	Data  []byte
	// Size, if larger than Data, is the length of the range; the rest is zero
	// and is never held in memory.
	Size uint64
}

func (m MemoryRange) size() uint64 { return max(m.Size, uint64(len(m.Data))) }

// put places the bytes of the range.
func (m MemoryRange) put(p *plan) {
	if len(m.Data) > 0 {
		p.put(m.Data)
	}
	if rest := m.size() - uint64(len(m.Data)); rest > 0 {
		p.zeros(int64(rest))
	}
}

// memoryList is the content of MemoryList: nil means no stream.
func (d Dump) memoryList() *memoryList {
	list := &memoryList{ranges: d.Memory}
	for _, t := range d.Threads {
		if len(t.Stack.Data) > 0 {
			list.stacks = append(list.stacks, t.Stack)
		}
	}
	for _, t := range d.ThreadExs {
		for _, m := range []MemoryRange{t.Stack, t.BackingStore} {
			if len(m.Data) > 0 {
				list.stacks = append(list.stacks, m)
			}
		}
	}
	if list.ranges == nil && (list.stacks == nil || d.Memory64 != nil) {
		return nil
	}
	return list
}

type memoryList struct {
	ranges []MemoryRange
	stacks []MemoryRange // bytes already placed with their threads
}

// placeMemory writes MINIDUMP_MEMORY_DESCRIPTORs of 16 bytes.
func placeMemory(p *plan, list *memoryList, padded bool) (int64, int64) {
	var entries []bytesOf
	entry := func(start, size uint64, rva uint32) {
		var b bytesOf
		b.u64(start)
		b.u32(p.u32("the size of a memory range", int64(size)))
		b.u32(rva)
		entries = append(entries, b)
	}
	for i, m := range list.ranges {
		p.mark(p.end, "MemoryList[%d].Data", i)
		rva := p.u32("the RVA of a memory range", p.end)
		m.put(p)
		entry(m.Start, m.size(), rva)
	}
	for i, m := range list.stacks {
		entry(m.Start, uint64(len(m.Data)), p.stacks[i])
	}
	return p.plainList(MemoryListStream, padded, entries)
}

// placeMemory64 writes MINIDUMP_MEMORY_DESCRIPTOR64s of 16 bytes and, behind
// them, the bytes of all ranges in one run.
func placeMemory64(p *plan, ranges []MemoryRange) (int64, int64) {
	size := int64(16 + 16*len(ranges))
	var b bytesOf
	b.u64(uint64(len(ranges)))
	b.u64(uint64(p.end + size))
	for i, m := range ranges {
		if p.anchors != nil {
			p.mark(p.end+int64(len(b)), "Memory64List[%d]", i)
		}
		b.u64(m.Start)
		b.u64(m.size())
	}
	start, _ := p.whole(b)
	for i, m := range ranges {
		p.mark(p.end, "Memory64List[%d].Data", i)
		m.put(p)
	}
	return start, size
}

// MemoryInfoList is a MINIDUMP_MEMORY_INFO_LIST.
type MemoryInfoList struct {
	Regions   []MemoryInfo
	EntrySize uint32 // 0 means 48
}

// MemoryInfo is a MINIDUMP_MEMORY_INFO of 48 bytes.
type MemoryInfo struct {
	BaseAddress       uint64
	AllocationBase    uint64
	AllocationProtect uint32 // PAGE_*
	RegionSize        uint64 // bytes
	State             uint32 // 0x1000 commit, 0x2000 reserve, 0x10000 free; 0 means commit
	Protect           uint32 // PAGE_*
	Type              uint32 // 0x20000 private, 0x40000 mapped, 0x1000000 image
}

func (l *MemoryInfoList) place(p *plan) (int64, int64) {
	entries := make([]bytesOf, len(l.Regions))
	for i, m := range l.Regions {
		b := &entries[i]
		b.u64(m.BaseAddress)
		b.u64(m.AllocationBase)
		b.u32(m.AllocationProtect)
		b.u32(0)
		b.u64(m.RegionSize)
		b.u32(or(m.State, 0x1000))
		b.u32(m.Protect)
		b.u32(m.Type)
		b.u32(0)
	}
	return p.exList(MemoryInfoListStream, 8, 16, or(l.EntrySize, 48), entries)
}
