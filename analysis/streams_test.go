package analysis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// everyStream is a dump with a stream of each type that is described.
func everyStream() dumptest.Dump {
	comment := "leaks since Tuesday"
	return dumptest.Dump{
		SystemInfo:  &dumptest.SystemInfo{CSDVersion: "Service Pack 1", CPU: []byte("GenuineIntel"), SuiteMask: 0x100},
		MiscInfo:    &dumptest.MiscInfo{ProcessID: 42, ProcessCreateTime: 1700000000, ProcessIntegrityLevel: 0x2000, BuildString: "19041", Bias: -60},
		Threads:     []dumptest.Thread{{ThreadID: 7}, {ThreadID: 8}},
		ThreadExs:   []dumptest.ThreadEx{{}},
		ThreadNames: []dumptest.ThreadName{{ThreadID: 7, Name: "main"}},
		ThreadInfos: &dumptest.ThreadInfoList{Threads: []dumptest.ThreadInfo{{ThreadID: 7}}},
		Modules:     []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: `C:\a.exe`}},
		UnloadedModules: &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{
			{Name: "gone.dll"}, {Name: "gone.dll"}, {Name: "gone.dll"},
		}},
		HandleData:        &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}},
		HandleOperations:  &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{{Handle: 4, Type: 1}}},
		MemoryInfos:       &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{{}}},
		ProcessVmCounters: &dumptest.ProcessVmCounters{WorkingSetSize: 1 << 20, PrivateUsage: 2 << 20},
		SystemMemoryInfo:  &dumptest.SystemMemoryInfo{PageSize: 4096, AvailablePages: 1 << 18},
		Exception:         &dumptest.Exception{ThreadID: 7, ExceptionCode: 0xc0000005, ExceptionAddress: 0x401000, Parameters: []uint64{1}},
		FunctionTables: &dumptest.FunctionTables{Tables: []dumptest.FunctionTable{
			{Minimum: 1, Maximum: 2, Entries: make([]byte, 24)}, {Minimum: 3, Maximum: 4},
		}},
		Tokens:        &dumptest.TokenList{Tokens: []dumptest.Token{{ID: 42, User: dumptest.Group{SID: "S-1-5-18"}}}},
		BreakpadInfo:  &dumptest.BreakpadInfo{Validity: 2, RequestingThreadID: 7},
		AssertionInfo: &dumptest.AssertionInfo{Expression: "p", Line: 3, Type: 1},
		LinuxAuxv:     []dumptest.AuxvEntry{{Type: 6, Value: 4096}},
		LinuxDSODebug: &dumptest.LinuxDSODebug{Links: []dumptest.LinuxLink{{}, {Addr: 0x1000, Name: "libc.so"}}},
		CrashpadInfo: &dumptest.CrashpadInfo{
			Annotations: []dumptest.Annotation{{Key: "prod", Value: "x"}},
			Modules: []dumptest.CrashpadModule{{
				Index: 3, List: []string{"abort() called"}, Annotations: []dumptest.Annotation{{Key: "k", Value: "v"}},
				Objects: []dumptest.AnnotationObject{{Name: "s", Type: 1, Value: []byte("text")}, {Name: "n", Type: 0x802a, Value: []byte{1, 0}}},
			}},
			AddressMask: 0xff,
		},
		CommentA: &comment, CommentW: &comment,
		Streams: []dumptest.RawStream{
			{Type: 0x47670006, Data: []byte("a\x00b\x00")}, {Type: 0x47670007, Data: []byte("A=1\x00B=2")}, {Type: 0x47670009, Data: []byte("one\ntwo\n")},
			{Type: 0xfff0, Data: []byte{1}},
		},
		Memory:    []dumptest.MemoryRange{{Start: 0x10000, Data: make([]byte, 2048)}},
		Memory64:  []dumptest.MemoryRange{{Start: 0x20000, Data: make([]byte, 1024)}, {Start: 0x30000, Data: make([]byte, 1024)}},
		Directory: dumptest.Directory{Unused: 1},
	}
}

