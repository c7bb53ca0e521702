package dumptest

import "testing"

func TestBreakpad(t *testing.T) {
	d := Dump{NoSystemInfo: true, BreakpadInfo: &BreakpadInfo{DumpThreadID: 5, RequestingThreadID: 6}}
	equal(t, body(t, d, "BreakpadInfo", "End"), literal(t, `03000000 05000000 06000000`))
	d = Dump{NoSystemInfo: true, AssertionInfo: &AssertionInfo{Expression: "e", Function: "f", File: "g", Line: 7, Type: 1}}
	b := body(t, d, "AssertionInfo", "End")
	if len(b) != 776 || b[0] != 'e' || b[256] != 'f' || b[512] != 'g' || b[768] != 7 || b[772] != 1 {
		t.Errorf("%d bytes: % x", len(b), b)
	}
	d = Dump{NoSystemInfo: true, PointerSize: 4, LinuxAuxv: []AuxvEntry{{6, 4096}}}
	equal(t, body(t, d, "LinuxAuxv", "End"), literal(t, `06000000 00100000 00000000 00000000`))
}

func TestLinuxDSODebug(t *testing.T) {
	debug := &LinuxDSODebug{Version: 1, Brk: 2, LDBase: 3, Dynamic: 4, Links: []LinuxLink{{Addr: 5, Name: "l", LD: 6}}, DynamicSection: []byte{7}}
	for _, tt := range []struct {
		ptr     int
		aligned bool
		want    string
	}{
		{4, false, `02000000 6c00 0000  05000000 2c000000 06000000
			01000000 34000000 01000000 02000000 03000000 04000000 07`},
		{8, false, `02000000 6c00 0000  0500000000000000 2c000000 0600000000000000
			01000000 34000000 01000000 0200000000000000 0300000000000000 0400000000000000 07`},
		{8, true, `02000000 6c00 0000  0500000000000000 2c000000 eeeeeeee 0600000000000000
			01000000 34000000 01000000 eeeeeeee 0200000000000000 0300000000000000 0400000000000000 07`},
	} {
		debug.Aligned = tt.aligned
		d := Dump{NoSystemInfo: true, PointerSize: tt.ptr, Padding: 0xee, LinuxDSODebug: debug}
		equal(t, body(t, d, "LinuxDsoDebug.Map[0].Name", "End"), literal(t, tt.want))
	}
}

func TestCrashpadInfo(t *testing.T) {
	info := &CrashpadInfo{
		ReportID: [16]byte{1}, ClientID: [16]byte{2}, Annotations: []Annotation{{"k", "v"}}, AddressMask: 9,
		Modules: []CrashpadModule{{Index: 3, List: []string{"l"}, Objects: []AnnotationObject{{"o", 1, []byte{0xff}}}}},
	}
	d := Dump{NoSystemInfo: true, CrashpadInfo: info}
	equal(t, d.Bytes()[44:], literal(t, `
		01000000 6b 00  01000000 76 00                       # at 0x2c: k, v
		01000000 2c000000 32000000                           # at 0x38: the dictionary
		01000000 6c 00  01000000 6f 00  01000000 ff 00       # at 0x44, 0x4a, 0x50
		01000000 44000000                                    # at 0x56: the list
		01000000 4a000000 0100 0000 50000000                 # at 0x5e: the objects
		01000000 08000000 56000000 00000000 00000000 10000000 5e000000 # at 0x6e
		01000000 03000000 1c000000 6e000000                  # at 0x8a: the modules
		01000000 01000000000000000000000000000000 02000000000000000000000000000000
		0c000000 38000000 10000000 8a000000 00000000 0900000000000000
	`))
	info.Old = true
	if b := body(t, d, "CrashpadInfo", "End"); len(b) != 52 {
		t.Errorf("%d bytes, want 52", len(b))
	}
}
