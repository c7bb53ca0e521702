package minidump

import (
	"fmt"
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

	BreakpadInfoStream  StreamType = 0x47670001 // Breakpad, all platforms
	AssertionInfoStream StreamType = 0x47670002 // Breakpad: CRT invalid parameter or pure call
	LinuxCPUInfoStream  StreamType = 0x47670003 // Breakpad, Linux: /proc/cpuinfo; up to 0x4767000a follow
	CrashpadInfoStream  StreamType = 0x43500001 // Crashpad
)

var streamNames = map[StreamType]string{
	UnusedStream:              "UnusedStream",
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
	BreakpadInfoStream:        "BreakpadInfoStream",
	AssertionInfoStream:       "AssertionInfoStream",
	LinuxCPUInfoStream:        "LinuxCpuInfoStream",
	0x47670004:                "LinuxProcStatusStream",
	0x47670005:                "LinuxLsbReleaseStream",
	0x47670006:                "LinuxCmdLineStream",
	0x47670007:                "LinuxEnvironStream",
	0x47670008:                "LinuxAuxvStream",
	0x47670009:                "LinuxMapsStream",
	0x4767000a:                "LinuxDsoDebugStream",
	CrashpadInfoStream:        "CrashpadInfoStream",
	0x4b6b0002:                "StabilityReportStream",
}

// String returns the specification's name, or "StreamType(0xfff0)".
func (t StreamType) String() string {
	if s, ok := streamNames[t]; ok {
		return s
	}
	return fmt.Sprintf("StreamType(%#x)", uint32(t))
}

// Flags say what the writer of a dump was asked to save (MINIDUMP_TYPE).
// They are the request: a stream may be missing although its flag is set, and
// Breakpad and Crashpad leave them 0.
type Flags uint64

// The flags that concern handles and memory. [Flags.Names] knows them all.
const (
	WithFullMemory             Flags = 0x2
	WithHandleData             Flags = 0x4
	WithPrivateReadWriteMemory Flags = 0x200
)

// flagNames are the names of the flag bits in ascending order, without the
// MiniDump prefix.
var flagNames = [...]string{
	"WithDataSegs", "WithFullMemory", "WithHandleData", "FilterMemory",
	"ScanMemory", "WithUnloadedModules", "WithIndirectlyReferencedMemory", "FilterModulePaths",
	"WithProcessThreadData", "WithPrivateReadWriteMemory", "WithoutOptionalData", "WithFullMemoryInfo",
	"WithThreadInfo", "WithCodeSegs", "WithoutAuxiliaryState", "WithFullAuxiliaryState",
	"WithPrivateWriteCopyMemory", "IgnoreInaccessibleMemory", "WithTokenInformation", "WithModuleHeaders",
	"FilterTriage", "WithAvxXStateContext", "WithIptTrace", "ScanInaccessiblePartialPages",
	"FilterWriteCombinedMemory", "NoIgnoreInaccessibleMemory",
}

// Names returns the names of the flags that are set, in ascending order and
// without the prefix "MiniDump". Unknown bits come last, as one hexadecimal
// number. No flag at all is "Normal".
func (f Flags) Names() []string {
	if f == 0 {
		return []string{"Normal"}
	}
	return bitNames(uint64(f), flagNames[:])
}

// bitNames returns the names of the bits that are set, in ascending order.
// Those without a name come last, as one hexadecimal number.
func bitNames(bits uint64, of []string) []string {
	var names []string
	for i, name := range of {
		if bit := uint64(1) << i; bits&bit != 0 && name != "" {
			names = append(names, name)
			bits &^= bit
		}
	}
	if bits != 0 {
		names = append(names, fmt.Sprintf("%#x", bits))
	}
	return names
}

// String joins [Flags.Names] with "|".
func (f Flags) String() string { return strings.Join(f.Names(), "|") }
