package render_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

func somePEB() analysis.PEB {
	text := func(s string) *string { return &s }
	flags := uint32(0)
	return analysis.PEB{
		Address: 0x6cd0535000, PointerSize: 8, BeingDebugged: true, ImageBaseAddress: 0x7ff7b6da0000, NtGlobalFlag: 0x70, NtGlobalFlag2: &flags,
		Ldr: 0x7ffae7cba4c0, ProcessHeap: 0x1edc3100000, ProcessParameters: 0x1edc3102150, NumberOfHeaps: 2, Heaps: []minidump.VA{0x1edc3100000, 0x10000},
		OSMajorVersion: 10, OSBuildNumber: 19041, ImageSubSystem: 3, SessionID: 1, NumberOfProcessors: 4,
		Loader: &analysis.Loader{
			Address: 0x7ffae7cba4c0, Initialized: true, InInitializationOrder: analysis.ListEntry{Flink: 0x1edc3102a30, Blink: 0x1edc3103150},
			InLoadOrder: analysis.ListEntry{Flink: 0x1edc3102be0, Blink: 0x1edc3105aa0}, InMemoryOrder: analysis.ListEntry{Flink: 0x1edc3102bf0, Blink: 0x1edc3105ab0},
			Modules: []analysis.LoadedModule{
				{Base: 0x7ff7b6da0000, SizeOfImage: 0x1000, Path: text(`C:\Windows\System32\cmd.exe`), TimeDateStamp: 0xe1cbfc53},
				{Base: 0x400000, TimeDateStamp: 0},
			},
		},
		Parameters: &analysis.ProcessParameters{
			Address: 0x1edc3102150, StandardInput: 0x50, CurrentDirectory: text(`C:\Windows\system32\`), WindowTitle: text("a\x1b[31m"),
			ImagePathName: text(`C:\Windows\System32\cmd.exe`), CommandLine: text(`"C:\Windows\System32\cmd.exe" `),
			Environment: 0x1be8863d700, Variables: []string{`=C:=C:\CODE`, "A=b=c\u202e", "EMPTY=", "NOTHING"},
		},
	}
}

func TestPEBReport(t *testing.T) {
	r := render.NewPEBReport(render.DumpHeader{File: "a.dmp", PointerSize: 8}, []analysis.PEB{somePEB()}, true)
	const text = `PEB at 0000006cd0535000
    InheritedAddressSpace:    No
    ReadImageFileExecOptions: No
    BeingDebugged:            Yes
    ImageBaseAddress:         00007ff7b6da0000
    NtGlobalFlag:             70
    NtGlobalFlag2:            0
    Ldr                       00007ffae7cba4c0
    Ldr.Initialized:          Yes
    Ldr.InInitializationOrderModuleList: 000001edc3102a30 . 000001edc3103150
    Ldr.InLoadOrderModuleList:           000001edc3102be0 . 000001edc3105aa0
    Ldr.InMemoryOrderModuleList:         000001edc3102bf0 . 000001edc3105ab0
                    Base TimeStamp                     Module
            7ff7b6da0000 e1cbfc53 Jan 16 09:26:43 2090 C:\Windows\System32\cmd.exe
                  400000 00000000 Jan 01 00:00:00 1970 < Name not readable >
    SubSystemData:     0000000000000000
    ProcessHeap:       000001edc3100000
    ProcessParameters: 000001edc3102150
    CurrentDirectory:  'C:\Windows\system32\'
    WindowTitle:  'a<U+001B>[31m'
    ImageFile:    'C:\Windows\System32\cmd.exe'
    CommandLine:  '"C:\Windows\System32\cmd.exe" '
    DllPath:      '< Name not readable >'
    Environment:  000001be8863d700
        =C:=C:\CODE
        A=b=c<U+202E>
        EMPTY=
        NOTHING
`
	if diff := cmp.Diff(text, formatted(t, r, render.Text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const json = `{
  "schema": "dumpscan.peb/2",
  "dump": {"file":"a.dmp","pointerSize":8},
  "pebs": [
    {"address":"0x6cd0535000","pointerSize":8,"inheritedAddressSpace":false,"readImageFileExecOptions":false,"beingDebugged":true,"imageBaseAddress":"0x7ff7b6da0000","ntGlobalFlag":"0x70","ntGlobalFlag2":"0x0","subSystemData":"0x0","subSystem":3,"sessionId":1,"processors":4,"osVersion":[10,0,19041],"processHeap":"0x1edc3100000","heaps":["0x1edc3100000","0x10000"],"heapCount":2,"ldr":"0x7ffae7cba4c0","loader":{"initialized":true,"inInitializationOrder":["0x1edc3102a30","0x1edc3103150"],"inLoadOrder":["0x1edc3102be0","0x1edc3105aa0"],"inMemoryOrder":["0x1edc3102bf0","0x1edc3105ab0"],"modules":[{"base":"0x7ff7b6da0000","size":4096,"timestamp":"0xe1cbfc53","path":"C:\\Windows\\System32\\cmd.exe"},{"base":"0x400000","size":0,"timestamp":"0x0"}]},"processParameters":"0x1edc3102150","parameters":{"currentDirectory":"C:\\Windows\\system32\\","windowTitle":"a\u001b[31m","imageFile":"C:\\Windows\\System32\\cmd.exe","commandLine":"\"C:\\Windows\\System32\\cmd.exe\" ","standardInput":"0x50","standardOutput":"0x0","standardError":"0x0","environment":"0x1be8863d700","variables":[{"name":"=C:","value":"C:\\CODE"},{"name":"A","value":"b=c\u202e"},{"name":"EMPTY","value":""},{"name":"NOTHING","value":""}],"variableCount":4},"missing":[]}
  ],
  "notes": [],
  "errors": []
}
`
	if diff := cmp.Diff(json, formatted(t, r, render.JSON)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// The environment comes on request, and what is missing or damaged is said.
func TestPEBReportParts(t *testing.T) {
	p := somePEB()
	r := render.NewPEBReport(render.DumpHeader{}, []analysis.PEB{p}, false)
	for format, want := range map[render.Format]string{render.Text: "    Environment:  000001be8863d700\n", render.JSON: `"variableCount":4`} {
		text := formatted(t, r, format)
		if !strings.Contains(text, want) || strings.Contains(text, "CODE") {
			t.Errorf("%s without environment:\n%s", format, text)
		}
	}
	p.Loader, p.Parameters, p.NtGlobalFlag2 = nil, nil, nil
	p.Missing, p.Problems = []string{"the environment", "the list of heaps"}, []error{errors.New("a circle")}
	r = render.NewPEBReport(render.DumpHeader{}, []analysis.PEB{p}, true)
	text := formatted(t, r, render.Text)
	for _, want := range []string{"    *** unable to read Ldr table at 00007ffae7cba4c0\n", "    *** unable to read process parameters\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "NtGlobalFlag2") {
		t.Errorf("an NtGlobalFlag2 that is not known:\n%s", text)
	}
	want := []string{"the dump does not hold all that the PEB at 0x6cd0535000 leads to: it lacks the environment, the list of heaps"}
	if diff := cmp.Diff(want, r.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// Of a WOW64 process both halves are shown, the one of the program first.
func TestPEBReportWOW64(t *testing.T) {
	narrow := somePEB()
	narrow.PointerSize, narrow.Address = 4, 0x7efde000
	r := render.NewPEBReport(render.DumpHeader{PointerSize: 8}, []analysis.PEB{somePEB(), narrow}, false)
	text := formatted(t, r, render.Text)
	if !strings.HasPrefix(text, "Wow64 PEB32 at 7efde000\n") || !strings.Contains(text, "\nWow64 PEB at 0000006cd0535000\n") || !strings.Contains(text, "\n            Base TimeStamp  ") {
		t.Errorf("text:\n%s", text)
	}
}
