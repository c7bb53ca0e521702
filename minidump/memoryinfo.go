package minidump

import (
	"fmt"
	"iter"
)

// A MemoryState says whether a region of the address space is in use (MEM_* of
// winnt.h).
type MemoryState uint32

// The states of a region.
const (
	MemCommit  MemoryState = 0x1000
	MemReserve MemoryState = 0x2000
	MemFree    MemoryState = 0x10000
)

// String returns the name in winnt.h, such as "MEM_COMMIT".
func (s MemoryState) String() string {
	switch s {
	case MemCommit:
		return "MEM_COMMIT"
	case MemReserve:
		return "MEM_RESERVE"
	case MemFree:
		return "MEM_FREE"
	}
	return fmt.Sprintf("MemoryState(%#x)", uint32(s))
}

// A MemoryType says what the pages of a region come from (MEM_* of winnt.h). It
// is 0 for a region that is free.
type MemoryType uint32

// The types of a region.
const (
	MemPrivate MemoryType = 0x20000
	MemMapped  MemoryType = 0x40000   // a section, such as a data file
	MemImage   MemoryType = 0x1000000 // a section of a program or DLL
)

// String returns the name in winnt.h, such as "MEM_PRIVATE".
func (t MemoryType) String() string {
	switch t {
	case MemPrivate:
		return "MEM_PRIVATE"
	case MemMapped:
		return "MEM_MAPPED"
	case MemImage:
		return "MEM_IMAGE"
	}
	return fmt.Sprintf("MemoryType(%#x)", uint32(t))
}

// A Protection says what the process may do with the pages of a region: one of
// the first eight, and any of the others with it (PAGE_* of winnt.h).
type Protection uint32

// The protections of a region.
const (
	PageNoAccess         Protection = 0x1
	PageReadOnly         Protection = 0x2
	PageReadWrite        Protection = 0x4
	PageWriteCopy        Protection = 0x8
	PageExecute          Protection = 0x10
	PageExecuteRead      Protection = 0x20
	PageExecuteReadWrite Protection = 0x40
	PageExecuteWriteCopy Protection = 0x80

	PageGuard          Protection = 0x100
	PageNoCache        Protection = 0x200
	PageWriteCombine   Protection = 0x400
	PageTargetsInvalid Protection = 0x40000000
)

var protectionNames = [...]string{
	"PAGE_NOACCESS", "PAGE_READONLY", "PAGE_READWRITE", "PAGE_WRITECOPY",
	"PAGE_EXECUTE", "PAGE_EXECUTE_READ", "PAGE_EXECUTE_READWRITE", "PAGE_EXECUTE_WRITECOPY",
	"PAGE_GUARD", "PAGE_NOCACHE", "PAGE_WRITECOMBINE", 30: "PAGE_TARGETS_INVALID",
}

// String returns the names in winnt.h, such as "PAGE_READWRITE|PAGE_GUARD".
// Bits without a name come last, as one hexadecimal number; none is "0".
func (p Protection) String() string { return bitString(uint64(p), protectionNames[:]) }

// Writable reports whether the process may write to the pages: read-write,
// copy-on-write, or the executable forms of these.
func (p Protection) Writable() bool {
	return p&(PageReadWrite|PageWriteCopy|PageExecuteReadWrite|PageExecuteWriteCopy) != 0
}

// MemoryInfo describes a region of the address space, captured or not
// (MINIDUMP_MEMORY_INFO, 48 bytes).
type MemoryInfo struct {
	BaseAddress       VA
	AllocationBase    VA         // the base of the allocation that the region is part of; 0 if free
	AllocationProtect Protection // when it was allocated; 0 if free
	RegionSize        uint64     // bytes
	State             MemoryState
	Protect           Protection // 0 if reserved, PageNoAccess if free
	Type              MemoryType
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
	*m = MemoryInfo{BaseAddress: c.va(), AllocationBase: c.va(), AllocationProtect: Protection(c.u32())}
	c.skip(4)
	m.RegionSize = c.u64()
	m.State, m.Protect, m.Type = MemoryState(c.u32()), Protection(c.u32()), MemoryType(c.u32())
	return c.err
}
