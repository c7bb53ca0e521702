package render_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// ticks puts backticks in the place of ', which a Go string in backticks cannot
// have.
func ticks(text string) string { return strings.ReplaceAll(text, "'", "`") }

// The numbers are those of a transcript of !address -summary.
func aSpace() *analysis.AddressSpace {
	return &analysis.AddressSpace{
		Listed: true, HeapsKnown: true,
		Total: analysis.MemorySum{Count: 217, Bytes: 0x7ffffc63e000}, Free: analysis.MemorySum{Count: 63, Bytes: 0x7dfe953cf000},
		Usage: []analysis.MemorySum{
			{Name: "Free", Count: 63, Bytes: 0x7dfe953cf000}, {Name: "<unknown>", Count: 152, Bytes: 0x2016726b000}, {Name: "TEB", Count: 2, Bytes: 0x4000},
		},
		Types:       []analysis.MemorySum{{Name: "MEM_PRIVATE", Count: 154, Bytes: 0x2016726f000}},
		States:      []analysis.MemorySum{{Name: "MEM_FREE", Count: 63, Bytes: 0x7dfe953cf000}, {Name: "MEM_RESERVE", Count: 154, Bytes: 0x2016726f000}},
		Protections: []analysis.MemorySum{{Name: "PAGE_READWRITE|PAGE_GUARD", Count: 2, Bytes: 0x300}},
		Largest: []analysis.MemoryBlock{
			{Usage: "Free", Address: 0x1e600e4c000, Bytes: 0x7c0d8b034000}, {Usage: "<unknown>", Address: 0x7dfe953d0000, Bytes: 0x10000000},
		},
		Captured: analysis.MemorySum{Count: 3, Bytes: 0x3000},
	}
}

