package minidump_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestModuleNames(t *testing.T) {
	for path, want := range map[string][2]string{
		`C:\WINDOWS\system32\ntdll.dll`: {"ntdll.dll", "ntdll"},
		"/usr/lib/libc.so.6":            {"libc.so.6", "libc_so"},
		`libwinpthread-1.dll`:           {"libwinpthread-1.dll", "libwinpthread_1"},
		`C:\a\.hidden`:                  {".hidden", "_hidden"},
		`C:\AZaz09.dll`:                 {"AZaz09.dll", "AZaz09"},
		`C:\@[` + "`{/:.x":              {":.x", "_"},
		`Größe.exe`:                     {"Größe.exe", "Größe"},
		``:                              {"", ""},
		`C:\`:                           {"", ""},
	} {
		m := minidump.Module{ModuleName: path}
		if got := [2]string{m.BaseName(), m.Name()}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	m := minidump.Module{BaseOfImage: 0x400000, SizeOfImage: 0xab000, TimeDateStamp: 0x4cc14f4}
	if m.End() != 0x4ab000 || m.ImageKey() != "04CC14F4ab000" {
		t.Errorf("%s, %s", m.End(), m.ImageKey())
	}
}

func TestCodeView(t *testing.T) {
	guid := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	for _, tt := range []struct {
		name   string
		record dumptest.CodeView
		want   minidump.CodeView
		key    string
	}{
		{"none", nil, minidump.CodeView{}, ""},
		{"RSDS", dumptest.RSDS{GUID: guid, Age: 0x1f, Path: "a.pdb"}, minidump.CodeView{Kind: minidump.CodeViewRSDS, GUID: guid, Age: 0x1f, PDBFile: "a.pdb"}, "0403020106050807090A0B0C0D0E0F101F"},
		{"RSDS without a path", dumptest.RawCodeView("RSDS" + string(guid[:]) + "\x02\x00\x00\x00"), minidump.CodeView{Kind: minidump.CodeViewRSDS, GUID: guid, Age: 2}, "0403020106050807090A0B0C0D0E0F102"},
		{"NB10", dumptest.NB10{Signature: 0x3b7d847, Age: 10, Path: "a.pdb"}, minidump.CodeView{Kind: minidump.CodeViewNB10, Signature: 0x3b7d847, Age: 10, PDBFile: "a.pdb"}, "03B7D847a"},
		{"build id", dumptest.BuildID{0xab, 0xcd}, minidump.CodeView{Kind: minidump.CodeViewELF, BuildID: []byte{0xab, 0xcd}}, "abcd"},
		{"unknown", dumptest.RawCodeView("NB11xyz"), minidump.CodeView{Kind: 0x3131424e}, ""},
		{"four bytes", dumptest.RawCodeView("NB09"), minidump.CodeView{Kind: 0x3930424e}, ""},
		{"three bytes", dumptest.RawCodeView("NB0"), minidump.CodeView{}, ""},
		{"no UTF-8", dumptest.NB10{Signature: 1, Path: "a\xff.pdb"}, minidump.CodeView{Kind: minidump.CodeViewNB10, Signature: 1, Age: 1, PDBFile: "a\uFFFD.pdb"}, "000000011"},
	} {
		modules, err := build(t, dumptest.Dump{Modules: []dumptest.Module{{Name: "a", CodeView: tt.record, MiscRecord: []byte("misc")}}}).Modules()
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, modules[0].CvRecord); diff != "" || modules[0].CvRecord.Key() != tt.key {
			t.Errorf("%s: key %s, want %s (-want +got):\n%s", tt.name, modules[0].CvRecord.Key(), tt.key, diff)
		}
		if l := modules[0].MiscRecord; l.DataSize != 4 || l.RVA == 0 {
			t.Errorf("%s: MiscRecord %+v", tt.name, l)
		}
	}
	// Records that end too early, and one that is nowhere.
	for _, tt := range []struct {
		record string
		patch  dumptest.Patch
		want   string
	}{
		{"RSDS" + "0123456789abcdef123", dumptest.Patch{}, "4 more bytes needed, 3 left"},
		{"NB10" + "01234567890", dumptest.Patch{}, "4 more bytes needed, 3 left"},
		{"RSDS" + "0123456789abcdef1234x.pdb", dumptest.PutU32("ModuleList[0]", 80, 0xfffffff0), "4 more bytes needed, 0 left"},
	} {
		d := dumptest.Dump{Modules: []dumptest.Module{{Name: "a", CodeView: dumptest.RawCodeView(tt.record)}, {Name: "b"}}}
		if tt.patch.Bytes != nil {
			d.Patches = []dumptest.Patch{tt.patch}
		}
		modules, err := build(t, d).Modules()
		var format *minidump.FormatError
		if len(modules) != 2 || modules[1].ModuleName != "b" || !errors.As(err, &format) || format.Stream != minidump.ModuleListStream || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %d modules, %v, want %q", tt.record, len(modules), err, tt.want)
		}
	}
	d := dumptest.Dump{Modules: []dumptest.Module{{Name: "a", CodeView: dumptest.RSDS{}}}, Patches: []dumptest.Patch{dumptest.PutU32("ModuleList[0]", 80, 0)}}
	if modules, err := build(t, d).Modules(); err != nil || modules[0].CvRecord.Kind != 0 {
		t.Errorf("a record at RVA 0: %+v, %v", modules, err)
	}
	v := minidump.FixedFileInfo{Signature: 1, ProductVersionMS: 0x10002, ProductVersionLS: 0x30004}
	if got := v.ProductVersion(); got != "1.2.3.4" || v.FileVersion() != "0.0.0.0" || (minidump.FixedFileInfo{}).ProductVersion() != "" {
		t.Errorf("ProductVersion: %s", got)
	}
}
