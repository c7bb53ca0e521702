package minidump_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func build(t testing.TB, d dumptest.Dump) *minidump.File {
	t.Helper()
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHandles reads the same handles from every layout that writers use.
func TestHandles(t *testing.T) {
	handles := []dumptest.Handle{
		{Value: 4, Type: "Event", Name: `\BaseNamedObjects\Ready`, Attributes: 2, GrantedAccess: 0x1f0003, HandleCount: 2, PointerCount: 65537},
		{Value: 8, Type: "Key", GrantedAccess: 0x20019, HandleCount: 1, PointerCount: 1},
		{Value: 12, Type: "Key", Name: `\REGISTRY\MACHINE\Straße\日本`, GrantedAccess: 0xf003f, HandleCount: 1, PointerCount: 2},
		{Value: 16},
		{Value: 0x100000010, Type: "Key", EmptyName: true, GrantedAccess: 1, HandleCount: 1, PointerCount: 1},
	}
	want := []minidump.Handle{
		{Handle: 4, TypeName: "Event", ObjectName: `\BaseNamedObjects\Ready`, Attributes: 2, GrantedAccess: 0x1f0003, HandleCount: 2, PointerCount: 65537},
		{Handle: 8, TypeName: "Key", GrantedAccess: 0x20019, HandleCount: 1, PointerCount: 1},
		{Handle: 12, TypeName: "Key", ObjectName: `\REGISTRY\MACHINE\Straße\日本`, GrantedAccess: 0xf003f, HandleCount: 1, PointerCount: 2},
		{Handle: 16},
		{Handle: 0x100000010, TypeName: "Key", GrantedAccess: 1, HandleCount: 1, PointerCount: 1},
	}
	layouts := map[string]dumptest.Dump{
		"dbghelp":            {HandleData: &dumptest.HandleData{}},
		"dbghelp, unaligned": {HandleData: &dumptest.HandleData{}, Skew: 3},
		"crashpad":           {HandleData: &dumptest.HandleData{Style: dumptest.Crashpad}},
		"larger descriptor":  {HandleData: &dumptest.HandleData{DescriptorSize: 56}, Padding: 0xcc},
		"larger header":      {HandleData: &dumptest.HandleData{HeaderSize: 32}, Padding: 0xcc},
		"32 bits":            {HandleData: &dumptest.HandleData{DescriptorSize: 32}, PointerSize: 4},
	}
	for name, d := range layouts {
		t.Run(name, func(t *testing.T) {
			d.HandleData.Handles = handles
			hd, err := build(t, d).HandleData()
			if err != nil {
				t.Fatal(err)
			}
			got, err := hd.Slice()
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var parts []minidump.Handle
			for i := range 5 {
				for h, err := range hd.Range(i, i+1, minidump.HandleAllParts) {
					if err != nil {
						t.Error(err)
					}
					parts = append(parts, *h)
				}
			}
			if diff := cmp.Diff(want, parts); diff != "" {
				t.Errorf("one by one (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectInformation(t *testing.T) {
	thread := dumptest.ThreadInformation{ExitStatus: 0x103, Teb: 0x7ffd8000, ProcessID: 4242, ThreadID: 7, AffinityMask: 0xf, Priority: 9, BasePriority: -1}
	process := dumptest.ProcessInformation{ExitStatus: 1, Peb: 0x7ffdf000, AffinityMask: 3, BasePriority: 8, ProcessID: 4660, ParentProcessID: 4242}
	infos := []dumptest.ObjectInformation{
		thread,
		dumptest.MutantOwner{ProcessID: 4242, ThreadID: 7},
		dumptest.MutantInformation{CurrentCount: -1, OwnedByCaller: true, Abandoned: true},
		process,
		dumptest.ProcessExtended{ProcessInformation: process, Flags: 2},
		dumptest.EventInformation{AutoReset: true, Set: true},
		dumptest.SectionInformation{BaseAddress: 0x10000, AllocationAttributes: 0x8000000, MaximumSize: 1 << 40},
		dumptest.SemaphoreInformation{CurrentCount: 3, MaximumCount: 10},
		dumptest.RawInformation{Type: 99, Data: []byte{1, 2, 3}},
		dumptest.RawInformation{Type: uint32(minidump.MiniThreadInformation1), Data: []byte{1}},
	}
	wantProcess := minidump.ProcessInformation{ExitStatus: 1, Peb: 0x7ffdf000, AffinityMask: 3, BasePriority: 8, ProcessID: 4660, ParentProcessID: 4242}
	wantExtended := wantProcess
	wantExtended.Extended, wantExtended.ExtendedFlags = true, 2
	want := []minidump.ObjectInfo{
		minidump.ThreadInformation{ExitStatus: 0x103, Teb: 0x7ffd8000, ProcessID: 4242, ThreadID: 7, AffinityMask: 0xf, Priority: 9, BasePriority: -1},
		minidump.MutantOwner{ProcessID: 4242, ThreadID: 7},
		minidump.MutantInformation{CurrentCount: -1, OwnedByCaller: true, AbandonedState: true},
		wantProcess, wantExtended,
		minidump.EventInformation{EventType: 1, EventState: 1},
		minidump.SectionInformation{BaseAddress: 0x10000, AllocationAttributes: 0x8000000, MaximumSize: 1 << 40},
		minidump.SemaphoreInformation{CurrentCount: 3, MaximumCount: 10},
		nil, nil,
	}
	for _, ptr := range []int{4, 8} {
		for _, chain := range []dumptest.ChainOrder{dumptest.Backward, dumptest.Forward} {
			t.Run(fmt.Sprintf("%d bytes, order %d", ptr, chain), func(t *testing.T) {
				f := build(t, dumptest.Dump{
					PointerSize: ptr, Padding: 0xcc,
					HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Gadget", Info: infos, Chain: chain}}},
				})
				hd, err := f.HandleData()
				if err != nil {
					t.Fatal(err)
				}
				handles, err := hd.Slice()
				if err != nil {
					t.Fatal(err)
				}
				var got []minidump.ObjectInfo
				for _, raw := range handles[0].ObjectInfo {
					o, err := raw.Decode()
					if o == nil && !errors.Is(err, minidump.ErrUnknownObjectInfo) {
						t.Errorf("%s: %v", raw.InfoType, err)
					}
					got = append(got, o)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestObjectInformationSizes: the size alone says which form the data has, and
// what is too short has none.
func TestObjectInformationSizes(t *testing.T) {
	data := make([]byte, 80)
	for i := range data {
		data[i] = byte(i + 1)
	}
	for kind, sizes := range map[minidump.ObjectInfoType][2]int{
		minidump.MiniThreadInformation1: {28, 48}, minidump.MiniMutantInformation1: {8, 8}, minidump.MiniMutantInformation2: {8, 16},
		minidump.MiniProcessInformation1: {24, 48}, minidump.MiniProcessInformation2: {32, 64}, minidump.MiniEventInformation1: {8, 8},
		minidump.MiniSectionInformation1: {16, 24}, minidump.MiniSemaphoreInformation1: {8, 8},
	} {
		decode := func(n int) (minidump.ObjectInfo, error) {
			return minidump.ObjectInformation{InfoType: kind, Data: data[:n]}.Decode()
		}
		short, _ := decode(sizes[0])
		long, _ := decode(sizes[1])
		if same := cmp.Equal(short, long); same != (sizes[0] == sizes[1]) {
			t.Errorf("%s: %+v and %+v", kind, short, long)
		}
		for n := range len(data) {
			got, err := decode(n)
			switch {
			case n < sizes[0]:
				if want := fmt.Sprintf("unknown object information: %s with %d bytes", kind, n); got != nil || !errors.Is(err, minidump.ErrUnknownObjectInfo) || err.Error() != want {
					t.Errorf("%d bytes: %+v, %v, want %s", n, got, err, want)
				}
			case n < sizes[1] && !cmp.Equal(got, short), n >= sizes[1] && !cmp.Equal(got, long), err != nil:
				t.Errorf("%s of %d bytes: %+v, %v", kind, n, got, err)
			}
		}
	}
	if o, err := (minidump.ObjectInformation{Data: data}).Decode(); o != nil || !errors.Is(err, minidump.ErrUnknownObjectInfo) {
		t.Errorf("kind 0: %+v, %v", o, err)
	}
}

func TestMiscInfoVersions(t *testing.T) {
	full := dumptest.MiscInfo{
		ProcessID: 4242, ProcessCreateTime: 1327240000, ProcessUserTime: 5, ProcessKernelTime: 6,
		MaxMhz: 3000, ProcessIntegrityLevel: 0x3000, Bias: -60, StandardName: "CET", DaylightName: "CEST",
		BuildString: "9600.winblue", DbgBldStr: "dbgcore", XStateContextSize: 0x340, ProcessCookie: 0x1234,
	}
	want := minidump.MiscInfo{ProcessID: 4242, ProcessCreateTime: 1327240000, ProcessUserTime: 5, ProcessKernelTime: 6}
	steps := []func(m *minidump.MiscInfo){
		func(m *minidump.MiscInfo) {},
		func(m *minidump.MiscInfo) { m.ProcessorMaxMhz = 3000 },
		func(m *minidump.MiscInfo) {
			m.ProcessIntegrityLevel = 0x3000
			m.TimeZone = minidump.TimeZone{Bias: -60, StandardName: "CET", DaylightName: "CEST"}
		},
		func(m *minidump.MiscInfo) { m.BuildString, m.DbgBldStr = "9600.winblue", "dbgcore" },
		func(m *minidump.MiscInfo) {
			m.XState, m.ProcessCookie = minidump.XState{SizeOfInfo: 528, ContextSize: 0x340}, 0x1234
		},
	}
	for i, step := range steps {
		step(&want)
		full.Version = i + 1
		got, err := build(t, dumptest.Dump{MiscInfo: &full}).MiscInfo()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(minidump.MiscInfo{}, "SizeOfInfo", "Flags1")); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", i+1, diff)
		}
		if created, ok := got.CreateTime(); !ok || !created.Equal(time.Unix(1327240000, 0)) {
			t.Errorf("version %d: created %v, %v", i+1, created, ok)
		}
	}
	// A field without its flag means nothing, whatever its bytes are.
	full.Flags1 = uint32(minidump.MiscProcessTimes)
	got, err := build(t, dumptest.Dump{MiscInfo: &full}).MiscInfo()
	if err != nil || got.ProcessID != 0 || got.ProcessCreateTime != 1327240000 || got.BuildString != "" {
		t.Errorf("with one flag: %+v, %v", got, err)
	}
}

func TestLists(t *testing.T) {
	for _, padding := range []bool{false, true} {
		f := build(t, dumptest.Dump{
			CountPadding: padding,
			Threads: []dumptest.Thread{
				{ThreadID: 7, SuspendCount: 1, Priority: -2, Teb: 0x7ffde000, Stack: dumptest.MemoryRange{Start: 0x20000, Data: []byte("stack")}},
				{ThreadID: 8},
			},
			ThreadNames: []dumptest.ThreadName{{ThreadID: 7, Name: "GC"}, {ThreadID: 8, Name: "日本"}},
			ThreadInfos: &dumptest.ThreadInfoList{Threads: []dumptest.ThreadInfo{{ThreadID: 7, CreateTime: 132537600000000000, StartAddress: 0x401000}}},
			Modules: []dumptest.Module{
				{
					Base: 0x400000, Size: 0x2000, TimeDateStamp: 0x4f1c0000, Name: `C:\inetsrv\w3wp.exe`,
					Version:  &dumptest.Version{File: [4]uint16{7, 5, 7601, 17514}},
					CodeView: dumptest.RSDS{GUID: [16]byte{0xb6, 0x47, 0x77, 0x2f, 0xaa, 0x0b, 0xc8, 0x52, 0x4c, 0x4c, 0x44, 0x20, 0x50, 0x44, 0x42, 0x2e}, Age: 0x1f, Path: "w3wp.pdb"},
				},
				{Base: 0x10000000, Size: 0x1000, Name: `C:\lib-one.1.dll`, CodeView: dumptest.NB10{Signature: 0x3b7d8475, Age: 10, Path: "old.pdb"}},
				{Base: 0x20000000, Size: 0x1000, Name: "/usr/lib/libc.so.6", CodeView: dumptest.BuildID{0xab, 0xcd}},
			},
			UnloadedModules: &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{{Base: 0x30000000, Size: 16, Name: "gone.dll"}}},
		})
		threads, err := f.Threads()
		if err != nil || len(threads) != 2 || threads[0].Priority != -2 || threads[0].Teb != 0x7ffde000 {
			t.Errorf("padding %v: threads %+v, %v", padding, threads, err)
		}
		names, err := f.ThreadNames()
		if diff := cmp.Diff([]minidump.ThreadName{{ThreadID: 7, Name: "GC"}, {ThreadID: 8, Name: "日本"}}, names); diff != "" || err != nil {
			t.Errorf("thread names %v (-want +got):\n%s", err, diff)
		}
		infos, err := f.ThreadInfos()
		if err != nil || len(infos) != 1 || infos[0].StartAddress != 0x401000 {
			t.Errorf("thread infos %+v, %v", infos, err)
		}
		if got := minidump.FileTime(infos[0].CreateTime); !got.Equal(time.Date(2020, 12, 30, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("create time %v", got)
		}
		modules, err := f.Modules()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range modules {
			got = append(got, fmt.Sprintf("%s %s %s %s %s", m.BaseOfImage, m.Name(), m.BaseName(), m.VersionInfo.FileVersion(), m.CvRecord.Key()))
		}
		want := []string{
			"0x400000 w3wp w3wp.exe 7.5.7601.17514 2F7747B60BAA52C84C4C44205044422E1F",
			"0x10000000 lib_one_1 lib-one.1.dll  3B7D8475a",
			"0x20000000 libc_so libc.so.6  abcd",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("modules (-want +got):\n%s", diff)
		}
		unloaded, err := f.UnloadedModules()
		if err != nil || len(unloaded) != 1 || unloaded[0].ModuleName != "gone.dll" {
			t.Errorf("unloaded %+v, %v", unloaded, err)
		}
	}
}

func TestMemory(t *testing.T) {
	f := build(t, dumptest.Dump{
		Memory: []dumptest.MemoryRange{
			{Start: 0x30000, Data: []byte("third")},
			{Start: 0x10000, Data: []byte("first")},
			{Start: 0x10002, Data: []byte("rst, continued")}, // overlaps
		},
		Memory64: []dumptest.MemoryRange{{Start: 0x20000, Data: []byte("second")}},
	})
	m, err := f.Memory()
	if err != nil {
		t.Fatal(err)
	}
	var starts []minidump.VA
	for _, r := range m.Ranges() {
		starts = append(starts, r.Start)
	}
	if want := []minidump.VA{0x10000, 0x10002, 0x20000, 0x30000}; !slices.Equal(starts, want) {
		t.Errorf("ranges start at %v, want %v", starts, want)
	}
	for _, tt := range []struct {
		va   minidump.VA
		n    int
		want string
		err  error
	}{
		{0x10000, 5, "first", nil},
		{0x10000, 16, "first, continued", nil}, // across ranges
		{0x20001, 5, "econd", nil},
		{0x20001, 6, "econd", minidump.ErrNotCaptured},
		{0x1ffff, 1, "", minidump.ErrNotCaptured},
		{0x30005, 1, "", minidump.ErrNotCaptured},
		{0xffffffffffffffff, 2, "", minidump.ErrNotCaptured},
	} {
		p := make([]byte, tt.n)
		n, err := m.ReadAt(p, tt.va)
		if string(p[:n]) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%d bytes at %s: %q, %v; want %q, %v", tt.n, tt.va, p[:n], err, tt.want, tt.err)
		}
	}
}

func TestTruncatedMemory(t *testing.T) {
	d := dumptest.Dump{Memory64: []dumptest.MemoryRange{{Start: 0x10000, Size: 0x1000}, {Start: 0x20000, Size: 0x1000}}}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	d.TruncateAt = layout["Memory64List[1].Data"] + 0x10
	m, err := build(t, d).Memory()
	var format *minidump.FormatError
	if !errors.As(err, &format) || format.Stream != minidump.Memory64ListStream {
		t.Errorf("error %v", err)
	}
	if m.Missing() != 0xff0 || len(m.Ranges()) != 2 || m.Ranges()[1].Size != 0x10 {
		t.Errorf("missing %#x, ranges %+v", m.Missing(), m.Ranges())
	}
}

func TestPointerSize(t *testing.T) {
	for arch, want := range map[uint16]int{dumptest.ArchX86: 4, dumptest.ArchARM: 4, dumptest.ArchAMD64: 8, dumptest.ArchARM64: 8, 0xffff: 0} {
		f := build(t, dumptest.Dump{SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch}})
		if got := f.PointerSize(); got != want {
			t.Errorf("architecture %d: %d, want %d", arch, got, want)
		}
	}
	if got := build(t, dumptest.Dump{NoSystemInfo: true}).PointerSize(); got != 0 {
		t.Errorf("without SystemInfo: %d", got)
	}
}

// TestHandlesAreRead where they are asked for: the handles of a dump with
// 8 GiB of memory cost the bytes of their descriptors and strings.
func TestHandlesOfAHugeDumpCostLittle(t *testing.T) {
	const n = 5000
	d := dumptest.Dump{
		HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(i+1) * 4, Type: "Key", GrantedAccess: 0x20019}
		})},
		Memory64: []dumptest.MemoryRange{{Start: 0x10000, Size: 8 << 30}},
	}
	r, err := d.Reader()
	if err != nil {
		t.Fatal(err)
	}
	f, err := minidump.NewFile(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, err := range hd.Only(minidump.HandleTypeName) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != n {
		t.Errorf("%d handles, want %d", count, n)
	}
	// A descriptor has 40 bytes, the string of its type 12. A window's worth is
	// allowed for reading ahead, and the header, which is read with what may
	// tell what else the file is.
	if most := int64(n*(40+12) + 256<<10 + 3*4096); r.BytesRead() > most {
		t.Errorf("%d bytes read, at most %d needed", r.BytesRead(), most)
	}
}
