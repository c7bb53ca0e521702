package minidump

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A StreamType says what a stream holds (MINIDUMP_STREAM_TYPE). Values above
// 0xffff belong to the program that wrote the dump.
type StreamType uint32

// The stream types of minidumpapiset.h, and those by which other writers can
// be told.
const (
	UnusedStream              StreamType = 0
	ThreadListStream          StreamType = 3
	ModuleListStream          StreamType = 4
	MemoryListStream          StreamType = 5
	ExceptionStream           StreamType = 6
	SystemInfoStream          StreamType = 7
	ThreadExListStream        StreamType = 8
	Memory64ListStream        StreamType = 9
	CommentStreamA            StreamType = 10
	CommentStreamW            StreamType = 11
	HandleDataStream          StreamType = 12
	FunctionTableStream       StreamType = 13
	UnloadedModuleListStream  StreamType = 14
	MiscInfoStream            StreamType = 15
	MemoryInfoListStream      StreamType = 16
	ThreadInfoListStream      StreamType = 17
	HandleOperationListStream StreamType = 18
	TokenStream               StreamType = 19
	JavaScriptDataStream      StreamType = 20
	SystemMemoryInfoStream    StreamType = 21
	ProcessVmCountersStream   StreamType = 22
	IptTraceStream            StreamType = 23
	ThreadNamesStream         StreamType = 24

	// Breakpad, which has all of these on Linux and the first two on Windows.
	BreakpadInfoStream    StreamType = 0x47670001 // see [File.BreakpadInfo]
	AssertionInfoStream   StreamType = 0x47670002 // see [File.AssertionInfo]
	LinuxCPUInfoStream    StreamType = 0x47670003 // /proc/cpuinfo; for [File.Text], as the next four and maps
	LinuxProcStatusStream StreamType = 0x47670004 // /proc/PID/status
	LinuxLSBReleaseStream StreamType = 0x47670005 // /etc/lsb-release
	LinuxCmdLineStream    StreamType = 0x47670006 // /proc/PID/cmdline, arguments that end with NUL
	LinuxEnvironStream    StreamType = 0x47670007 // /proc/PID/environ, likewise
	LinuxAuxvStream       StreamType = 0x47670008 // see [File.LinuxAuxv]
	LinuxMapsStream       StreamType = 0x47670009 // /proc/PID/maps
	LinuxDSODebugStream   StreamType = 0x4767000a // see [File.LinuxDSODebug]

	CrashpadInfoStream StreamType = 0x43500001 // see [File.CrashpadInfo]

	// Protocol buffers of Chromium.
	StabilityReportStream StreamType = 0x4b6b0002
	SystemProfileStream   StreamType = 0x4b6b0003
	GWPASanCrashStream    StreamType = 0x4b6b0004

	// Firefox and other programs of Mozilla.
	MozMacOSCrashInfoStream StreamType = 0x4d7a0001
	MozMacOSBootargsStream  StreamType = 0x4d7a0002
	MozLinuxLimitsStream    StreamType = 0x4d7a0003 // /proc/PID/limits
	MozSoftErrorsStream     StreamType = 0x4d7a0004 // JSON: what its writer could not save
)

var streamNames = map[StreamType]string{
	UnusedStream:              "UnusedStream",
	1:                         "ReservedStream0",
	2:                         "ReservedStream1",
	ThreadListStream:          "ThreadListStream",
	ModuleListStream:          "ModuleListStream",
	MemoryListStream:          "MemoryListStream",
	ExceptionStream:           "ExceptionStream",
	SystemInfoStream:          "SystemInfoStream",
	ThreadExListStream:        "ThreadExListStream",
	Memory64ListStream:        "Memory64ListStream",
	CommentStreamA:            "CommentStreamA",
	CommentStreamW:            "CommentStreamW",
	HandleDataStream:          "HandleDataStream",
	FunctionTableStream:       "FunctionTableStream",
	UnloadedModuleListStream:  "UnloadedModuleListStream",
	MiscInfoStream:            "MiscInfoStream",
	MemoryInfoListStream:      "MemoryInfoListStream",
	ThreadInfoListStream:      "ThreadInfoListStream",
	HandleOperationListStream: "HandleOperationListStream",
	TokenStream:               "TokenStream",
	JavaScriptDataStream:      "JavaScriptDataStream",
	SystemMemoryInfoStream:    "SystemMemoryInfoStream",
	ProcessVmCountersStream:   "ProcessVmCountersStream",
	IptTraceStream:            "IptTraceStream",
	ThreadNamesStream:         "ThreadNamesStream",

	0x8000: "ceStreamNull", // Windows CE, as far as 0x800c
	0x8001: "ceStreamSystemInfo",
	0x8002: "ceStreamException",
	0x8003: "ceStreamModuleList",
	0x8004: "ceStreamProcessList",
	0x8005: "ceStreamThreadList",
	0x8006: "ceStreamThreadContextList",
	0x8007: "ceStreamThreadCallStackList",
	0x8008: "ceStreamMemoryVirtualList",
	0x8009: "ceStreamMemoryPhysicalList",
	0x800a: "ceStreamBucketParameters",
	0x800b: "ceStreamProcessModuleMap",
	0x800c: "ceStreamDiagnosisList",

	BreakpadInfoStream:      "BreakpadInfoStream",
	AssertionInfoStream:     "AssertionInfoStream",
	LinuxCPUInfoStream:      "LinuxCpuInfoStream",
	LinuxProcStatusStream:   "LinuxProcStatusStream",
	LinuxLSBReleaseStream:   "LinuxLsbReleaseStream",
	LinuxCmdLineStream:      "LinuxCmdLineStream",
	LinuxEnvironStream:      "LinuxEnvironStream",
	LinuxAuxvStream:         "LinuxAuxvStream",
	LinuxMapsStream:         "LinuxMapsStream",
	LinuxDSODebugStream:     "LinuxDsoDebugStream",
	CrashpadInfoStream:      "CrashpadInfoStream",
	StabilityReportStream:   "StabilityReportStream",
	SystemProfileStream:     "SystemProfileStream",
	GWPASanCrashStream:      "GwpAsanCrashStream",
	MozMacOSCrashInfoStream: "MozMacosCrashInfoStream",
	MozMacOSBootargsStream:  "MozMacosBootargsStream",
	MozLinuxLimitsStream:    "MozLinuxLimitsStream",
	MozSoftErrorsStream:     "MozSoftErrorsStream",
}

// String returns the specification's name, or "StreamType(0xfff0)".
func (t StreamType) String() string {
	if s, ok := streamNames[t]; ok {
		return s
	}
	return fmt.Sprintf("StreamType(%#x)", uint32(t))
}

// ParseStreamType is the reverse of String: it returns the type of a name, in
// any case and with or without "Stream" in or at the end of it, or of a number,
// decimal or hexadecimal behind 0x. ok is false for what is neither.
func ParseStreamType(text string) (t StreamType, ok bool) {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "StreamType("), ")")
	if n, err := strconv.ParseUint(text, 0, 32); err == nil {
		return StreamType(n), true
	}
	short := func(name string) string { return strings.ReplaceAll(strings.ToLower(name), "stream", "") }
	for t, name := range streamNames {
		if want := short(name); want == short(text) && want != "" {
			return t, true
		}
	}
	return 0, false
}

// KnownStreams returns the types that have a name, in ascending order.
func KnownStreams() []StreamType { return slices.Sorted(maps.Keys(streamNames)) }
