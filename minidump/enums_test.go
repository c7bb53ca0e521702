package minidump_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestEnumerations spells values as the Windows headers do.
func TestEnumerations(t *testing.T) {
	for want, value := range map[string]fmt.Stringer{
		"NORMAL_PRIORITY_CLASS":         minidump.PriorityClass(0x20),
		"IDLE_PRIORITY_CLASS":           minidump.PriorityClass(0x40),
		"HIGH_PRIORITY_CLASS":           minidump.PriorityClass(0x80),
		"REALTIME_PRIORITY_CLASS":       minidump.PriorityClass(0x100),
		"BELOW_NORMAL_PRIORITY_CLASS":   minidump.PriorityClass(0x4000),
		"ABOVE_NORMAL_PRIORITY_CLASS":   minidump.PriorityClass(0x8000),
		"PriorityClass(0x60)":           minidump.PriorityClass(0x60),
		"THREAD_PRIORITY_IDLE":          minidump.ThreadPriority(-15),
		"THREAD_PRIORITY_LOWEST":        minidump.ThreadPriority(-2),
		"THREAD_PRIORITY_BELOW_NORMAL":  minidump.ThreadPriority(-1),
		"THREAD_PRIORITY_NORMAL":        minidump.ThreadPriority(0),
		"THREAD_PRIORITY_ABOVE_NORMAL":  minidump.ThreadPriority(1),
		"THREAD_PRIORITY_HIGHEST":       minidump.ThreadPriority(2),
		"THREAD_PRIORITY_TIME_CRITICAL": minidump.ThreadPriority(15),
		"ThreadPriority(-7)":            minidump.ThreadPriority(-7),
		"0":                             minidump.ThreadDumpFlags(0),
		"MINIDUMP_THREAD_INFO_ERROR_THREAD|MINIDUMP_THREAD_INFO_EXITED_THREAD|0x40": minidump.ThreadDumpFlags(0x45),
		"MINIDUMP_THREAD_INFO_INVALID_TEB":                                          minidump.ThreadDumpFlags(0x20),
		"MINIDUMP_MISC1_PROCESS_ID|MINIDUMP_MISC3_PROCESS_INTEGRITY":                minidump.MiscFlags(0x11),
		"MINIDUMP_MISC3_PROTECTED_PROCESS|MINIDUMP_MISC5_PROCESS_COOKIE|0x8":        minidump.MiscFlags(0x288),
		"SECURITY_MANDATORY_UNTRUSTED_RID":                                          minidump.IntegrityLevel(0),
		"SECURITY_MANDATORY_LOW_RID":                                                minidump.IntegrityLevel(0x1000),
		"SECURITY_MANDATORY_MEDIUM_RID":                                             minidump.IntegrityLevel(0x2000),
		"SECURITY_MANDATORY_MEDIUM_PLUS_RID":                                        minidump.IntegrityLevel(0x2100),
		"SECURITY_MANDATORY_HIGH_RID":                                               minidump.IntegrityLevel(0x3000),
		"SECURITY_MANDATORY_SYSTEM_RID":                                             minidump.IntegrityLevel(0x4000),
		"SECURITY_MANDATORY_PROTECTED_PROCESS_RID":                                  minidump.IntegrityLevel(0x5000),
		"IntegrityLevel(0x2010)":                                                    minidump.IntegrityLevel(0x2010),
		"MINIDUMP_PROCESS_VM_COUNTERS|MINIDUMP_PROCESS_VM_COUNTERS_JOB":             minidump.VmCountersFlags(0x11),
		"MINIDUMP_SYSMEMINFO1_BASICPERF|0x100":                                      minidump.SystemMemoryFlags(0x102),
		"VER_SUITE_TERMINAL|VER_SUITE_SINGLEUSERTS":                                 minidump.SuiteTerminal | minidump.SuiteSingleUserTS,
		"VER_SUITE_WH_SERVER":                                                       minidump.SuiteMask(0x8000),
	} {
		if got := value.String(); got != want {
			t.Errorf("%T %#v: %s, want %s", value, value, got, want)
		}
	}
}

