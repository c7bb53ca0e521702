package dumptest

import "fmt"

// Thread is a MINIDUMP_THREAD of 48 bytes.
type Thread struct {
	ThreadID      uint32
	SuspendCount  uint32
	PriorityClass uint32
	Priority      int32
	Teb           uint64
	// Stack with bytes is placed in the file and listed in MemoryList too;
	// with a Size alone its RVA is 0, as in dumps with full memory.
	Stack   MemoryRange
	Context []byte // see [Registers]; empty means none
}

func placeThreads(p *plan, threads []Thread, padded bool) (int64, int64) {
	entries := make([]bytesOf, len(threads))
	for i, t := range threads {
		entries[i] = p.thread(ThreadListStream, i, t)
	}
	return p.plainList(ThreadListStream, padded, entries)
}

// thread places what a thread points at and returns its entry.
func (p *plan) thread(list StreamType, i int, t Thread) (b bytesOf) {
	stackSize, stackRVA := uint32(t.Stack.Size), uint32(0)
	if len(t.Stack.Data) > 0 {
		stackSize, stackRVA = p.stack(fmt.Sprintf("%s[%d].Stack", list, i), t.Stack)
	}
	size, rva := p.context(fmt.Sprintf("%s[%d].Context", list, i), t.Context)
	b.u32(t.ThreadID)
	b.u32(t.SuspendCount)
	b.u32(t.PriorityClass)
	b.u32(uint32(t.Priority))
	b.u64(t.Teb)
	b.u64(t.Stack.Start)
	b.u32(stackSize)
	b.u32(stackRVA)
	b.u32(size)
	b.u32(rva)
	return b
}

// stack places the bytes of a stack. The list of memory refers to the same: see
// placeMemory.
func (p *plan) stack(anchor string, m MemoryRange) (size, rva uint32) {
	rva = p.u32("the RVA of a stack", p.end)
	p.mark(p.end, "%s", anchor)
	p.put(m.Data)
	p.stacks = append(p.stacks, rva)
	return uint32(len(m.Data)), rva
}

// ThreadEx is a MINIDUMP_THREAD_EX of 64 bytes: a thread of Itanium.
type ThreadEx struct {
	Thread
	BackingStore MemoryRange // as Stack
}

func placeThreadExs(p *plan, threads []ThreadEx, padded bool) (int64, int64) {
	entries := make([]bytesOf, len(threads))
	for i, t := range threads {
		size, rva := uint32(t.BackingStore.Size), uint32(0)
		b := p.thread(ThreadExListStream, i, t.Thread)
		if len(t.BackingStore.Data) > 0 {
			size, rva = p.stack(fmt.Sprintf("%s[%d].BackingStore", ThreadExListStream, i), t.BackingStore)
		}
		b.u64(t.BackingStore.Start)
		b.u32(size)
		b.u32(rva)
		entries[i] = b
	}
	return p.plainList(ThreadExListStream, padded, entries)
}

// ThreadName is a MINIDUMP_THREAD_NAME of 12 bytes.
type ThreadName struct {
	ThreadID uint32
	Name     string
}

func placeThreadNames(p *plan, names []ThreadName) (int64, int64) {
	entries := make([]bytesOf, len(names))
	for i, n := range names {
		rva := p.string(n.Name, "ThreadNames[%d].Name", i)
		entries[i].u32(n.ThreadID)
		entries[i].u64(uint64(rva)) // 64 bits at offset 4: the structure is packed
	}
	return p.plainList(ThreadNamesStream, false, entries)
}

// ThreadInfoList is a MINIDUMP_THREAD_INFO_LIST.
type ThreadInfoList struct {
	Threads   []ThreadInfo
	EntrySize uint32 // 0 means 64
}

// ThreadInfo is a MINIDUMP_THREAD_INFO of 64 bytes.
type ThreadInfo struct {
	ThreadID     uint32
	DumpFlags    uint32 // 1 error, 2 writing thread, 4 exited, …
	DumpError    uint32 // HRESULT
	ExitStatus   uint32 // 0 means 0x103, still running, unless DumpFlags says exited
	CreateTime   uint64 // FILETIME: 100 ns since 1601, UTC
	ExitTime     uint64 // FILETIME
	KernelTime   uint64 // 100 ns
	UserTime     uint64 // 100 ns
	StartAddress uint64
	Affinity     uint64
}

func (l *ThreadInfoList) place(p *plan) (int64, int64) {
	const exited = 4
	entries := make([]bytesOf, len(l.Threads))
	for i, t := range l.Threads {
		status := t.ExitStatus
		if t.DumpFlags&exited == 0 {
			status = or(status, 0x103)
		}
		b := &entries[i]
		b.u32(t.ThreadID)
		b.u32(t.DumpFlags)
		b.u32(t.DumpError)
		b.u32(status)
		b.u64(t.CreateTime)
		b.u64(t.ExitTime)
		b.u64(t.KernelTime)
		b.u64(t.UserTime)
		b.u64(t.StartAddress)
		b.u64(t.Affinity)
	}
	return p.exList(ThreadInfoListStream, 4, 12, or(l.EntrySize, 64), entries)
}
