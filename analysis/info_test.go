package analysis

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestDescribe(t *testing.T) {
	crashpad := dumptest.RawStream{Type: 0x43500001, Data: make([]byte, 64)}
	key := []dumptest.Handle{{Value: 4, Type: "Key", GrantedAccess: 1}}
	named := []dumptest.Handle{{Value: 4, Type: "Key", Name: "x", GrantedAccess: 1}}
	// Each answer is "yes" or "no", the beginning of why, and "+" if there is
	// advice.
	type answers struct{ Writer, Handles, Traces, Memory string }
	linux := dumptest.Dump{
		Version: 0xa793, SystemInfo: &dumptest.SystemInfo{PlatformID: 0x8201},
		Streams: []dumptest.RawStream{{Type: 0x47670009, Data: []byte("maps")}},
		Memory:  []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("x")}},
	}
	const noTraces, noMemory = "no+ no handle operations in this dump", "no+ the dump holds no memory"
	operations := func(n int, declared uint32) dumptest.Dump {
		return dumptest.Dump{
			HandleOperations: &dumptest.HandleOperationList{Operations: make([]dumptest.HandleOperation, n)},
			Patches:          []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleOperationListStream, declared)},
		}
	}
	tests := []struct {
		name string
		dump dumptest.Dump
		want answers
	}{
		{"dbghelp with everything", dumptest.Dump{
			HandleData:       &dumptest.HandleData{Handles: named},
			HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{{Handle: 4, Type: dumptest.OperationOpen}}},
			Memory64:         []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("x")}},
		}, answers{"dbghelp", "yes 1 handle, with names and object information", "yes 1 operation", "yes 1 B in 1 range"}},
		{"dbghelp without handles", dumptest.Dump{Memory: []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("x")}}},
			answers{"dbghelp", "no+ it was written without MiniDumpWithHandleData", noTraces, "no+ stacks and selected memory only, 1 B in 1 range"}},
		{"private memory", dumptest.Dump{Flags: 0x200, Memory: []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("x")}}},
			answers{"dbghelp", "no+ it was written without MiniDumpWithHandleData", noTraces, "yes its writer was asked for the private memory; 1 B in 1 range"}},
		{"handles that the writer did not save", dumptest.Dump{Flags: dumptest.WithHandleData},
			answers{"dbghelp", "no+ handle data was asked for (MiniDumpWithHandleData), but the writer saved none", noTraces, noMemory}},
		{"no handles in the list", dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{}}},
			answers{"dbghelp", "yes+ the dump has a list of handles, but it is empty: its writer saved none", noTraces, noMemory}},
		{"no operations in the list", dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{}},
			answers{"dbghelp", "no+ it was written without", "no+ the list of handle operations is there, but empty", noMemory}},
		{"crashpad", dumptest.Dump{Version: 0xa793, HandleData: &dumptest.HandleData{Handles: key, Style: dumptest.Crashpad}, Streams: []dumptest.RawStream{crashpad}},
			answers{"crashpad", "yes+ 1 handle, without names (written by Crashpad, which never writes names of objects) and without object information", noTraces, noMemory}},
		{"breakpad on Linux", linux, answers{"breakpad", "no it is a dump of a process on Linux, where there are no Windows handles",
			"no it is a dump of a process on Linux", "no stacks and selected memory only, 1 B in 1 range"}},
		{"Wine", dumptest.Dump{Version: 0xa793, Streams: []dumptest.RawStream{{Type: 0xfff0, Data: []byte{0, 0, 0, 0}}}},
			answers{"wine", "no+ its writer, wine, saved none", noTraces, noMemory}},
		{"a writer that nothing names", dumptest.Dump{Version: 0xa793}, answers{"", "no+ it was written without MiniDumpWithHandleData", noTraces, noMemory}},
		{"nothing at all", dumptest.Dump{NoSystemInfo: true}, answers{"dbghelp",
			"no+ its directory is empty: the writer failed, or was interrupted", "no+ its directory is empty", "no+ its directory is empty"}},
		{"a trace that is longer than the file", operations(2, 7), answers{"dbghelp", "no+ it was written without", "yes 2 of 7 operations", noMemory}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Describe(t.Context(), testdump.Make(t, tt.dump))
			if err != nil || len(d.Problems) > 0 && len(tt.dump.Patches) == 0 {
				t.Fatalf("error %v, problems %v", err, d.Problems)
			}
			begin := func(a Answer, want string) string {
				text := "no"
				if a.Can {
					text = "yes"
				}
				if a.Advice != "" {
					text += "+"
				}
				text += " " + a.Detail
				return text[:min(len(want), len(text))]
			}
			got := answers{d.Writer.Name, begin(d.Handles, tt.want.Handles), begin(d.Traces, tt.want.Traces), begin(d.FullMem, tt.want.Memory)}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUptime(t *testing.T) {
	for _, tt := range []struct {
		name            string
		dumped, created uint32
		want            time.Duration
	}{
		{"13 minutes", 1327051696, 1327050916, 13 * time.Minute},
		{"a clock that jumped back", 1327050916, 1327051696, 0},
		{"no start", 1327051696, 0, 0},
	} {
		d := dumptest.Dump{TimeDateStamp: tt.dumped, MiscInfo: &dumptest.MiscInfo{ProcessID: 1, ProcessCreateTime: tt.created}}
		if got := DescribeHeader(testdump.Make(t, d)).Uptime; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestProblemsAreCollected(t *testing.T) {
	d := dumptest.Dump{
		MiscInfo: &dumptest.MiscInfo{}, HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}},
		Patches: []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, 7), dumptest.PutU32("MiscInfo", 0, 3)},
	}
	got, err := Describe(t.Context(), testdump.Make(t, d))
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, err := range got.Problems {
		text = append(text, err.Error())
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"MiscInfoStream", "7 handle descriptors of 40 bytes declared"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %q", want, all)
		}
	}
}

