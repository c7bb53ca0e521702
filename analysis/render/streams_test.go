package render_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// publishedDump has the streams of which WinDbg's text is published.
func publishedDump() dumptest.Dump {
	return dumptest.Dump{
		Version: 0x61b1a793, Flags: 0x1826,
		SystemInfo: &dumptest.SystemInfo{
			ProcessorLevel: 6, ProcessorRevision: 0x2501, NumberOfProcessors: 2, ProductType: 3, MajorVersion: 6, MinorVersion: 1, BuildNumber: 7601,
			CSDVersion: "Service Pack 1", SuiteMask: 0x190,
		},
		MiscInfo:    &dumptest.MiscInfo{Version: 1, ProcessID: 42},
		Threads:     []dumptest.Thread{{ThreadID: 0x24f0, Teb: 0x7fffffdd000}},
		ThreadInfos: &dumptest.ThreadInfoList{Threads: []dumptest.ThreadInfo{{ThreadID: 0x1738}}},
		Modules:     []dumptest.Module{{Base: 0x400000, Size: 0x38000, Name: "C:\\Time\x1bTest.exe"}},
		HandleData:  &dumptest.HandleData{Handles: []dumptest.Handle{}},
		Streams:     []dumptest.RawStream{{Type: 333333, Data: make([]byte, 16)}, {Type: 0x43500001, Data: make([]byte, 3)}},
		Memory64:    []dumptest.MemoryRange{{Start: 0x10000, Data: make([]byte, 16)}, {Start: 0x20000, Data: make([]byte, 32)}},
		Directory:   dumptest.Directory{Unused: 1, Leading: []dumptest.DirectoryEntry{{Type: dumptest.HandleDataStream, DataSize: 4, RVA: 40}}},
	}
}

func streamsReport(t testing.TB, d dumptest.Dump) *render.StreamsReport {
	t.Helper()
	f := testdump.Make(t, d)
	return render.NewStreamsReport(render.DumpHeader{File: "a.dmp", PointerSize: f.PointerSize()}, analysis.Streams(f))
}

func TestStreamsReport(t *testing.T) {
	const windbg = `----- User Mini Dump Analysis

MINIDUMP_HEADER:
Version         A793 (61B1)
NumberOfStreams 11
Flags           1826
                0002 MiniDumpWithFullMemory
                0004 MiniDumpWithHandleData
                0020 MiniDumpWithUnloadedModules
                0800 MiniDumpWithFullMemoryInfo
                1000 MiniDumpWithThreadInfo

Streams:
Stream 0: type HandleDataStream (12), size 00000004, RVA 00000028
Stream 1: type SystemInfoStream (7), size 00000038, RVA 000000C6
  ProcessorArchitecture   0009 (PROCESSOR_ARCHITECTURE_AMD64)
  ProcessorLevel          0006
  ProcessorRevision       2501
  NumberOfProcessors      02
  MajorVersion            00000006
  MinorVersion            00000001
  BuildNumber             00001DB1 (7601)
  PlatformId              00000002 (VER_PLATFORM_WIN32_NT)
  CSDVersionRva           000000A4
                            Length: 28
                            Buffer: {'Service Pack 1'}
  Product: Server, suite: TerminalServer DataCenter SingleUserTS
Stream 2: type MiscInfoStream (15), size 00000018, RVA 000000FE
Stream 3: type ThreadListStream (3), size 00000034, RVA 00000116
  1 threads
  RVA 0000011A, ID 24F0, Teb:000007FFFFFDD000
Stream 4: type ThreadInfoListStream (17), size 0000004C, RVA 0000014A
  RVA 00000156, ID 1738
Stream 5: type ModuleListStream (4), size 00000070, RVA 000001BC
  1 modules
  RVA 000001C0, 0000000000400000 - 0000000000438000: 'C:\Time<U+001B>Test.exe'
Stream 6: type HandleDataStream (12), size 00000010, RVA 0000022C
  0 descriptors, header size is 16, descriptor size is 40
Stream 7: type ??? (333333), size 00000010, RVA 0000023C
Stream 8: type ??? (1129316353), size 00000003, RVA 0000024C
Stream 9: type Memory64ListStream (9), size 00000030, RVA 0000024F
  2 memory ranges
  RVA 0x27f BaseRva
  range#    RVA      Address      Size
       0 0000027F    0000000000010000   0000000000000010
       1 0000028F    0000000000020000   0000000000000020
Stream 10: type UnusedStream (0), size 00000000, RVA 00000000
`
	r := streamsReport(t, publishedDump())
	if d := cmp.Diff(windbg, formatted(t, r, render.WinDbg)); d != "" {
		t.Errorf("WinDbg (-want +got):\n%s", d)
	}
	// The text adds lines, and names of streams, to that.
	const own = `  ignored: another stream of this type is read instead
  error: HandleDataStream: file offset 0x28: 4 bytes are too short for handle data; 12 are the least
  Flags1                  MINIDUMP_MISC1_PROCESS_ID|MINIDUMP_MISC1_PROCESS_TIMES
  ProcessId               42 (0x2a)
  ProcessUserTime         0 s
  ProcessKernelTime       0 s
Stream 8: type CrashpadInfoStream (1129316353), size 00000003, RVA 0000024C
  error: CrashpadInfoStream: file offset 0x24c: 3 bytes are too short for what Crashpad notes; 52 are the least
  Bytes                   48 B
`
	known := map[string]bool{}
	for line := range strings.Lines(windbg) {
		known[line] = true
	}
	var added strings.Builder
	for line := range strings.Lines(formatted(t, r, render.Text)) {
		if !known[line] {
			added.WriteString(line)
		}
	}
	if d := cmp.Diff(own, added.String()); d != "" {
		t.Errorf("text (-want +got):\n%s", d)
	}
	const wantJSON = `    {"index":8,"type":1129316353,"name":"CrashpadInfoStream","size":3,"offset":"0x24c","fields":[],"error":"CrashpadInfoStream: file offset 0x24c: 3 bytes are too short for what Crashpad notes; 52 are the least"},
    {"index":9,"type":9,"name":"Memory64ListStream","size":48,"offset":"0x24f","what":"memory range","count":2,"fields":[{"name":"Bytes","value":"48 B"}]},
    {"index":10,"type":0,"name":"UnusedStream","size":0,"offset":"0x0","fields":[]}
  ],
`
	if got := formatted(t, r, render.JSON); !strings.Contains(got, wantJSON) || !strings.Contains(got, `"flags": {"value":"0x1826","names":["WithFullMemory",`) {
		t.Errorf("JSON:\n%s\nwant\n%s", got, wantJSON)
	}
}

