package dumptest

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the files in testdata")

const fieldReportFile = "../../testdata/w3wp.dmp.gz"

// fieldReportCounts is the summary that the report of 2012 prints.
var fieldReportCounts = map[string]int{
	"": 9, "Event": 339, "Section": 32, "File": 107, "Port": 17, "Directory": 2, "Mutant": 6, "WindowStation": 3,
	"Semaphore": 80, "Key": 65602, "Token": 9, "Process": 1, "Thread": 82, "Desktop": 3, "IoCompletion": 21, "Timer": 2, "KeyedEvent": 1,
}

// TestFieldReport checks testdata/w3wp.dmp.gz against its description; -update
// writes it.
func TestFieldReport(t *testing.T) {
	t.Parallel()
	dump := fieldReport()
	handles := dump.HandleData.Handles
	counts := map[string]int{}
	unnamed, read := 0, 0
	last := uint64(0)
	for _, h := range handles {
		counts[h.Type]++
		if h.Value <= last || h.Value%4 != 0 {
			t.Errorf("handle %#x follows %#x", h.Value, last)
		}
		last = h.Value
		if h.Type != "Key" {
			continue
		}
		if h.Name == "" {
			unnamed++
		}
		if h.GrantedAccess == 0x20019 {
			read++
		}
	}
	if diff := cmp.Diff(fieldReportCounts, counts); diff != "" {
		t.Errorf("handles by type (-want +got):\n%s", diff)
	}
	if len(handles) != 66316 || unnamed != 65104 || read != 21868 {
		t.Errorf("%d handles, %d unnamed keys, %d keys with 0x20019", len(handles), unnamed, read)
	}
	for _, want := range []Handle{
		{Value: 0x7e0, Type: "Key", GrantedAccess: 0x20019, Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`},
		{Value: 0x7fc, Type: "Key", GrantedAccess: 0xf003f},
		{Value: 0x834, Type: "Key", GrantedAccess: 0xf003f},
	} {
		i := slices.IndexFunc(handles, func(h Handle) bool { return h.Value == want.Value })
		if i < 0 {
			t.Errorf("there is no handle %#x", want.Value)
		} else if diff := cmp.Diff(want, handles[i]); diff != "" {
			t.Errorf("handle %#x (-want +got):\n%s", want.Value, diff)
		}
	}
	if up := dump.TimeDateStamp - dump.MiscInfo.ProcessCreateTime; up != 13*60 {
		t.Errorf("the process has run for %d s, want 780", up)
	}

	data := dump.Bytes()
	if *update {
		writeGzip(t, fieldReportFile, data)
	}
	if got := readGzip(t, fieldReportFile); !bytes.Equal(got, data) {
		t.Errorf("%s is not what this test makes (%d bytes, want %d); run it with -update", fieldReportFile, len(got), len(data))
	}
}

// writeGzip compresses without a name or a time, so the file depends on data alone.
func writeGzip(t *testing.T, name string, data []byte) {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.FromSlash(name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readGzip(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const fieldReportProcess = 3128

// fieldReport is the IIS worker process of the report: 32-bit, Windows Server
// 2003, 13 minutes old, leaking registry keys.
func fieldReport() Dump {
	taken := time.Date(2012, 1, 20, 9, 41, 36, 0, time.UTC)
	started := taken.Add(-13 * time.Minute)
	return Dump{
		Version:       0x5128a793,
		TimeDateStamp: uint32(taken.Unix()),
		Flags:         WithHandleData | WithUnloadedModules | WithProcessThreadData | WithThreadInfo,
		PointerSize:   4,
		Directory:     Directory{Unused: 3},
		SystemInfo: &SystemInfo{
			ProcessorLevel: 6, ProcessorRevision: 0x1706, NumberOfProcessors: 4, ProductType: 3,
			MajorVersion: 5, MinorVersion: 2, BuildNumber: 3790, CSDVersion: "Service Pack 2", SuiteMask: 0x110,
			CPU: append([]byte("GenuineIntel"), 0x76, 0x06, 0x01, 0, 0xff, 0xfb, 0xeb, 0xbf, 0, 0, 0x10, 0x20),
		},
		MiscInfo: &MiscInfo{
			Version: 2, ProcessID: fieldReportProcess, ProcessCreateTime: uint32(started.Unix()),
			ProcessUserTime: 214, ProcessKernelTime: 61, MaxMhz: 2333, CurrentMhz: 2333, MhzLimit: 2333,
		},
		Threads:     fieldReportThreads(),
		ThreadInfos: fieldReportThreadInfos(started),
		Modules:     fieldReportModules(),
		UnloadedModules: &UnloadedModuleList{Modules: []UnloadedModule{
			{Base: 0x71ae0000, Size: 0x8000, CheckSum: 0x9d1a, TimeDateStamp: 0x45d70ad8, Name: "wshtcpip.dll"},
			{Base: 0x76ed0000, Size: 0x2a000, CheckSum: 0x2fb13, TimeDateStamp: 0x49faf9c4, Name: "DNSAPI.dll"},
		}},
		HandleData: &HandleData{Handles: fieldReportHandles()},
		// The process is charged for what its keys cost the kernel.
		ProcessVmCounters: &ProcessVmCounters{
			Revision: 1, PageFaultCount: 148223, PeakWorkingSetSize: 181_940_224, WorkingSetSize: 176_295_936,
			QuotaPeakPagedPoolUsage: 41_992_312, QuotaPagedPoolUsage: 41_873_408,
			QuotaPeakNonPagedPoolUsage: 208_120, QuotaNonPagedPoolUsage: 196_408,
			PagefileUsage: 158_588_928, PeakPagefileUsage: 163_684_352, PrivateUsage: 158_588_928,
		},
	}
}

// fieldReportModules have the ranges and versions of such a server; the
// identities of their symbols are made up.
func fieldReportModules() []Module {
	module := func(base uint64, size, stamp uint32, path, pdb string, version ...uint16) Module {
		m := Module{Base: base, Size: size, CheckSum: size*3 + 0x1f4b, TimeDateStamp: stamp, Name: path,
			Version: &Version{File: [4]uint16(version)}}
		rsds := RSDS{Path: pdb}
		for i := range rsds.GUID {
			rsds.GUID[i] = byte(stamp>>(i%4*8)) ^ byte(i*0x3b+len(path))
		}
		m.CodeView = rsds
		return m
	}
	const system = `C:\WINDOWS\system32\`
	modules := []Module{
		module(0x01000000, 0x7000, 0x45d6968e, `c:\windows\system32\inetsrv\w3wp.exe`, "w3wp.pdb", 6, 0, 3790, 3959),
		module(0x7c800000, 0xc3000, 0x4cc14f4c, system+"ntdll.dll", "ntdll.pdb", 5, 2, 3790, 4789),
		module(0x77e40000, 0x102000, 0x49c51f0a, system+"kernel32.dll", "kernel32.pdb", 5, 2, 3790, 4480),
		module(0x77ba0000, 0x5a000, 0x45d70aa8, system+"msvcrt.dll", "msvcrt.pdb", 7, 0, 3790, 3959),
		module(0x7d1e0000, 0x9c000, 0x49ba5f1b, system+"advapi32.dll", "advapi32.pdb", 5, 2, 3790, 4455),
		module(0x77c50000, 0x9f000, 0x4c6fbf6a, system+"rpcrt4.dll", "rpcrt4.pdb", 5, 2, 3790, 4759),
		module(0x77380000, 0x91000, 0x45e7c676, system+"user32.dll", "user32.pdb", 5, 2, 3790, 4033),
		module(0x77c00000, 0x49000, 0x49007265, system+"gdi32.dll", "gdi32.pdb", 5, 2, 3790, 4396),
		module(0x77670000, 0x139000, 0x4c41f4ad, system+"ole32.dll", "ole32.pdb", 5, 2, 3790, 4750),
		module(0x77d00000, 0x8b000, 0x4755fe45, system+"oleaut32.dll", "oleaut32.pdb", 5, 2, 3790, 4202),
		module(0x71c00000, 0x17000, 0x485bd4a5, system+"ws2_32.dll", "ws2_32.pdb", 5, 2, 3790, 4318),
		module(0x5a360000, 0x10000, 0x45d70a6e, `c:\windows\system32\inetsrv\w3dt.dll`, "w3dt.pdb", 6, 0, 3790, 3959),
		module(0x5a390000, 0x5c000, 0x4917bbd9, `c:\windows\system32\inetsrv\w3core.dll`, "w3core.pdb", 6, 0, 3790, 4413),
		module(0x5a3f0000, 0xc000, 0x45d70a70, `c:\windows\system32\inetsrv\w3isapi.dll`, "w3isapi.pdb", 6, 0, 3790, 3959),
		module(0x00860000, 0x9000, 0x4f0b1c52, `C:\Inetpub\wwwroot\bin\MyCustomDll.dll`, `C:\build\MyCustomDll\Release\MyCustomDll.pdb`, 1, 4, 0, 7),
	}
	modules[0].Version.Type = 1 // VFT_APP
	return modules
}
