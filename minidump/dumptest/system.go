package dumptest

// Processor architectures, for [SystemInfo].
const (
	ArchX86   = 0
	ArchARM   = 5
	ArchAMD64 = 9
	ArchARM64 = 12

	ArchBreakpadARM64 = 0x8003 // Breakpad's former number, with its former context
)

// SystemInfo is a MINIDUMP_SYSTEM_INFO of 56 bytes. The zero value describes
// Windows 10 19045 on 4 processors of the architecture of [Dump.PointerSize].
type SystemInfo struct {
	ProcessorArchitecture *uint16 // nil means x86 or AMD64
	ProcessorLevel        uint16
	ProcessorRevision     uint16
	NumberOfProcessors    uint8 // 0 means 4
	ProductType           uint8 // 1 workstation, 2 domain controller, 3 server; 0 means 1
	MajorVersion          uint32
	MinorVersion          uint32
	BuildNumber           uint32 // 0 means 10.0.19045, whatever the two above say
	PlatformID            uint32 // 0 means 2, Windows NT
	CSDVersion            string // "Service Pack 2"; written even if empty, as Windows does
	SuiteMask             uint16
	// CPU is the union at the end: vendor, version and features on x86, two
	// feature words elsewhere. Nil means GenuineIntel, or zeros.
	CPU []byte
}

func (s *SystemInfo) place(p *plan) (int64, int64) {
	if s == nil {
		s = &SystemInfo{}
	}
	arch := uint16(ArchAMD64)
	if p.ptr == 4 {
		arch = ArchX86
	}
	if s.ProcessorArchitecture != nil {
		arch = *s.ProcessorArchitecture
	}
	major, minor, build := s.MajorVersion, s.MinorVersion, s.BuildNumber
	if build == 0 {
		major, minor, build = 10, 0, 19045
	}
	cpu := s.CPU
	if cpu == nil && arch == ArchX86 {
		cpu = []byte("GenuineIntel")
	}
	if len(cpu) > 24 {
		p.fail("SystemInfo.CPU has %d bytes; there is room for 24", len(cpu))
		cpu = nil
	}
	csd := p.rva("CSDVersion", appendString(nil, s.CSDVersion))

	var b bytesOf
	b.u16(arch)
	b.u16(s.ProcessorLevel)
	b.u16(s.ProcessorRevision)
	b.u8(or(s.NumberOfProcessors, 4))
	b.u8(or(s.ProductType, 1))
	b.u32(major)
	b.u32(minor)
	b.u32(build)
	b.u32(or(s.PlatformID, 2))
	b.u32(csd)
	b.u16(s.SuiteMask)
	b.u16(0) // Reserved2
	b = append(b, cpu...)
	b.fill(24-len(cpu), 0)
	return p.whole(b)
}

// MiscInfo is a MINIDUMP_MISC_INFO in one of its five versions.
type MiscInfo struct {
	// Version 1 to 5 (0 means 5) gives 24, 44, 232, 832 or 1364 bytes.
	Version int
	// SizeOfInfo, if not 0, is the size instead; what it cuts is missing and
	// what it adds is padding. crashpad writes 1368.
	SizeOfInfo uint32
	Flags1     uint32 // 0 means every part that the version has

	ProcessID         uint32
	ProcessCreateTime uint32 // seconds since 1970, UTC
	ProcessUserTime   uint32 // seconds
	ProcessKernelTime uint32 // seconds

	MaxMhz, CurrentMhz, MhzLimit   uint32 // version 2; MHz
	MaxIdleState, CurrentIdleState uint32
	ProcessIntegrityLevel          uint32 // version 3; 0x3000 is high
	ProcessExecuteFlags            uint32
	ProtectedProcess               uint32
	TimeZoneID                     uint32
	Bias                           int32 // minutes; UTC = local time + Bias
	StandardName, DaylightName     string
	StandardDate, DaylightDate     [8]uint16 // SYSTEMTIME
	StandardBias, DaylightBias     int32     // minutes
	BuildString, DbgBldStr         string    // version 4
	XStateContextSize              uint32    // version 5
	XStateEnabledFeatures          uint64
	XStateFeatures                 [64]XStateFeature
	ProcessCookie                  uint32
}

// XStateFeature is an XSTATE_FEATURE: where a part lies in an extended context.
type XStateFeature struct{ Offset, Size uint32 }

