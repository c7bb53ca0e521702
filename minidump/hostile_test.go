package minidump_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// everything is a small dump that has every stream the package reads.
func everything() dumptest.Dump {
	comment := "leaks since Tuesday"
	return dumptest.Dump{
		Flags:    dumptest.WithHandleData,
		MiscInfo: &dumptest.MiscInfo{ProcessID: 4242, ProcessCreateTime: 1327240000},
		Threads:  []dumptest.Thread{{ThreadID: 7, Context: dumptest.ContextAMD64(0x401000, 0x10000, 0)}},
		ThreadNames: []dumptest.ThreadName{
			{ThreadID: 7, Name: "finalizer"},
		},
		ThreadInfos: &dumptest.ThreadInfoList{Threads: []dumptest.ThreadInfo{{ThreadID: 7, StartAddress: 0x401000}}},
		Modules: []dumptest.Module{{
			Base: 0x400000, Size: 0x2000, Name: `C:\inetsrv\w3wp.exe`,
			CodeView: dumptest.RSDS{Age: 1, Path: "w3wp.pdb"},
		}},
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 4, Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}},
			{Value: 8, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019},
			{Value: 12, Type: "Mutant", GrantedAccess: 0x1f0001, Info: []dumptest.ObjectInformation{
				dumptest.MutantOwner{}, dumptest.MutantInformation{CurrentCount: 1},
			}},
		}},
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Handle: 8, ProcessID: 4242, ThreadID: 7, Type: dumptest.OperationOpen, Stack: []uint64{0x401010, 0x401020}},
		}},
		Exception:         &dumptest.Exception{ThreadID: 7, ExceptionCode: 0xc0000008, Parameters: []uint64{1}, Context: []byte{1}},
		MemoryInfos:       &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{{BaseAddress: 0x10000, RegionSize: 0x1000}}},
		ProcessVmCounters: &dumptest.ProcessVmCounters{},
		SystemMemoryInfo:  &dumptest.SystemMemoryInfo{PageSize: 4096},
		ThreadExs:         []dumptest.ThreadEx{{Thread: dumptest.Thread{ThreadID: 7, Context: []byte{1}}}},
		FunctionTables:    jitted(),
		Tokens:            someTokens(),
		BreakpadInfo:      &dumptest.BreakpadInfo{DumpThreadID: 7},
		AssertionInfo:     &dumptest.AssertionInfo{Expression: "false"},
		LinuxAuxv:         []dumptest.AuxvEntry{{Type: 6, Value: 4096}},
		LinuxDSODebug:     &dumptest.LinuxDSODebug{Links: []dumptest.LinuxLink{{Name: "libc.so"}}, DynamicSection: make([]byte, 16)},
		CrashpadInfo:      someCrashpad(),
		Streams:           []dumptest.RawStream{{Type: 0x47670009, Data: []byte("00400000-00401000 r-xp")}},
		CommentA:          &comment,
		CommentW:          &comment,
		Memory:            []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("memory")}},
		Memory64:          []dumptest.MemoryRange{{Start: 0x20000, Data: []byte("more memory")}},
	}
}

// TestEveryPrefix cuts dumps after each of their bytes. Nothing may panic, and
// a header that is not whole is an error.
func TestEveryPrefix(t *testing.T) {
	t.Parallel()
	dumps := map[string][]byte{"everything": everything().Bytes()}
	crashpad := everything()
	crashpad.HandleData.Style = dumptest.Crashpad
	crashpad.PointerSize = 4
	dumps["everything, 32 bits, shared type names"] = crashpad.Bytes()
	for _, name := range []string{"object-info.dmp", "object-info-32.dmp", "fuzzed-2.mdmp"} {
		if data, err := os.ReadFile(filepath.Join(realDumps, name)); err == nil {
			dumps[name] = data
		}
	}
	for name, data := range dumps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range data {
				text := walk(data[:n])
				if n < 32 && !strings.Contains(text, "ends inside the header") && !strings.Contains(text, "not a minidump") {
					t.Fatalf("%d bytes: %s", n, text)
				}
			}
		})
	}
}

