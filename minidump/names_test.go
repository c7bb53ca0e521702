package minidump_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		value fmt.Stringer
		want  string
	}{
		{minidump.VA(0x7ff6127dc480), "0x7ff6127dc480"},
		{minidump.HandleDataStream, "HandleDataStream"},
		{minidump.StreamType(0xfff0), "StreamType(0xfff0)"},
		{minidump.Flags(0), "Normal"},
		{minidump.WithFullMemory | minidump.WithHandleData, "WithFullMemory|WithHandleData"},
		{minidump.Flags(1<<25 | 1<<26 | 1<<63), "NoIgnoreInaccessibleMemory|0x8000000004000000"},
		{minidump.Flags(1 << 26), "0x4000000"},
		{minidump.ProcessorAMD64, "AMD64"},
		{minidump.ProcessorArchitecture(0x77), "ProcessorArchitecture(0x77)"},
		{minidump.PlatformWindowsNT, "Windows NT"},
		{minidump.PlatformID(0x77), "PlatformID(0x77)"},
		{minidump.ProductType(1), "VER_NT_WORKSTATION"},
		{minidump.ProductType(2), "VER_NT_DOMAIN_CONTROLLER"},
		{minidump.ProductType(3), "VER_NT_SERVER"},
		{minidump.ProductType(0), "ProductType(0)"},
		{minidump.MemoryState(0x1000), "MEM_COMMIT"},
		{minidump.MemoryState(0x2000), "MEM_RESERVE"},
		{minidump.MemoryState(0x10000), "MEM_FREE"},
		{minidump.MemoryState(3), "MemoryState(0x3)"},
		{minidump.MemoryType(0x20000), "MEM_PRIVATE"},
		{minidump.MemoryType(0x40000), "MEM_MAPPED"},
		{minidump.MemoryType(0x1000000), "MEM_IMAGE"},
		{minidump.MemoryType(0), "MemoryType(0x0)"},
		{minidump.Protection(0), "0"},
		{minidump.PageReadWrite, "PAGE_READWRITE"},
		{minidump.PageExecuteWriteCopy | minidump.PageGuard, "PAGE_EXECUTE_WRITECOPY|PAGE_GUARD"},
		{minidump.Protection(0x7ff), "PAGE_NOACCESS|PAGE_READONLY|PAGE_READWRITE|PAGE_WRITECOPY|PAGE_EXECUTE|PAGE_EXECUTE_READ|" +
			"PAGE_EXECUTE_READWRITE|PAGE_EXECUTE_WRITECOPY|PAGE_GUARD|PAGE_NOCACHE|PAGE_WRITECOMBINE"},
		{minidump.PageReadOnly | minidump.PageTargetsInvalid | 0x20000800, "PAGE_READONLY|PAGE_TARGETS_INVALID|0x20000800"},
		{minidump.EventType(0), "NotificationEvent"},
		{minidump.EventType(1), "SynchronizationEvent"},
		{minidump.EventType(2), "EventType(2)"},
		{minidump.OperationType(1), "OPEN"},
		{minidump.OperationType(2), "CLOSE"},
		{minidump.OperationType(3), "BADREF"},
		{minidump.OperationType(0), "OperationType(0)"},
		{minidump.MiniHandleObjectInformationNone, "MiniHandleObjectInformationNone"},
		{minidump.ObjectInfoType(8), "MiniSemaphoreInformation1"},
		{minidump.MiniSemaphoreInformation1 + 1, "ObjectInfoType(9)"},
		{minidump.CodeViewRSDS, `"RSDS"`},
	} {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestWritable(t *testing.T) {
	for p, want := range map[minidump.Protection]bool{
		minidump.PageNoAccess: false, minidump.PageReadOnly: false, minidump.PageReadWrite: true, minidump.PageWriteCopy: true,
		minidump.PageExecute: false, minidump.PageExecuteRead: false, minidump.PageExecuteReadWrite: true, minidump.PageExecuteWriteCopy: true,
		minidump.PageReadWrite | minidump.PageGuard: true, minidump.PageGuard: false, 0: false,
	} {
		if p.Writable() != want {
			t.Errorf("%s: Writable() = %v", p, !want)
		}
	}
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		event            minidump.EventInformation
		manual, signaled bool
	}{
		{minidump.EventInformation{}, true, false},
		{minidump.EventInformation{EventType: minidump.SynchronizationEvent, EventState: 1}, false, true},
		{minidump.EventInformation{EventType: 2, EventState: -1}, false, true},
	} {
		if tt.event.ManualReset() != tt.manual || tt.event.Signaled() != tt.signaled {
			t.Errorf("%+v: manual reset %v, signaled %v", tt.event, tt.event.ManualReset(), tt.event.Signaled())
		}
	}
}

