package minidump

import "iter"

// The states, types and protections of a [MemoryInfo] that matter here
// (MEM_* and PAGE_* of winnt.h).
const (
	MemCommit  = 0x1000
	MemReserve = 0x2000
	MemFree    = 0x10000

	MemPrivate = 0x20000
	MemMapped  = 0x40000
	MemImage   = 0x1000000
)

// MemoryInfo describes a region of the address space, captured or not
// (MINIDUMP_MEMORY_INFO, 48 bytes).
type MemoryInfo struct {
	BaseAddress       VA
	AllocationBase    VA
	AllocationProtect uint32 // PAGE_*
	RegionSize        uint64 // bytes
	State             uint32 // MemCommit, MemReserve or MemFree
	Protect           uint32 // PAGE_*
	Type              uint32 // MemPrivate, MemMapped or MemImage
}

// Writable reports whether the process may write to the region: read-write,
// copy-on-write, or executable forms of these.
func (m MemoryInfo) Writable() bool {
	const readWrite, writeCopy, executeReadWrite, executeWriteCopy = 0x4, 0x8, 0x40, 0x80
	return m.Protect&(readWrite|writeCopy|executeReadWrite|executeWriteCopy) != 0
}

// A MemoryInfoList describes the whole address space, region by region
// (MINIDUMP_MEMORY_INFO_LIST). Regions come in the order of the file, in
// practice by ascending address.
type MemoryInfoList struct {
	SizeOfHeader    uint32 // bytes
	SizeOfEntry     uint32 // bytes
	NumberOfEntries uint64 // as declared; the file may hold fewer

	f     *File
	table table
}

// MemoryInfos reads the header of the MemoryInfoList, which a dump has if it
// was written with MiniDumpWithFullMemoryInfo; otherwise the error wraps
// [ErrNoStream].
func (f *File) MemoryInfos() (*MemoryInfoList, error) {
	t, err := f.exTable(MemoryInfoListStream, 48, true, "memory regions")
	if err != nil {
		return nil, err
	}
	return &MemoryInfoList{
		SizeOfHeader: t.header, SizeOfEntry: uint32(t.stride), NumberOfEntries: t.declared,
		f: f, table: t,
	}, nil
}

// Len returns how many of the declared regions are in the file, with an error
// if that is not all of them. All makes just so many steps.
func (l *MemoryInfoList) Len() (int, error) { return l.table.len(l.f.size) }

// All iterates over the regions in the order of the file, reading it window by
// window. Every step is a region, so that there are [MemoryInfoList.Len] steps;
// one that could not be read is zero and comes with an error that wraps
// [ErrUnreadable]. The pointer is never nil, and valid until the next step.
func (l *MemoryInfoList) All() iter.Seq2[*MemoryInfo, error] {
	return steps(l.f, l.table, func() func(record []byte, m *MemoryInfo) error { return decodeMemoryInfo })
}

func decodeMemoryInfo(record []byte, m *MemoryInfo) error {
	c := &cursor{buf: record, stream: MemoryInfoListStream}
	*m = MemoryInfo{BaseAddress: c.va(), AllocationBase: c.va(), AllocationProtect: c.u32()}
	c.skip(4)
	m.RegionSize = c.u64()
	m.State, m.Protect, m.Type = c.u32(), c.u32(), c.u32()
	return c.err
}
