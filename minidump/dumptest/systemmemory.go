package dumptest

// SystemMemoryInfo is a MINIDUMP_SYSTEM_MEMORY_INFO_1, of which the fields here
// are filled in and the rest is padding. All but PageSize are counts of pages.
type SystemMemoryInfo struct {
	Revision                                                    uint16 // 0 means 1: 492 bytes; 2 means 524
	Flags                                                       uint16 // 0 means 0xf: all that revision 1 has
	PageSize, NumberOfPhysicalPages                             uint32
	AvailablePages, CommittedPages, CommitLimit, PeakCommitment uint64
	PagedPoolPages, NonPagedPoolPages                           uint32
}

func (m *SystemMemoryInfo) place(p *plan) (int64, int64) {
	var b bytesOf
	b.u16(or(m.Revision, 1))
	b.u16(or(m.Flags, 0xf))
	b.u32(156250) // TimerResolution
	b.u32(m.PageSize)
	b.u32(m.NumberOfPhysicalPages)
	b.fill(116-16, p.padding)
	b.u64(m.AvailablePages)
	b.u64(m.CommittedPages)
	b.u64(m.CommitLimit)
	b.u64(m.PeakCommitment)
	b.fill(4*8+20*4, p.padding)
	b.u32(m.PagedPoolPages)
	b.u32(m.NonPagedPoolPages)
	size := 492
	if m.Revision > 1 {
		size = 524
	}
	b.fill(size-len(b), p.padding)
	return p.whole(b)
}