// TestOpen wants the path, once, in every error, and the cause for errors.Is.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: 4242}}.Bytes()
	good := write("good.dmp", data)
	for _, tt := range []struct {
		path string
		want error
		text string
	}{
		{filepath.Join(dir, "absent.dmp"), fs.ErrNotExist, ""},
		{dir, nil, "not a regular file"},
		{write("packed.dmp.gz", []byte("\x1f\x8b\x08")), minidump.ErrNotMinidump, "unpack it first, or open it with package minidump/dumpfile"},
		{write("cut.dmp", data[:31]), nil, "the file ends inside the header, after 31 of 32 bytes"},
	} {
		f, err := minidump.Open(tt.path)
		var path *fs.PathError
		if f != nil || !errors.As(err, &path) || path.Path != tt.path || path.Op != "open" || strings.Count(err.Error(), tt.path) != 1 {
			t.Errorf("%s: %v, %v", tt.path, f, err)
		}
		if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %v and %q", tt.path, err, tt.want, tt.text)
		}
	}
	f, err := minidump.Open(good)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := f.MiscInfo(); err != nil || m.ProcessID != 4242 || f.Size() != int64(len(data)) {
		t.Errorf("%+v, %v, %d bytes", m, err, f.Size())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.MiscInfo(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if f, err := minidump.NewFile(strings.NewReader(string(data)), int64(len(data))); err != nil || f.Close() != nil {
		t.Errorf("Close after NewFile: %v", err)
	}
}

// TestTables holds the numbers in the Windows headers against the names here.
func TestTables(t *testing.T) {
	for i, name := range strings.Fields(`UnusedStream ReservedStream0 ReservedStream1 ThreadListStream ModuleListStream MemoryListStream
		ExceptionStream SystemInfoStream ThreadExListStream Memory64ListStream CommentStreamA CommentStreamW HandleDataStream
		FunctionTableStream UnloadedModuleListStream MiscInfoStream MemoryInfoListStream ThreadInfoListStream HandleOperationListStream
		TokenStream JavaScriptDataStream SystemMemoryInfoStream ProcessVmCountersStream IptTraceStream ThreadNamesStream StreamType(0x19)`) {
		if got := minidump.StreamType(i).String(); got != name {
			t.Errorf("stream %d is %s, want %s", i, got, name)
		}
	}
	for i, name := range strings.Fields(`BreakpadInfoStream AssertionInfoStream LinuxCpuInfoStream LinuxProcStatusStream LinuxLsbReleaseStream
		LinuxCmdLineStream LinuxEnvironStream LinuxAuxvStream LinuxMapsStream LinuxDsoDebugStream StreamType(0x4767000b)`) {
		if got := minidump.StreamType(0x47670001 + i).String(); got != name {
			t.Errorf("stream 0x4767%04x is %s, want %s", i+1, got, name)
		}
	}
	if a, b := minidump.StreamType(0x43500001).String(), minidump.StreamType(0x4b6b0002).String(); a != "CrashpadInfoStream" || b != "StabilityReportStream" {
		t.Error(a, b)
	}
	flags := strings.Fields(`WithDataSegs WithFullMemory WithHandleData FilterMemory ScanMemory WithUnloadedModules WithIndirectlyReferencedMemory
		FilterModulePaths WithProcessThreadData WithPrivateReadWriteMemory WithoutOptionalData WithFullMemoryInfo WithThreadInfo WithCodeSegs
		WithoutAuxiliaryState WithFullAuxiliaryState WithPrivateWriteCopyMemory IgnoreInaccessibleMemory WithTokenInformation WithModuleHeaders
		FilterTriage WithAvxXStateContext WithIptTrace ScanInaccessiblePartialPages FilterWriteCombinedMemory NoIgnoreInaccessibleMemory`)
	for i, name := range flags {
		if got := minidump.Flags(1 << i).String(); got != name {
			t.Errorf("flag %#x is %s, want %s", 1<<i, got, name)
		}
	}
	for i, name := range strings.Fields(`MiniHandleObjectInformationNone MiniThreadInformation1 MiniMutantInformation1 MiniMutantInformation2
		MiniProcessInformation1 MiniProcessInformation2 MiniEventInformation1 MiniSectionInformation1 MiniSemaphoreInformation1`) {
		if got := minidump.ObjectInfoType(i).String(); got != name {
			t.Errorf("object information %d is %s, want %s", i, got, name)
		}
	}
	for _, tt := range []struct {
		arch uint16
		name string
		ptr  int
	}{
		{0, "x86", 4}, {1, "MIPS", 4}, {3, "PowerPC", 4}, {5, "ARM", 4}, {6, "IA64", 8}, {9, "AMD64", 8}, {10, "x86 on Win64", 4}, {12, "ARM64", 8},
		{0x8001, "SPARC", 4}, {0x8002, "PowerPC 64", 8}, {0x8003, "ARM64 (Breakpad)", 8}, {0x8004, "MIPS64", 8}, {0xffff, "ProcessorArchitecture(0xffff)", 0},
	} {
		if a := minidump.ProcessorArchitecture(tt.arch); a.String() != tt.name || a.PointerSize() != tt.ptr {
			t.Errorf("architecture %#x: %s, %d bytes", tt.arch, a, a.PointerSize())
		}
	}
	for id, name := range map[minidump.PlatformID]string{
		1: "Windows 9x", 2: "Windows NT", 0x8000: "Unix", 0x8101: "macOS", 0x8102: "iOS", 0x8201: "Linux", 0x8202: "Solaris", 0x8203: "Android",
		0x8204: "PS3", 0x8205: "NaCl", 0x8206: "Fuchsia",
	} {
		if id.String() != name {
			t.Errorf("platform %#x: %s, want %s", uint32(id), id, name)
		}
	}
	for value, want := range map[uint32]uint32{
		uint32(minidump.ThreadErrorThread): 1, uint32(minidump.ThreadExitedThread): 4, uint32(minidump.ThreadInvalidInfo): 8,
		uint32(minidump.ThreadInvalidContext): 0x10, uint32(minidump.ThreadInvalidTeb): 0x20, minidump.StillActive: 0x103,
		uint32(minidump.CodeViewRSDS): 0x53445352, uint32(minidump.CodeViewELF): 0x4270454c,
		uint32(minidump.ProcessorX86): 0, uint32(minidump.ProcessorAMD64): 9, uint32(minidump.ProcessorARM64): 12, uint32(minidump.ProcessorUnknown): 0xffff,
	} {
		if value != want {
			t.Errorf("%#x should be %#x", value, want)
		}
	}
}

// TestStatusNames is ntstatus.h in the order of its names.
func TestStatusNames(t *testing.T) {
	const list = `
DBG_COMMAND_EXCEPTION 40010009	DBG_CONTROL_BREAK 40010008	DBG_CONTROL_C 40010005	DBG_EXCEPTION_NOT_HANDLED 80010001
DBG_PRINTEXCEPTION_C 40010006	DBG_PRINTEXCEPTION_WIDE_C 4001000a	DBG_RIPEXCEPTION 40010007
DBG_TERMINATE_PROCESS 40010004	DBG_TERMINATE_THREAD 40010003
STATUS_ACCESS_DENIED c0000022	STATUS_ACCESS_VIOLATION c0000005	STATUS_ARRAY_BOUNDS_EXCEEDED c000008c	STATUS_ASSERTION_FAILURE c0000420
STATUS_BAD_STACK c0000028	STATUS_BREAKPOINT 80000003	STATUS_CONTROL_C_EXIT c000013a
STATUS_DATATYPE_MISALIGNMENT 80000002	STATUS_DLL_INIT_FAILED c0000142	STATUS_DLL_NOT_FOUND c0000135
STATUS_ENTRYPOINT_NOT_FOUND c0000139
STATUS_FAIL_FAST_EXCEPTION c0000602	STATUS_FATAL_APP_EXIT 40000015	STATUS_FATAL_USER_CALLBACK_EXCEPTION c000041d
STATUS_FLOAT_DENORMAL_OPERAND c000008d	STATUS_FLOAT_DIVIDE_BY_ZERO c000008e	STATUS_FLOAT_INEXACT_RESULT c000008f
STATUS_FLOAT_INVALID_OPERATION c0000090	STATUS_FLOAT_MULTIPLE_FAULTS c00002b4	STATUS_FLOAT_MULTIPLE_TRAPS c00002b5
STATUS_FLOAT_OVERFLOW c0000091	STATUS_FLOAT_STACK_CHECK c0000092	STATUS_FLOAT_UNDERFLOW c0000093
STATUS_GUARD_PAGE_VIOLATION 80000001
STATUS_HANDLE_NOT_CLOSABLE c0000235	STATUS_HEAP_CORRUPTION c0000374
STATUS_ILLEGAL_INSTRUCTION c000001d	STATUS_INSTRUCTION_MISALIGNMENT c00000aa	STATUS_INSUFFICIENT_RESOURCES c000009a
STATUS_INTEGER_DIVIDE_BY_ZERO c0000094	STATUS_INTEGER_OVERFLOW c0000095
STATUS_INVALID_CRUNTIME_PARAMETER c0000417	STATUS_INVALID_DISPOSITION c0000026	STATUS_INVALID_HANDLE c0000008
STATUS_INVALID_IMAGE_HASH c0000428	STATUS_INVALID_PARAMETER c000000d	STATUS_INVALID_UNWIND_TARGET c0000029
STATUS_IN_PAGE_ERROR c0000006	STATUS_LONGJUMP 80000026
STATUS_NONCONTINUABLE_EXCEPTION c0000025	STATUS_NO_MEMORY c0000017
STATUS_ORDINAL_NOT_FOUND c0000138
STATUS_POSSIBLE_DEADLOCK c0000194	STATUS_PRIVILEGED_INSTRUCTION c0000096
STATUS_REG_NAT_CONSUMPTION c00002c9
STATUS_SEGMENT_NOTIFICATION 40000005	STATUS_SINGLE_STEP 80000004	STATUS_STACK_BUFFER_OVERRUN c0000409	STATUS_STACK_OVERFLOW c00000fd
STATUS_THREADPOOL_HANDLE_EXCEPTION c000070a	STATUS_THREADPOOL_SET_EVENT_ON_COMPLETION_FAILED c000070b
STATUS_UNHANDLED_EXCEPTION c0000144	STATUS_UNWIND c0000027	STATUS_UNWIND_CONSOLIDATE 80000029
STATUS_VERIFIER_STOP c0000421
STATUS_WAKE_SYSTEM_DEBUGGER 80000007	STATUS_WX86_BREAKPOINT 4000001f	STATUS_WX86_SINGLE_STEP 4000001e`
	fields := strings.Fields(list)
	for i := 0; i < len(fields); i += 2 {
		code, err := strconv.ParseUint(fields[i+1], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		if got := minidump.ExceptionCode(code).String(); got != fields[i] {
			t.Errorf("%#x is %s, want %s", code, got, fields[i])
		}
	}
	for code, want := range map[minidump.ExceptionCode]string{
		0xc06d007e: "delay load: module not found", 0xc06d007f: "delay load: procedure not found", 0xe0000008: "out of memory", 0xe0434f4d: "CLR exception",
	} {
		if code.String() != want {
			t.Errorf("%#x is %s, want %s", uint32(code), code, want)
		}
	}
	for code, want := range map[minidump.ExceptionCode]minidump.ExceptionCode{
		minidump.StatusBreakpoint: 0x80000003, minidump.StatusAccessViolation: 0xc0000005, minidump.StatusInvalidHandle: 0xc0000008,
		minidump.StatusNoMemory: 0xc0000017, minidump.StatusStackOverflow: 0xc00000fd, minidump.StatusHandleNotClosable: 0xc0000235,
		minidump.StatusHeapCorruption: 0xc0000374, minidump.StatusStackBufferOverrun: 0xc0000409,
	} {
		if code != want {
			t.Errorf("%#x should be %#x", uint32(code), uint32(want))
		}
	}
}
