package dumptest

import "testing"

func TestObjectInformation(t *testing.T) {
	process := ProcessInformation{ExitStatus: 0x103, Peb: 0x7ffdc000, AffinityMask: 0xf, BasePriority: 8, ProcessID: 0x1234, ParentProcessID: 0x744}
	for _, tt := range []struct {
		info           ObjectInformation
		typ            uint32
		form32, form64 string // cc is padding
	}{
		{ThreadInformation{ExitStatus: 0x103, Teb: 0x7ffde000, ProcessID: 0x4d2c, ThreadID: 0x1a2c, AffinityMask: 3, Priority: 15, BasePriority: -2}, 1,
			"03010000 00e0fd7f 2c4d0000 2c1a0000 03000000 0f000000 feffffff",
			"03010000 cccccccc 00e0fd7f00000000 2c4d000000000000 2c1a000000000000 0300000000000000 0f000000 feffffff"},
		{MutantInformation{CurrentCount: -1, OwnedByCaller: true}, 2, "ffffffff 01 00 cccc", "ffffffff 01 00 cccc"},
		{MutantInformation{CurrentCount: 1, Abandoned: true}, 2, "01000000 00 01 cccc", "01000000 00 01 cccc"},
		{MutantOwner{0x4d2c, 0x1a2c}, 3, "2c4d0000 2c1a0000", "2c4d000000000000 2c1a000000000000"},
		{process, 4,
			"03010000 00c0fd7f 0f000000 08000000 34120000 44070000",
			"03010000 cccccccc 00c0fd7f00000000 0f00000000000000 08000000 cccccccc 3412000000000000 4407000000000000"},
		{ProcessExtended{process, 2}, 5,
			"20000000 03010000 00c0fd7f 0f000000 08000000 34120000 44070000 02000000",
			"4000000000000000 03010000 cccccccc 00c0fd7f00000000 0f00000000000000 08000000 cccccccc 3412000000000000 4407000000000000 02000000 cccccccc"},
		{EventInformation{}, 6, "00000000 00000000", "00000000 00000000"},
		{EventInformation{AutoReset: true}, 6, "01000000 00000000", "01000000 00000000"},
		{EventInformation{Set: true}, 6, "00000000 01000000", "00000000 01000000"},
		{SectionInformation{BaseAddress: 0x10000, AllocationAttributes: 0x8000000, MaximumSize: 0x4000}, 7,
			"00000100 00000008 0040000000000000",
			"0000010000000000 00000008 cccccccc 0040000000000000"},
		{SemaphoreInformation{3, 0x7fffffff}, 8, "03000000 ffffff7f", "03000000 ffffff7f"},
		{RawInformation{99, []byte{1, 2, 3}}, 99, "010203", "010203"},
	} {
		if tt.info.infoType() != tt.typ {
			t.Errorf("%T has type %d, want %d", tt.info, tt.info.infoType(), tt.typ)
		}
		equal(t, tt.info.payload(4, 0xcc), literal(t, tt.form32))
		equal(t, tt.info.payload(8, 0xcc), literal(t, tt.form64))
	}
}

func TestCodeViewOfOtherSystems(t *testing.T) {
	equal(t, BuildID{1, 2}.codeView(), literal(t, "4c457042 0102"))
	equal(t, RawCodeView("NB11x").codeView(), []byte("NB11x"))
}
