package render_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

func twoModules() ([]minidump.Module, []minidump.UnloadedModule) {
	return []minidump.Module{
		{BaseOfImage: 0x400000, SizeOfImage: 0x1000, TimeDateStamp: 0x5f000000, ModuleName: `C:\inetsrv\w3wp.exe`},
		{BaseOfImage: 0x10000000, SizeOfImage: 0x2000, CheckSum: 7, ModuleName: "C:\\inetsrv\\My\u202eDll.dll"},
	}, []minidump.UnloadedModule{{BaseOfImage: 0x20000000, SizeOfImage: 0x3000, ModuleName: "=gone.dll"}}
}

func TestModuleReport(t *testing.T) {
	modules, unloaded := twoModules()
	r := render.NewModuleReport(render.DumpHeader{File: "a.dmp", PointerSize: 4}, modules, unloaded, 0)
	const text = `start     end       module         version  pdb  path
00400000  00401000  w3wp                         C:\inetsrv\w3wp.exe
10000000  10002000  My<U+202E>Dll                C:\inetsrv\My<U+202E>Dll.dll
20000000  20003000  (unloaded)                   =gone.dll
`
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const json = `{
  "schema": "dumpscan.modules/2",
  "dump": {"file":"a.dmp","pointerSize":4},
  "modules": [
    {"base":"0x400000","end":"0x401000","size":4096,"name":"w3wp","path":"C:\\inetsrv\\w3wp.exe","timestamp":"0x5f000000","checksum":"0x0","imageKey":"5F0000001000"},
    {"base":"0x10000000","end":"0x10002000","size":8192,"name":"My\u202eDll","path":"C:\\inetsrv\\My\u202eDll.dll","timestamp":"0x0","checksum":"0x7","imageKey":"000000002000"}
  ],
  "unloaded": [
    {"base":"0x20000000","end":"0x20003000","size":12288,"name":"=gone.dll","timestamp":"0x0","checksum":"0x0"}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(json, formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	const csv = `base,end,size,name,path,version,productVersion,timestamp,checksum,imageKey,pdb,pdbKey,unloaded
0x400000,0x401000,4096,w3wp,C:\inetsrv\w3wp.exe,,,0x5f000000,0x0,5F0000001000,,,false
0x10000000,0x10002000,8192,My<U+202E>Dll,C:\inetsrv\My<U+202E>Dll.dll,,,0x0,0x7,000000002000,,,false
0x20000000,0x20003000,12288,'=gone.dll,,,,0x0,0x0,,,,true
`
	if diff := cmp.Diff(csv, formatted(t, r, render.CSV)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
}

// The limit counts loaded and unloaded modules together.
func TestModuleReportLimit(t *testing.T) {
	modules, unloaded := twoModules()
	for limit, want := range map[int]string{0: "2 1 0", 1: "1 0 2", 2: "2 0 1", 3: "2 1 0", 4: "2 1 0"} {
		r := render.NewModuleReport(render.DumpHeader{}, modules, unloaded, limit)
		if got := fmt.Sprint(len(r.Modules), len(r.Unloaded), r.Omitted); got != want {
			t.Errorf("limit %d: loaded, unloaded, omitted are %s, want %s", limit, got, want)
		}
		if text := formatted(t, r, render.Text); strings.Contains(text, "… and ") != (r.Omitted > 0) {
			t.Errorf("limit %d:\n%s", limit, text)
		}
	}
}

// What a narrow terminal has no room for goes in this order: PDB, version, end.
// The path stays.
func TestModuleReportWidth(t *testing.T) {
	modules, unloaded := twoModules()
	r := render.NewModuleReport(render.DumpHeader{PointerSize: 8}, modules, unloaded, 0)
	r.Modules[0].PDBKey = "904CC9AADD9E845072A1A4E866B588DC1"
	r.Modules[0].Version = "10.0.19041.1"
	for width, gone := range map[int]string{200: "", 100: "pdb", 90: "pdb version", 80: "pdb version", 60: "pdb version end"} {
		var b bytes.Buffer
		if err := render.Write(&b, r, render.Text, render.Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		header, _, _ := strings.Cut(b.String(), "\n")
		for _, column := range []string{"start", "end", "module", "version", "pdb", "path"} {
			if strings.Contains(header, column) == strings.Contains(gone, column) {
				t.Errorf("width %d: %s", width, header)
			}
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns on a terminal of %d: %q", n, width, line)
			}
		}
	}
}

func TestSymbolReport(t *testing.T) {
	modules, _ := twoModules()
	broken := &symbol.Try{Trust: symbol.TrustDWARF, Where: "other/My.dll", Err: fmt.Errorf("wrong identity")}
	again := *broken
	again.Trust = symbol.TrustExport
	r := render.NewSymbolReport(render.DumpHeader{File: "a.dmp"}, []symbol.Status{
		{Module: &modules[0], Trust: symbol.TrustPDB, Where: "s/w3wp.pdb", Tries: []symbol.Try{{Trust: symbol.TrustPDB, Where: "s/w3wp.pdb"}}},
		{Module: &modules[1], Trust: symbol.TrustModule, Tries: []symbol.Try{
			{Trust: symbol.TrustPDB, Where: "My.dll", Err: symbol.ErrNoIdentity}, *broken, again,
		}},
	})
	const text = `module         pdb  image         symbols    names   from
w3wp           -    5F0000001000  found      pdb     s/w3wp.pdb
My<U+202E>Dll  -    000000002000  see below  module  -
My<U+202E>Dll: other/My.dll: wrong identity
`
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const json = `{
  "schema": "dumpscan.symbols/2",
  "dump": {"file":"a.dmp"},
  "modules": [
    {"name":"w3wp","path":"C:\\inetsrv\\w3wp.exe","base":"0x400000","imageKey":"5F0000001000","trust":"pdb","from":"s/w3wp.pdb","tries":[{"trust":"pdb","where":"s/w3wp.pdb"}]},
    {"name":"My\u202eDll","path":"C:\\inetsrv\\My\u202eDll.dll","base":"0x10000000","imageKey":"000000002000","trust":"module","tries":[{"trust":"pdb","where":"My.dll","error":"` +
		`the dump does not tell which symbols belong to the module"},{"trust":"dwarf","where":"other/My.dll","error":"wrong identity"},{"trust":"export","where":"other/My.dll","error":"wrong identity"}]}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(strings.Replace(json, "the dump does not tell which symbols belong to the module", symbol.ErrNoIdentity.Error(), 1), formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestSymbolManifest(t *testing.T) {
	modules, _ := twoModules()
	r := render.NewSymbolManifest(render.DumpHeader{File: "a.dmp"}, []symbol.ManifestFile{
		{Module: &modules[0], Trust: symbol.TrustPDB, Path: "w3wp.pdb/K/w3wp.pdb", URLs: []string{"http://one/w3wp.pdb", "http://two/w3wp.pdb"}},
		{Module: &modules[0], Trust: symbol.TrustExport, Path: "w3wp.exe/K/w3wp.exe"},
	})
	const text = "http://one/w3wp.pdb\nw3wp.exe/K/w3wp.exe\n"
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const json = `{
  "schema": "dumpscan.symbols.manifest/2",
  "dump": {"file":"a.dmp"},
  "files": [
    {"module":"w3wp","kind":"pdb","path":"w3wp.pdb/K/w3wp.pdb","urls":["http://one/w3wp.pdb","http://two/w3wp.pdb"]},
    {"module":"w3wp","kind":"image","path":"w3wp.exe/K/w3wp.exe","urls":[]}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(json, formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// Which modules does a process have?
func ExampleNewModuleReport() {
	r := render.NewModuleReport(render.DumpHeader{File: "w3wp.dmp", PointerSize: 4}, []minidump.Module{
		{BaseOfImage: 0x400000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\w3wp.exe`},
		{BaseOfImage: 0x10000000, SizeOfImage: 0x2000, ModuleName: `C:\inetsrv\MyCustomDll.dll`},
	}, nil, 0)
	if err := render.Write(os.Stdout, r, render.Text, render.Style{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// start     end       module       version  pdb  path
	// 00400000  00401000  w3wp                       C:\inetsrv\w3wp.exe
	// 10000000  10002000  MyCustomDll                C:\inetsrv\MyCustomDll.dll
}

// The text of lmv, by address; what a module does not have makes no line.
func TestModuleReportVerbose(t *testing.T) {
	modules, unloaded := twoModules()
	modules[0].BaseOfImage = 0x30000000
	modules[1].VersionInfo = minidump.FixedFileInfo{
		Signature: 0xfeef04bd, FileVersionMS: 10 << 16, FileVersionLS: 19041 << 16, ProductVersionMS: 10 << 16, FileFlagsMask: 0x3f, FileOS: 0x40004, FileType: 2,
	}
	unloaded[0].TimeDateStamp = 0x45d70ad8
	r := render.NewModuleReport(render.DumpHeader{File: "a.dmp", PointerSize: 4}, modules, unloaded, 0)
	r.Verbose = true
	const text = `start    end        module name
10000000 10002000   My<U+202E>Dll   (deferred)             
    Image path: C:\inetsrv\My<U+202E>Dll.dll
    Image name: My<U+202E>Dll.dll
    Timestamp:        unavailable (00000000)
    CheckSum:         00000007
    ImageSize:        00002000
    File version:     10.0.19041.0
    Product version:  10.0.0.0
    File flags:       0 (Mask 3F)
    File OS:          40004 NT Win32
    File type:        2.0 Dll
    File date:        00000000.00000000
    Translations:     0000.04b0 0000.04e4 0409.04b0 0409.04e4
    Information from resource tables:
30000000 30001000   w3wp       (deferred)             
    Image path: C:\inetsrv\w3wp.exe
    Image name: w3wp.exe
    Timestamp:        Sat Jul  4 04:05:20 2020 (5F000000)
    CheckSum:         00000000
    ImageSize:        00001000

Unloaded modules:
20000000 20003000   =gone.dll
    Timestamp: Sat Feb 17 14:02:00 2007 (45D70AD8)
    Checksum:  00000000
    ImageSize:  00003000
`
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wide := render.NewModuleReport(render.DumpHeader{PointerSize: 8}, modules[:1], nil, 0)
	wide.Verbose = true
	if text := formatted(t, wide, render.Text); !strings.HasPrefix(text, "start             end                 module name\n00000000`30000000 00000000`30001000   w3wp       (deferred)") {
		t.Errorf("64 bits:\n%s", text)
	}
	const info = `"fileInfo":{"flags":"0x0","flagsMask":"0x3f","os":"0x40004","type":"0x2","subtype":"0x0","date":"0x0"}`
	if json := formatted(t, r, render.JSON); strings.Count(json, info) != 1 || strings.Count(json, "fileInfo") != 1 {
		t.Errorf("JSON:\n%s", json)
	}
}
