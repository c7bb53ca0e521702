package minidump_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestFields gives every field of every structure a value of its own.
func TestFields(t *testing.T) {
	arch := uint16(dumptest.ArchX86)
	d := dumptest.Dump{
		Padding: 0xcc,
		SystemInfo: &dumptest.SystemInfo{
			ProcessorArchitecture: &arch, ProcessorLevel: 1, ProcessorRevision: 2, NumberOfProcessors: 3, ProductType: 2,
			MajorVersion: 4, MinorVersion: 5, BuildNumber: 6, PlatformID: 7, CSDVersion: "pack", SuiteMask: 8, CPU: []byte("AuthenticAMD\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"),
		},
		Threads: []dumptest.Thread{{ThreadID: 1, SuspendCount: 2, PriorityClass: 3, Priority: -4, Teb: 5, Stack: dumptest.MemoryRange{Start: 6, Size: 7}}},
		ThreadInfos: &dumptest.ThreadInfoList{EntrySize: 72, Threads: []dumptest.ThreadInfo{
			{ThreadID: 1, DumpFlags: 2, DumpError: 3, ExitStatus: 4, CreateTime: 5, ExitTime: 6, KernelTime: 7, UserTime: 8, StartAddress: 9, Affinity: 10}, {ThreadID: 11},
		}},
		Modules: []dumptest.Module{{
			Base: 1, Size: 2, CheckSum: 3, TimeDateStamp: 4, Name: "m",
			Version:  &dumptest.Version{File: [4]uint16{1, 2, 3, 4}, Product: [4]uint16{5, 6, 7, 8}, Flags: 9, OS: 10, Type: 11},
			CodeView: dumptest.NB10{Signature: 0x3b7d8475, Age: 12, Path: "m.pdb"},
		}},
		UnloadedModules: &dumptest.UnloadedModuleList{EntrySize: 28, Modules: []dumptest.UnloadedModule{
			{Base: 1, Size: 2, CheckSum: 3, TimeDateStamp: 4, Name: "u"}, {Base: 5, Name: "v"},
		}},
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Handle: 1, ProcessID: 2, ThreadID: 3, Type: 4, Index: 5, Stack: []uint64{6, 7}},
		}},
		MemoryInfos: &dumptest.MemoryInfoList{EntrySize: 56, Regions: []dumptest.MemoryInfo{
			{BaseAddress: 1, AllocationBase: 2, AllocationProtect: 3, RegionSize: 4, State: 5, Protect: 6, Type: 7}, {BaseAddress: 8},
		}},
		ProcessVmCounters: &dumptest.ProcessVmCounters{
			Flags: 0x1f, PageFaultCount: 1, PeakWorkingSetSize: 2, WorkingSetSize: 3, QuotaPeakPagedPoolUsage: 4, QuotaPagedPoolUsage: 5,
			QuotaPeakNonPagedPoolUsage: 6, QuotaNonPagedPoolUsage: 7, PagefileUsage: 8, PeakPagefileUsage: 9, PeakVirtualSize: 10, VirtualSize: 11,
			PrivateUsage: 12, PrivateWorkingSetSize: 13, SharedCommitUsage: 14, JobSharedCommitUsage: 15, JobPrivateCommitUsage: 16,
			JobPeakPrivateCommitUsage: 17, JobPrivateCommitLimit: 18, JobTotalCommitLimit: 19,
		},
		SystemMemoryInfo: &dumptest.SystemMemoryInfo{
			Flags: 3, PageSize: 1, NumberOfPhysicalPages: 2, AvailablePages: 3, CommittedPages: 4, CommitLimit: 5, PeakCommitment: 6,
			PagedPoolPages: 7, NonPagedPoolPages: 8,
		},
	}
	f := build(t, d)
	check := func(name string, want, got any, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	si, err := f.SystemInfo()
	check("system", &minidump.SystemInfo{
		ProcessorArchitecture: minidump.ProcessorX86, ProcessorLevel: 1, ProcessorRevision: 2, NumberOfProcessors: 3, ProductType: minidump.ProductDomainController,
		MajorVersion: 4, MinorVersion: 5, BuildNumber: 6, PlatformID: 7, CSDVersion: "pack", SuiteMask: 8,
		CPU: minidump.CPUInformation([]byte("AuthenticAMD\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00")),
	}, si, err)
	threads, err := f.Threads()
	check("threads", []minidump.Thread{{
		ThreadID: 1, SuspendCount: 2, PriorityClass: 3, Priority: -4, Teb: 5,
		Stack: minidump.MemoryDescriptor{StartOfMemoryRange: 6, Memory: minidump.Location{DataSize: 7}},
	}}, threads, err)
	infos, err := f.ThreadInfos()
	check("thread infos", []minidump.ThreadInfo{
		{ThreadID: 1, DumpFlags: minidump.ThreadWritingThread, DumpError: 3, ExitStatus: 4, CreateTime: 5, ExitTime: 6, KernelTime: 7, UserTime: 8, StartAddress: 9, Affinity: 10},
		{ThreadID: 11, ExitStatus: minidump.StillActive},
	}, infos, err)
	modules, err := f.Modules()
	check("modules", []minidump.Module{{
		BaseOfImage: 1, SizeOfImage: 2, CheckSum: 3, TimeDateStamp: 4, ModuleName: "m",
		VersionInfo: minidump.FixedFileInfo{
			Signature: 0xfeef04bd, StrucVersion: 0x10000, FileVersionMS: 0x10002, FileVersionLS: 0x30004, ProductVersionMS: 0x50006, ProductVersionLS: 0x70008,
			FileFlagsMask: 0x3f, FileFlags: 9, FileOS: 10, FileType: 11,
		},
		CvRecord: minidump.CodeView{Kind: minidump.CodeViewNB10, Signature: 0x3b7d8475, Age: 12, PDBFile: "m.pdb"},
	}}, modules, err)
	unloaded, err := f.UnloadedModules()
	check("unloaded", []minidump.UnloadedModule{
		{BaseOfImage: 1, SizeOfImage: 2, CheckSum: 3, TimeDateStamp: 4, ModuleName: "u"}, {BaseOfImage: 5, ModuleName: "v"},
	}, unloaded, err)
	ops, err := f.HandleOperations()
	if err != nil {
		t.Fatal(err)
	}
	for op, err := range ops.All() {
		check("operation", minidump.HandleOperation{
			Handle: 1, ProcessID: 2, ThreadID: 3, OperationType: 4, Depth: 2, Index: 5, ReturnAddresses: [32]minidump.VA{6, 7},
		}, *op, err)
	}
	regions, err := f.MemoryInfos()
	if err != nil {
		t.Fatal(err)
	}
	var got []minidump.MemoryInfo
	for m, err := range regions.All() {
		if err != nil {
			t.Error(err)
		}
		got = append(got, *m)
	}
	check("regions", []minidump.MemoryInfo{
		{BaseAddress: 1, AllocationBase: 2, AllocationProtect: 3, RegionSize: 4, State: 5, Protect: 6, Type: 7}, {BaseAddress: 8, State: minidump.MemCommit},
	}, got, nil)
	wantCounters := minidump.ProcessVmCounters{
		Revision: 2, Flags: 0x1f, PageFaultCount: 1, PeakWorkingSetSize: 2, WorkingSetSize: 3, QuotaPeakPagedPoolUsage: 4, QuotaPagedPoolUsage: 5,
		QuotaPeakNonPagedPoolUsage: 6, QuotaNonPagedPoolUsage: 7, PagefileUsage: 8, PeakPagefileUsage: 9, PeakVirtualSize: 10, VirtualSize: 11,
		PrivateUsage: 12, PrivateWorkingSetSize: 13, SharedCommitUsage: 14, JobSharedCommitUsage: 15, JobPrivateCommitUsage: 16,
		JobPeakPrivateCommitUsage: 17, JobPrivateCommitLimit: 18, JobTotalCommitLimit: 19,
	}
	memory, err := f.SystemMemoryInfo()
	check("memory of the machine", []any{minidump.SystemMemoryFlags(3), uint32(1), uint32(2), minidump.SystemBasicPerfInfo{AvailablePages: 3, CommittedPages: 4, CommitLimit: 5, PeakCommitment: 6}, uint32(7), uint32(8)}, []any{
		memory.Flags, memory.BasicInfo.PageSize, memory.BasicInfo.NumberOfPhysicalPages, memory.BasicPerfInfo,
		memory.PerfInfo.PagedPoolPages, memory.PerfInfo.NonPagedPoolPages,
	}, err)
	counters, err := f.ProcessVmCounters()
	check("counters", &wantCounters, counters, err)
	d.ProcessVmCounters.Revision = 1
	counters, err = build(t, d).ProcessVmCounters()
	wantCounters.Revision, wantCounters.Flags = 1, minidump.VmCountersBase|minidump.VmCountersEx
	wantCounters.PeakVirtualSize, wantCounters.VirtualSize, wantCounters.PrivateWorkingSetSize, wantCounters.SharedCommitUsage = 0, 0, 0, 0
	wantCounters.JobSharedCommitUsage, wantCounters.JobPrivateCommitUsage, wantCounters.JobPeakPrivateCommitUsage = 0, 0, 0
	wantCounters.JobPrivateCommitLimit, wantCounters.JobTotalCommitLimit = 0, 0
	check("counters of revision 1", &wantCounters, counters, err)
}

