package dumptest

import "fmt"

// StreamType is a MINIDUMP_STREAM_TYPE.
type StreamType uint32

// The stream types that this package writes.
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
	SystemMemoryInfoStream    StreamType = 21
	ProcessVmCountersStream   StreamType = 22
	ThreadNamesStream         StreamType = 24

	BreakpadInfoStream  StreamType = 0x47670001
	AssertionInfoStream StreamType = 0x47670002
	LinuxAuxvStream     StreamType = 0x47670008
	LinuxDSODebugStream StreamType = 0x4767000a
	CrashpadInfoStream  StreamType = 0x43500001
)

// String is the name of t as anchors spell it: "HandleData" for
// HandleDataStream, "Stream(0xfff0)" for a type without a name here.
func (t StreamType) String() string {
	switch t {
	case UnusedStream:
		return "Unused"
	case ThreadListStream:
		return "ThreadList"
	case ModuleListStream:
		return "ModuleList"
	case MemoryListStream:
		return "MemoryList"
	case ExceptionStream:
		return "Exception"
	case SystemInfoStream:
		return "SystemInfo"
	case ThreadExListStream:
		return "ThreadExList"
	case Memory64ListStream:
		return "Memory64List"
	case CommentStreamA:
		return "CommentA"
	case CommentStreamW:
		return "CommentW"
	case HandleDataStream:
		return "HandleData"
	case FunctionTableStream:
		return "FunctionTable"
	case UnloadedModuleListStream:
		return "UnloadedModuleList"
	case MiscInfoStream:
		return "MiscInfo"
	case MemoryInfoListStream:
		return "MemoryInfoList"
	case ThreadInfoListStream:
		return "ThreadInfoList"
	case HandleOperationListStream:
		return "HandleOperationList"
	case TokenStream:
		return "Token"
	case SystemMemoryInfoStream:
		return "SystemMemoryInfo"
	case ProcessVmCountersStream:
		return "ProcessVmCounters"
	case ThreadNamesStream:
		return "ThreadNames"
	case BreakpadInfoStream:
		return "BreakpadInfo"
	case AssertionInfoStream:
		return "AssertionInfo"
	case LinuxAuxvStream:
		return "LinuxAuxv"
	case LinuxDSODebugStream:
		return "LinuxDsoDebug"
	case CrashpadInfoStream:
		return "CrashpadInfo"
	}
	return fmt.Sprintf("Stream(%#x)", uint32(t))
}
