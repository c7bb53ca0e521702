package dumptest

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// loop is a dump with something to get wrong.
func loop() Dump {
	return Dump{
		NoSystemInfo: true,
		HandleData: &HandleData{Handles: []Handle{
			{Value: 4, Type: "Event", Name: "n", Info: []ObjectInformation{EventInformation{}}, Chain: Cycle},
			{Value: 8, Info: []ObjectInformation{RawInformation{42, []byte{7}}, EventInformation{}}, Chain: Forward},
		}},
	}
}

func TestPatches(t *testing.T) {
	layout, err := loop().Layout()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		patch Patch
		at    int64
		want  uint32
	}{
		{"count", DeclareCount(HandleDataStream, 0xffffffff), layout["HandleData"] + 8, 0xffffffff},
		{"header size", DeclareHeaderSize(HandleDataStream, 3), layout["HandleData"], 3},
		{"entry size", DeclareEntrySize(HandleDataStream, 0), layout["HandleData"] + 4, 0},
		{"stream RVA", MoveStream(0, 0xfffffff0), 32 + 8, 0xfffffff0},
		{"stream size", ResizeStream(0, 1), 32 + 4, 1},
		{"descriptor", PutU32("HandleData[1]", 20, 0x804), layout["HandleData"] + 16 + 40 + 20, 0x804},
		{"shared name", PointTo("HandleData[1]", 8, "HandleData[0].TypeName"), layout["HandleData[1]"] + 8, uint32(layout["HandleData[0].TypeName"])},
		{"length of a name", PutU32("HandleData[0].ObjectName", 0, 0x7ffffffe), layout["HandleData[0].ObjectName"], 0x7ffffffe},
		{"no anchor", PutU32("", 0, 0x504d4450), 0, 0x504d4450},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := loop().Bytes()
			binary.LittleEndian.PutUint32(want[tt.at:], tt.want)
			d := loop()
			d.Patches = []Patch{tt.patch}
			equal(t, d.Bytes(), want)

			r, err := d.Reader()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(iotest.OneByteReader(io.NewSectionReader(r, 0, r.Size())))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, want)
		})
	}
}

