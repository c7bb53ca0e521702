package minidump

// SystemPerfInfo is what the memory manager, the cache and the scheduler have
// counted since the machine was started, and some of what they have now
// (MINIDUMP_SYSTEM_PERFORMANCE_INFORMATION, 344 bytes, or 376 from revision 2
// of the [SystemMemoryInfo] on). Names that end with Pages or Page are pages,
// the others events but where a comment says otherwise.
type SystemPerfInfo struct {
	IdleProcessTime      uint64 // 100 ns, of all processors together
	IoReadTransferCount  uint64 // bytes, as the next two
	IoWriteTransferCount uint64
	IoOtherTransferCount uint64

	IoReadOperationCount, IoWriteOperationCount, IoOtherOperationCount                                        uint32
	AvailablePages, CommittedPages, CommitLimit, PeakCommitment                                               uint32 // pages, all four
	PageFaultCount, CopyOnWriteCount, TransitionCount, CacheTransitionCount, DemandZeroCount                  uint32
	PageReadCount, PageReadIoCount, CacheReadCount, CacheIoCount                                              uint32
	DirtyPagesWriteCount, DirtyWriteIoCount, MappedPagesWriteCount, MappedWriteIoCount                        uint32
	PagedPoolPages, NonPagedPoolPages, PagedPoolAllocs, PagedPoolFrees, NonPagedPoolAllocs, NonPagedPoolFrees uint32
	FreeSystemPtes, ResidentSystemCodePage, TotalSystemDriverPages, TotalSystemCodePages                      uint32
	NonPagedPoolLookasideHits, PagedPoolLookasideHits, AvailablePagedPoolPages                                uint32
	ResidentSystemCachePage, ResidentPagedPoolPage, ResidentSystemDriverPage                                  uint32
	CcFastReadNoWait, CcFastReadWait, CcFastReadResourceMiss, CcFastReadNotPossible                           uint32
	CcFastMdlReadNoWait, CcFastMdlReadWait, CcFastMdlReadResourceMiss, CcFastMdlReadNotPossible               uint32
	CcMapDataNoWait, CcMapDataWait, CcMapDataNoWaitMiss, CcMapDataWaitMiss                                    uint32
	CcPinMappedDataCount, CcPinReadNoWait, CcPinReadWait, CcPinReadNoWaitMiss, CcPinReadWaitMiss              uint32
	CcCopyReadNoWait, CcCopyReadWait, CcCopyReadNoWaitMiss, CcCopyReadWaitMiss                                uint32
	CcMdlReadNoWait, CcMdlReadWait, CcMdlReadNoWaitMiss, CcMdlReadWaitMiss                                    uint32
	CcReadAheadIos, CcLazyWriteIos, CcLazyWritePages, CcDataFlushes, CcDataPages                              uint32
	ContextSwitches, FirstLevelTbFills, SecondLevelTbFills, SystemCalls                                       uint32

	CcTotalDirtyPages      uint64 // [SystemMemoryPerfDirtyPages]
	CcDirtyPageThreshold   uint64 // pages
	ResidentAvailablePages int64  // [SystemMemoryPerfCommit]
	SharedCommittedPages   uint64

	MdlPagesAllocated             uint64 // revision 2; [SystemMemoryPerfMdlPages]
	PfnDatabaseCommittedPages     uint64
	SystemPageTableCommittedPages uint64 // [SystemMemoryPerfSystemPages]
	ContiguousPagesAllocated      uint64
}

func (c *cursor) systemPerfInfo(revision uint16) SystemPerfInfo {
	p := SystemPerfInfo{
		IdleProcessTime: c.u64(), IoReadTransferCount: c.u64(), IoWriteTransferCount: c.u64(), IoOtherTransferCount: c.u64(),
	}
	for _, v := range []*uint32{
		&p.IoReadOperationCount, &p.IoWriteOperationCount, &p.IoOtherOperationCount,
		&p.AvailablePages, &p.CommittedPages, &p.CommitLimit, &p.PeakCommitment,
		&p.PageFaultCount, &p.CopyOnWriteCount, &p.TransitionCount, &p.CacheTransitionCount, &p.DemandZeroCount,
		&p.PageReadCount, &p.PageReadIoCount, &p.CacheReadCount, &p.CacheIoCount,
		&p.DirtyPagesWriteCount, &p.DirtyWriteIoCount, &p.MappedPagesWriteCount, &p.MappedWriteIoCount,
		&p.PagedPoolPages, &p.NonPagedPoolPages, &p.PagedPoolAllocs, &p.PagedPoolFrees, &p.NonPagedPoolAllocs, &p.NonPagedPoolFrees,
		&p.FreeSystemPtes, &p.ResidentSystemCodePage, &p.TotalSystemDriverPages, &p.TotalSystemCodePages,
		&p.NonPagedPoolLookasideHits, &p.PagedPoolLookasideHits, &p.AvailablePagedPoolPages,
		&p.ResidentSystemCachePage, &p.ResidentPagedPoolPage, &p.ResidentSystemDriverPage,
		&p.CcFastReadNoWait, &p.CcFastReadWait, &p.CcFastReadResourceMiss, &p.CcFastReadNotPossible,
		&p.CcFastMdlReadNoWait, &p.CcFastMdlReadWait, &p.CcFastMdlReadResourceMiss, &p.CcFastMdlReadNotPossible,
		&p.CcMapDataNoWait, &p.CcMapDataWait, &p.CcMapDataNoWaitMiss, &p.CcMapDataWaitMiss,
		&p.CcPinMappedDataCount, &p.CcPinReadNoWait, &p.CcPinReadWait, &p.CcPinReadNoWaitMiss, &p.CcPinReadWaitMiss,
		&p.CcCopyReadNoWait, &p.CcCopyReadWait, &p.CcCopyReadNoWaitMiss, &p.CcCopyReadWaitMiss,
		&p.CcMdlReadNoWait, &p.CcMdlReadWait, &p.CcMdlReadNoWaitMiss, &p.CcMdlReadWaitMiss,
		&p.CcReadAheadIos, &p.CcLazyWriteIos, &p.CcLazyWritePages, &p.CcDataFlushes, &p.CcDataPages,
		&p.ContextSwitches, &p.FirstLevelTbFills, &p.SecondLevelTbFills, &p.SystemCalls,
	} {
		*v = c.u32()
	}
	p.CcTotalDirtyPages, p.CcDirtyPageThreshold = c.u64(), c.u64()
	p.ResidentAvailablePages, p.SharedCommittedPages = int64(c.u64()), c.u64()
	if revision >= 2 {
		p.MdlPagesAllocated, p.PfnDatabaseCommittedPages = c.u64(), c.u64()
		p.SystemPageTableCommittedPages, p.ContiguousPagesAllocated = c.u64(), c.u64()
	}
	return p
}