func TestHostileDumps(t *testing.T) {
	with := func(patches ...dumptest.Patch) []byte {
		d := everything()
		d.Patches = patches
		return d.Bytes()
	}
	tests := []struct {
		name string
		data []byte
		want string // part of the walk
	}{
		{"more handles than there are", with(dumptest.DeclareCount(dumptest.HandleDataStream, 0xffffffff)),
			"4294967295 handle descriptors of 40 bytes declared, but the stream ends after 3"},
		{"no stride", with(dumptest.DeclareEntrySize(dumptest.HandleDataStream, 0)),
			"a header of 16 bytes and handle descriptors of 0 bytes declared, which cannot be in a stream of 136 bytes: read as 16 and 40"},
		{"huge stride", with(dumptest.DeclareEntrySize(dumptest.HandleDataStream, 0xfffffff0)),
			"a header of 16 bytes and handle descriptors of 4294967280 bytes declared, which cannot be in a stream of 136 bytes: read as 16 and 40"},
		{"header of the list too small", with(dumptest.DeclareHeaderSize(dumptest.HandleDataStream, 4)),
			"a header of 4 bytes and handle descriptors of 40 bytes declared, which cannot be in a stream of 136 bytes: read as 16 and 40"},
		{"header of the list beyond the file", with(dumptest.DeclareHeaderSize(dumptest.HandleDataStream, 0xfffffff0)),
			"but the stream ends after 0"},
		{"type name outside the file", with(dumptest.PutU32("HandleData[1]", 8, 0xfffffff0)),
			"string outside the file"},
		{"name longer than Windows allows", with(dumptest.PutU32("HandleData[1].ObjectName", 0, 0x10000)),
			"string of 65536 bytes"},
		{"name longer than the file", with(dumptest.PutU32("HandleData[1].ObjectName", 0, 0xfff0)),
			"string of 65520 bytes, but the file ends after"},
		{"object information in a circle", with(dumptest.PointTo("HandleData[2].ObjectInfo[1]", 0, "HandleData[2].ObjectInfo[0]")),
			"runs in a circle"},
		{"object information outside the file", with(dumptest.PutU32("HandleData[0]", 32, 0xfffffff0)),
			"object information outside the file"},
		{"object information without end", with(dumptest.PutU32("HandleData[0].ObjectInfo[0]", 8, 0x7fffffff)),
			"object information of 2147483647 bytes"},
		{"more threads than there are", with(dumptest.DeclareCount(dumptest.ThreadListStream, 0x7fffffff)),
			"2147483647 threads of 48 bytes declared"},
		{"more modules than there are", with(dumptest.DeclareCount(dumptest.ModuleListStream, 0x7fffffff)),
			"2147483647 modules of 108 bytes declared"},
		{"more operations than there are", with(dumptest.DeclareCount(dumptest.HandleOperationListStream, 0x7fffffff)),
			"2147483647 handle operations of 288 bytes declared"},
		{"more streams than there are", with(dumptest.PutU32("Header", 8, 0xffffffff)),
			"4294967295 directory entries of 12 bytes declared"},
		{"directory outside the file", with(dumptest.PutU32("Header", 12, 0xffffff00)),
			"but the file ends after 0"},
		{"memory that wraps around", with(dumptest.PutU64("Memory64List", 16, 0xfffffffffffffff0)), "range: {Start:0xfffffffffffffff0"},
		{"memory without end", with(dumptest.PutU64("Memory64List", 24, 0x7fffffffffffffff)), "the file is cut off"},
		{"memory list without end", with(dumptest.PutU64("Memory64List", 0, 0x7fffffffffffffff)),
			"9223372036854775807 memory ranges of 16 bytes declared"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := walk(tt.data)
			runtime.ReadMemStats(&after)
			if !strings.Contains(got, tt.want) {
				t.Errorf("%q is not in:\n%s", tt.want, got)
			}
			// Windows, caches and the text of the walk take some; a believed
			// count would take gigabytes.
			if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
				t.Errorf("%d bytes allocated for a file of %d bytes", used, len(tt.data))
			}
		})
	}
}