// told is what the streams hold, a line for each.
func told(info *analysis.StreamsInfo) string {
	var b strings.Builder
	for _, s := range info.Streams {
		fmt.Fprintf(&b, "%s:", s.StreamType)
		if s.What != "" {
			fmt.Fprintf(&b, " %d %s", s.Count, s.What)
		}
		for _, f := range s.Fields {
			fmt.Fprintf(&b, " [%s: %s]", f.Name, f.Value)
		}
		if s.Ignored {
			b.WriteString(" ignored")
		}
		if s.Err != nil {
			fmt.Fprintf(&b, " %v", s.Err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestStreams(t *testing.T) {
	info := analysis.Streams(testdump.Make(t, everyStream()))
	if info.Problem != nil {
		t.Error(info.Problem)
	}
	const want = `SystemInfoStream: [ProcessorArchitecture: AMD64] [ProcessorLevel: 0] [ProcessorRevision: 0x0] [NumberOfProcessors: 4] [ProductType: VER_NT_WORKSTATION] [Version: 10.0.19045] [PlatformId: Windows NT] [CSDVersion: Service Pack 1] [SuiteMask: VER_SUITE_SINGLEUSERTS] [VendorId: GenuineIntel] [VersionInformation: 0x0] [FeatureInformation: 0x0] [AMDExtendedCpuFeatures: 0x0]
MiscInfoStream: [Flags1: MINIDUMP_MISC1_PROCESS_ID|MINIDUMP_MISC1_PROCESS_TIMES|MINIDUMP_MISC1_PROCESSOR_POWER_INFO|MINIDUMP_MISC3_PROCESS_INTEGRITY|MINIDUMP_MISC3_PROCESS_EXECUTE_FLAGS|MINIDUMP_MISC3_TIMEZONE|MINIDUMP_MISC3_PROTECTED_PROCESS|MINIDUMP_MISC4_BUILDSTRING|MINIDUMP_MISC5_PROCESS_COOKIE] [ProcessId: 42 (0x2a)] [ProcessCreateTime: 2023-11-14T22:13:20Z] [ProcessUserTime: 0 s] [ProcessKernelTime: 0 s] [ProcessorMhz: 0, at most 0, limited to 0] [ProcessIntegrityLevel: SECURITY_MANDATORY_MEDIUM_RID] [ProcessExecuteFlags: 0x0] [ProtectedProcess: 0] [TimeZone: 0, UTC = local time -60 min, <none>, <none>] [BuildString: 19041] [ProcessCookie: 0x0]
ThreadListStream: 2 thread
ThreadExListStream: 1 thread
ThreadNamesStream: 1 name
ThreadInfoListStream: 1 thread
ModuleListStream: 1 module
UnloadedModuleListStream: 3 module
HandleDataStream: 1 descriptor
HandleOperationListStream: 1 operation
MemoryInfoListStream: 1 region
ProcessVmCountersStream: [Revision: 2] [Flags: MINIDUMP_PROCESS_VM_COUNTERS|MINIDUMP_PROCESS_VM_COUNTERS_VIRTUALSIZE|MINIDUMP_PROCESS_VM_COUNTERS_EX|MINIDUMP_PROCESS_VM_COUNTERS_EX2] [PageFaultCount: 0] [PeakWorkingSetSize: 0 B] [WorkingSetSize: 1.0 MiB] [QuotaPagedPoolUsage: 0 B] [QuotaNonPagedPoolUsage: 0 B] [PagefileUsage: 0 B] [PeakPagefileUsage: 0 B] [PeakVirtualSize: 0 B] [VirtualSize: 0 B] [PrivateUsage: 2.0 MiB] [PrivateWorkingSetSize: 0 B] [SharedCommitUsage: 0 B]
SystemMemoryInfoStream: [Revision: 1] [Flags: MINIDUMP_SYSMEMINFO1_FILECACHE_TRANSITIONREPURPOSECOUNT_FLAGS|MINIDUMP_SYSMEMINFO1_BASICPERF|MINIDUMP_SYSMEMINFO1_PERF_CCTOTALDIRTYPAGES_CCDIRTYPAGETHRESHOLD|MINIDUMP_SYSMEMINFO1_PERF_RESIDENTAVAILABLEPAGES_SHAREDCOMMITPAGES] [PageSize: 4.0 KiB] [NumberOfPhysicalPages: 0 (0 B)] [AvailablePages: 262,144 (1.0 GiB)] [CommittedPages: 0 (0 B)] [CommitLimit: 0 (0 B)] [PagedPoolPages: 0 (0 B)] [NonPagedPoolPages: 0 (0 B)] [FreeSystemPtes: 0]
ExceptionStream: [ThreadId: 7 (0x7)] [ExceptionCode: 0xc0000005 (STATUS_ACCESS_VIOLATION)] [ExceptionFlags: 0x0] [ExceptionAddress: 0x401000] [ExceptionInformation[0]: 0x1]
FunctionTableStream: 2 function table [Entries: 2 of 12 bytes]
TokenStream: 1 token [Token 42: TokenPrimary S-1-5-18 (NT AUTHORITY\SYSTEM)]
BreakpadInfoStream: [RequestingThreadId: 7 (0x7)]
AssertionInfoStream: [Type: INVALID_PARAMETER] [Expression: p] [Line: 3]
LinuxAuxvStream: 1 entry [AT_PAGESZ: 0x1000]
LinuxDsoDebugStream: 2 shared object [0x0: the program] [0x1000: libc.so]
CrashpadInfoStream: [ReportId: 00000000-0000-0000-0000-000000000000] [ClientId: 00000000-0000-0000-0000-000000000000] [AddressMask: 0xff] [prod: x] [Module 3: abort() called] [Module 3 k: v] [Module 3 s: text] [Module 3 n: 0100 (AnnotationType(0x802a))]
CommentStreamA: [Comment: leaks since Tuesday]
CommentStreamW: [Comment: leaks since Tuesday]
LinuxCmdLineStream: 2 string [Command line: a b]
LinuxEnvironStream: 2 string
LinuxMapsStream: 2 line
StreamType(0xfff0):
MemoryListStream: 1 memory range [Bytes: 2.0 KiB]
Memory64ListStream: 2 memory range [Bytes: 2.0 KiB]
UnusedStream:
`
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(told(info), "\n")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if info.System == nil || len(info.Threads) != 2 || len(info.Modules) != 1 || info.Memory64 == nil || info.Handles == nil || info.CSDVersion == 0 {
		t.Errorf("bodies are missing: %+v", info)
	}
}

// TestStreamsThatAreWrong: each has its own error, and together they are one.
func TestStreamsThatAreWrong(t *testing.T) {
	d := everyStream()
	d.Directory.Leading = []dumptest.DirectoryEntry{{Type: dumptest.TokenStream, DataSize: 4, RVA: 40}}
	d.Patches = []dumptest.Patch{
		dumptest.DeclareCount(dumptest.ThreadListStream, 9), dumptest.DeclareCount(dumptest.FunctionTableStream, 9), dumptest.PutU64("Memory64List", 24, 1<<63),
		dumptest.PutU64("Memory64List", 40, 1<<63),
	}
	info := analysis.Streams(testdump.Make(t, d))
	text := told(info)
	for _, want := range []string{
		"TokenStream: ignored TokenStream: file offset 0x28: 4 bytes are too short for tokens; 16 are the least\n",
		"9 threads of 48 bytes declared, but the stream ends after 2\n",
		"FunctionTableStream: 2 function table [Entries: 2 of 12 bytes] FunctionTableStream: ",
		"Memory64ListStream: 2 memory range Memory64ListStream: ", // more than an address space
		"the file is cut off: more captured memory is missing than an address space has\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	var partial *analysis.PartialError
	if !errors.As(info.Problem, &partial) || partial.Count() != 3 {
		t.Errorf("%v", info.Problem)
	}
	// Whatever is missing of the file, nothing panics and the rest is there.
	data := everyStream()
	whole := len(data.Bytes())
	for cut := 40; cut < whole; cut += 17 {
		data.TruncateAt = int64(cut)
		info := analysis.Streams(testdump.Make(t, data))
		if info.Problem == nil {
			t.Fatalf("cut after %d of %d bytes: no problem", cut, whole)
		}
	}
}

func TestMissingStream(t *testing.T) {
	f := testdump.Make(t, dumptest.Dump{Flags: dumptest.WithTokenInformation})
	linux := testdump.Make(t, dumptest.Dump{SystemInfo: &dumptest.SystemInfo{PlatformID: 0x8201, BuildNumber: 1}})
	for _, tt := range []struct {
		dump *minidump.File
		typ  minidump.StreamType
		want string
	}{
		{f, minidump.TokenStream, "no TokenStream in this dump: it was asked for (MiniDumpWithTokenInformation), but the writer saved none; capture with: procdump -mc 40000 PID"},
		{f, minidump.ThreadInfoListStream, "no ThreadInfoListStream in this dump: it was written without MiniDumpWithThreadInfo; capture with: procdump -ma PID, or in WinDbg .dump /mt FILE"},
		{f, minidump.BreakpadInfoStream, "no BreakpadInfoStream in this dump: only Breakpad writes it"},
		{f, 0xfff0, "no StreamType(0xfff0) in this dump"},
		{linux, minidump.TokenStream, "no TokenStream in this dump: it is a dump of a process on Linux"},
	} {
		err := analysis.MissingStream(tt.dump, tt.typ, minidump.ErrNoStream)
		if err.Error() != tt.want || !errors.Is(err, minidump.ErrNoStream) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

func TestTokenOwners(t *testing.T) {
	tokens, err := analysis.Tokens(testdump.Make(t, dumptest.Dump{
		MiscInfo: &dumptest.MiscInfo{ProcessID: 42}, Threads: []dumptest.Thread{{ThreadID: 7}},
		Tokens: &dumptest.TokenList{Tokens: []dumptest.Token{{ID: 42}, {ID: 7}, {ID: 8}}},
	}))
	var owners []analysis.TokenOwner
	for _, k := range tokens {
		owners = append(owners, k.Owner)
	}
	if d := cmp.Diff([]analysis.TokenOwner{analysis.OwnerProcess, analysis.OwnerThread, analysis.OwnerUnknown}, owners); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	var missing *analysis.MissingError
	if _, err := analysis.Tokens(testdump.Make(t, dumptest.Dump{})); !errors.As(err, &missing) {
		t.Errorf("without: %v", err)
	}
	if tokens, err := analysis.Tokens(testdump.Make(t, dumptest.Dump{Tokens: &dumptest.TokenList{}})); len(tokens) != 0 || err == nil || !strings.Contains(err.Error(), "lists no token") {
		t.Errorf("empty: %v, %v", tokens, err)
	}
}