// TestDeclareCount checks where each kind of list keeps its count.
func TestDeclareCount(t *testing.T) {
	d := Dump{
		Threads: []Thread{{}}, ThreadNames: []ThreadName{{}}, ThreadInfos: &ThreadInfoList{}, Modules: []Module{{}},
		UnloadedModules: &UnloadedModuleList{}, HandleOperations: &HandleOperationList{}, MemoryInfos: &MemoryInfoList{},
		Tokens: &TokenList{}, Memory: []MemoryRange{{}}, Memory64: []MemoryRange{{}},
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	for stream, off := range map[StreamType]int64{
		ThreadListStream: 0, ThreadNamesStream: 0, ModuleListStream: 0, MemoryListStream: 0, Memory64ListStream: 0, TokenStream: 4,
		ThreadInfoListStream: 8, UnloadedModuleListStream: 8, HandleOperationListStream: 8, MemoryInfoListStream: 8,
	} {
		want := d.Bytes()
		binary.LittleEndian.PutUint32(want[layout[stream.String()]+off:], 0x12345678)
		wrong := d
		wrong.Patches = []Patch{DeclareCount(stream, 0x12345678)}
		if !bytes.Equal(wrong.Bytes(), want) {
			t.Errorf("the count of %v is not at %d", stream, off)
		}
	}
}

// TestLargePatch reaches over the pieces in which a file is written.
func TestLargePatch(t *testing.T) {
	d := Dump{Streams: []RawStream{{1 << 16, make([]byte, 3<<16)}}}
	want := d.Bytes()
	patch := Patch{Anchor: "Stream(0x10000)", Off: 1, Bytes: bytes.Repeat([]byte{1, 2, 3}, 1<<16-1)}
	copy(want[len(want)-3<<16+1:], patch.Bytes)
	d.Patches = []Patch{patch}
	if !bytes.Equal(d.Bytes(), want) {
		t.Error("Bytes leaves a part out")
	}
	d.Patches = []Patch{PutU64("Stream(0x10000)", 8, 0x0807060504030201)}
	if got := body(t, d, "Stream(0x10000)", "End")[8:16]; !bytes.Equal(got, []byte{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("PutU64 writes % x", got)
	}
}

func TestChains(t *testing.T) {
	d := loop()
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	b := d.Bytes()
	next := func(anchor string) int64 { return int64(binary.LittleEndian.Uint32(b[layout[anchor]:])) }
	if at := layout["HandleData[0].ObjectInfo[0]"]; next("HandleData[0].ObjectInfo[0]") != at {
		t.Errorf("the cycle at %#x leads to %#x", at, next("HandleData[0].ObjectInfo[0]"))
	}
	first, second := layout["HandleData[1].ObjectInfo[0]"], layout["HandleData[1].ObjectInfo[1]"]
	if second <= first || next("HandleData[1].ObjectInfo[0]") != second || next("HandleData[1].ObjectInfo[1]") != 0 {
		t.Errorf("forward chain %#x, %#x links to %#x, %#x", first, second, next("HandleData[1].ObjectInfo[0]"), next("HandleData[1].ObjectInfo[1]"))
	}
	if got := next("HandleData[1]"); got != 8 {
		t.Errorf("descriptor 1 starts with %#x, want its handle", got)
	}
}

func TestDirectory(t *testing.T) {
	d := Dump{
		NoSystemInfo: true,
		Streams:      []RawStream{{0xfff0, []byte{1, 2}}},
		Directory: Directory{
			Leading:  []DirectoryEntry{{Type: 12, DataSize: 5, Of: "Stream(0xfff0)"}},
			Trailing: []DirectoryEntry{{Type: 3, DataSize: 0xffffffff, RVA: 0xfffffff0}},
			Unused:   1,
		},
		Skew:       1,
		Padding:    0xcc,
		TruncateAt: 82,
	}
	equal(t, d.Bytes()[8:], literal(t, `
		04000000 20000000 00000000 00f15365 0000000000000000
		0c000000 05000000 51000000
		f0ff0000 02000000 51000000
		03000000 ffffffff f0ffffff
		00000000 00000000 00000000
		cc 01                                # the second byte of the stream is cut
	`))
}

func TestErrors(t *testing.T) {
	calls := 0
	unstable := iter.Seq[Handle](func(yield func(Handle) bool) {
		calls++
		yield(Handle{Value: 4, Name: strings.Repeat("x", calls)})
	})
	for _, tt := range []struct {
		name string
		dump Dump
		want string
	}{
		{"unknown anchor", Dump{Patches: []Patch{PutU32("HandleData", 0, 0)}}, `no anchor "HandleData"`},
		{"patch behind the end", Dump{Patches: []Patch{PutU32("End", -3, 0)}}, "outside the file"},
		{"large stream", Dump{Memory: []MemoryRange{{Size: 5 << 30}}}, "does not fit in 32 bits"},
		{"stack", Dump{HandleOperations: &HandleOperationList{Operations: []HandleOperation{{Stack: make([]uint64, 33)}}}}, "room for 32"},
		{"iterator that changes", Dump{HandleData: &HandleData{Each: unstable}}, "the iterator gave"},
	} {
		n, err := tt.dump.WriteTo(io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: WriteTo = %d, %v, want an error with %q", tt.name, n, err, tt.want)
		}
	}
}

// TestOutermostValues are the largest and the smallest that are right.
func TestOutermostValues(t *testing.T) {
	for n := range int64(3) {
		if got := (Dump{TruncateAt: n + 1}).Bytes(); string(got) != "MDM"[:n+1] {
			t.Errorf("cut after %d: %q", n+1, got)
		}
	}
	d := Dump{HandleOperations: &HandleOperationList{Operations: []HandleOperation{{Stack: make([]uint64, 32)}}}, Exception: &Exception{Parameters: make([]uint64, 15)},
		SystemInfo: &SystemInfo{CPU: make([]byte, 24)}}
	if _, err := d.WriteTo(io.Discard); err != nil {
		t.Error(err)
	}
}

// TestNumberedAnchors have the second stream of a type.
func TestNumberedAnchors(t *testing.T) {
	layout, err := Dump{NoSystemInfo: true, Streams: []RawStream{{0xfff0, []byte{1}}, {0xfff1, []byte{2}}, {0xfff0, []byte{3}}, {0xfff0, []byte{4}}}}.Layout()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"Header": 0, "Directory": 32, "Directory[0]": 32, "Directory[1]": 44, "Directory[2]": 56, "Directory[3]": 68,
		"Stream(0xfff0)": 80, "Stream(0xfff1)": 81, "Stream(0xfff0)#2": 82, "Stream(0xfff0)#3": 83, "End": 84}
	if diff := cmp.Diff(want, layout); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// full takes so many bytes.
type full int

func (f *full) Write(b []byte) (int, error) {
	if len(b) > int(*f) {
		n := int(*f)
		*f = 0
		return n, io.ErrShortWrite
	}
	*f -= full(len(b))
	return len(b), nil
}

// TestWriteErrors ends every kind of content at a writer that is full.
func TestWriteErrors(t *testing.T) {
	for name, d := range map[string]Dump{
		"header": {}, "data": {Streams: []RawStream{{0xfff0, make([]byte, 1<<20)}}}, "zeros": {Memory64: []MemoryRange{{Size: 1 << 20}}},
		"handles":    {HandleData: &HandleData{Each: GenerateHandles(10000, func(i int) Handle { return Handle{Type: "Key"} })}},
		"operations": {HandleOperations: &HandleOperationList{Operations: make([]HandleOperation, 1000)}},
	} {
		size := len(d.Bytes())
		for _, room := range []int{0, size / 2, size - 1} {
			w := full(room)
			n, err := d.WriteTo(&w)
			if err != io.ErrShortWrite || n != int64(room) {
				t.Errorf("%s: WriteTo = %d, %v with room for %d of %d bytes", name, n, err, room, size)
			}
		}
		w := full(size)
		if n, err := d.WriteTo(&w); err != nil || n != int64(size) {
			t.Errorf("%s: WriteTo = %d, %v with room for all %d", name, n, err, size)
		}
	}
}

func TestWriteToEqualsBytes(t *testing.T) {
	handles := func(i int) Handle {
		return Handle{Value: uint64(4 * i), Type: []string{"Key", "Event", ""}[i%3], GrantedAccess: uint32(i)}
	}
	const n = 10000
	var list []Handle
	for i := range n {
		list = append(list, handles(i))
	}
	for _, style := range []HandleStyle{DbgHelp, Crashpad} {
		want := Dump{HandleData: &HandleData{Handles: list, Style: style}}.Bytes()
		var got bytes.Buffer
		written, err := Dump{HandleData: &HandleData{Each: GenerateHandles(n, handles), Style: style}}.WriteTo(&got)
		if err != nil || written != int64(len(want)) {
			t.Errorf("style %d: WriteTo = %d, %v, want %d bytes", style, written, err, len(want))
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("style %d: an iterator and a slice give different files", style)
		}
	}
}

func TestReader(t *testing.T) {
	d := Dump{NoSystemInfo: true, Memory64: []MemoryRange{{Start: 0x10000, Data: []byte{1, 2, 3}, Size: 8 << 30}, {Start: 1 << 40, Data: []byte{4}}}}
	r, err := d.Reader()
	if err != nil {
		t.Fatal(err)
	}
	head := int64(32 + 12 + 16 + 2*16)
	if want := head + 8<<30 + 1; r.Size() != want {
		t.Errorf("Size = %d, want %d", r.Size(), want)
	}
	b := make([]byte, 8)
	n, err := r.ReadAt(b, r.Size()-4)
	if n != 4 || err != io.EOF || !bytes.Equal(b[:4], []byte{0, 0, 0, 4}) {
		t.Errorf("the end reads %d bytes %v, %v", n, b[:n], err)
	}
	n, err = r.ReadAt(b, head-2)
	if n != 8 || err != nil || !bytes.Equal(b, []byte{0, 0, 1, 2, 3, 0, 0, 0}) {
		t.Errorf("the start of the memory reads %d bytes %v, %v", n, b[:n], err)
	}
	if n, err = r.ReadAt(b, r.Size()); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	if r.BytesRead() != 12 || r.Reads() != 3 || r.HighestRead() != r.Size() {
		t.Errorf("counted %d bytes in %d reads up to %d", r.BytesRead(), r.Reads(), r.HighestRead())
	}
	r.Reset()
	if r.BytesRead() != 0 || r.Reads() != 0 || r.HighestRead() != 0 {
		t.Error("Reset leaves a counter")
	}
}

func BenchmarkWriteTo(b *testing.B) {
	const n = 1_000_000
	d := Dump{HandleData: &HandleData{Each: GenerateHandles(n, func(i int) Handle {
		return Handle{Value: uint64(4*i + 4), Type: "Key", Name: `\REGISTRY\MACHINE\SOF`, GrantedAccess: 0x20019}
	})}}
	b.ReportAllocs()
	for b.Loop() {
		written, err := d.WriteTo(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(written)
	}
}

// TestAnchors point at what they name: the second entry of each list, and what
// it points at, begins with a number of its own.
func TestAnchors(t *testing.T) {
	d := Dump{
		Threads:         []Thread{{ThreadID: 0x101}, {ThreadID: 0x102, Context: []byte{0x03, 1, 0, 0}, Stack: MemoryRange{Data: []byte{0x04, 1, 0, 0}}}},
		ThreadNames:     []ThreadName{{ThreadID: 0x105}, {ThreadID: 0x106, Name: "abc"}},
		ThreadInfos:     &ThreadInfoList{Threads: []ThreadInfo{{ThreadID: 0x107}, {ThreadID: 0x108}}},
		Modules:         []Module{{Base: 0x109}, {Base: 0x10a, Name: "abcd", CodeView: RawCodeView{0x0b, 1, 0, 0}, MiscRecord: []byte{0x0c, 1, 0, 0}}},
		UnloadedModules: &UnloadedModuleList{Modules: []UnloadedModule{{Base: 0x10d}, {Base: 0x10e, Name: "abcde"}}},
		HandleData: &HandleData{HeaderSize: 20, Handles: []Handle{{Value: 0x10f, Type: "x"}, {Value: 0x110, Type: "abcdef", Name: "abcdefg", Info: []ObjectInformation{
			RawInformation{1, []byte{1}}, RawInformation{2, []byte{2, 3}}}}}},
		HandleOperations: &HandleOperationList{Operations: []HandleOperation{{Handle: 0x111}, {Handle: 0x112}}},
		MemoryInfos:      &MemoryInfoList{Regions: []MemoryInfo{{BaseAddress: 0x113}, {BaseAddress: 0x114}}},
		Exception:        &Exception{ThreadID: 0x115, Context: []byte{0x16, 1, 0, 0}},
		Memory:           []MemoryRange{{Start: 0x117}, {Start: 0x118, Data: []byte{0x19, 1, 0, 0}}},
		Memory64:         []MemoryRange{{Start: 0x11a, Size: 3}, {Start: 0x11b, Data: []byte{0x1c, 1, 0, 0}}},
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	data := d.Bytes()
	at := func(name string) uint32 {
		off, ok := layout[name]
		if !ok {
			t.Errorf("there is no %s", name)
			return 0
		}
		return binary.LittleEndian.Uint32(data[off:])
	}
	for name, want := range map[string]uint32{
		"ThreadList[1]": 0x102, "ThreadList[1].Context": 0x103, "ThreadList[1].Stack": 0x104, "ThreadNames[1]": 0x106, "ThreadNames[1].Name": 6,
		"ThreadInfoList[1]": 0x108, "ModuleList[1]": 0x10a, "ModuleList[1].Name": 8, "ModuleList[1].CvRecord": 0x10b, "ModuleList[1].MiscRecord": 0x10c,
		"UnloadedModuleList[1]": 0x10e, "UnloadedModuleList[1].Name": 10, "HandleData[1]": 0x110, "HandleData[1].TypeName": 12, "HandleData[1].ObjectName": 14,
		"HandleOperationList[1]": 0x112, "MemoryInfoList[1]": 0x114, "Exception": 0x115, "Exception.Context": 0x116, "MemoryList[1].Data": 0x119,
		"Memory64List[1]": 0x11b, "Memory64List[1].Data": 0x11c, "HandleData[1].ObjectInfo[0]": uint32(layout["HandleData[1].ObjectInfo[1]"]), "HandleData[1].ObjectInfo[1]": 0,
		"HandleData": 20, "ThreadList": 2, "ModuleList": 2, "MemoryList": 3, "Memory64List": 2, "Header": 0x504d444d,
	} {
		if got := at(name); got != want {
			t.Errorf("at %s stands %#x, want %#x", name, got, want)
		}
	}
}
