package minidump

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ObjectInfoType says what an [ObjectInformation] holds
// (MINIDUMP_HANDLE_OBJECT_INFORMATION_TYPE).
type ObjectInfoType uint32

// The documented kinds.
const (
	MiniHandleObjectInformationNone ObjectInfoType = iota
	MiniThreadInformation1
	MiniMutantInformation1
	MiniMutantInformation2
	MiniProcessInformation1
	MiniProcessInformation2
	MiniEventInformation1
	MiniSectionInformation1
	MiniSemaphoreInformation1
)

var objectInfoNames = [...]string{
	"MiniHandleObjectInformationNone", "MiniThreadInformation1", "MiniMutantInformation1",
	"MiniMutantInformation2", "MiniProcessInformation1", "MiniProcessInformation2",
	"MiniEventInformation1", "MiniSectionInformation1", "MiniSemaphoreInformation1",
}

// String returns the specification's name.
func (t ObjectInfoType) String() string {
	if int(t) < len(objectInfoNames) {
		return objectInfoNames[t]
	}
	return fmt.Sprintf("ObjectInfoType(%d)", uint32(t))
}

// ObjectInformation is one link of the chain of facts about the object behind
// a handle (MINIDUMP_HANDLE_OBJECT_INFORMATION). Microsoft does not describe
// the data; it is what the native query of the dumping system returned, and
// Decode reads the known kinds.
type ObjectInformation struct {
	InfoType ObjectInfoType
	Data     []byte // at most 4096 bytes
}

// ObjectInfo is what [ObjectInformation.Decode] returns: one of
// ThreadInformation, MutantInformation, MutantOwner, ProcessInformation,
// EventInformation, SectionInformation and SemaphoreInformation.
type ObjectInfo interface{ objectInfo() }

// ThreadInformation is MiniThreadInformation1 (THREAD_BASIC_INFORMATION).
type ThreadInformation struct {
	ExitStatus   uint32 // StillActive while the thread runs
	Teb          VA     // 0 after it has exited
	ProcessID    uint64
	ThreadID     uint64
	AffinityMask uint64 // a bit for each processor
	Priority     int32  // 0 to 31
	BasePriority int32  // relative to the process
}

// MutantInformation is MiniMutantInformation1 (MUTANT_BASIC_INFORMATION).
type MutantInformation struct {
	CurrentCount   int32 // 1 when free; 0, -1, … when its owner has it once, twice, …
	OwnedByCaller  bool
	AbandonedState bool // its owner exited without releasing it
}

// MutantOwner is MiniMutantInformation2 (MUTANT_OWNER_INFORMATION); zero when
// the mutant is free.
type MutantOwner struct {
	ProcessID uint64
	ThreadID  uint64
}

// ProcessInformation is MiniProcessInformation1 (PROCESS_BASIC_INFORMATION)
// or MiniProcessInformation2 (PROCESS_EXTENDED_BASIC_INFORMATION).
type ProcessInformation struct {
	ExitStatus      uint32 // StillActive while the process runs
	Peb             VA
	AffinityMask    uint64 // a bit for each processor
	BasePriority    int32  // 0 to 31
	ProcessID       uint64
	ParentProcessID uint64
	Extended        bool   // MiniProcessInformation2: ExtendedFlags is known
	ExtendedFlags   uint32 // bit 0 protected, 1 WOW64, 2 deleting, 3 cross session, 4 frozen
}

// EventInformation is MiniEventInformation1 (EVENT_BASIC_INFORMATION).
type EventInformation struct {
	EventType  EventType
	EventState int32 // not 0 when the event is signaled
}

// ManualReset reports whether the event stays signaled until it is reset.
func (e EventInformation) ManualReset() bool { return e.EventType == NotificationEvent }

// Signaled reports whether the event is set.
func (e EventInformation) Signaled() bool { return e.EventState != 0 }

// An EventType says what becomes of an event that ends a wait (EVENT_TYPE).
type EventType uint32

