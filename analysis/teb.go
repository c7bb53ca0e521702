package analysis

import (
	"github.com/dumpscan/dumpscan/minidump"
)

// A TEB is what Windows and the program keep for a thread (TEB of winternl.h;
// the offsets are those of Wine's header and of Windows alike).
type TEB struct {
	Address     minidump.VA
	PointerSize int // bytes: 4 for that of the 32-bit half of a WOW64 process

	ExceptionList        minidump.VA // of 32-bit code; that of a 64-bit TEB of WOW64 leads to the 32-bit TEB
	StackBase            minidump.VA // behind the highest byte of the stack
	StackLimit           minidump.VA // the lowest that is committed
	SubSystemTib         minidump.VA
	FiberData            uint64 // an address, or the version of the structure
	ArbitraryUserPointer minidump.VA
	Self                 minidump.VA
	EnvironmentPointer   minidump.VA
	ProcessID, ThreadID  uint64
	RPCHandle            uint64
	TLSStorage           minidump.VA // the array of the modules' static thread-local variables
	PEB                  minidump.VA
	LastError            uint32 // what GetLastError returns
	OwnedLocks           uint32 // critical sections that the thread is in, as far as they count

	// The rest lies far behind, and is known only if Whole says so.
	Whole             bool
	LastStatus        uint32      // NTSTATUS of the last call of the system that failed
	DeallocationStack minidump.VA // the lowest address that is reserved for the stack
	HardErrorMode     uint32
}

// Where a TEB has its fields: see winternl.h.
var (
	tebExceptionList     = field{0x000, 0x0000}
	tebStackBase         = field{0x004, 0x0008}
	tebStackLimit        = field{0x008, 0x0010}
	tebSubSystemTib      = field{0x00c, 0x0018}
	tebFiberData         = field{0x010, 0x0020}
	tebArbitrary         = field{0x014, 0x0028}
	tebSelf              = field{0x018, 0x0030}
	tebEnvironment       = field{0x01c, 0x0038}
	tebProcessID         = field{0x020, 0x0040}
	tebThreadID          = field{0x024, 0x0048}
	tebRPCHandle         = field{0x028, 0x0050}
	tebTLSStorage        = field{0x02c, 0x0058}
	tebPEB               = field{0x030, 0x0060}
	tebLastError         = field{0x034, 0x0068}
	tebOwnedLocks        = field{0x038, 0x006c}
	tebFront             = field{0x03c, 0x0070} // behind what has to be there
	tebLastStatus        = field{0xbf4, 0x1250}
	tebDeallocationStack = field{0xe0c, 0x1478}
	tebHardErrorMode     = field{0xf28, 0x16b0}
	tebEnd               = field{0xf2c, 0x16b4}

	tebWowOffset    = field{0, 0x180c} // from a 64-bit TEB to the 32-bit one, since Windows 10
	tebWowOffsetEnd = field{0, 0x1810}
)

// readTEB reads the TEB at an address. It is nil if the dump does not hold so
// much of it that the last error is there, or if it is none: every TEB knows its
// own address, and what other systems than Windows have there does not.
func readTEB(m *processMemory, at minidump.VA, pointer int) *TEB {
	s, err := m.structure("the TEB", at, pointer, tebFront)
	if err != nil || len(s.buf) < tebFront.of(pointer) {
		return nil
	}
	t := &TEB{
		Address: at, PointerSize: pointer,
		ExceptionList: s.va(tebExceptionList), StackBase: s.va(tebStackBase), StackLimit: s.va(tebStackLimit),
		SubSystemTib: s.va(tebSubSystemTib), FiberData: s.ptr(tebFiberData), ArbitraryUserPointer: s.va(tebArbitrary),
		Self: s.va(tebSelf), EnvironmentPointer: s.va(tebEnvironment),
		ProcessID: s.ptr(tebProcessID), ThreadID: s.ptr(tebThreadID),
		RPCHandle: s.ptr(tebRPCHandle), TLSStorage: s.va(tebTLSStorage), PEB: s.va(tebPEB),
		LastError: s.u32(tebLastError), OwnedLocks: s.u32(tebOwnedLocks),
	}
	if t.Self != at {
		return nil
	}
	rest, err := m.part("the TEB", at, pointer, tebLastStatus, tebEnd)
	if err == nil && len(rest.buf) == tebEnd.of(pointer)-tebLastStatus.of(pointer) {
		t.Whole = true
		t.LastStatus, t.DeallocationStack, t.HardErrorMode = rest.u32(tebLastStatus), rest.va(tebDeallocationStack), rest.u32(tebHardErrorMode)
	}
	return t
}

// readTEB32 reads the 32-bit TEB behind a 64-bit one of a WOW64 process. Every
// Windows has its address in ExceptionList, Windows 10 and Wine its distance as
// well.
func readTEB32(m *processMemory, t *TEB) *TEB {
	candidates := []minidump.VA{t.ExceptionList}
	if s, err := m.part("the TEB", t.Address, 8, tebWowOffset, tebWowOffsetEnd); err == nil {
		if off := int32(s.u32(tebWowOffset)); off != 0 {
			candidates = append(candidates, t.Address+minidump.VA(int64(off)))
		}
	}
	for _, at := range candidates {
		if at == 0 {
			continue
		}
		if t32 := readTEB(m, at, 4); t32 != nil {
			return t32
		}
	}
	return nil
}

// readThreadTEBs reads the TEB of a thread and, for a WOW64 process, the 32-bit
// one. Each is nil if the dump does not hold it.
func readThreadTEBs(m *processMemory, t *minidump.Thread, pointer int, wow64 bool) (teb, teb32 *TEB) {
	if t.Teb == 0 || pointer == 0 {
		return nil, nil
	}
	teb = readTEB(m, t.Teb, pointer)
	if teb != nil && wow64 {
		teb32 = readTEB32(m, teb)
	}
	return teb, teb32
}
