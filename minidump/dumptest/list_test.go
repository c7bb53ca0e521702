package dumptest

import "testing"

func TestThreads(t *testing.T) {
	d := Dump{
		NoSystemInfo: true,
		Threads: []Thread{{ThreadID: 0x1a2c, SuspendCount: 1, PriorityClass: 0x20, Priority: -2, Teb: 0x7ffde000,
			Stack: MemoryRange{Start: 0x12f000, Data: []byte{1, 2, 3, 4}}, Context: []byte{0xaa, 0xbb}}},
		ThreadNames: []ThreadName{{0x1a2c, "ä"}},
		ThreadInfos: &ThreadInfoList{Threads: []ThreadInfo{{ThreadID: 0x1a2c, StartAddress: 0x401000, Affinity: 3}}, EntrySize: 66},
		Padding:     0xee,
	}
	equal(t, body(t, d, "ThreadList[0].Stack", "End"), literal(t, `
		01020304  aabb                       # at 0x50: stack, context
		01000000                             # ThreadList
		2c1a0000 01000000 20000000 feffffff 00e0fd7f00000000
		00f0120000000000 04000000 50000000   # the stack
		02000000 54000000                    # the context
		02000000 e400 0000                   # at 0x8a: the name
		01000000 2c1a0000 8a00000000000000   # ThreadNames
		0c000000 42000000 01000000           # ThreadInfoList
		2c1a0000 00000000 00000000 03010000
		0000000000000000 0000000000000000 0000000000000000 0000000000000000
		0010400000000000 0300000000000000 eeee
		01000000                             # MemoryList
		00f0120000000000 04000000 50000000
	`))
}

func TestModules(t *testing.T) {
	d := Dump{
		NoSystemInfo: true,
		Modules: []Module{
			{Base: 0x400000, Size: 0x8000, CheckSum: 0x1234, TimeDateStamp: 0x45d6a1b2, Name: "a.exe",
				Version:  &Version{File: [4]uint16{6, 0, 3790, 3959}, Type: 1},
				CodeView: RSDS{GUID: [16]byte{0: 1, 15: 16}, Path: "a.pdb"}},
			{Base: 0x7c800000, Name: "b", CodeView: NB10{Signature: 0x3b7d8475, Age: 2, Path: "b.pdb"}, MiscRecord: []byte{9}},
		},
		UnloadedModules: &UnloadedModuleList{Modules: []UnloadedModule{{Base: 0x10000000, Size: 0x1000, CheckSum: 5, TimeDateStamp: 6, Name: "u"}}},
		CountPadding:    true,
	}
	equal(t, body(t, d, "ModuleList[0].Name", "End"), literal(t, `
		0a000000 61002e00 65007800 6500 0000 # at 0x38
		52534453 01000000 00000000 00000000 00000010 01000000 612e7064 6200 # at 0x48
		02000000 6200 0000                   # at 0x66
		4e423130 00000000 75847d3b 02000000 622e7064 6200 # at 0x6e
		09                                   # at 0x84
		02000000 00000000                    # ModuleList
		0000400000000000 00800000 34120000 b2a1d645 38000000
		bd04effe 00000100 00000600 770fce0e 00000600 770fce0e 3f000000 00000000 04000400 01000000 00000000 00000000 00000000
		1e000000 48000000 00000000 00000000 0000000000000000 0000000000000000
		0000807c00000000 00000000 00000000 00000000 66000000
		00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
		16000000 6e000000 01000000 84000000 0000000000000000 0000000000000000
		02000000 7500 0000                   # at 0x165
		0c000000 18000000 01000000           # UnloadedModuleList
		0000001000000000 00100000 05000000 06000000 65010000
	`))
}

func TestMemory(t *testing.T) {
	d := Dump{
		NoSystemInfo: true,
		MemoryInfos: &MemoryInfoList{Regions: []MemoryInfo{
			{BaseAddress: 0x10000, AllocationBase: 0x10000, AllocationProtect: 4, RegionSize: 0x2000, Protect: 2, Type: 0x20000}}},
		Memory:   []MemoryRange{{Start: 0x10000, Data: []byte{1, 2}, Size: 3}},
		Memory64: []MemoryRange{{Start: 0x20000, Data: []byte{3}}, {Start: 0x30000, Size: 2}},
		Padding:  0xee,
	}
	equal(t, body(t, d, "MemoryInfoList", "End"), literal(t, `
		10000000 30000000 0100000000000000   # at 0x44
		0000010000000000 0000010000000000 04000000 00000000 0020000000000000 00100000 02000000 00000200 00000000
		010200                               # at 0x84
		01000000 0000010000000000 03000000 84000000
		0200000000000000 cb00000000000000    # at 0x9b
		0000020000000000 0100000000000000
		0000030000000000 0200000000000000
		03 0000                              # at 0xcb
	`))
}

func TestHandleOperations(t *testing.T) {
	clipped := uint32(40)
	d := Dump{
		NoSystemInfo: true,
		HandleOperations: &HandleOperationList{Operations: []HandleOperation{
			{Handle: 0x3c, ProcessID: 0x17e8, ThreadID: 0x17ec, Type: OperationOpen, Stack: []uint64{0x77ca310c, 0xab1627}, Index: 7},
			{Handle: 0x34, Type: OperationClose, Depth: &clipped},
		}},
	}
	got := body(t, d, "HandleOperationList", "End")
	if len(got) != 16+2*288 {
		t.Fatalf("%d bytes, want %d", len(got), 16+2*288)
	}
	equal(t, got[:16+48], literal(t, `
		10000000 20010000 02000000 00000000
		3c00000000000000 e8170000 ec170000 01000000 00000000 02000000 07000000
		0c31ca7700000000 2716ab0000000000
	`))
	equal(t, got[16+288:16+288+48], literal(t, `
		3400000000000000 00000000 00000000 02000000 00000000 28000000 00000000
		0000000000000000 0000000000000000
	`))
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "00000000 0000"},
		{"A", "02000000 4100 0000"},
		{"é", "02000000 e900 0000"},
		{"A\U0001f600", "06000000 4100 3dd8 00de 0000"},
		{"\x80", "02000000 fdff 0000"}, // no UTF-8
	} {
		got := appendString(nil, tt.text)
		equal(t, got, literal(t, tt.want))
		if n := stringSize(tt.text); n != int64(len(got)) {
			t.Errorf("stringSize(%q) = %d, want %d", tt.text, n, len(got))
		}
	}
}