// The types of events.
const (
	NotificationEvent    EventType = 0 // manual reset: it stays signaled
	SynchronizationEvent EventType = 1 // auto reset: it ends one wait
)

// String returns the name in the Windows headers.
func (t EventType) String() string {
	switch t {
	case NotificationEvent:
		return "NotificationEvent"
	case SynchronizationEvent:
		return "SynchronizationEvent"
	}
	return fmt.Sprintf("EventType(%d)", uint32(t))
}

// SectionInformation is MiniSectionInformation1 (SECTION_BASIC_INFORMATION).
type SectionInformation struct {
	BaseAddress          VA     // 0 unless it was asked for (SEC_BASED)
	AllocationAttributes uint32 // SEC_*
	MaximumSize          uint64 // bytes
}

// SemaphoreInformation is MiniSemaphoreInformation1
// (SEMAPHORE_BASIC_INFORMATION).
type SemaphoreInformation struct {
	CurrentCount int32 // waits that it lets pass at once
	MaximumCount int32
}

func (ThreadInformation) objectInfo()    {}
func (MutantInformation) objectInfo()    {}
func (MutantOwner) objectInfo()          {}
func (ProcessInformation) objectInfo()   {}
func (EventInformation) objectInfo()     {}
func (SectionInformation) objectInfo()   {}
func (SemaphoreInformation) objectInfo() {}

// ErrUnknownObjectInfo is wrapped by [ObjectInformation.Decode] for a kind or
// a size that is not known. The bytes are in Data.
var ErrUnknownObjectInfo = errors.New("unknown object information")

// unknownInfo is an ErrUnknownObjectInfo that costs nothing unless it is read.
type unknownInfo struct {
	kind ObjectInfoType
	size int
}

func (e unknownInfo) Error() string {
	return fmt.Sprintf("%v: %s with %d bytes", ErrUnknownObjectInfo, e.kind, e.size)
}

func (e unknownInfo) Unwrap() error { return ErrUnknownObjectInfo }

// infoSizes are the sizes in bytes of the 64- and the 32-bit form.
var infoSizes = map[ObjectInfoType][2]int{
	MiniThreadInformation1:    {48, 28},
	MiniMutantInformation1:    {8, 8},
	MiniMutantInformation2:    {16, 8},
	MiniProcessInformation1:   {48, 24},
	MiniProcessInformation2:   {64, 32},
	MiniEventInformation1:     {8, 8},
	MiniSectionInformation1:   {24, 16},
	MiniSemaphoreInformation1: {8, 8},
}

// form chooses between the 64- and the 32-bit layout by size alone, since a
// 64-bit writer describes a 32-bit process in its own layout.
func (o ObjectInformation) form() (ptr int, ok bool) {
	sizes, known := infoSizes[o.InfoType]
	switch n := len(o.Data); {
	case !known:
		return 0, false
	case n >= sizes[0]:
		return 8, true
	case n >= sizes[1]:
		return 4, true
	}
	return 0, false
}