// TestException: the code has the name that it has on the system of the dump.
func TestException(t *testing.T) {
	module := []dumptest.Module{{Base: 0x7ff800000000, Size: 0x1000, Name: `C:\Windows\ntdll.dll`}}
	for _, tt := range []struct {
		name string
		dump dumptest.Dump
		want string
	}{
		{"none", dumptest.Dump{}, ""},
		{"a handle that is not open", dumptest.Dump{Modules: module, Exception: &dumptest.Exception{
			ThreadID: 0x1a2b, ExceptionCode: 0xc0000008, ExceptionAddress: 0x7ff80000001f,
		}}, "STATUS_INVALID_HANDLE (0xc0000008) in thread 6699 (0x1a2b) at ntdll+0x1f (0x7ff80000001f)"},
		{"in no module", dumptest.Dump{Modules: module, Exception: &dumptest.Exception{ThreadID: 1, ExceptionCode: 0xdeadbea7, ExceptionAddress: 0x7ff800001000}},
			"0xdeadbea7 in thread 1 (0x1) at 0x7ff800001000"},
		{"a signal", dumptest.Dump{
			SystemInfo: &dumptest.SystemInfo{PlatformID: 0x8201},
			Exception:  &dumptest.Exception{ThreadID: 1, ExceptionCode: 11, ExceptionAddress: 0x10},
		}, "SIGSEGV (0xb) in thread 1 (0x1) at 0x10"},
	} {
		d, err := Describe(t.Context(), testdump.Make(t, tt.dump))
		if err != nil || len(d.Problems) > 0 {
			t.Errorf("%s: error %v, problems %v", tt.name, err, d.Problems)
		}
		got := ""
		if d.Exception != nil {
			got = d.Exception.String()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWindowsName(t *testing.T) {
	system := func(major, minor, build uint32, product minidump.ProductType, pack string) *minidump.SystemInfo {
		return &minidump.SystemInfo{
			MajorVersion: major, MinorVersion: minor, BuildNumber: build,
			ProductType: product, PlatformID: minidump.PlatformWindowsNT, CSDVersion: pack,
		}
	}
	const client, server, controller = minidump.ProductWorkstation, minidump.ProductServer, minidump.ProductDomainController
	linux := system(6, 1, 7601, client, "")
	linux.PlatformID = minidump.PlatformLinux
	for _, tt := range []struct {
		system *minidump.SystemInfo
		want   string
	}{
		{nil, ""},
		{linux, ""},
		{system(5, 1, 2600, client, "Service Pack 3"), "Windows XP SP3"},
		{system(5, 2, 3790, server, "Service Pack 2"), "Windows Server 2003 SP2"},
		{system(6, 1, 7601, client, "Service Pack 1"), "Windows 7 SP1"},
		{system(6, 1, 7601, client, ""), "Windows 7 SP1"},
		{system(6, 1, 7601, controller, "Service Pack 1"), "Windows Server 2008 R2 SP1"},
		{system(6, 3, 9600, server, ""), "Windows Server 2012 R2"},
		{system(10, 0, 17763, client, ""), "Windows 10 1809"},
		{system(10, 0, 17763, server, ""), "Windows Server 2019"},
		{system(10, 0, 19045, client, ""), "Windows 10 22H2"},
		{system(10, 0, 20348, server, ""), "Windows Server 2022"},
		{system(10, 0, 22631, client, ""), "Windows 11 23H2"},
		{system(10, 0, 26100, client, ""), "Windows 11 24H2"},
		{system(10, 0, 26100, server, ""), "Windows Server 2025"},
		{system(10, 0, 26200, client, ""), "Windows 11 25H2"},
		{system(10, 0, 26200, server, ""), ""},
		{system(10, 0, 12345, client, ""), ""},
		{system(10, 0, 19045, 0, ""), "Windows 10 22H2"},
		{system(10, 0, 26100, 0, ""), ""}, // one of two
	} {
		if got := WindowsName(tt.system); got != tt.want {
			t.Errorf("%+v is %q, want %q", tt.system, got, tt.want)
		}
	}
}

// TestRealWriters finds the writers of dumps that are not in the repository.
func TestRealWriters(t *testing.T) {
	for name, want := range map[string]string{
		"stability-report.dmp": WriterCrashpad, "simple-crashpad.dmp": WriterCrashpad, "tiny-exe-with-cet-xsave.dmp": WriterCrashpad,
		"calc.dmp": WriterDbghelp, "sigsegv.dmp": WriterDbghelp, "tiny-exe-with-cet-xsave-x86.dmp": WriterDbghelp,
		"minidump2.dmp": WriterBreakpad, "linux_null_dereference.dmp": WriterBreakpad,
		"leaky-b.dmp": WriterWine,
	} {
		f := testdump.Open(t, "../shared/dumps/"+name)
		if got := DetectWriter(f); got.Name != want {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
}