// TestOverlappingNames has descriptors that all name the same long stretch of
// the file from different offsets: unfolded, a thousand times its size.
func TestOverlappingNames(t *testing.T) {
	d := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(4000, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(i+1) * 4, GrantedAccess: 1}
		}),
	}}
	data := d.Bytes()
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	first := int(layout["HandleData"]) + 16
	for i := range 4000 {
		// Any offset in the list of descriptors; what stands there as a
		// length decides whether it is a string.
		at := first + 40*i
		data[at+12], data[at+13], data[at+14], data[at+15] = byte(at), byte(at>>8), byte(at>>16), 0
		data[at], data[at+1], data[at+2], data[at+3] = 0x00, 0x80, 0, 0 // handle 0x8000 = a length of 32 KiB
	}
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	total, refused := 0, 0
	for h, err := range hd.All() {
		total += 2 * len(h.ObjectName)
		if err != nil && strings.Contains(err.Error(), "overlapping") {
			refused++
		}
	}
	if refused == 0 || total > 40*len(data) {
		t.Errorf("%d bytes of names from a file of %d bytes, %d names refused", total, len(data), refused)
	}
}

func TestErrorsCarryStreamAndOffset(t *testing.T) {
	d := everything()
	d.Patches = []dumptest.Patch{dumptest.PutU32("HandleData[1].ObjectName", 0, 0x10000)}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	handles, err := hd.Slice()
	if len(handles) != 3 || handles[1].TypeName != "Key" {
		t.Errorf("the rest of the handles is lost: %+v", handles)
	}
	var format *minidump.FormatError
	if !errors.As(err, &format) || format.Stream != minidump.HandleDataStream || format.Off != layout["HandleData[1].ObjectName"] {
		t.Errorf("error %v, want HandleDataStream at %#x", err, layout["HandleData[1].ObjectName"])
	}
}

func TestNotMinidumps(t *testing.T) {
	tests := []struct{ data, want string }{
		{"", "the file is empty"},
		{"MD", "only 2 bytes"}, {"abc", "only 3 bytes"}, {"abcd", "starts with the bytes 61 62 63 64"},
		{"PAGEDU64", "kernel"},
		{"PAGEDUMP", "kernel"},
		{"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00", "ELF core"},
		{"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00", "ELF program"},
		{"\x7fELF" + strings.Repeat("\x00", 12) + "\x04", "ELF core"},
		{"\x7fELF" + strings.Repeat("\x00", 12), "ELF program"},
		{"PMDM", "big-endian"},
		{"PK\x03\x04", "zip"},
		{"\x1f\x8b\x08", "gzip"},
		{"W/google-breakpad( 123): -----BEGIN BREAKPAD MICRODUMP-----\n", "microdump"},
		{strings.Repeat("\x00", 100), "all zero"},
		{"MDMP\x00\x00\x00\x00" + strings.Repeat("\x00", 24), "version"},
		{"hello world, this is text", "68 65 6c 6c"},
	}
	for _, tt := range tests {
		_, err := minidump.NewFile(strings.NewReader(tt.data), int64(len(tt.data)))
		if !errors.Is(err, minidump.ErrNotMinidump) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.data, err, tt.want)
		}
	}
}

func FuzzFile(f *testing.F) {
	d := everything()
	f.Add(d.Bytes())
	d.PointerSize = 4
	d.HandleData.Style = dumptest.Crashpad
	f.Add(d.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return // large inputs only slow the search down
		}
		if a, b := walk(data), walk(data); a != b {
			t.Error("two walks differ")
		}
	})
}
