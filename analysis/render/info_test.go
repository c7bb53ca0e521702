package render

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// exampleInfo has something in every line.
func exampleInfo() *analysis.DumpInfo {
	created := time.Date(2024, 5, 1, 7, 0, 0, 0, time.UTC)
	e := &analysis.ExceptionFact{Name: "STATUS_INVALID_HANDLE", Module: "ntdll", Offset: 0x1f}
	e.ExceptionCode, e.ThreadID, e.ExceptionAddress = minidump.StatusInvalidHandle, 6699, 0x7ff80000001f
	e.ExceptionInformation = []uint64{1, 0xffffffffffffffff}
	return &analysis.DumpInfo{
		Size: 3 << 20, Version: 0xa063a793, Flags: minidump.WithHandleData,
		Writer: analysis.Writer{Name: "dbghelp", Evidence: "implementation version 0xa063 in the header"},
		Time:   created.Add(90 * time.Minute), Created: created, Uptime: 90 * time.Minute, PointerSize: 8,
		System: &minidump.SystemInfo{
			ProcessorArchitecture: minidump.ProcessorAMD64, NumberOfProcessors: 8, ProductType: minidump.ProductServer,
			MajorVersion: 10, BuildNumber: 20348, PlatformID: minidump.PlatformWindowsNT,
		},
		Misc: &minidump.MiscInfo{
			Flags1: minidump.MiscProcessID | minidump.MiscProcessTimes, ProcessID: 7640, ProcessUserTime: 3661, BuildString: "20348.1.amd64fre",
		},
		Memory: &minidump.ProcessVmCounters{PrivateUsage: 151 << 20, WorkingSetSize: 168 << 20, QuotaPagedPoolUsage: 40 << 20, QuotaNonPagedPoolUsage: 192 << 10},
		Machine: &minidump.SystemMemoryInfo{
			BasicInfo:     minidump.SystemBasicInfo{PageSize: 4096, NumberOfPhysicalPages: 4 << 18},
			BasicPerfInfo: minidump.SystemBasicPerfInfo{AvailablePages: 1 << 18, CommittedPages: 3 << 18, CommitLimit: 5 << 18},
			PerfInfo:      minidump.SystemPerfInfo{PagedPoolPages: 1 << 16, NonPagedPoolPages: 1 << 15},
		},
		Process:  `C:\srv\w3wp.exe`,
		Comments: []string{"before the restart"}, Exception: e,
		Handles: analysis.Answer{Can: true, Detail: "302 handles, without names (Crashpad never writes names) and without object information", Advice: analysis.CaptureHandles},
		Traces:  analysis.Answer{Can: true, Detail: "235 of 1,639 operations"},
		FullMem: analysis.Answer{Detail: "the dump holds no memory", Advice: analysis.CaptureMemory},
		Notes:   []string{"the dump has several streams"},
		Streams: []minidump.DirectoryEntry{
			{StreamType: minidump.HandleDataStream, Location: minidump.Location{DataSize: 56, RVA: 0x96}},
			{StreamType: 0x4350aaaa, Location: minidump.Location{DataSize: 1, RVA: 0xce}},
			{StreamType: minidump.CrashpadInfoStream},
		},
	}
}