func TestParseStreamType(t *testing.T) {
	for text, want := range map[string]minidump.StreamType{
		"TokenStream": 19, "token": 19, "HANDLEDATA": 12, "0x13": 19, "19": 19, "0": 0, "UnusedStream": 0, "CommentStreamA": 10, "CommentA": 10,
		"commentw": 11, "LinuxMaps": 0x47670009, "StreamType(0xfff0)": 0xfff0, "0xffffffff": 0xffffffff, "ceStreamNull": 0x8000,
	} {
		if got, ok := minidump.ParseStreamType(text); got != want || !ok {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "stream", "tokens", "-1", "0x100000000", "1.5", "StreamType("} {
		if got, ok := minidump.ParseStreamType(text); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	known := minidump.KnownStreams()
	for i, typ := range known {
		if got, ok := minidump.ParseStreamType(typ.String()); got != typ || !ok {
			t.Errorf("%v: %v, %v", typ, got, ok)
		}
		if i > 0 && known[i-1] >= typ {
			t.Errorf("%v stands before %v", known[i-1], typ)
		}
	}
}

func TestCPUInformation(t *testing.T) {
	for _, tt := range []struct {
		name string
		cpu  []byte
		want minidump.X86CPU
		ok   bool
	}{
		{"x86", []byte("GenuineIntel\x72\x06\x09\x00\xff\xfb\xeb\xbf\x01\x00\x00\x00"),
			minidump.X86CPU{VendorID: "GenuineIntel", VersionInformation: 0x90672, FeatureInformation: 0xbfebfbff, AMDExtendedCPUFeatures: 1}, true},
		{"a short vendor", []byte("Vortex86"), minidump.X86CPU{VendorID: "Vortex86"}, true},
		{"features of AMD64", []byte("\x4c\x77\xc2\x10\x01"), minidump.X86CPU{}, false},
		{"nothing", []byte{}, minidump.X86CPU{}, false},
	} {
		si, err := build(t, dumptest.Dump{SystemInfo: &dumptest.SystemInfo{CPU: tt.cpu}}).SystemInfo()
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := si.CPU.X86(); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
	}
	si, err := build(t, dumptest.Dump{SystemInfo: &dumptest.SystemInfo{CPU: []byte{8: 1, 0: 0x44, 7: 0x80}}}).SystemInfo()
	if err != nil {
		t.Fatal(err)
	}
	features := si.CPU.ProcessorFeatures()
	want := []string{"PF_COMPARE_EXCHANGE_DOUBLE", "PF_XMMI_INSTRUCTIONS_AVAILABLE", "0x8000000000000000", "0x1"}
	if d := cmp.Diff(want, features.Names()); d != "" {
		t.Errorf("features (-want +got):\n%s", d)
	}
	for feature, want := range map[int]bool{-1: false, 0: false, 2: true, 6: true, 63: true, 64: true, 65: false, 128: false} {
		if features.Has(feature) != want {
			t.Errorf("feature %d: %v", feature, !want)
		}
	}
}

// TestSystemMemoryInfoLayout reads a stream in which each number says where it
// stands.
func TestSystemMemoryInfoLayout(t *testing.T) {
	data := make([]byte, 524)
	for i := range len(data) / 4 {
		binary.LittleEndian.PutUint32(data[4*i:], uint32(4*i))
	}
	u32 := func(at uint32) uint32 { return at }
	u64 := func(at uint64) uint64 { return at | (at+4)<<32 }
	for revision, size := range map[uint16]int{1: 492, 2: 524} {
		binary.LittleEndian.PutUint16(data, revision)
		binary.LittleEndian.PutUint16(data[2:], 0x3f)
		m, err := build(t, dumptest.Dump{Streams: []dumptest.RawStream{{Type: 21, Data: data[:size]}}}).SystemMemoryInfo()
		if err != nil {
			t.Fatal(err)
		}
		p := m.PerfInfo
		got := []any{
			m.Revision, m.Flags, m.BasicInfo, m.FileCacheInfo, m.BasicPerfInfo,
			p.IdleProcessTime, p.IoOtherTransferCount, p.IoReadOperationCount, p.AvailablePages, p.PagedPoolPages, p.SystemCalls,
			p.CcTotalDirtyPages, p.CcDirtyPageThreshold, p.ResidentAvailablePages, p.SharedCommittedPages,
		}
		want := []any{
			revision, minidump.SystemMemoryFlags(0x3f),
			minidump.SystemBasicInfo{u32(4), u32(8), u32(12), u32(16), u32(20), u32(24), minidump.VA(u64(28)), minidump.VA(u64(36)), u64(44), u32(52)},
			minidump.SystemFileCacheInfo{u64(56), u64(64), u32(72), u64(76), u64(84), u64(92), u64(100), u32(108), u32(112)},
			minidump.SystemBasicPerfInfo{u64(116), u64(124), u64(132), u64(140)},
			u64(148), u64(172), u32(180), u32(192), u32(148 + 4*8 + 20*4), u32(148 + 4*8 + 69*4),
			u64(460), u64(468), int64(u64(476)), u64(484),
		}
		if revision > 1 {
			got = append(got, p.MdlPagesAllocated, p.PfnDatabaseCommittedPages, p.SystemPageTableCommittedPages, p.ContiguousPagesAllocated)
			want = append(want, u64(492), u64(500), u64(508), u64(516))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("revision %d (-want +got):\n%s", revision, d)
		}
	}
	// A revision that needs more than the stream has.
	if m, err := build(t, dumptest.Dump{Streams: []dumptest.RawStream{{Type: 21, Data: data[:500]}}}).SystemMemoryInfo(); m != nil || err == nil {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestThreadExs(t *testing.T) {
	d := dumptest.Dump{ThreadExs: []dumptest.ThreadEx{
		{Thread: dumptest.Thread{ThreadID: 7, Priority: -2, Teb: 0x1000, Context: []byte{1, 2}, Stack: dumptest.MemoryRange{Start: 0x2000, Size: 16}},
			BackingStore: dumptest.MemoryRange{Start: 0x3000, Data: []byte("store")}},
		{Thread: dumptest.Thread{ThreadID: 8}},
	}}
	for _, d.CountPadding = range []bool{false, true} {
		layout, err := d.Layout()
		if err != nil {
			t.Fatal(err)
		}
		got, err := build(t, d).ThreadExs()
		want := []minidump.ThreadEx{
			{
				Thread: minidump.Thread{
					ThreadID: 7, Priority: minidump.ThreadPriorityLowest, Teb: 0x1000,
					Stack:         minidump.MemoryDescriptor{StartOfMemoryRange: 0x2000, Memory: minidump.Location{DataSize: 16}},
					ThreadContext: minidump.Location{DataSize: 2, RVA: uint32(layout["ThreadExList[0].Context"])},
				},
				BackingStore: minidump.MemoryDescriptor{
					StartOfMemoryRange: 0x3000, Memory: minidump.Location{DataSize: 5, RVA: uint32(layout["ThreadExList[0].BackingStore"])},
				},
			},
			{Thread: minidump.Thread{ThreadID: 8}},
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("padding %v: %v (-want +got):\n%s", d.CountPadding, err, diff)
		}
	}
}