// TestVersionsThatAreTooShort for what they say they are.
func TestVersionsThatAreTooShort(t *testing.T) {
	at := func(d dumptest.Dump, name string) int64 {
		layout, err := d.Layout()
		if err != nil {
			t.Fatal(err)
		}
		return layout[name]
	}
	d := dumptest.Dump{NoSystemInfo: true, ProcessVmCounters: &dumptest.ProcessVmCounters{}}
	d.TruncateAt = at(d, "ProcessVmCounters") + 111 // up to SharedCommitUsage there are 112
	if c, err := build(t, d).ProcessVmCounters(); c != nil || err == nil {
		t.Errorf("counters: %+v, %v", c, err)
	}
	d.TruncateAt++
	if c, err := build(t, d).ProcessVmCounters(); c == nil || err != nil {
		t.Errorf("counters: %+v, %v", c, err)
	}
	for _, tt := range []struct {
		declared uint32 // SizeOfInfo
		cut      int64  // bytes of the stream that are there
		pid      uint32
		mhz      uint32
		err      string
	}{
		{24, 1364, 7, 0, ""},
		{23, 1364, 0, 0, "23 bytes; 24 is the least"},
		{0, 1364, 0, 0, "0 bytes; 24 is the least"},
		{1364, 43, 7, 0, ""},
		{1364, 44, 7, 3000, ""},
		{1364, 24, 7, 0, ""},
		{1364, 23, 0, 0, "23 bytes; 24 is the least"},
		{1364, 8, 0, 0, "8 bytes; 24 is the least"},
		{1364, 7, 0, 0, "4 more bytes needed, 3 left"},
	} {
		d := dumptest.Dump{NoSystemInfo: true, MiscInfo: &dumptest.MiscInfo{ProcessID: 7, MaxMhz: 3000}}
		d.Patches = []dumptest.Patch{dumptest.PutU32("MiscInfo", 0, tt.declared)}
		d.TruncateAt = at(d, "MiscInfo") + tt.cut
		m, err := build(t, d).MiscInfo()
		if (m == nil) != (tt.err != "") || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%d declared, %d there: %+v, %v, want %q", tt.declared, tt.cut, m, err, tt.err)
		} else if m != nil && (m.ProcessID != tt.pid || m.ProcessorMaxMhz != tt.mhz) {
			t.Errorf("%d declared, %d there: %+v", tt.declared, tt.cut, m)
		}
	}
	// Without its union, which only says who made the processor, SystemInfo is whole.
	d = dumptest.Dump{PointerSize: 4}
	d.TruncateAt = at(d, "SystemInfo") + 32
	if si, err := build(t, d).SystemInfo(); err != nil || si.BuildNumber != 19045 || si.CPU != (minidump.CPUInformation{}) {
		t.Errorf("system: %+v, %v", si, err)
	}
	d.TruncateAt--
	if si, err := build(t, d).SystemInfo(); err == nil || si != nil {
		t.Errorf("system: %+v, %v", si, err)
	}
}

