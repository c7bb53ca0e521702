package minidump

import (
	"fmt"
	"time"
)

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

var miscFlagNames = [...]string{
	"MINIDUMP_MISC1_PROCESS_ID", "MINIDUMP_MISC1_PROCESS_TIMES", "MINIDUMP_MISC1_PROCESSOR_POWER_INFO", "",
	"MINIDUMP_MISC3_PROCESS_INTEGRITY", "MINIDUMP_MISC3_PROCESS_EXECUTE_FLAGS", "MINIDUMP_MISC3_TIMEZONE", "MINIDUMP_MISC3_PROTECTED_PROCESS",
	"MINIDUMP_MISC4_BUILDSTRING", "MINIDUMP_MISC5_PROCESS_COOKIE",
}

// String returns the names in minidumpapiset.h, joined by "|". Bits without a
// name come last, as one hexadecimal number; none is "0".
func (f MiscFlags) String() string { return bitString(uint64(f), miscFlagNames[:]) }

// An IntegrityLevel says how far a process is trusted (SECURITY_MANDATORY_*_RID
// of winnt.h). Others than those with a name lie between them.
type IntegrityLevel uint32

// The integrity levels.
const (
	IntegrityUntrusted  IntegrityLevel = 0
	IntegrityLow        IntegrityLevel = 0x1000
	IntegrityMedium     IntegrityLevel = 0x2000
	IntegrityMediumPlus IntegrityLevel = 0x2100
	IntegrityHigh       IntegrityLevel = 0x3000
	IntegritySystem     IntegrityLevel = 0x4000
	IntegrityProtected  IntegrityLevel = 0x5000
)

// String returns the name in winnt.h, such as "SECURITY_MANDATORY_HIGH_RID".
func (l IntegrityLevel) String() string {
	switch l {
	case IntegrityUntrusted:
		return "SECURITY_MANDATORY_UNTRUSTED_RID"
	case IntegrityLow:
		return "SECURITY_MANDATORY_LOW_RID"
	case IntegrityMedium:
		return "SECURITY_MANDATORY_MEDIUM_RID"
	case IntegrityMediumPlus:
		return "SECURITY_MANDATORY_MEDIUM_PLUS_RID"
	case IntegrityHigh:
		return "SECURITY_MANDATORY_HIGH_RID"
	case IntegritySystem:
		return "SECURITY_MANDATORY_SYSTEM_RID"
	case IntegrityProtected:
		return "SECURITY_MANDATORY_PROTECTED_PROCESS_RID"
	}
	return fmt.Sprintf("IntegrityLevel(%#x)", uint32(l))
}

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

	ProcessIntegrityLevel IntegrityLevel // MiscProcessIntegrity
	ProcessExecuteFlags   uint32         // MiscProcessExecuteFlags; MEM_EXECUTE_OPTION_*
	ProtectedProcess      uint32         // MiscProtectedProcess
	TimeZoneID            uint32         // MiscTimeZone; 1 standard, 2 daylight
	TimeZone              TimeZone

	BuildString   string // MiscBuildString; the build of Windows
	DbgBldStr     string // the build of the dump writer
	XState        XState
	ProcessCookie uint32 // MiscProcessCookie
}

// A TimeZone is the machine's (TIME_ZONE_INFORMATION, 172 bytes).
type TimeZone struct {
	Bias         int32 // minutes to add to local time to get UTC
	StandardName string
	StandardDate SystemTime
	StandardBias int32 // minutes to add to Bias in standard time
	DaylightName string
	DaylightDate SystemTime
	DaylightBias int32 // minutes to add to Bias in daylight time
}

// A SystemTime is a date and time (SYSTEMTIME of minwinbase.h). In a [TimeZone]
// with Year 0 it is a day of every year: Day is then the week of the month, 5
// the last one.
type SystemTime struct {
	Year, Month, DayOfWeek, Day        uint16 // Sunday is 0
	Hour, Minute, Second, Milliseconds uint16
}

// XState says how the extended state that may follow a CONTEXT is laid out
// (XSTATE_CONFIG_FEATURE_MSC_INFO, 528 bytes).
type XState struct {
	SizeOfInfo      uint32 // bytes, as declared
	ContextSize     uint32 // bytes
	EnabledFeatures uint64 // a bit for each feature
	Features        [64]XStateFeature
}

// An XStateFeature is the place of a feature in the extended state
// (XSTATE_FEATURE). Feature 0 is x87, 1 SSE, 2 AVX, 11 the shadow stack (CET_U).
type XStateFeature struct {
	Offset, Size uint32 // bytes
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
	m.ProcessIntegrityLevel = IntegrityLevel(m.when(MiscProcessIntegrity, c.u32()))
	m.ProcessExecuteFlags = m.when(MiscProcessExecuteFlags, c.u32())
	m.ProtectedProcess = m.when(MiscProtectedProcess, c.u32())
	m.TimeZoneID = m.when(MiscTimeZone, c.u32())
	const nameBytes = 64
	zone := TimeZone{
		Bias:         c.i32(),
		StandardName: fixedUTF16(c.take(nameBytes)), StandardDate: c.systemTime(), StandardBias: c.i32(),
		DaylightName: fixedUTF16(c.take(nameBytes)), DaylightDate: c.systemTime(), DaylightBias: c.i32(),
	}
	if m.Flags1&MiscTimeZone != 0 {
		m.TimeZone = zone
	}
}

func (c *cursor) systemTime() SystemTime {
	return SystemTime{
		Year: c.u16(), Month: c.u16(), DayOfWeek: c.u16(), Day: c.u16(),
		Hour: c.u16(), Minute: c.u16(), Second: c.u16(), Milliseconds: c.u16(),
	}
}

func (m *MiscInfo) version4(c *cursor) {
	build, dbg := fixedUTF16(c.take(2*miscBuildChars)), fixedUTF16(c.take(2*miscDbgChars))
	if m.Flags1&MiscBuildString != 0 {
		m.BuildString, m.DbgBldStr = build, dbg
	}
}

func (m *MiscInfo) version5(c *cursor) {
	m.XState = XState{SizeOfInfo: c.u32(), ContextSize: c.u32(), EnabledFeatures: c.u64()}
	for i := range m.XState.Features {
		m.XState.Features[i] = XStateFeature{c.u32(), c.u32()}
	}
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
