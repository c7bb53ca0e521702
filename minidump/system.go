package minidump

import "fmt"

// A ProcessorArchitecture is the instruction set that a dump is written for
// (PROCESSOR_ARCHITECTURE_* of winnt.h; from 0x8001 on Breakpad's own).
type ProcessorArchitecture uint16

// The architectures that occur in dumps of today.
const (
	ProcessorX86     ProcessorArchitecture = 0
	ProcessorARM     ProcessorArchitecture = 5
	ProcessorIA64    ProcessorArchitecture = 6
	ProcessorAMD64   ProcessorArchitecture = 9
	ProcessorARM64   ProcessorArchitecture = 12
	ProcessorUnknown ProcessorArchitecture = 0xffff
)

var processors = map[ProcessorArchitecture]struct {
	name    string
	pointer int
}{
	ProcessorX86:   {"x86", 4},
	1:              {"MIPS", 4},
	3:              {"PowerPC", 4},
	ProcessorARM:   {"ARM", 4},
	ProcessorIA64:  {"IA64", 8},
	ProcessorAMD64: {"AMD64", 8},
	10:             {"x86 on Win64", 4},
	ProcessorARM64: {"ARM64", 8},
	0x8001:         {"SPARC", 4},
	0x8002:         {"PowerPC 64", 8},
	0x8003:         {"ARM64 (Breakpad)", 8},
	0x8004:         {"MIPS64", 8},
}

// String returns the name of the architecture, such as "AMD64".
func (p ProcessorArchitecture) String() string {
	if a, ok := processors[p]; ok {
		return a.name
	}
	return fmt.Sprintf("ProcessorArchitecture(%#x)", uint16(p))
}

// PointerSize returns 4 or 8 bytes, or 0 for an unknown architecture.
func (p ProcessorArchitecture) PointerSize() int { return processors[p].pointer }

// A PlatformID is the operating system of the dumped process
// (VER_PLATFORM_* of winnt.h; from 0x8000 on Breakpad's own).
type PlatformID uint32

// The platforms that dumps are met from.
const (
	PlatformWindowsNT PlatformID = 2 // every Windows since NT 3.1
	PlatformMacOS     PlatformID = 0x8101
	PlatformIOS       PlatformID = 0x8102
	PlatformLinux     PlatformID = 0x8201
	PlatformAndroid   PlatformID = 0x8203
)

var platforms = map[PlatformID]string{
	1: "Windows 9x", PlatformWindowsNT: "Windows NT", 0x8000: "Unix", PlatformMacOS: "macOS", PlatformIOS: "iOS",
	PlatformLinux: "Linux", 0x8202: "Solaris", PlatformAndroid: "Android", 0x8204: "PS3", 0x8205: "NaCl", 0x8206: "Fuchsia",
}

// String returns the name of the platform, such as "Windows NT".
func (p PlatformID) String() string {
	if s, ok := platforms[p]; ok {
		return s
	}
	return fmt.Sprintf("PlatformID(%#x)", uint32(p))
}

// A ProductType tells a Windows server from a client (VER_NT_* of winnt.h).
// Other systems leave it 0.
type ProductType uint8

// The product types.
const (
	ProductWorkstation      ProductType = 1
	ProductDomainController ProductType = 2
	ProductServer           ProductType = 3
)

// String returns the name in winnt.h, such as "VER_NT_WORKSTATION".
func (t ProductType) String() string {
	switch t {
	case ProductWorkstation:
		return "VER_NT_WORKSTATION"
	case ProductDomainController:
		return "VER_NT_DOMAIN_CONTROLLER"
	case ProductServer:
		return "VER_NT_SERVER"
	}
	return fmt.Sprintf("ProductType(%d)", uint8(t))
}

// SystemInfo describes the machine and its operating system
// (MINIDUMP_SYSTEM_INFO, 56 bytes).
type SystemInfo struct {
	ProcessorArchitecture ProcessorArchitecture
	ProcessorLevel        uint16 // the family, on x86 and AMD64
	ProcessorRevision     uint16 // the model in the high byte and the stepping in the low one, on x86 and AMD64
	NumberOfProcessors    uint8
	ProductType           ProductType
	MajorVersion          uint32 // of the operating system, as the two below
	MinorVersion          uint32
	BuildNumber           uint32
	PlatformID            PlatformID
	CSDVersion            string // service pack on Windows; the whole version of the kernel on other systems
	SuiteMask             SuiteMask
	CPU                   CPUInformation
}

// SystemInfo decodes the SystemInfoStream. An error with a non-nil result
// says that only the service pack's name could not be read.
func (f *File) SystemInfo() (*SystemInfo, error) {
	c, _, err := f.loadStream(SystemInfoStream, 56)
	if err != nil {
		return nil, err
	}
	s := &SystemInfo{
		ProcessorArchitecture: ProcessorArchitecture(c.u16()),
		ProcessorLevel:        c.u16(),
		ProcessorRevision:     c.u16(),
		NumberOfProcessors:    c.u8(),
		ProductType:           ProductType(c.u8()),
		MajorVersion:          c.u32(),
		MinorVersion:          c.u32(),
		BuildNumber:           c.u32(),
		PlatformID:            PlatformID(c.u32()),
	}
	csd := c.u32()
	s.SuiteMask = SuiteMask(c.u16())
	c.skip(2)
	if c.err != nil {
		return nil, c.err
	}
	copy(s.CPU[:], c.rest()) // which old writers do without
	if csd != 0 {
		names := nameReader{f: f, stream: SystemInfoStream}
		s.CSDVersion, err = names.read(uint64(csd))
	}
	return s, err
}
