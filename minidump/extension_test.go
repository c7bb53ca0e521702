package minidump_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestBreakpadStreams(t *testing.T) {
	for validity, want := range map[uint32]minidump.BreakpadInfo{
		1: {Validity: 1, DumpThreadID: 5}, 2: {Validity: 2, RequestingThreadID: 6}, 3: {Validity: 3, DumpThreadID: 5, RequestingThreadID: 6}, 4: {Validity: 4},
	} {
		got, err := build(t, dumptest.Dump{BreakpadInfo: &dumptest.BreakpadInfo{Validity: validity, DumpThreadID: 5, RequestingThreadID: 6}}).BreakpadInfo()
		if d := cmp.Diff(&want, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	}
	full := strings.Repeat("x", 128)
	got, err := build(t, dumptest.Dump{AssertionInfo: &dumptest.AssertionInfo{Expression: "p != nullptr", Function: full, Line: 32, Type: 1}}).AssertionInfo()
	if d := cmp.Diff(&minidump.AssertionInfo{Expression: "p != nullptr", Function: full, Line: 32, Type: minidump.AssertionInvalidParameter}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	for typ, want := range map[minidump.AssertionType]string{0: "UNKNOWN", 1: "INVALID_PARAMETER", 2: "PURE_VIRTUAL_CALL", 3: "AssertionType(3)"} {
		if typ.String() != want {
			t.Errorf("%d is %s, want %s", uint32(typ), typ, want)
		}
	}
}

func TestText(t *testing.T) {
	d := dumptest.Dump{Streams: []dumptest.RawStream{{Type: 0x47670006, Data: []byte("a\x00b\x00")}}}
	got, err := build(t, d).Text(minidump.LinuxCmdLineStream)
	if got != "a\x00b\x00" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := build(t, d).Text(minidump.LinuxMapsStream); got != "" || !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without: %q, %v", got, err)
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	d.TruncateAt = layout["End"] - 1
	var format *minidump.FormatError
	if got, err := build(t, d).Text(minidump.LinuxCmdLineStream); got != "a\x00b" || !errors.As(err, &format) {
		t.Errorf("cut off: %q, %v", got, err)
	}
}

func TestLinuxAuxv(t *testing.T) {
	entries := []dumptest.AuxvEntry{{Type: 6, Value: 4096}, {Type: 9, Value: 0x400de0}, {Type: 99, Value: 1}}
	want := []minidump.AuxvEntry{{Type: 6, Value: 4096}, {Type: 9, Value: 0x400de0}, {Type: 99, Value: 1}}
	for _, ptr := range []int{4, 8} {
		got, err := build(t, dumptest.Dump{PointerSize: ptr, LinuxAuxv: entries}).LinuxAuxv()
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%d bytes: %v (-want +got):\n%s", ptr, err, d)
		}
	}
	// What follows the end means nothing.
	got, err := build(t, dumptest.Dump{LinuxAuxv: append([]dumptest.AuxvEntry{{Type: 6, Value: 1}, {}}, entries...)}).LinuxAuxv()
	if len(got) != 1 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for typ, want := range map[minidump.AuxvType]string{0: "AT_NULL", 9: "AT_ENTRY", 33: "AT_SYSINFO_EHDR", 99: "AuxvType(99)"} {
		if typ.String() != want {
			t.Errorf("%d is %s, want %s", uint64(typ), typ, want)
		}
	}
	unknown := dumptest.Dump{NoSystemInfo: true, LinuxAuxv: entries, LinuxDSODebug: &dumptest.LinuxDSODebug{}}
	var format *minidump.FormatError
	if got, err := build(t, unknown).LinuxAuxv(); got != nil || !errors.As(err, &format) {
		t.Errorf("of unknown size: %v, %v", got, err)
	}
	if got, err := build(t, unknown).LinuxDSODebug(); got != nil || !errors.As(err, &format) {
		t.Errorf("of unknown size: %v, %v", got, err)
	}
}

func TestLinuxDSODebug(t *testing.T) {
	d := dumptest.Dump{LinuxDSODebug: &dumptest.LinuxDSODebug{
		Version: 1, Brk: 0x1000, LDBase: 0x2000, Dynamic: 0x3000, DynamicSection: make([]byte, 32),
		Links: []dumptest.LinuxLink{{LD: 0x3000}, {Addr: 0x5000, LD: 0x6000, Name: "/lib/libc.so.6"}},
	}}
	want := &minidump.LinuxDSODebug{
		Version: 1, DSOCount: 2, Brk: 0x1000, LDBase: 0x2000, Dynamic: 0x3000, DynamicSection: make([]byte, 32),
		Links: []minidump.LinuxLink{{LD: 0x3000}, {Addr: 0x5000, LD: 0x6000, Name: "/lib/libc.so.6"}},
	}
	for _, form := range []struct {
		ptr     int
		aligned bool
	}{{4, false}, {8, false}, {8, true}} {
		d.PointerSize, d.LinuxDSODebug.Aligned = form.ptr, form.aligned
		got, err := build(t, d).LinuxDSODebug()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%+v: %v (-want +got):\n%s", form, err, diff)
		}
	}
	for _, tt := range []struct {
		name  string
		patch dumptest.Patch
		err   string
		links int
	}{
		{"more objects than there are", dumptest.PutU32("LinuxDsoDebug", 8, 0xffffffff), "string outside the file", 3},
		{"objects outside the file", dumptest.PutU32("LinuxDsoDebug", 4, 0xfffffff0), "2 shared objects of 24 bytes declared", 0},
		{"a name outside the file", dumptest.PutU32("LinuxDsoDebug.Map", 8, 0xfffffff0), "string outside the file", 2},
	} {
		d.Patches = []dumptest.Patch{tt.patch}
		got, err := build(t, d).LinuxDSODebug()
		if err == nil || !strings.Contains(err.Error(), tt.err) || len(got.Links) < tt.links {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func someCrashpad() *dumptest.CrashpadInfo {
	return &dumptest.CrashpadInfo{
		ReportID: [16]byte{0x72, 0xde, 0xf9, 0x42, 0x8a, 0x51, 0xdd, 0x43, 0x97, 0xd7, 0x8d, 0xdc, 0x32, 0x8d, 0x36, 0x62}, ClientID: [16]byte{1},
		Annotations: []dumptest.Annotation{{Key: "prod", Value: "Electron"}, {Key: "", Value: "größer\xff"}},
		Modules: []dumptest.CrashpadModule{
			{Index: 3, List: []string{"abort() called", ""}, Annotations: []dumptest.Annotation{{Key: "a", Value: "b"}}},
			{Index: 5, Objects: []dumptest.AnnotationObject{{Name: "ptype", Type: 1, Value: []byte("renderer")}, {Name: "counter", Type: 0x802a, Value: []byte{1, 0, 0, 0}}}},
			{Index: 6},
		},
		AddressMask: 0xffffff8000000000,
	}
}

func TestCrashpadInfo(t *testing.T) {
	want := &minidump.CrashpadInfo{
		Version:           1,
		SimpleAnnotations: []minidump.Annotation{{Key: "prod", Value: "Electron"}, {Key: "", Value: "größer\uFFFD"}},
		Modules: []minidump.CrashpadModule{
			{ModuleIndex: 3, Version: 1, ListAnnotations: []string{"abort() called", ""}, SimpleAnnotations: []minidump.Annotation{{Key: "a", Value: "b"}}},
			{ModuleIndex: 5, Version: 1, AnnotationObjects: []minidump.AnnotationObject{
				{Name: "ptype", Type: minidump.AnnotationString, Value: []byte("renderer")}, {Name: "counter", Type: 0x802a, Value: []byte{1, 0, 0, 0}},
			}},
			{ModuleIndex: 6, Version: 1},
		},
		AddressMask: 0xffffff8000000000,
	}
	d := dumptest.Dump{CrashpadInfo: someCrashpad()}
	want.ReportID, want.ClientID = d.CrashpadInfo.ReportID, d.CrashpadInfo.ClientID
	for _, old := range []bool{false, true} {
		if d.CrashpadInfo.Old = old; old {
			want.AddressMask = 0
		}
		got, err := build(t, d).CrashpadInfo()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("old %v: %v (-want +got):\n%s", old, err, diff)
		}
		if id := got.ReportID.UUID(); id != "42f9de72-518a-43dd-97d7-8ddc328d3662" {
			t.Errorf("report %s", id)
		}
	}
	for typ, want := range map[minidump.AnnotationType]string{0: "kInvalid", 1: "kString", 0x802a: "AnnotationType(0x802a)"} {
		if typ.String() != want {
			t.Errorf("%d is %s, want %s", uint16(typ), typ, want)
		}
	}
	for _, tt := range []struct {
		name  string
		patch dumptest.Patch
		want  string
	}{
		{"annotations outside the file", dumptest.PutU32("CrashpadInfo", 40, 0xfffffff0), "4 more bytes needed, 0 left"},
		{"annotations of 2 bytes", dumptest.PutU32("CrashpadInfo", 36, 2), "4 more bytes needed, 2 left"},
		{"more annotations than there are", dumptest.PutU32("CrashpadInfo", 36, 12), "2 annotations of 8 bytes declared, but the stream ends after 1"},
		{"more modules than there are", dumptest.PutU32("CrashpadInfo.Modules", 0, 0xffffffff), "4294967295 modules of 12 bytes declared, but the stream ends after 3"},
		{"a module outside the file", dumptest.PutU32("CrashpadInfo.Modules", 12, 0xfffffff0), "4 more bytes needed, 0 left"},
		{"a module of 4 bytes", dumptest.PutU32("CrashpadInfo.Modules", 8, 4), "4 more bytes needed, 0 left"},
		{"a string without end", dumptest.PutU32("SystemInfo", 56, 0xfffffff0), "string of 4294967280 bytes, but the file ends after"},
	} {
		d.Patches = []dumptest.Patch{tt.patch} // the first string stands behind SystemInfo
		got, err := build(t, d).CrashpadInfo()
		var format *minidump.FormatError
		if got == nil || !errors.As(err, &format) || format.Stream != minidump.CrashpadInfoStream || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %v, want %s", tt.name, got, err, tt.want)
		}
	}
}

// TestCrashpadListsThatAreShared by many modules unfold to no more than a few
// times the file.
func TestCrashpadListsThatAreShared(t *testing.T) {
	const n = 2000
	info := &dumptest.CrashpadInfo{}
	for range n {
		info.Modules = append(info.Modules, dumptest.CrashpadModule{})
	}
	for range n {
		info.Modules[0].List = append(info.Modules[0].List, "")
	}
	d := dumptest.Dump{CrashpadInfo: info}
	data := d.Bytes()
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	list := data[layout["CrashpadInfo.Modules"]:]
	for i := range n {
		copy(list[4+12*i+4:], list[8:16]) // the location of the first
	}
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.CrashpadInfo()
	if err == nil || !strings.Contains(err.Error(), "overlapping data") {
		t.Errorf("%v", err)
	}
	total := 0
	for _, m := range got.Modules {
		total += len(m.ListAnnotations)
	}
	if total > len(data) { // each takes 4 bytes of four times the file
		t.Errorf("%d strings from %d bytes", total, len(data))
	}
}