// Other processors, systems, and addresses of 32 bits.
func TestStreamsReportOfOthers(t *testing.T) {
	arm := uint16(0x8001)
	for _, tt := range []struct {
		system dumptest.SystemInfo
		ptr    int
		want   []string
	}{
		{dumptest.SystemInfo{}, 4, []string{"0000 (PROCESSOR_ARCHITECTURE_INTEL)", "Product: WinNt, suite:\n", "00400000 - 00438000", "0000027F    00010000   00000010"}},
		{dumptest.SystemInfo{ProductType: 2}, 8, []string{"Product: LanManNt, suite:\n"}},
		{dumptest.SystemInfo{ProcessorArchitecture: &arm, PlatformID: 0x8201, ProductType: 9}, 4, []string{"8001 (SPARC)", "00008201 (Linux)\n"}},
	} {
		d := publishedDump()
		tt.system.CSDVersion = "Service Pack 1"
		d.SystemInfo, d.PointerSize = &tt.system, tt.ptr
		got := formatted(t, streamsReport(t, d), render.WinDbg)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not in\n%s", want, got)
			}
		}
		if tt.system.ProductType == 9 && strings.Contains(got, "Product") {
			t.Errorf("a product of no Windows:\n%s", got)
		}
	}
}

// On a terminal long lines are broken between words.
func TestStreamsReportWidth(t *testing.T) {
	d := dumptest.Dump{SystemInfo: &dumptest.SystemInfo{CPU: []byte{0xff, 0xff, 0xff}}}
	var b bytes.Buffer
	if err := render.Write(&b, streamsReport(t, d), render.Text, render.Style{Width: 90, Terminal: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\n                          PF_") {
		t.Errorf("no line is broken:\n%s", b.String())
	}
}

// FuzzStreams makes reports of whatever is a minidump: the same again and again,
// JSON that is valid, and text that a terminal can take.
func FuzzStreams(f *testing.F) {
	full := publishedDump()
	full.Tokens = &dumptest.TokenList{Tokens: []dumptest.Token{{ID: 42, Groups: []dumptest.Group{{SID: "S-1-1-0"}}, Privileges: []dumptest.Privilege{{LUID: 20}}}}}
	full.CrashpadInfo = &dumptest.CrashpadInfo{Annotations: []dumptest.Annotation{{Key: "k\x1b", Value: "v\u202e"}}}
	full.FunctionTables = &dumptest.FunctionTables{Tables: []dumptest.FunctionTable{{Maximum: 1, Entries: make([]byte, 12)}}}
	full.LinuxDSODebug = &dumptest.LinuxDSODebug{Links: []dumptest.LinuxLink{{Name: "l\n"}}}
	f.Add(full.Bytes())
	full.TruncateAt = 900
	f.Add(full.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8<<10 {
			return
		}
		dump, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		reports := func() (list []render.Report) {
			info := analysis.Streams(dump)
			header := render.DumpHeader{File: "a.dmp", PointerSize: dump.PointerSize()}
			list = append(list, render.NewStreamsReport(header, info))
			if tokens, _ := analysis.Tokens(dump); len(tokens) > 0 {
				list = append(list, render.NewTokenReport(header, tokens))
			}
			return list
		}
		again := reports()
		for i, r := range reports() {
			for _, format := range []render.Format{render.Text, render.JSON} {
				text := formatted(t, r, format)
				if format == render.JSON && !json.Valid([]byte(text)) {
					t.Errorf("JSON is not valid")
				}
				if text != formatted(t, again[i], format) {
					t.Errorf("%s differs from time to time", format)
				}
				for _, c := range text {
					if c != '\n' && words.UnsafeRune(c) {
						t.Fatalf("%s has %U:\n%s", format, c, text)
					}
				}
			}
		}
	})
}