func TestInfoText(t *testing.T) {
	const want = `file:          w3wp.dmp, 3.0 MiB
writer:        dbghelp (implementation version 0xa063 in the header)
flags:         0x4 WithHandleData
os:            Windows NT 10.0.20348 (Windows Server 2022, 20348.1.amd64fre)
processors:    8, AMD64
process:       C:\srv\w3wp.exe
process id:    7640 (0x1dd8)
started:       2024-05-01T07:00:00Z
dumped:        2024-05-01T08:30:00Z
uptime:        1 h 30 min
cpu time:      user 1 h 1 min, kernel under 1 s
memory:        private 151 MiB, working set 168 MiB
pool quota:    paged 40 MiB, nonpaged 192 KiB
machine:       4.0 GiB of memory, 1.0 GiB available; committed 3.0 GiB of 5.0 GiB; pool: paged 256 MiB, nonpaged 128 MiB
exception:     STATUS_INVALID_HANDLE (0xc0000008) in thread 6699 (0x1a2b) at ntdll+0x1f (0x7ff80000001f)
comment:       before the restart
handles:       yes; 302 handles, without names (Crashpad never writes names) and without object information; capture with: procdump -ma PID, or in WinDbg .dump /mh FILE
handle traces: yes; 235 of 1,639 operations
full memory:   no; the dump holds no memory; capture with: procdump -ma PID, or in WinDbg .dump /ma FILE
note:          the dump has several streams

Stream                         Size  Offset
12 HandleDataStream              56    0x96
StreamType(0x4350aaaa)            1    0xce
0x43500001 CrashpadInfoStream     0     0x0
`
	r := NewInfoReport("w3wp.dmp", exampleInfo())
	if diff := cmp.Diff(want, write(t, r, Text, Style{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// On a terminal no line is longer than that; the same words are there.
	for _, width := range []int{60, 80, 120} {
		text := write(t, r, Text, Style{Width: width})
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
		if diff := cmp.Diff(strings.Fields(want), strings.Fields(text)); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", width, diff)
		}
	}
}

func TestInfoJSON(t *testing.T) {
	text := write(t, NewInfoReport("w3wp.dmp", exampleInfo()), JSON, Style{})
	for _, want := range []string{
		`"schema": "dumpscan.info/2"`,
		`"system": {"architecture":"AMD64","processors":8,"name":"Windows Server 2022","productType":3,"build":"20348.1.amd64fre"}`,
		`"cpu": {"userSeconds":3661,"kernelSeconds":0}`,
		`"exception": {"code":"0xc0000008","name":"STATUS_INVALID_HANDLE","threadId":6699,"address":"0x7ff80000001f","module":"ntdll","moduleOffset":"0x1f","parameters":["0x1","0xffffffffffffffff"]}`,
		`"handleTraces":{"can":true,"detail":"235 of 1,639 operations"}`,
		`{"type":12,"name":"HandleDataStream","size":56,"offset":"0x96"}`,
		`"errors": []`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestInfoSystem(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *analysis.DumpInfo)
		want   string
	}{
		{"a controller", func(d *analysis.DumpInfo) { d.System.ProductType = minidump.ProductDomainController },
			"Windows NT 10.0.20348 (Windows Server 2022, domain controller, 20348.1.amd64fre)"},
		{"a build without name", func(d *analysis.DumpInfo) { d.System.BuildNumber, d.System.CSDVersion = 1, "Service Pack 9" },
			"Windows NT 10.0.1 (server, Service Pack 9, 20348.1.amd64fre)"},
		{"a service pack", func(d *analysis.DumpInfo) {
			d.System.MajorVersion, d.System.MinorVersion, d.System.BuildNumber = 6, 1, 7601
			d.System.ProductType, d.System.CSDVersion, d.Misc.BuildString = minidump.ProductWorkstation, "Service Pack 1", ""
		}, "Windows NT 6.1.7601 (Windows 7 SP1)"},
		{"another system", func(d *analysis.DumpInfo) {
			d.System.PlatformID, d.System.ProductType, d.Misc.BuildString = minidump.PlatformMacOS, 0, ""
		}, "macOS 10.0.20348 (not a Windows dump)"},
		{"nothing more", func(d *analysis.DumpInfo) { d.System.ProductType, d.System.BuildNumber, d.Misc = 0, 1, nil }, "Windows NT 10.0.1"},
	} {
		d := exampleInfo()
		tt.change(d)
		text := write(t, NewInfoReport("w3wp.dmp", d), Text, Style{})
		if !strings.Contains(text, "\nos:            "+tt.want+"\n") {
			t.Errorf("%s: no %q in\n%s", tt.name, tt.want, text)
		}
	}
}

func TestInfoUptime(t *testing.T) {
	for want, change := range map[string]func(d *analysis.DumpInfo){
		"1 h 30 min": func(*analysis.DumpInfo) {},
		"unknown: the dump does not say when the process was started": func(d *analysis.DumpInfo) { d.Created = time.Time{} },
		"unknown: the dump does not say when it was written":          func(d *analysis.DumpInfo) { d.Time = time.Time{} },
		"unknown: the process was started after the dump was written, so one of the clocks is wrong": func(d *analysis.DumpInfo) {
			d.Created = d.Time.Add(time.Second)
		},
	} {
		d := exampleInfo()
		change(d)
		if got := NewInfoReport("w3wp.dmp", d).uptime(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