// Decode returns the information as one of the types listed at [ObjectInfo].
// The layouts are those of the native structures named there, which Microsoft
// does not document; the sizes of Windows 10 and 11, x64, were checked against
// real dumps, the 32-bit forms and those of processes were not.
func (o ObjectInformation) Decode() (ObjectInfo, error) {
	ptr, ok := o.form()
	if !ok {
		return nil, unknownInfo{o.InfoType, len(o.Data)}
	}
	c := &cursor{buf: o.Data, stream: HandleDataStream}
	align := func() { c.skip(ptr - 4) } // padding before a pointer
	switch o.InfoType {
	case MiniThreadInformation1:
		var t ThreadInformation
		t.ExitStatus = c.u32()
		align()
		t.Teb, t.ProcessID, t.ThreadID, t.AffinityMask = VA(c.ptr(ptr)), c.ptr(ptr), c.ptr(ptr), c.ptr(ptr)
		t.Priority, t.BasePriority = c.i32(), c.i32()
		return t, nil
	case MiniMutantInformation1:
		return MutantInformation{CurrentCount: c.i32(), OwnedByCaller: c.bool8(), AbandonedState: c.bool8()}, nil
	case MiniMutantInformation2:
		return MutantOwner{ProcessID: c.ptr(ptr), ThreadID: c.ptr(ptr)}, nil
	case MiniProcessInformation1, MiniProcessInformation2:
		var p ProcessInformation
		if p.Extended = o.InfoType == MiniProcessInformation2; p.Extended {
			c.ptr(ptr) // size of the structure
		}
		p.ExitStatus = c.u32()
		align()
		p.Peb, p.AffinityMask = VA(c.ptr(ptr)), c.ptr(ptr)
		p.BasePriority = c.i32()
		align()
		p.ProcessID, p.ParentProcessID = c.ptr(ptr), c.ptr(ptr)
		if p.Extended {
			p.ExtendedFlags = c.u32()
		}
		return p, nil
	case MiniEventInformation1:
		return EventInformation{EventType: EventType(c.u32()), EventState: c.i32()}, nil
	case MiniSectionInformation1:
		var s SectionInformation
		s.BaseAddress, s.AllocationAttributes = VA(c.ptr(ptr)), c.u32()
		align()
		s.MaximumSize = c.u64()
		return s, nil
	default: // form knows no other kind
		return SemaphoreInformation{CurrentCount: c.i32(), MaximumCount: c.i32()}, nil
	}
}

const (
	objectInfoHeader = 12
	// maxObjectInfo bounds the data of one link; the largest known has 64.
	maxObjectInfo = 4096
	// maxChain bounds the links of one handle. A mutant and a process have
	// two; there are eight kinds.
	maxChain = 64
)

// objectInfo follows the chain of object information at rva. Links may point
// backwards, and in a hostile file in circles.
func (r *handleReader) objectInfo(rva uint32) ([]ObjectInformation, error) {
	var chain []ObjectInformation
	seen := make([]uint32, 0, 4)
	for rva != 0 {
		for _, s := range seen {
			if s == rva {
				return chain, formatErrorf(HandleDataStream, int64(rva), "chain of object information runs in a circle")
			}
		}
		if len(chain) == maxChain {
			return chain, formatErrorf(HandleDataStream, int64(rva), "chain of object information has more than %d links", maxChain)
		}
		seen = append(seen, rva)
		o, next, err := r.link(int64(rva))
		if err != nil {
			return chain, err
		}
		chain = append(chain, o)
		rva = next
	}
	return chain, nil
}

// link reads one link of a chain and the RVA of the link behind it.
func (r *handleReader) link(off int64) (o ObjectInformation, next uint32, err error) {
	if off > r.f.size-objectInfoHeader {
		return o, 0, formatErrorf(HandleDataStream, off, "object information outside the file of %d bytes", r.f.size)
	}
	p, err := r.win.at(off, objectInfoHeader)
	if err != nil {
		return o, 0, &FormatError{Stream: HandleDataStream, Off: off, Msg: "reading object information", Err: err}
	}
	next = binary.LittleEndian.Uint32(p)
	o.InfoType = ObjectInfoType(binary.LittleEndian.Uint32(p[4:]))
	n := binary.LittleEndian.Uint32(p[8:])
	if n > maxObjectInfo || int64(n) > r.f.size-off-objectInfoHeader {
		return o, 0, formatErrorf(HandleDataStream, off, "object information of %d bytes", n)
	}
	// To decode a link costs far more than its bytes do, and no writer shares
	// one between handles.
	if err := r.names.spend(off, 4*(objectInfoHeader+int(n))); err != nil {
		return o, 0, err
	}
	p, err = r.win.at(off+objectInfoHeader, int(n))
	if err != nil {
		return o, 0, &FormatError{Stream: HandleDataStream, Off: off, Msg: "reading object information", Err: err}
	}
	o.Data = append([]byte(nil), p...)
	return o, next, nil
}
