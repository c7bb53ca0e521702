package minidump

// VmCountersFlags say which parts of [ProcessVmCounters] are filled in.
type VmCountersFlags uint16

// The parts of revision 2; revision 1 has the base part and PrivateUsage.
const (
	VmCountersBase        VmCountersFlags = 0x1
	VmCountersVirtualSize VmCountersFlags = 0x2
	VmCountersEx          VmCountersFlags = 0x4
	VmCountersEx2         VmCountersFlags = 0x8
	VmCountersJob         VmCountersFlags = 0x10
)

var vmCountersFlagNames = [...]string{
	"MINIDUMP_PROCESS_VM_COUNTERS", "MINIDUMP_PROCESS_VM_COUNTERS_VIRTUALSIZE", "MINIDUMP_PROCESS_VM_COUNTERS_EX",
	"MINIDUMP_PROCESS_VM_COUNTERS_EX2", "MINIDUMP_PROCESS_VM_COUNTERS_JOB",
}

// String returns the names in minidumpapiset.h, joined by "|". Bits without a
// name come last, as one hexadecimal number; none is "0".
func (f VmCountersFlags) String() string { return bitString(uint64(f), vmCountersFlagNames[:]) }

// ProcessVmCounters are the memory counters of the process, in bytes but for
// PageFaultCount (MINIDUMP_PROCESS_VM_COUNTERS_1 and _2; 80 or 152 bytes).
// The pool quotas are what the process is charged for kernel objects such as
// those behind its handles.
type ProcessVmCounters struct {
	Revision                   uint16
	Flags                      VmCountersFlags
	PageFaultCount             uint32
	PeakWorkingSetSize         uint64
	WorkingSetSize             uint64
	QuotaPeakPagedPoolUsage    uint64
	QuotaPagedPoolUsage        uint64
	QuotaPeakNonPagedPoolUsage uint64
	QuotaNonPagedPoolUsage     uint64
	PagefileUsage              uint64
	PeakPagefileUsage          uint64
	PeakVirtualSize            uint64 // VmCountersVirtualSize
	VirtualSize                uint64
	PrivateUsage               uint64 // VmCountersEx
	PrivateWorkingSetSize      uint64 // VmCountersEx2
	SharedCommitUsage          uint64
	JobSharedCommitUsage       uint64 // VmCountersJob; the rest is zero if the stream ends before it
	JobPrivateCommitUsage      uint64
	JobPeakPrivateCommitUsage  uint64
	JobPrivateCommitLimit      uint64
	JobTotalCommitLimit        uint64
}

// ProcessVmCounters decodes the ProcessVmCountersStream, which dbgcore writes
// since Windows 8.1.
func (f *File) ProcessVmCounters() (*ProcessVmCounters, error) {
	c, _, err := f.loadStream(ProcessVmCountersStream, 152)
	if err != nil {
		return nil, err
	}
	v := &ProcessVmCounters{Revision: c.u16(), Flags: VmCountersFlags(c.u16()), PageFaultCount: c.u32()}
	for _, p := range []*uint64{
		&v.PeakWorkingSetSize, &v.WorkingSetSize,
		&v.QuotaPeakPagedPoolUsage, &v.QuotaPagedPoolUsage,
		&v.QuotaPeakNonPagedPoolUsage, &v.QuotaNonPagedPoolUsage,
		&v.PagefileUsage, &v.PeakPagefileUsage,
	} {
		*p = c.u64()
	}
	if v.Revision == 1 {
		v.Flags = VmCountersBase | VmCountersEx
		v.PrivateUsage = c.u64()
	} else {
		v.PeakVirtualSize, v.VirtualSize = c.u64(), c.u64()
		v.PrivateUsage = c.u64()
		v.PrivateWorkingSetSize, v.SharedCommitUsage = c.u64(), c.u64()
		if c.left() >= 5*8 {
			v.JobSharedCommitUsage, v.JobPrivateCommitUsage, v.JobPeakPrivateCommitUsage = c.u64(), c.u64(), c.u64()
			v.JobPrivateCommitLimit, v.JobTotalCommitLimit = c.u64(), c.u64()
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return v, nil
}
