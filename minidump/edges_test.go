package minidump_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// room is a stream behind the names of a dump, so that a long name is not one
// that leaves the file.
func room() []dumptest.RawStream {
	return []dumptest.RawStream{{Type: 0xfff0, Data: bytes.Repeat([]byte{'a', 0}, 0x10000)}}
}

// TestNameLengths declares lengths for one name in each kind of list; the file
// goes on behind it.
func TestNameLengths(t *testing.T) {
	t.Parallel()
	kinds := []struct {
		anchor string
		read   func(f *minidump.File) (string, error)
	}{
		{"HandleData[0].TypeName", func(f *minidump.File) (string, error) { h, err := firstHandle(f); return h.TypeName, err }},
		{"HandleData[0].ObjectName", func(f *minidump.File) (string, error) { h, err := firstHandle(f); return h.ObjectName, err }},
		{"ModuleList[0].Name", func(f *minidump.File) (string, error) { l, err := f.Modules(); return l[0].ModuleName, err }},
		{"UnloadedModuleList[0].Name", func(f *minidump.File) (string, error) { l, err := f.UnloadedModules(); return l[0].ModuleName, err }},
		{"ThreadNames[0].Name", func(f *minidump.File) (string, error) { l, err := f.ThreadNames(); return l[0].Name, err }},
	}
	for _, kind := range kinds {
		for _, tt := range []struct {
			length uint32
			want   string // of the error
			chars  int    // of the name
		}{
			{0, "", 0}, {2, "", 1}, {4, "", 2},
			{3, "string of 3 bytes, which is not a whole number of UTF-16 characters", 1},
			{508, "", 254}, {510, "", 255}, {0xfffe, "", 0x7fff},
			{0xffff, "not a whole number", 0x7fff},
			{0x10000, "string of 65536 bytes; a Windows name has at most 65534", 0},
			{0x10002, "string of 65538 bytes; a Windows name has at most 65534", 0},
			{0x80000000, "string of 2147483648 bytes; a Windows name has at most 65534", 0},
			{0xffffffff, "string of 4294967295 bytes; a Windows name has at most 65534", 0},
		} {
			d := dumptest.Dump{
				NoSystemInfo:    true,
				Modules:         []dumptest.Module{{Name: "ab"}},
				UnloadedModules: &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{{Name: "ab"}}},
				ThreadNames:     []dumptest.ThreadName{{ThreadID: 1, Name: "ab"}},
				HandleData:      &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "ab", Name: "ab", GrantedAccess: 1}}},
				Streams:         room(),
				Patches:         []dumptest.Patch{dumptest.PutU32(kind.anchor, 0, tt.length)},
			}
			layout, err := d.Layout()
			if err != nil {
				t.Fatal(err)
			}
			name, err := kind.read(build(t, d))
			if n := len(utf16Of(name)); n != tt.chars && (tt.length != 0xfffe && tt.length != 0xffff || n < tt.chars-1) {
				t.Errorf("%s of %d bytes: %d characters, want %d", kind.anchor, tt.length, n, tt.chars)
			}
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s of %d bytes: %v, want %q", kind.anchor, tt.length, err, tt.want)
			}
			var format *minidump.FormatError
			if err != nil && (!errors.As(err, &format) || format.Off != layout[kind.anchor]) {
				t.Errorf("%s of %d bytes: %v, want the offset %#x", kind.anchor, tt.length, err, layout[kind.anchor])
			}
		}
	}
}

func firstHandle(f *minidump.File) (minidump.Handle, error) {
	hd, err := f.HandleData()
	if err != nil {
		return minidump.Handle{}, err
	}
	for h, err := range hd.All() {
		return *h, err
	}
	return minidump.Handle{}, io.EOF
}

// utf16Of counts characters outside the basic plane twice.
func utf16Of(s string) []uint16 {
	var u []uint16
	for _, r := range s {
		u = append(u, uint16(r))
		if r > 0xffff {
			u = append(u, 0)
		}
	}
	return u
}

// TestNamesAtTheEnd of the file: whole, and without their last byte.
func TestNamesAtTheEnd(t *testing.T) {
	for _, tt := range []struct {
		end  int64 // from the start of the name, which has 4+2*2 bytes
		want string
		err  string
	}{
		{10, "ab", ""}, {8, "ab", ""},
		{7, "", "string of 4 bytes, but the file ends after 3"},
		{4, "", "string of 4 bytes, but the file ends after 0"},
		{3, "", "string outside the file"},
	} {
		d := dumptest.Dump{NoSystemInfo: true, HandleData: &dumptest.HandleData{
			Style: dumptest.Crashpad, Handles: []dumptest.Handle{{Value: 4, Name: "ab", GrantedAccess: 1}},
		}}
		layout, err := d.Layout()
		if err != nil {
			t.Fatal(err)
		}
		d.TruncateAt = layout["HandleData[0].ObjectName"] + tt.end
		h, err := firstHandle(build(t, d))
		if h.Handle != 4 || h.ObjectName != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("cut after %d bytes of the name: %q, %v; want %q, %q", tt.end, h.ObjectName, err, tt.want, tt.err)
		}
	}
}

