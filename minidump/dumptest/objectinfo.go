package dumptest

import "encoding/binary"

// ObjectInformation is one MINIDUMP_HANDLE_OBJECT_INFORMATION of a handle's
// chain. Its payload is the native structure of the dumping system, in its 32-
// or 64-bit form.
type ObjectInformation interface {
	infoType() uint32
	payload(ptr int, padding byte) []byte
}

// ThreadInformation (type 1) is a THREAD_BASIC_INFORMATION, 28 or 48 bytes.
type ThreadInformation struct {
	ExitStatus   uint32 // 0x103 while running; 0 with Teb 0 is a thread that has exited
	Teb          uint64
	ProcessID    uint64
	ThreadID     uint64
	AffinityMask uint64
	Priority     int32
	BasePriority int32 // relative to the process
}

func (ThreadInformation) infoType() uint32 { return 1 }

func (t ThreadInformation) payload(ptr int, padding byte) []byte {
	var b bytesOf
	b.u32(t.ExitStatus)
	b.fill(ptr-4, padding)
	b.ptr(ptr, t.Teb)
	b.ptr(ptr, t.ProcessID)
	b.ptr(ptr, t.ThreadID)
	b.ptr(ptr, t.AffinityMask)
	b.u32(uint32(t.Priority))
	b.u32(uint32(t.BasePriority))
	return b
}

// MutantInformation (type 2) is a MUTANT_BASIC_INFORMATION of 8 bytes.
type MutantInformation struct {
	CurrentCount  int32 // 1 free, 0 owned once, -1 owned twice, …
	OwnedByCaller bool
	Abandoned     bool
}

func (MutantInformation) infoType() uint32 { return 2 }

func (m MutantInformation) payload(_ int, padding byte) []byte {
	var b bytesOf
	b.u32(uint32(m.CurrentCount))
	b.u8(bit(m.OwnedByCaller))
	b.u8(bit(m.Abandoned))
	b.fill(2, padding)
	return b
}

// MutantOwner (type 3) is a MUTANT_OWNER_INFORMATION, 8 or 16 bytes. dbghelp
// writes it before MutantInformation in the chain of every mutant.
type MutantOwner struct {
	ProcessID uint64
	ThreadID  uint64
}

func (MutantOwner) infoType() uint32 { return 3 }

func (m MutantOwner) payload(ptr int, _ byte) []byte {
	var b bytesOf
	b.ptr(ptr, m.ProcessID)
	b.ptr(ptr, m.ThreadID)
	return b
}

// ProcessInformation (type 4) is a PROCESS_BASIC_INFORMATION, 24 or 48 bytes.
type ProcessInformation struct {
	ExitStatus      uint32
	Peb             uint64
	AffinityMask    uint64
	BasePriority    int32
	ProcessID       uint64
	ParentProcessID uint64
}

func (ProcessInformation) infoType() uint32 { return 4 }

func (i ProcessInformation) payload(ptr int, padding byte) []byte {
	var b bytesOf
	b.u32(i.ExitStatus)
	b.fill(ptr-4, padding)
	b.ptr(ptr, i.Peb)
	b.ptr(ptr, i.AffinityMask)
	b.u32(uint32(i.BasePriority))
	b.fill(ptr-4, padding)
	b.ptr(ptr, i.ProcessID)
	b.ptr(ptr, i.ParentProcessID)
	return b
}

// ProcessExtended (type 5) is a PROCESS_EXTENDED_BASIC_INFORMATION, 32 or 64
// bytes.
type ProcessExtended struct {
	ProcessInformation
	Flags uint32 // 2 is WOW64
}

func (ProcessExtended) infoType() uint32 { return 5 }

func (i ProcessExtended) payload(ptr int, padding byte) []byte {
	var b bytesOf
	b.ptr(ptr, uint64(8*ptr)) // Size of the structure
	b = append(b, i.ProcessInformation.payload(ptr, padding)...)
	b.u32(i.Flags)
	b.fill(ptr-4, padding)
	return b
}

// EventInformation (type 6) is an EVENT_BASIC_INFORMATION of 8 bytes.
type EventInformation struct {
	AutoReset bool
	Set       bool
}

func (EventInformation) infoType() uint32 { return 6 }

func (e EventInformation) payload(int, byte) []byte {
	var b bytesOf
	b.u32(uint32(bit(e.AutoReset)))
	b.u32(uint32(bit(e.Set)))
	return b
}

// SectionInformation (type 7) is a SECTION_BASIC_INFORMATION, 16 or 24 bytes.
type SectionInformation struct {
	BaseAddress          uint64
	AllocationAttributes uint32 // SEC_*
	MaximumSize          int64  // bytes
}

func (SectionInformation) infoType() uint32 { return 7 }

func (s SectionInformation) payload(ptr int, padding byte) []byte {
	var b bytesOf
	b.ptr(ptr, s.BaseAddress)
	b.u32(s.AllocationAttributes)
	b.fill(ptr-4, padding)
	b.u64(uint64(s.MaximumSize))
	return b
}

// SemaphoreInformation (type 8) is a SEMAPHORE_BASIC_INFORMATION of 8 bytes.
type SemaphoreInformation struct {
	CurrentCount int32
	MaximumCount int32
}

func (SemaphoreInformation) infoType() uint32 { return 8 }

func (s SemaphoreInformation) payload(int, byte) []byte {
	var b bytesOf
	b.u32(uint32(s.CurrentCount))
	b.u32(uint32(s.MaximumCount))
	return b
}

// RawInformation is a link of any type with any payload.
type RawInformation struct {
	Type uint32
	Data []byte
}

func (r RawInformation) infoType() uint32         { return r.Type }
func (r RawInformation) payload(int, byte) []byte { return r.Data }

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// ChainOrder says how the links of a handle's object information lie in the file.
type ChainOrder int

const (
	// Backward puts the first link last, so that NextInfo points backwards:
	// what dbghelp does.
	Backward ChainOrder = iota
	// Forward puts the links in the order of the chain.
	Forward
	// Cycle is Backward with the last link pointing at the first.
	Cycle
)

const infoHeaderSize = 12

// chain appends the links of h, which start at off in the file, and returns the
// offset of the first. marked, if not nil, is told the offset of each.
func (h *Handle) chain(b []byte, off int64, ptr int, padding byte, marked func(link int, off int64)) ([]byte, int64) {
	sizes := make([]int64, len(h.Info))
	data := make([][]byte, len(h.Info))
	at := make([]int64, len(h.Info))
	order := make([]int, len(h.Info)) // links in file order
	for i, info := range h.Info {
		data[i] = info.payload(ptr, padding)
		sizes[i] = infoHeaderSize + int64(len(data[i]))
		order[i] = i
		if h.Chain != Forward {
			order[i] = len(h.Info) - 1 - i
		}
	}
	for _, link := range order {
		at[link] = off
		off += sizes[link]
		if marked != nil {
			marked(link, at[link])
		}
	}
	for _, link := range order {
		next := int64(0)
		if link+1 < len(h.Info) {
			next = at[link+1]
		} else if h.Chain == Cycle {
			next = at[0]
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(next))
		b = binary.LittleEndian.AppendUint32(b, h.Info[link].infoType())
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data[link])))
		b = append(b, data[link]...)
	}
	return b, at[0]
}
