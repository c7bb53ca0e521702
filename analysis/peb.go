package analysis

import (
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// A PEB is what Windows and the program keep for a process (PEB of winternl.h;
// the offsets are those of Wine's header and of Windows alike).
type PEB struct {
	Address     minidump.VA
	PointerSize int // bytes: 4 for that of the 32-bit half of a WOW64 process

	InheritedAddressSpace    bool
	ReadImageFileExecOptions bool
	BeingDebugged            bool
	ImageBaseAddress         minidump.VA // of the program
	Ldr                      minidump.VA
	ProcessParameters        minidump.VA
	SubSystemData            minidump.VA
	ProcessHeap              minidump.VA
	NumberOfProcessors       uint32
	NtGlobalFlag             uint32 // FLG_*, as gflags.exe shows them
	NumberOfHeaps            uint32
	ProcessHeaps             minidump.VA // the array of the heaps' addresses
	OSMajorVersion           uint32
	OSMinorVersion           uint32
	OSBuildNumber            uint16
	OSPlatformID             uint32
	ImageSubSystem           uint32 // IMAGE_SUBSYSTEM_*: 2 with windows, 3 a console
	SessionID                uint32
	NtGlobalFlag2            *uint32 // nil before Windows 10 1809, and if it was not captured

	Heaps      []minidump.VA      // those of ProcessHeaps that were captured
	Loader     *Loader            // what Ldr leads to; nil if it was not captured
	Parameters *ProcessParameters // likewise
	// Missing are the parts that the dump does not hold, "the environment".
	Missing []string
	// Problems are the parts that are damaged, or could not be read.
	Problems []error
}

// Where a PEB has its fields: see winternl.h.
var (
	pebInherited        = field{0x000, 0x000}
	pebReadOptions      = field{0x001, 0x001}
	pebBeingDebugged    = field{0x002, 0x002}
	pebImageBase        = field{0x008, 0x010}
	pebLdr              = field{0x00c, 0x018}
	pebParameters       = field{0x010, 0x020}
	pebSubSystemData    = field{0x014, 0x028}
	pebProcessHeap      = field{0x018, 0x030}
	pebFront            = field{0x01c, 0x038} // behind what has to be there
	pebProcessors       = field{0x064, 0x0b8}
	pebNtGlobalFlag     = field{0x068, 0x0bc}
	pebNumberOfHeaps    = field{0x088, 0x0e8}
	pebProcessHeaps     = field{0x090, 0x0f0}
	pebOSMajor          = field{0x0a4, 0x118}
	pebOSMinor          = field{0x0a8, 0x11c}
	pebOSBuild          = field{0x0ac, 0x120}
	pebOSPlatform       = field{0x0b0, 0x124}
	pebSubSystem        = field{0x0b4, 0x128}
	pebSessionID        = field{0x1d4, 0x2c0}
	pebNtGlobalFlag2    = field{0x478, 0x7c4}
	pebNtGlobalFlag2End = field{0x47c, 0x7c8}
)

// globalFlag2Build is the first build of Windows with an NtGlobalFlag2 there:
// Windows 10 1809.
const globalFlag2Build = 17763

// CaptureProcess is how to capture the PEB and the TEBs.
const CaptureProcess = "capture with MiniDumpWithProcessThreadData: procdump -ma PID, or in WinDbg .dump /mp FILE"

// ReadPEBs reads the PEB of a process, to which the TEB of each thread leads.
// A WOW64 process has one for each half: the 64-bit one comes first. The error
// is a [*MissingError] if the dump holds none.
func ReadPEBs(f *minidump.File) ([]PEB, error) {
	memory, err := f.Memory()
	if memory == nil {
		return nil, missingPEB(f, "", err)
	}
	m := newProcessMemory(f, memory)
	threads, _ := f.Threads() // the first one that can be read is enough
	pointer, wow64 := f.PointerSize(), f.WOW64()
	why := "it does not hold the TEB of a thread, which leads there"
	for i := range threads {
		teb, teb32 := readThreadTEBs(m, &threads[i], pointer, wow64)
		if teb == nil {
			continue
		}
		peb := m.readPEB(teb.PEB, pointer)
		if peb == nil {
			why = fmt.Sprintf("it does not hold the memory at %s", teb.PEB)
			continue
		}
		pebs := []PEB{*peb}
		if teb32 != nil {
			if peb32 := m.readPEB(teb32.PEB, 4); peb32 != nil {
				pebs = append(pebs, *peb32)
			}
		}
		return pebs, nil
	}
	return nil, missingPEB(f, why, nil)
}

func missingPEB(f *minidump.File, why string, err error) error {
	e, known := missing(f, "no PEB in this dump", CaptureProcess, err)
	if !known {
		e.Why = why
	}
	return e
}

// readPEB reads the PEB at an address and what it leads to. It is nil if the
// dump does not hold the front of it.
func (m *processMemory) readPEB(at minidump.VA, pointer int) *PEB {
	s, err := m.structure("the PEB", at, pointer, pebNtGlobalFlag2End)
	if err != nil || at == 0 || len(s.buf) < pebFront.of(pointer) {
		return nil
	}
	p := &PEB{
		Address: at, PointerSize: pointer,
		InheritedAddressSpace: s.bool8(pebInherited), ReadImageFileExecOptions: s.bool8(pebReadOptions),
		BeingDebugged: s.bool8(pebBeingDebugged), ImageBaseAddress: s.va(pebImageBase),
		Ldr: s.va(pebLdr), ProcessParameters: s.va(pebParameters), SubSystemData: s.va(pebSubSystemData),
		ProcessHeap: s.va(pebProcessHeap), NumberOfProcessors: s.u32(pebProcessors), NtGlobalFlag: s.u32(pebNtGlobalFlag),
		NumberOfHeaps: s.u32(pebNumberOfHeaps), ProcessHeaps: s.va(pebProcessHeaps),
		OSMajorVersion: s.u32(pebOSMajor), OSMinorVersion: s.u32(pebOSMinor), OSBuildNumber: s.u16(pebOSBuild),
		OSPlatformID: s.u32(pebOSPlatform), ImageSubSystem: s.u32(pebSubSystem), SessionID: s.u32(pebSessionID),
	}
	if s.lost {
		p.Missing = append(p.Missing, fmt.Sprintf("the PEB behind its first %d bytes", len(s.buf)))
	}
	if p.OSBuildNumber >= globalFlag2Build && len(s.buf) >= pebNtGlobalFlag2End.of(pointer) {
		flags := s.u32(pebNtGlobalFlag2)
		p.NtGlobalFlag2 = &flags
	}
	m.readHeaps(p)
	m.readLoader(p)
	m.readParameters(p)
	return p
}

// readHeaps reads the array of heaps. What is not captured of it ends it: a
// declared number is no reason to allocate.
func (m *processMemory) readHeaps(p *PEB) {
	const piece = 512
	for first := uint64(0); first < uint64(p.NumberOfHeaps) && int64(first)*int64(p.PointerSize) < m.size; first += piece {
		n := min(uint64(p.NumberOfHeaps)-first, piece)
		buf := make([]byte, int(n)*p.PointerSize)
		got, err := m.ReadAt(buf, p.ProcessHeaps+minidump.VA(first*uint64(p.PointerSize)))
		heaps := &structure{pointer: p.PointerSize, buf: buf[:got]}
		for off := 0; off+p.PointerSize <= got; off += p.PointerSize {
			p.Heaps = append(p.Heaps, minidump.VA(heaps.pointerAt(off)))
		}
		if err != nil {
			p.lose("the list of heaps", err)
			return
		}
	}
}

// lose notes what could not be read: as missing if it was not captured, else as
// a problem.
func (p *PEB) lose(what string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, minidump.ErrNotCaptured):
		p.Missing = append(p.Missing, what)
	default:
		p.Problems = append(p.Problems, fmt.Errorf("%s: %w", what, err))
	}
}