// TestChainsAtTheEnd have their last link at the very end of the file.
func TestChainsAtTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name  string
		data  []byte // of the last link
		cut   int64  // from the end of the file
		links int
		err   string
	}{
		{"whole", []byte{1, 2, 3}, 0, 2, ""},
		{"no data", nil, 0, 2, ""},
		{"without its last byte", []byte{1, 2, 3}, 1, 1, "object information of 3 bytes"},
		{"header alone", []byte{1, 2, 3}, 3, 1, "object information of 3 bytes"},
		{"header without its last byte", []byte{1, 2, 3}, 4, 1, "object information outside the file"},
		{"as long as may be", make([]byte, 4096), 0, 2, ""},
		{"longer than may be", make([]byte, 4097), 0, 1, "object information of 4097 bytes"},
	} {
		d := dumptest.Dump{NoSystemInfo: true, HandleData: &dumptest.HandleData{
			Style: dumptest.Crashpad, DescriptorSize: 40, Handles: []dumptest.Handle{{
				Value: 4, GrantedAccess: 1, Chain: dumptest.Forward,
				Info: []dumptest.ObjectInformation{dumptest.RawInformation{Type: 42, Data: []byte{9}}, dumptest.RawInformation{Type: 43, Data: tt.data}},
			}},
		}}
		d.TruncateAt = int64(len(d.Bytes())) - tt.cut
		h, err := firstHandle(build(t, d))
		if len(h.ObjectInfo) != tt.links || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %d links, %v; want %d, %q", tt.name, len(h.ObjectInfo), err, tt.links, tt.err)
		}
		if tt.links == 2 && err == nil {
			if last := h.ObjectInfo[1]; last.InfoType != 43 || !bytes.Equal(last.Data, tt.data) {
				t.Errorf("%s: %+v", tt.name, last)
			}
		}
	}
}

// TestLongChains may have 64 links and no more.
func TestLongChains(t *testing.T) {
	for _, tt := range []struct {
		links, want int
		err         string
	}{{64, 64, ""}, {65, 64, "more than 64 links"}} {
		var infos []dumptest.ObjectInformation
		for i := range tt.links {
			infos = append(infos, dumptest.RawInformation{Type: uint32(i)})
		}
		d := dumptest.Dump{Streams: room(), HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Info: infos}}}}
		h, err := firstHandle(build(t, d))
		if len(h.ObjectInfo) != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%d links: %d, %v", tt.links, len(h.ObjectInfo), err)
		}
	}
}

