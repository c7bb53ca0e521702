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

// MemoryInfos returns the MemoryInfoList, which a dump has if it was written
// with MiniDumpWithFullMemoryInfo. The iterator reads the file as it goes; an
// error ends it.
func (f *File) MemoryInfos() (iter.Seq2[MemoryInfo, error], error) {
	t, err := f.exTable(MemoryInfoListStream, 48, true, "memory regions")
	if err != nil {
		return nil, err
	}
	return records(f, t, func(c *cursor) MemoryInfo {
		m := MemoryInfo{BaseAddress: c.va(), AllocationBase: c.va(), AllocationProtect: c.u32()}
		c.skip(4)
		m.RegionSize = c.u64()
		m.State, m.Protect, m.Type = c.u32(), c.u32(), c.u32()
		return m
	}), nil
}
