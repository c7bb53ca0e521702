package dumptest

// SystemMemoryInfo is a MINIDUMP_SYSTEM_MEMORY_INFO_1 of revision 1. All but
// PageSize are counts of pages.
type SystemMemoryInfo struct {
	PageSize, NumberOfPhysicalPages                             uint32
	AvailablePages, CommittedPages, CommitLimit, PeakCommitment uint64
	PagedPoolPages, NonPagedPoolPages                           uint32
}

func (m *SystemMemoryInfo) place(p *plan) (int64, int64) {
	var b bytesOf
	b.u16(1) // Revision
	b.u16(0xf)
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
	b.fill(492-len(b), p.padding)
	return p.whole(b)
}