// TestHandleZero: no value of a handle is special, and a descriptor without
// anything is a handle like any other.
func TestHandleZero(t *testing.T) {
	f := build(t, dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 0, Type: "Key", GrantedAccess: 1, HandleCount: 1, PointerCount: 1}, {}, {Value: 0xffffffffffffffff}, {Value: 4},
	}}})
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	got, err := hd.Slice()
	want := []minidump.Handle{{TypeName: "Key", GrantedAccess: 1, HandleCount: 1, PointerCount: 1}, {}, {Handle: 0xffffffffffffffff}, {Handle: 4}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestParts reads what was asked for, and nothing else.
func TestParts(t *testing.T) {
	hd, err := build(t, everything()).HandleData()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := hd.Slice()
	if err != nil {
		t.Fatal(err)
	}
	for parts := range minidump.HandleAllParts + 1 {
		i := 0
		for h, err := range hd.Only(parts) {
			want := whole[i]
			if parts&minidump.HandleTypeName == 0 {
				want.TypeName = ""
			}
			if parts&minidump.HandleObjectName == 0 {
				want.ObjectName = ""
			}
			if parts&minidump.HandleObjectInfo == 0 {
				want.ObjectInfo = nil
			}
			if diff := cmp.Diff(want, *h); diff != "" || err != nil {
				t.Errorf("parts %d: %v (-want +got):\n%s", parts, err, diff)
			}
			i++
		}
		if i != len(whole) {
			t.Errorf("parts %d: %d handles", parts, i)
		}
	}
}

// TestListHeaders returns what the headers of the lists declare.
func TestListHeaders(t *testing.T) {
	f := build(t, dumptest.Dump{
		Padding:          0xcc,
		HandleData:       &dumptest.HandleData{Handles: make([]dumptest.Handle, 3), HeaderSize: 32, DescriptorSize: 56},
		HandleOperations: &dumptest.HandleOperationList{Operations: make([]dumptest.HandleOperation, 4), EntrySize: 296},
		MemoryInfos:      &dumptest.MemoryInfoList{Regions: make([]dumptest.MemoryInfo, 5), EntrySize: 64},
	})
	hd, err := f.HandleData()
	if err != nil || hd.SizeOfHeader != 32 || hd.SizeOfDescriptor != 56 || hd.NumberOfDescriptors != 3 {
		t.Errorf("handles: %+v, %v", hd, err)
	}
	ops, err := f.HandleOperations()
	if err != nil || ops.SizeOfHeader != 16 || ops.SizeOfEntry != 296 || ops.NumberOfEntries != 4 {
		t.Errorf("operations: %+v, %v", ops, err)
	}
	infos, err := f.MemoryInfos()
	if err != nil || infos.SizeOfHeader != 16 || infos.SizeOfEntry != 64 || infos.NumberOfEntries != 5 {
		t.Errorf("regions: %+v, %v", infos, err)
	}
}

// TestHeader reads every field, and says where a header ends that is cut.
func TestHeader(t *testing.T) {
	d := dumptest.Dump{Version: 0x1234a793, TimeDateStamp: 1327052496, CheckSum: 5, Flags: 0x100000004}
	f := build(t, d)
	want := minidump.Header{Version: 0x1234a793, NumberOfStreams: 1, StreamDirectoryRVA: 32, CheckSum: 5, TimeDateStamp: 1327052496, Flags: 0x100000004}
	if diff := cmp.Diff(want, f.Header); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := f.Time().Format("2006-01-02 15:04:05 MST"); got != "2012-01-20 09:41:36 UTC" {
		t.Errorf("Time: %s", got)
	}
	for n, want := range map[int]string{
		0:  "not a minidump: the file is empty",
		3:  "not a minidump: it has only 3 bytes",
		4:  "header: file offset 0x0: the file ends inside the header, after 4 of 32 bytes",
		31: "header: file offset 0x0: the file ends inside the header, after 31 of 32 bytes",
	} {
		_, err := minidump.NewFile(bytes.NewReader(d.Bytes()), int64(n))
		if err == nil || err.Error() != want {
			t.Errorf("%d bytes: %v, want %s", n, err, want)
		}
	}
	if f, err := minidump.NewFile(bytes.NewReader(d.Bytes()), 32); err != nil {
		t.Errorf("32 bytes: %v", err)
	} else if dir, err := f.Directory(); len(dir) != 0 || err == nil {
		t.Errorf("32 bytes: %d streams, %v", len(dir), err)
	} else if _, err := f.HandleData(); !errors.Is(err, minidump.ErrNoStream) || !strings.Contains(err.Error(), "1 directory entries of 12 bytes declared, but the file ends after 0") {
		t.Errorf("32 bytes: %v must say that the directory is cut off", err)
	}
	if _, err := minidump.NewFile(bytes.NewReader(nil), -1); !errors.Is(err, minidump.ErrNotMinidump) {
		t.Errorf("-1 bytes: %v", err)
	}
	_, err := minidump.NewFile(faulty{data: d.Bytes(), bad: 31, end: 32}, int64(len(d.Bytes())))
	if !errors.Is(err, errBadSector) || !strings.Contains(err.Error(), "reading the header") {
		t.Errorf("a bad sector in the header: %v", err)
	}
	if _, err := minidump.NewFile(faulty{data: d.Bytes(), bad: 60, end: 61}, int64(len(d.Bytes()))); err != nil {
		t.Errorf("a bad sector behind the header: %v", err)
	}
}

// TestDirectoryRVA may be anywhere.
func TestDirectoryRVA(t *testing.T) {
	d := dumptest.Dump{Directory: dumptest.Directory{Unused: 2}}
	data := d.Bytes()
	at := len(data)
	data = append(data, data[32:68]...)
	binary.LittleEndian.PutUint32(data[12:], uint32(at))
	clear(data[32:68])
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if dir, err := f.Directory(); err != nil || len(dir) != 1 || dir[0].StreamType != minidump.SystemInfoStream {
		t.Errorf("%+v, %v", dir, err)
	}
	if f.PointerSize() != 8 {
		t.Error("SystemInfo is not read")
	}
}

// TestListsThatAreTooShort return what is there, with an error.
func TestListsThatAreTooShort(t *testing.T) {
	d := everyStream()
	for typ, read := range map[dumptest.StreamType]func(f *minidump.File) (int, error){
		dumptest.ThreadListStream:         func(f *minidump.File) (int, error) { l, err := f.Threads(); return len(l), err },
		dumptest.ThreadNamesStream:        func(f *minidump.File) (int, error) { l, err := f.ThreadNames(); return len(l), err },
		dumptest.ThreadInfoListStream:     func(f *minidump.File) (int, error) { l, err := f.ThreadInfos(); return len(l), err },
		dumptest.ModuleListStream:         func(f *minidump.File) (int, error) { l, err := f.Modules(); return len(l), err },
		dumptest.UnloadedModuleListStream: func(f *minidump.File) (int, error) { l, err := f.UnloadedModules(); return len(l), err },
	} {
		d.Patches = nil
		if n, err := read(build(t, d)); n != 1 || err != nil {
			t.Errorf("%s: %d, %v", typ, n, err)
		}
		d.Patches = []dumptest.Patch{dumptest.DeclareCount(typ, 2)}
		n, err := read(build(t, d))
		var format *minidump.FormatError
		if n != 1 || !errors.As(err, &format) || format.Stream != minidump.StreamType(typ) || !strings.Contains(err.Error(), "but the stream ends after 1") {
			t.Errorf("%s with 2 declared: %d, %v", typ, n, err)
		}
	}
}