func TestServicePack(t *testing.T) {
	d := dumptest.Dump{SystemInfo: &dumptest.SystemInfo{CSDVersion: "Service Pack 2"}}
	d.Patches = []dumptest.Patch{dumptest.PutU32("SystemInfo", 24, 0)}
	if si, err := build(t, d).SystemInfo(); err != nil || si.CSDVersion != "" {
		t.Errorf("no name: %+v, %v", si, err)
	}
	d.Patches = []dumptest.Patch{dumptest.PutU32("SystemInfo", 24, 0xfffffff0)}
	f := build(t, d)
	if si, err := f.SystemInfo(); err == nil || !strings.Contains(err.Error(), "string outside the file") || si == nil || si.BuildNumber != 19045 {
		t.Errorf("a name that is not there: %+v, %v", si, err)
	}
	if f.PointerSize() != 8 {
		t.Errorf("PointerSize() = %d", f.PointerSize())
	}
}

func TestMiscInfoFields(t *testing.T) {
	d := dumptest.MiscInfo{
		ProcessID: 1, ProcessCreateTime: 2, ProcessUserTime: 3, ProcessKernelTime: 4, MaxMhz: 5, CurrentMhz: 6, MhzLimit: 7, MaxIdleState: 8, CurrentIdleState: 9,
		ProcessIntegrityLevel: 10, ProcessExecuteFlags: 11, ProtectedProcess: 12, TimeZoneID: 13, Bias: -14,
		StandardName: strings.Repeat("s", 32), DaylightName: "d", BuildString: "build", DbgBldStr: "dbg", XStateContextSize: 15, XStateEnabledFeatures: 16, ProcessCookie: 17,
		StandardBias: 18, DaylightBias: -19, StandardDate: [8]uint16{0, 10, 0, 5, 3, 1, 2, 4}, DaylightDate: [8]uint16{20, 21, 22, 23, 24, 25, 26, 27},
	}
	d.XStateFeatures[2], d.XStateFeatures[63] = dumptest.XStateFeature{Offset: 576, Size: 256}, dumptest.XStateFeature{Offset: 28, Size: 29}
	want := minidump.MiscInfo{
		SizeOfInfo: 1364, Flags1: 0x3f7,
		ProcessID: 1, ProcessCreateTime: 2, ProcessUserTime: 3, ProcessKernelTime: 4,
		ProcessorMaxMhz: 5, ProcessorCurrentMhz: 6, ProcessorMhzLimit: 7, ProcessorMaxIdleState: 8, ProcessorCurrentIdleState: 9,
		ProcessIntegrityLevel: 10, ProcessExecuteFlags: 11, ProtectedProcess: 12, TimeZoneID: 13,
		TimeZone: minidump.TimeZone{
			Bias: -14, StandardName: strings.Repeat("s", 32), StandardBias: 18, DaylightName: "d", DaylightBias: -19,
			StandardDate: minidump.SystemTime{Month: 10, Day: 5, Hour: 3, Minute: 1, Second: 2, Milliseconds: 4},
			DaylightDate: minidump.SystemTime{Year: 20, Month: 21, DayOfWeek: 22, Day: 23, Hour: 24, Minute: 25, Second: 26, Milliseconds: 27},
		},
		BuildString: "build", DbgBldStr: "dbg", ProcessCookie: 17,
		XState: minidump.XState{SizeOfInfo: 528, ContextSize: 15, EnabledFeatures: 16},
	}
	want.XState.Features[2], want.XState.Features[63] = minidump.XStateFeature{Offset: 576, Size: 256}, minidump.XStateFeature{Offset: 28, Size: 29}
	got, err := build(t, dumptest.Dump{MiscInfo: &d}).MiscInfo()
	if diff := cmp.Diff(&want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if created, ok := got.CreateTime(); !ok || !created.Equal(time.Unix(2, 0)) || created.Location() != time.UTC {
		t.Errorf("CreateTime: %v, %v", created, ok)
	}
	// Without its flag a field is zero, each on its own.
	for flag, zero := range map[minidump.MiscFlags]func(m *minidump.MiscInfo){
		minidump.MiscProcessID:    func(m *minidump.MiscInfo) { m.ProcessID = 0 },
		minidump.MiscProcessTimes: func(m *minidump.MiscInfo) { m.ProcessCreateTime, m.ProcessUserTime, m.ProcessKernelTime = 0, 0, 0 },
		minidump.MiscProcessorPowerInfo: func(m *minidump.MiscInfo) {
			m.ProcessorMaxMhz, m.ProcessorCurrentMhz, m.ProcessorMhzLimit, m.ProcessorMaxIdleState, m.ProcessorCurrentIdleState = 0, 0, 0, 0, 0
		},
		minidump.MiscProcessIntegrity:    func(m *minidump.MiscInfo) { m.ProcessIntegrityLevel = 0 },
		minidump.MiscProcessExecuteFlags: func(m *minidump.MiscInfo) { m.ProcessExecuteFlags = 0 },
		minidump.MiscProtectedProcess:    func(m *minidump.MiscInfo) { m.ProtectedProcess = 0 },
		minidump.MiscTimeZone:            func(m *minidump.MiscInfo) { m.TimeZoneID, m.TimeZone = 0, minidump.TimeZone{} },
		minidump.MiscBuildString:         func(m *minidump.MiscInfo) { m.BuildString, m.DbgBldStr = "", "" },
		minidump.MiscProcessCookie:       func(m *minidump.MiscInfo) { m.ProcessCookie = 0 },
	} {
		without, want := d, want
		without.Flags1 = uint32(0x3f7 &^ flag)
		want.Flags1 = 0x3f7 &^ flag
		zero(&want)
		got, err := build(t, dumptest.Dump{MiscInfo: &without}).MiscInfo()
		if diff := cmp.Diff(&want, got); diff != "" || err != nil {
			t.Errorf("without flag %#x: %v (-want +got):\n%s", uint32(flag), err, diff)
		}
		if _, ok := got.CreateTime(); ok != (flag != minidump.MiscProcessTimes) {
			t.Errorf("without flag %#x: CreateTime says %v", uint32(flag), ok)
		}
	}
	if _, ok := (&minidump.MiscInfo{Flags1: minidump.MiscProcessTimes}).CreateTime(); ok {
		t.Error("CreateTime of 0")
	}
}

func TestFileTime(t *testing.T) {
	for ft, want := range map[uint64]string{
		0:                       "1601-01-01T00:00:00Z",
		132537600000000000:      "2020-12-30T00:00:00Z",
		132537600000000000 + 15: "2020-12-30T00:00:00.0000015Z",
	} {
		if got := minidump.FileTime(ft).Format(time.RFC3339Nano); got != want {
			t.Errorf("%d: %s, want %s", ft, got, want)
		}
	}
}

// TestFrames of every depth.
func TestFrames(t *testing.T) {
	for _, tt := range []struct {
		depth uint32
		stack int // addresses that are there
		want  int
	}{{0, 0, 0}, {0, 5, 5}, {0, 32, 32}, {1, 5, 1}, {5, 3, 3}, {31, 32, 31}, {32, 32, 32}, {33, 32, 32}, {0xffffffff, 7, 7}} {
		stack := make([]uint64, tt.stack)
		for i := range stack {
			stack[i] = uint64(i + 1)
		}
		l, err := build(t, dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{
			Operations: []dumptest.HandleOperation{{Handle: 4, Stack: stack, Depth: &tt.depth}},
		}}).HandleOperations()
		if err != nil {
			t.Fatal(err)
		}
		for op := range l.All() {
			frames := op.Frames()
			if len(frames) != tt.want || op.Depth != tt.depth || tt.want > 0 && frames[tt.want-1] != minidump.VA(tt.want) {
				t.Errorf("depth %d, %d addresses: %v, want %d", tt.depth, tt.stack, frames, tt.want)
			}
			for _, a := range op.ReturnAddresses[tt.want:] {
				if a != 0 {
					t.Errorf("depth %d: %v beyond it", tt.depth, a)
				}
			}
		}
	}
}
