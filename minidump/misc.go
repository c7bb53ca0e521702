package minidump

import "time"

// MiscFlags say which fields of a [MiscInfo] the writer has filled in
// (MINIDUMP_MISC1_* to MINIDUMP_MISC5_*).
type MiscFlags uint32

// The flags, each with the version of the structure that introduced it.
const (
	MiscProcessID                MiscFlags = 0x1   // 1
	MiscProcessTimes             MiscFlags = 0x2   // 1
	MiscProcessorPowerInfo       MiscFlags = 0x4   // 2
	MiscProcessIntegrity         MiscFlags = 0x10  // 3
	MiscProcessExecuteFlags      MiscFlags = 0x20  // 3
	MiscTimeZone                 MiscFlags = 0x40  // 3
	MiscProtectedProcess         MiscFlags = 0x80  // 3
	MiscBuildString              MiscFlags = 0x100 // 4
	MiscProcessCookie            MiscFlags = 0x200 // 5
	miscInfo1, miscInfo2                   = 24, 44
	miscInfo3, miscInfo4                   = 232, 832
	miscInfo5                              = 1364
	miscBuildChars, miscDbgChars           = 260, 40
)

// MiscInfo holds facts about the dumped process (MINIDUMP_MISC_INFO to
// MINIDUMP_MISC_INFO_5; 24, 44, 232, 832 or 1364 bytes). A field is zero
// unless its flag is set in Flags1 and the structure is long enough for it.
type MiscInfo struct {
	SizeOfInfo uint32 // bytes, as declared
	Flags1     MiscFlags

	ProcessID         uint32 // MiscProcessID
	ProcessCreateTime uint32 // MiscProcessTimes; seconds since 1970 UTC
	ProcessUserTime   uint32 // seconds
	ProcessKernelTime uint32 // seconds

	ProcessorMaxMhz           uint32 // MiscProcessorPowerInfo; MHz, as the two below
	ProcessorCurrentMhz       uint32
	ProcessorMhzLimit         uint32
	ProcessorMaxIdleState     uint32 // number of a power state, as the next
	ProcessorCurrentIdleState uint32

	ProcessIntegrityLevel uint32 // MiscProcessIntegrity; 0x1000 low, 0x2000 medium, 0x3000 high, 0x4000 system
	ProcessExecuteFlags   uint32 // MiscProcessExecuteFlags
	ProtectedProcess      uint32 // MiscProtectedProcess
	TimeZoneID            uint32 // MiscTimeZone; 1 standard, 2 daylight
	TimeZone              TimeZone

	BuildString   string // MiscBuildString; the build of Windows
	DbgBldStr     string // the build of the dump writer
	XStateSize    uint32 // size of an extended context in bytes, from XSTATE_CONFIG_FEATURE_MSC_INFO
	XStateFeature uint64 // enabled feature bits
	ProcessCookie uint32 // MiscProcessCookie
}

// A TimeZone is the machine's (TIME_ZONE_INFORMATION, without the dates).
type TimeZone struct {
	Bias         int32 // minutes to add to local time to get UTC
	StandardName string
	StandardBias int32
	DaylightName string
	DaylightBias int32
}

// CreateTime returns when the process was started, in UTC to the second; ok
// is false if the dump does not say.
func (m *MiscInfo) CreateTime() (t time.Time, ok bool) {
	if m.Flags1&MiscProcessTimes == 0 || m.ProcessCreateTime == 0 {
		return time.Time{}, false
	}
	return time.Unix(int64(m.ProcessCreateTime), 0).UTC(), true
}

// MiscInfo decodes the MiscInfoStream, whatever its version.
func (f *File) MiscInfo() (*MiscInfo, error) {
	c, _, err := f.loadStream(MiscInfoStream, miscInfo5)
	if err != nil {
		return nil, err
	}
	m := &MiscInfo{SizeOfInfo: c.u32(), Flags1: MiscFlags(c.u32())}
	// Every version begins with all of the version before it.
	size := int(min(int64(m.SizeOfInfo), int64(len(c.buf)))) // int may have 32 bits
	if c.ok() && size < miscInfo1 {
		return nil, formatErrorf(MiscInfoStream, c.off, "%d bytes; %d is the least", size, miscInfo1)
	}
	m.version1(c)
	if size >= miscInfo2 {
		m.version2(c)
	}
	if size >= miscInfo3 {
		m.version3(c)
	}
	if size >= miscInfo4 {
		m.version4(c)
	}
	if size >= miscInfo5 {
		m.version5(c)
	}
	if c.err != nil {
		return nil, c.err
	}
	return m, nil
}

// when returns v if the flag is set, else 0: what a writer leaves in a field
// whose flag it did not set means nothing.
func (m *MiscInfo) when(flag MiscFlags, v uint32) uint32 {
	if m.Flags1&flag == 0 {
		return 0
	}
	return v
}

func (m *MiscInfo) version1(c *cursor) {
	m.ProcessID = m.when(MiscProcessID, c.u32())
	m.ProcessCreateTime = m.when(MiscProcessTimes, c.u32())
	m.ProcessUserTime = m.when(MiscProcessTimes, c.u32())
	m.ProcessKernelTime = m.when(MiscProcessTimes, c.u32())
}

func (m *MiscInfo) version2(c *cursor) {
	m.ProcessorMaxMhz = m.when(MiscProcessorPowerInfo, c.u32())
	m.ProcessorCurrentMhz = m.when(MiscProcessorPowerInfo, c.u32())
	m.ProcessorMhzLimit = m.when(MiscProcessorPowerInfo, c.u32())
	m.ProcessorMaxIdleState = m.when(MiscProcessorPowerInfo, c.u32())
	m.ProcessorCurrentIdleState = m.when(MiscProcessorPowerInfo, c.u32())
}

func (m *MiscInfo) version3(c *cursor) {
	m.ProcessIntegrityLevel = m.when(MiscProcessIntegrity, c.u32())
	m.ProcessExecuteFlags = m.when(MiscProcessExecuteFlags, c.u32())
	m.ProtectedProcess = m.when(MiscProtectedProcess, c.u32())
	m.TimeZoneID = m.when(MiscTimeZone, c.u32())
	const nameBytes, systemTime = 64, 16
	zone := TimeZone{Bias: c.i32(), StandardName: fixedUTF16(c.take(nameBytes))}
	c.skip(systemTime)
	zone.StandardBias = c.i32()
	zone.DaylightName = fixedUTF16(c.take(nameBytes))
	c.skip(systemTime)
	zone.DaylightBias = c.i32()
	if m.Flags1&MiscTimeZone != 0 {
		m.TimeZone = zone
	}
}

func (m *MiscInfo) version4(c *cursor) {
	build, dbg := fixedUTF16(c.take(2*miscBuildChars)), fixedUTF16(c.take(2*miscDbgChars))
	if m.Flags1&MiscBuildString != 0 {
		m.BuildString, m.DbgBldStr = build, dbg
	}
}

func (m *MiscInfo) version5(c *cursor) {
	const features = 64 * 8
	c.skip(4) // size of the structure
	m.XStateSize, m.XStateFeature = c.u32(), c.u64()
	c.skip(features)
	m.ProcessCookie = m.when(MiscProcessCookie, c.u32())
}

// fixedUTF16 decodes an array of UTF-16 that ends at its first NUL.
func fixedUTF16(p []byte) string {
	for i := 0; i+1 < len(p); i += 2 {
		if p[i] == 0 && p[i+1] == 0 {
			return decodeUTF16(p[:i])
		}
	}
	return decodeUTF16(p)
}