func (m *MiscInfo) place(p *plan) (int64, int64) {
	version := or(m.Version, 5)
	if version < 1 || version > 5 {
		p.fail("MiscInfo has no version %d", version)
		version = 5
	}
	size := or(m.SizeOfInfo, []uint32{24, 44, 232, 832, 1364}[version-1])
	flags := or(m.Flags1, []uint32{0x3, 0x7, 0xf7, 0x1f7, 0x3f7}[version-1])

	var b bytesOf
	b.u32(size)
	b.u32(flags)
	b.u32(m.ProcessID)
	b.u32(m.ProcessCreateTime)
	b.u32(m.ProcessUserTime)
	b.u32(m.ProcessKernelTime)
	b.u32(m.MaxMhz)
	b.u32(m.CurrentMhz)
	b.u32(m.MhzLimit)
	b.u32(m.MaxIdleState)
	b.u32(m.CurrentIdleState)
	b.u32(m.ProcessIntegrityLevel)
	b.u32(m.ProcessExecuteFlags)
	b.u32(m.ProtectedProcess)
	b.u32(m.TimeZoneID)
	b.u32(uint32(m.Bias))
	for _, season := range []struct {
		name string
		date [8]uint16
		bias int32
	}{{m.StandardName, m.StandardDate, m.StandardBias}, {m.DaylightName, m.DaylightDate, m.DaylightBias}} {
		b.fixed(season.name, 32)
		for _, v := range season.date {
			b.u16(v)
		}
		b.u32(uint32(season.bias))
	}
	b.fixed(m.BuildString, 260)
	b.fixed(m.DbgBldStr, 40)
	b.u32(528) // SizeOfInfo of XSTATE_CONFIG_FEATURE_MSC_INFO
	b.u32(m.XStateContextSize)
	b.u64(m.XStateEnabledFeatures)
	for _, f := range m.XStateFeatures {
		b.u32(f.Offset)
		b.u32(f.Size)
	}
	b.u32(m.ProcessCookie)
	if int(size) > len(b) {
		b.fill(int(size)-len(b), p.padding)
	}
	return p.whole(b[:size])
}

// ProcessVmCounters is a MINIDUMP_PROCESS_VM_COUNTERS. Sizes are bytes.
type ProcessVmCounters struct {
	Revision uint16 // 1 or 2; 0 means 2
	Flags    uint16 // revision 2; 0 means 0xf: all but the job's

	PageFaultCount                                     uint32
	PeakWorkingSetSize, WorkingSetSize                 uint64
	QuotaPeakPagedPoolUsage, QuotaPagedPoolUsage       uint64
	QuotaPeakNonPagedPoolUsage, QuotaNonPagedPoolUsage uint64
	PagefileUsage, PeakPagefileUsage                   uint64
	PeakVirtualSize, VirtualSize                       uint64 // revision 2
	PrivateUsage                                       uint64
	PrivateWorkingSetSize, SharedCommitUsage           uint64 // revision 2, like all below
	JobSharedCommitUsage, JobPrivateCommitUsage        uint64
	JobPeakPrivateCommitUsage, JobPrivateCommitLimit   uint64
	JobTotalCommitLimit                                uint64
}

func (c *ProcessVmCounters) place(p *plan) (int64, int64) {
	revision := or(c.Revision, 2)
	var b bytesOf
	b.u16(revision)
	if revision == 1 {
		b.u16(c.Flags)
	} else {
		b.u16(or(c.Flags, 0xf))
	}
	b.u32(c.PageFaultCount)
	b.u64(c.PeakWorkingSetSize)
	b.u64(c.WorkingSetSize)
	b.u64(c.QuotaPeakPagedPoolUsage)
	b.u64(c.QuotaPagedPoolUsage)
	b.u64(c.QuotaPeakNonPagedPoolUsage)
	b.u64(c.QuotaNonPagedPoolUsage)
	b.u64(c.PagefileUsage)
	b.u64(c.PeakPagefileUsage)
	if revision == 1 {
		b.u64(c.PrivateUsage)
		return p.whole(b)
	}
	b.u64(c.PeakVirtualSize)
	b.u64(c.VirtualSize)
	b.u64(c.PrivateUsage)
	b.u64(c.PrivateWorkingSetSize)
	b.u64(c.SharedCommitUsage)
	b.u64(c.JobSharedCommitUsage)
	b.u64(c.JobPrivateCommitUsage)
	b.u64(c.JobPeakPrivateCommitUsage)
	b.u64(c.JobPrivateCommitLimit)
	b.u64(c.JobTotalCommitLimit)
	return p.whole(b)
}

// Exception is a MINIDUMP_EXCEPTION_STREAM of 168 bytes.
type Exception struct {
	ThreadID         uint32
	ExceptionCode    uint32
	ExceptionFlags   uint32
	ExceptionRecord  uint64
	ExceptionAddress uint64
	Parameters       []uint64 // at most 15
	Context          []byte   // see [Registers]; empty means none
}

func (e *Exception) place(p *plan) (int64, int64) {
	if len(e.Parameters) > 15 {
		p.fail("an exception has at most 15 parameters, not %d", len(e.Parameters))
		return 0, 0
	}
	size, rva := p.context("Exception.Context", e.Context)
	var b bytesOf
	b.u32(e.ThreadID)
	b.u32(0)
	b.u32(e.ExceptionCode)
	b.u32(e.ExceptionFlags)
	b.u64(e.ExceptionRecord)
	b.u64(e.ExceptionAddress)
	b.u32(uint32(len(e.Parameters)))
	b.u32(0)
	for i := range 15 {
		if i < len(e.Parameters) {
			b.u64(e.Parameters[i])
		} else {
			b.u64(0)
		}
	}
	b.u32(size)
	b.u32(rva)
	return p.whole(b)
}

// context places a thread's registers and returns their location descriptor.
func (p *plan) context(name string, data []byte) (size, rva uint32) {
	if len(data) == 0 {
		return 0, 0
	}
	p.mark(p.end, "%s", name)
	return uint32(len(data)), p.rva(name, data)
}
