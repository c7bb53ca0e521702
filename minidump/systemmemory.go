package minidump

// SystemMemoryFlags say which parts of a [SystemMemoryInfo] are filled in
// (MINIDUMP_SYSMEMINFO1_*).
type SystemMemoryFlags uint16

// The parts that not every Windows has.
const (
	SystemMemoryFileCacheTransition SystemMemoryFlags = 0x1
	SystemMemoryBasicPerf           SystemMemoryFlags = 0x2
	SystemMemoryPerfDirtyPages      SystemMemoryFlags = 0x4  // PerfInfo from CcTotalDirtyPages on
	SystemMemoryPerfCommit          SystemMemoryFlags = 0x8  // PerfInfo from ResidentAvailablePages on
	SystemMemoryPerfMdlPages        SystemMemoryFlags = 0x10 // PerfInfo from MdlPagesAllocated on
	SystemMemoryPerfSystemPages     SystemMemoryFlags = 0x20 // PerfInfo from SystemPageTableCommittedPages on
)

var systemMemoryFlagNames = [...]string{
	"MINIDUMP_SYSMEMINFO1_FILECACHE_TRANSITIONREPURPOSECOUNT_FLAGS", "MINIDUMP_SYSMEMINFO1_BASICPERF",
	"MINIDUMP_SYSMEMINFO1_PERF_CCTOTALDIRTYPAGES_CCDIRTYPAGETHRESHOLD", "MINIDUMP_SYSMEMINFO1_PERF_RESIDENTAVAILABLEPAGES_SHAREDCOMMITPAGES",
	"MINIDUMP_SYSMEMINFO1_PERF_MDLPAGESALLOCATED_PFNDATABASECOMMITTEDPAGES", "MINIDUMP_SYSMEMINFO1_PERF_SYSTEMPAGETABLECOMMITTEDPAGES_CONTIGUOUSPAGESALLOCATED",
}

// String returns the names in minidumpapiset.h, joined by "|". Bits without a
// name come last, as one hexadecimal number; none is "0".
func (f SystemMemoryFlags) String() string { return bitString(uint64(f), systemMemoryFlagNames[:]) }

// SystemMemoryInfo is the memory of the whole machine when the dump was
// written (MINIDUMP_SYSTEM_MEMORY_INFO_1; 492 bytes, or 524 from revision 2 on).
type SystemMemoryInfo struct {
	Revision      uint16
	Flags         SystemMemoryFlags
	BasicInfo     SystemBasicInfo
	FileCacheInfo SystemFileCacheInfo
	BasicPerfInfo SystemBasicPerfInfo
	PerfInfo      SystemPerfInfo
}

// SystemBasicInfo is what does not change while the machine runs
// (MINIDUMP_SYSTEM_BASIC_INFORMATION, 52 bytes).
type SystemBasicInfo struct {
	TimerResolution              uint32 // 100 ns
	PageSize                     uint32 // bytes
	NumberOfPhysicalPages        uint32
	LowestPhysicalPageNumber     uint32
	HighestPhysicalPageNumber    uint32
	AllocationGranularity        uint32 // bytes
	MinimumUserModeAddress       VA
	MaximumUserModeAddress       VA
	ActiveProcessorsAffinityMask uint64 // a bit for each processor
	NumberOfProcessors           uint32
}

// SystemFileCacheInfo is the working set of the system's file cache
// (MINIDUMP_SYSTEM_FILECACHE_INFORMATION, 60 bytes).
type SystemFileCacheInfo struct {
	CurrentSize                           uint64 // bytes, as all sizes here
	PeakSize                              uint64
	PageFaultCount                        uint32
	MinimumWorkingSet                     uint64
	MaximumWorkingSet                     uint64
	CurrentSizeIncludingTransitionInPages uint64 // pages
	PeakSizeIncludingTransitionInPages    uint64 // pages
	TransitionRePurposeCount              uint32
	Flags                                 uint32
}

// SystemBasicPerfInfo says how much memory is in use, in pages
// (MINIDUMP_SYSTEM_BASIC_PERFORMANCE_INFORMATION, 32 bytes).
type SystemBasicPerfInfo struct {
	AvailablePages uint64
	CommittedPages uint64
	CommitLimit    uint64 // what CommittedPages may grow to
	PeakCommitment uint64
}

// SystemMemoryInfo decodes the SystemMemoryInfoStream, which dbgcore writes
// since Windows 8.1.
func (f *File) SystemMemoryInfo() (*SystemMemoryInfo, error) {
	c, _, err := f.loadStream(SystemMemoryInfoStream, 524)
	if err != nil {
		return nil, err
	}
	m := &SystemMemoryInfo{Revision: c.u16(), Flags: SystemMemoryFlags(c.u16())}
	m.BasicInfo = SystemBasicInfo{
		TimerResolution: c.u32(), PageSize: c.u32(), NumberOfPhysicalPages: c.u32(),
		LowestPhysicalPageNumber: c.u32(), HighestPhysicalPageNumber: c.u32(), AllocationGranularity: c.u32(),
		MinimumUserModeAddress: c.va(), MaximumUserModeAddress: c.va(),
		ActiveProcessorsAffinityMask: c.u64(), NumberOfProcessors: c.u32(),
	}
	m.FileCacheInfo = SystemFileCacheInfo{
		CurrentSize: c.u64(), PeakSize: c.u64(), PageFaultCount: c.u32(),
		MinimumWorkingSet: c.u64(), MaximumWorkingSet: c.u64(),
		CurrentSizeIncludingTransitionInPages: c.u64(), PeakSizeIncludingTransitionInPages: c.u64(),
		TransitionRePurposeCount: c.u32(), Flags: c.u32(),
	}
	m.BasicPerfInfo = SystemBasicPerfInfo{
		AvailablePages: c.u64(), CommittedPages: c.u64(), CommitLimit: c.u64(), PeakCommitment: c.u64(),
	}
	m.PerfInfo = c.systemPerfInfo(m.Revision)
	if c.err != nil {
		return nil, c.err
	}
	return m, nil
}