func TestMemoryReport(t *testing.T) {
	r := render.NewMemoryReport(render.DumpHeader{File: "a.dmp", PointerSize: 8}, aSpace())
	text := ticks(`
--- Usage Summary ---------------- RgnCount ----------- Total Size -------- %ofBusy %ofTotal
Free                                     63     7dfe'953cf000 ( 125.994 TB)           98.43%
<unknown>                               152      201'6726b000 (   2.005 TB) 100.00%    1.57%
TEB                                       2        0'00004000 (  16.000 kB)   0.00%    0.00%

--- Type Summary (for busy) ------ RgnCount ----------- Total Size -------- %ofBusy %ofTotal
MEM_PRIVATE                             154      201'6726f000 (   2.005 TB) 100.00%    1.57%

--- State Summary ---------------- RgnCount ----------- Total Size -------- %ofBusy %ofTotal
MEM_FREE                                 63     7dfe'953cf000 ( 125.994 TB)           98.43%
MEM_RESERVE                             154      201'6726f000 (   2.005 TB) 100.00%    1.57%

--- Protect Summary (for commit) - RgnCount ----------- Total Size -------- %ofBusy %ofTotal
PAGE_READWRITE|PAGE_GUARD                 2        0'00000300 (   0.750 kB)   0.00%    0.00%

--- Largest Region by Usage ----------- Base Address -------- Region Size ----------
Free                                    1e6'00e4c000     7c0d'8b034000 ( 124.053 TB)
<unknown>                              7dfe'953d0000        0'10000000 ( 256.000 MB)
`)
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const csv = `by,name,count,bytes,share,busyShare
usage,Free,63,138532378963968,0.984332,0.000000
usage,<unknown>,152,2205048811520,0.015668,1.000000
usage,TEB,2,16384,0.000000,0.000000
type,MEM_PRIVATE,154,2205048827904,0.015668,1.000000
state,MEM_FREE,63,138532378963968,0.984332,0.000000
state,MEM_RESERVE,154,2205048827904,0.015668,1.000000
protection,PAGE_READWRITE|PAGE_GUARD,2,768,0.000000,0.000000
`
	if diff := cmp.Diff(csv, formatted(t, r, render.CSV)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	j := formatted(t, r, render.JSON)
	for _, want := range []string{
		`"schema": "dumpscan.memory/2"`, `"basis": "regions"`, `"freeBytes": 138532378963968`,
		`{"name":"Free","address":"0x1e600e4c000","bytes":136397608665088}`, `"captured": {"ranges":3,"bytes":12288}`, `"notes": []`,
	} {
		if !strings.Contains(j, want) {
			t.Errorf("no %s in\n%s", want, j)
		}
	}
	if strings.Contains(j, "largestFree32") || !json.Valid([]byte(j)) {
		t.Errorf("JSON:\n%s", j)
	}
}

// What is not known is said.
func TestMemoryReportNotes(t *testing.T) {
	a := aSpace()
	a.Listed, a.HeapsKnown, a.StacksUnknown, a.WOW64 = false, false, 1, true
	a.LargestFree32 = &analysis.MemoryBlock{Usage: "Free", Address: 0x10000, Bytes: 0x40000000}
	r := render.NewMemoryReport(render.DumpHeader{File: "a.dmp", PointerSize: 8}, a)
	want := []string{
		"the program is a 32-bit one: its largest free block is 1.0 GiB at 0x10000",
		"the dump does not list the heaps, so that most of them are among <unknown>",
		"the stacks of 1 thread are not known, and among <unknown>",
	}
	if diff := cmp.Diff(want, r.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	const text = `captured memory of  pieces                bytes
Free                    63  138,532,378,963,968  126 TiB
<unknown>              152    2,205,048,811,520  2.0 TiB
TEB                      2               16,384   16 KiB
`
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if empty := render.NewMemoryReport(render.DumpHeader{}, &analysis.AddressSpace{Usage: []analysis.MemorySum{{Name: "Free"}}}); empty.Usage[0].Share != 0 {
		t.Errorf("a share of nothing is %v", empty.Usage[0].Share)
	}
}

// view is 40 bytes at an address, of which some were not captured.
func view(format analysis.MemoryFormat, pointer int) *analysis.MemoryView {
	data := []byte("\x10\x20\x00\x40\x01\x00\x00\x00MZ\x1b[~\x7f\x80\xffabcdefghijklmnop\x00\x00\x00\x00\xef\xbe\xad\xde")
	clear(data[18:21])
	return &analysis.MemoryView{Format: format, Address: 0x7ff612340008, PointerSize: pointer, Data: data, Gaps: []analysis.MemoryHole{{Start: 18, End: 21}}}
}

func TestMemoryDump(t *testing.T) {
	modules := symbol.NewModules([]minidump.Module{{BaseOfImage: 0x140000000, SizeOfImage: 0x10000, ModuleName: `C:\app.exe`}})
	for _, tt := range []struct {
		format  analysis.MemoryFormat
		pointer int
		want    string
	}{
		{analysis.ShowBytes, 8, `00007ff6'12340008  10 20 00 40 01 00 00 00-4d 5a 1b 5b 7e 7f 80 ff  . .@....MZ.[~...
00007ff6'12340018  61 62 ?? ?? ?? 66 67 68-69 6a 6b 6c 6d 6e 6f 70  ab???fghijklmnop
00007ff6'12340028  00 00 00 00 ef be ad de                          ........
`},
		{analysis.ShowWords, 8, `00007ff6'12340008  2010 4000 0001 0000 5a4d 5b1b 7f7e ff80
00007ff6'12340018  6261 ???? ???? 6867 6a69 6c6b 6e6d 706f
00007ff6'12340028  0000 0000 beef dead
`},
		{analysis.ShowDwordChars, 8, `00007ff6'12340008  40002010 00000001 5b1b5a4d ff807f7e  . .@....MZ.[~...
00007ff6'12340018  ???????? ???????? 6c6b6a69 706f6e6d  ab???fghijklmnop
00007ff6'12340028  00000000 deadbeef  ........
`},
		{analysis.ShowQwords, 8, `00007ff6'12340008  00000001'40002010 ff807f7e'5b1b5a4d
00007ff6'12340018  ????????'???????? 706f6e6d'6c6b6a69
00007ff6'12340028  deadbeef'00000000
`},
		{analysis.ShowSymbols, 8, `00007ff6'12340008  00000001'40002010 app+0x2010
00007ff6'12340010  ff807f7e'5b1b5a4d
00007ff6'12340018  ????????'????????
00007ff6'12340020  706f6e6d'6c6b6a69
00007ff6'12340028  deadbeef'00000000
`},
		{analysis.ShowPointers, 4, `7ff612340008  40002010 00000001 5b1b5a4d ff807f7e
7ff612340018  ???????? ???????? 6c6b6a69 706f6e6d
7ff612340028  00000000 deadbeef
`},
	} {
		v := view(tt.format, tt.pointer)
		names, err := modules.Resolve(context.Background(), v.Pointers())
		if err != nil {
			t.Fatal(err)
		}
		r := render.NewMemoryDump(render.DumpHeader{File: "a.dmp", PointerSize: tt.pointer}, v, names)
		if diff := cmp.Diff(ticks(tt.want), formatted(t, r, render.Text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.format, diff)
		}
	}
}

func TestMemoryDumpJSON(t *testing.T) {
	v := view(analysis.ShowSymbols, 8)
	v.Data, v.Gaps = v.Data[:24], []analysis.MemoryHole{{Start: 18, End: 21}}
	names := symbol.Names{0x140002010: {Address: 0x140002010, Module: "app", Offset: 0x2010, Function: "main", Displacement: 0x10, Trust: symbol.TrustPDB, File: `C:\a.c`, Line: 7}}
	r := render.NewMemoryDump(render.DumpHeader{File: "a.dmp"}, v, names)
	const want = `{
  "schema": "dumpscan.memory.dump/2",
  "dump": {"file":"a.dmp"},
  "format": "dps",
  "address": "0x7ff612340008",
  "bytes": 24,
  "capturedBytes": 21,
  "rows": [
    {"address":"0x7ff612340008","data":"1020004001000000","values":["0x140002010"],"frame":{"address":"0x140002010","module":"app","offset":"0x2010","function":"main","displacement":"0x10","trust":"pdb","file":"C:\\a.c","line":7}},
    {"address":"0x7ff612340010","data":"4d5a1b5b7e7f80ff","values":["0xff807f7e5b1b5a4d"]},
    {"address":"0x7ff612340018","data":"6162??????666768","values":[""]}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(want, formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := formatted(t, r, render.Text); !strings.Contains(text, "00000001`40002010 app!main+0x10 [C:\\a.c @ 7]\n") {
		t.Errorf("text:\n%s", text)
	}
	r = render.NewMemoryDump(render.DumpHeader{}, view(analysis.ShowBytes, 8), nil)
	if j := formatted(t, r, render.JSON); !strings.Contains(j, `"data":"6162??????666768696a6b6c6d6e6f70","text":"ab???fghijklmnop"`) || strings.Contains(j, "values") {
		t.Errorf("JSON of db:\n%s", j)
	}
}

// Texts are escaped, and broken into lines of 32 characters.
func TestMemoryDumpText(t *testing.T) {
	for _, tt := range []struct {
		format analysis.MemoryFormat
		data   string
		want   string
	}{
		{analysis.ShowASCII, "a\x1b[31m\xe9\n", "00000000'00001000  \"a<U+001B>[31mé<U+000A>\"\n"},
		{analysis.ShowASCII, "", "00000000'00001000  \"\"\n"},
		{analysis.ShowASCII, strings.Repeat("x", 33), "00000000'00001000  \"" + strings.Repeat("x", 32) + "\"\n00000000'00001020  \"x\"\n"},
		{analysis.ShowUnicode, "a\x00\x2e\x20", "00000000'00001000  \"a<U+202E>\"\n"},
		{analysis.ShowUnicode, strings.Repeat("x\x00", 31) + "\x3d\xd8\x00\xdey\x00", "00000000'00001000  \"" + strings.Repeat("x", 31) + "\U0001f600\"\n00000000'00001042  \"y\"\n"},
	} {
		v := &analysis.MemoryView{Format: tt.format, Address: 0x1000, PointerSize: 8, Data: []byte(tt.data), Ended: true}
		r := render.NewMemoryDump(render.DumpHeader{PointerSize: 8}, v, nil)
		if diff := cmp.Diff(ticks(tt.want), formatted(t, r, render.Text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.data, diff)
		}
		if j := formatted(t, r, render.JSON); !json.Valid([]byte(j)) || strings.Count(j, `"data":`) != strings.Count(tt.want, "\n") {
			t.Errorf("%q: JSON\n%s", tt.data, j)
		}
	}
}
