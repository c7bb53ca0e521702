package minidump

// SystemMemoryInfo is the memory of the whole machine when the dump was
// written, as far as it matters for who runs out of it
// (MINIDUMP_SYSTEM_MEMORY_INFO_1; 492 or 524 bytes). All but PageSize and
// Revision are counts of pages.
type SystemMemoryInfo struct {
	Revision              uint16
	PageSize              uint32 // bytes
	NumberOfPhysicalPages uint32
	AvailablePages        uint64
	CommittedPages        uint64
	CommitLimit           uint64 // what CommittedPages may grow to
	PeakCommitment        uint64
	PagedPoolPages        uint32
	NonPagedPoolPages     uint32
}

// SystemMemoryInfo decodes the SystemMemoryInfoStream, which dbgcore writes
// since Windows 8.1.
func (f *File) SystemMemoryInfo() (*SystemMemoryInfo, error) {
	c, _, err := f.loadStream(SystemMemoryInfoStream, 524)
	if err != nil {
		return nil, err
	}
	m := &SystemMemoryInfo{Revision: c.u16()}
	c.skip(2 + 4) // Flags, TimerResolution
	m.PageSize, m.NumberOfPhysicalPages = c.u32(), c.u32()
	c.skip(116 - 16) // the rest of BasicInfo, FileCacheInfo
	for _, p := range []*uint64{&m.AvailablePages, &m.CommittedPages, &m.CommitLimit, &m.PeakCommitment} {
		*p = c.u64()
	}
	c.skip(4*8 + 20*4) // PerfInfo up to PagedPoolPages
	m.PagedPoolPages, m.NonPagedPoolPages = c.u32(), c.u32()
	if c.err != nil {
		return nil, c.err
	}
	return m, nil
}
