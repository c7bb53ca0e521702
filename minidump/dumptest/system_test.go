package dumptest

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestMiscInfoVersions(t *testing.T) {
	m := MiscInfo{ProcessID: 0x11, ProcessCreateTime: 0x22, ProcessUserTime: 0x33, ProcessKernelTime: 0x44,
		MaxMhz: 0x55, CurrentIdleState: 0x66, ProcessIntegrityLevel: 0x3000, Bias: -60, StandardName: "W", DaylightName: "S",
		BuildString: "b", DbgBldStr: "d", XStateEnabledFeatures: 7, ProcessCookie: 0x77}
	for _, tt := range []struct {
		version    int
		size       uint32 // asked for
		wantSize   int
		wantFlags  uint32
		wantFields map[int]uint32
	}{
		{version: 1, wantSize: 24, wantFlags: 0x3, wantFields: map[int]uint32{8: 0x11, 12: 0x22, 16: 0x33, 20: 0x44}},
		{version: 2, wantSize: 44, wantFlags: 0x7, wantFields: map[int]uint32{24: 0x55, 40: 0x66}},
		{version: 3, wantSize: 232, wantFlags: 0xf7, wantFields: map[int]uint32{44: 0x3000, 60: 0xffffffc4, 64: 'W', 148: 'S'}},
		{version: 4, wantSize: 832, wantFlags: 0x1f7, wantFields: map[int]uint32{232: 'b', 752: 'd'}},
		{version: 5, wantSize: 1364, wantFlags: 0x3f7, wantFields: map[int]uint32{832: 528, 840: 7, 1360: 0x77}},
		{version: 0, size: 1368, wantSize: 1368, wantFlags: 0x3f7, wantFields: map[int]uint32{1364: 0}},
		{version: 2, size: 20, wantSize: 20, wantFlags: 0x7, wantFields: map[int]uint32{16: 0x33}},
	} {
		m.Version, m.SizeOfInfo = tt.version, tt.size
		got := body(t, Dump{NoSystemInfo: true, MiscInfo: &m}, "MiscInfo", "End")
		tt.wantFields[0], tt.wantFields[4] = uint32(tt.wantSize), tt.wantFlags
		if len(got) != tt.wantSize {
			t.Errorf("version %d: %d bytes, want %d", tt.version, len(got), tt.wantSize)
			continue
		}
		for off, want := range tt.wantFields {
			if v := binary.LittleEndian.Uint32(got[off:]); v != want {
				t.Errorf("version %d: %#x at %d, want %#x", tt.version, v, off, want)
			}
		}
	}
}

func TestProcessVmCounters(t *testing.T) {
	c := ProcessVmCounters{Revision: 1, PageFaultCount: 1, PeakWorkingSetSize: 2, WorkingSetSize: 3, QuotaPeakPagedPoolUsage: 4,
		QuotaPagedPoolUsage: 5, QuotaPeakNonPagedPoolUsage: 6, QuotaNonPagedPoolUsage: 7, PagefileUsage: 8, PeakPagefileUsage: 9,
		PeakVirtualSize: 10, VirtualSize: 11, PrivateUsage: 12, PrivateWorkingSetSize: 13, SharedCommitUsage: 14, JobSharedCommitUsage: 15,
		JobPrivateCommitUsage: 16, JobPeakPrivateCommitUsage: 17, JobPrivateCommitLimit: 18, JobTotalCommitLimit: 19}
	words := func(first uint64, rest ...uint64) []byte {
		b := binary.LittleEndian.AppendUint64(nil, first)
		for _, v := range rest {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		return b
	}
	v1 := words(0x1_00000001, 2, 3, 4, 5, 6, 7, 8, 9, 12)
	equal(t, body(t, Dump{NoSystemInfo: true, ProcessVmCounters: &c}, "ProcessVmCounters", "End"), v1)
	c.Revision = 0
	v2 := words(0x1_000f0002, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
	equal(t, body(t, Dump{NoSystemInfo: true, ProcessVmCounters: &c}, "ProcessVmCounters", "End"), v2)
}

func TestSystemMemoryInfo(t *testing.T) {
	m := SystemMemoryInfo{PageSize: 1, NumberOfPhysicalPages: 2, AvailablePages: 3, CommittedPages: 4, CommitLimit: 5,
		PeakCommitment: 6, PagedPoolPages: 7, NonPagedPoolPages: 8}
	b := body(t, Dump{NoSystemInfo: true, SystemMemoryInfo: &m}, "SystemMemoryInfo", "End")
	if len(b) != 492 {
		t.Fatalf("%d bytes", len(b))
	}
	// Offsets from the header's structures, by their sizes: 4 + 52 + 60, + 32, + 4*8 + 20*4.
	for at, want := range map[int]uint32{0: 0xf0001, 8: 1, 12: 2, 116: 3, 124: 4, 132: 5, 140: 6, 260: 7, 264: 8} {
		if v := binary.LittleEndian.Uint32(b[at:]); v != want {
			t.Errorf("%#x at %d, want %#x", v, at, want)
		}
	}
}

func TestException(t *testing.T) {
	d := Dump{NoSystemInfo: true, Exception: &Exception{ThreadID: 0x654, ExceptionCode: 0xc0000005, ExceptionAddress: 0x401234,
		Parameters: []uint64{1, 0x45}, Context: []byte{0xab}}}
	got := body(t, d, "Exception", "End")
	if len(got) != 168 {
		t.Fatalf("%d bytes, want 168", len(got))
	}
	equal(t, got[:64], literal(t, `
		54060000 00000000 050000c0 00000000 0000000000000000 3412400000000000
		02000000 00000000 0100000000000000 4500000000000000 0000000000000000
	`))
	equal(t, got[160:], literal(t, `01000000 2c000000`))
}

func TestRawStreams(t *testing.T) {
	a, w := "note", "hé"
	d := Dump{NoSystemInfo: true, CommentA: &a, CommentW: &w,
		Streams: []RawStream{{0xfff0, []byte{3}}, {0xfff0, []byte{4}}}}
	equal(t, d.Bytes()[32:], literal(t, `
		0a000000 05000000 50000000
		0b000000 06000000 55000000
		f0ff0000 01000000 5b000000
		f0ff0000 01000000 5c000000
		6e6f746500 6800e9000000 03 04
	`))
}

func TestContexts(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  []byte
		size int
		at   map[int]uint32
	}{
		{"x86", ContextX86(1, 2, 3), 716, map[int]uint32{0: 0x1003f, 0xb4: 3, 0xb8: 1, 0xc4: 2}},
		{"AMD64", ContextAMD64(1, 2, 3), 1232, map[int]uint32{0x30: 0x10001f, 0x98: 2, 0xa0: 3, 0xf8: 1}},
		{"ARM64", ContextARM64(1, 2, 3, 4), 912, map[int]uint32{0: 0x40001f, 0xf0: 3, 0xf8: 4, 0x100: 2, 0x108: 1}},
	} {
		want := make([]byte, tt.size)
		for off, v := range tt.at {
			binary.LittleEndian.PutUint32(want[off:], v)
		}
		if !bytes.Equal(tt.got, want) {
			t.Errorf("%s context:", tt.name)
			equal(t, tt.got, want)
		}
	}
}
