package dumptest

import (
	"bytes"
	"fmt"
	"io"
)

// Values of fields left zero in [Dump].
const (
	// DefaultVersion is the Version of a dbgcore of Windows 10; its low word,
	// 0xa793, is what makes a minidump.
	DefaultVersion = 0xa063a793
	// DefaultTime is 2023-11-14 22:13:20 UTC.
	DefaultTime = 1700000000
)

// MINIDUMP_TYPE bits, for [Dump.Flags].
const (
	WithDataSegs          = 0x1
	WithFullMemory        = 0x2
	WithHandleData        = 0x4
	WithUnloadedModules   = 0x20
	WithProcessThreadData = 0x100
	WithFullMemoryInfo    = 0x800
	WithThreadInfo        = 0x1000
	WithTokenInformation  = 0x40000
)

// Dump is a minidump to be. The streams are laid out, and stand in the
// directory, in the order of the fields below.
type Dump struct {
	Version       uint32 // 0 means DefaultVersion
	TimeDateStamp uint32 // seconds since 1970, UTC; 0 means DefaultTime
	Flags         uint64 // MINIDUMP_TYPE; 0 is what breakpad and crashpad write
	CheckSum      uint32

	// PointerSize, 4 or 8 (0 means 8), gives the default of
	// SystemInfo.ProcessorArchitecture and the form of object information.
	PointerSize int
	// Skew is a number of bytes between the directory and the first stream.
	// An odd one puts everything at odd offsets, as dbghelp does now and then.
	Skew int
	// Padding fills what Windows leaves uninitialised: padding inside object
	// information and behind the fields of oversized entries.
	Padding byte
	// Directory adds entries beside those of the streams below.
	Directory Directory

	SystemInfo        *SystemInfo // nil writes the default; see NoSystemInfo
	NoSystemInfo      bool
	MiscInfo          *MiscInfo
	Threads           []Thread
	ThreadExs         []ThreadEx
	ThreadNames       []ThreadName
	ThreadInfos       *ThreadInfoList
	Modules           []Module
	UnloadedModules   *UnloadedModuleList
	HandleData        *HandleData
	HandleOperations  *HandleOperationList
	MemoryInfos       *MemoryInfoList
	ProcessVmCounters *ProcessVmCounters
	SystemMemoryInfo  *SystemMemoryInfo
	Exception         *Exception
	FunctionTables    *FunctionTables
	Tokens            *TokenList
	BreakpadInfo      *BreakpadInfo
	AssertionInfo     *AssertionInfo
	LinuxAuxv         []AuxvEntry
	LinuxDSODebug     *LinuxDSODebug
	CrashpadInfo      *CrashpadInfo
	CommentA          *string // written with its terminator
	CommentW          *string // written with its terminator
	Streams           []RawStream
	// Memory is the MemoryList. Stacks that have bytes are listed behind it, as
	// dbghelp does, so threads alone make a list.
	Memory []MemoryRange
	// Memory64 is the Memory64List. Its bytes stand at the end of the file.
	Memory64 []MemoryRange

	// CountPadding writes four bytes between the count and the first entry of
	// ThreadList, ThreadExList, ModuleList and MemoryList, as 64-bit breakpad does.
	CountPadding bool

	// Patches are applied in order to the finished bytes.
	Patches []Patch
	// TruncateAt, if positive, ends the file after so many bytes.
	TruncateAt int64
}

// Directory adds entries to a dump's directory that belong to no stream of
// [Dump]: duplicates, entries pointing nowhere, spare ones.
type Directory struct {
	Leading  []DirectoryEntry // before those of the streams
	Trailing []DirectoryEntry // after those of the streams
	Unused   int              // all-zero entries at the end; dbghelp leaves a few
}

// DirectoryEntry is a MINIDUMP_DIRECTORY.
type DirectoryEntry struct {
	Type     StreamType
	DataSize uint32
	RVA      uint32
	// Of, if not empty, is an anchor whose offset replaces RVA.
	Of string
}

// RawStream is a stream given by its bytes: a user stream, or a body that no
// builder here makes.
type RawStream struct {
	Type StreamType
	Data []byte
}

// Bytes returns the file. It panics when the dump cannot be built (a patch
// without its anchor, RVAs beyond 4 GiB): that is a mistake in the test.
func (d Dump) Bytes() []byte {
	p, err := d.plan(len(d.Patches) > 0)
	if err != nil {
		panic("dumptest: " + err.Error())
	}
	var out bytes.Buffer
	out.Grow(int(p.size()))
	if _, err := p.writeTo(&out); err != nil {
		panic("dumptest: " + err.Error())
	}
	return out.Bytes()
}

// WriteTo writes the file to w without ever holding the whole of it.
func (d Dump) WriteTo(w io.Writer) (int64, error) {
	p, err := d.plan(len(d.Patches) > 0)
	if err != nil {
		return 0, fmt.Errorf("dumptest: %w", err)
	}
	return p.writeTo(w)
}

// Layout returns the file offset of every anchor of the dump: "Header",
// "Directory", "Directory[2]", each stream by its name ("HandleData"), list
// entries ("HandleData[3]", "ModuleList[0]") and what they point at
// ("HandleData[3].TypeName", ".ObjectName", ".ObjectInfo[0]", "ModuleList[0].Name",
// ".CvRecord", "UnloadedModuleList[0].Name", "ThreadNames[0].Name",
// "ThreadList[0].Context", "ThreadList[0].Stack", "Exception.Context", "FunctionTable[0].Entries",
// "Token[0].Groups", "LinuxDsoDebug.Map", "LinuxDsoDebug.Map[0].Name", "CrashpadInfo.Modules",
// "MemoryList[0].Data", "Memory64List[0].Data"), and "End".
// Streams of a type that occurs again are numbered: "Stream(0xfff0)#2".
func (d Dump) Layout() (map[string]int64, error) {
	p, err := d.plan(true)
	if err != nil {
		return nil, fmt.Errorf("dumptest: %w", err)
	}
	return p.anchors, nil
}

// plan lays the dump out.
func (d Dump) plan(withAnchors bool) (*plan, error) {
	p := &plan{ptr: or(d.PointerSize, 8), padding: d.Padding, limit: d.TruncateAt}
	for _, extra := range [][]DirectoryEntry{d.Directory.Leading, d.Directory.Trailing} {
		for _, e := range extra {
			withAnchors = withAnchors || e.Of != ""
		}
	}
	if withAnchors {
		p.anchors = map[string]int64{"Header": 0, "Directory": headerSize}
	}
	parts := d.parts()
	lead, trail := d.Directory.Leading, d.Directory.Trailing
	entries := len(lead) + len(parts) + len(trail) + d.Directory.Unused
	head := p.put(make([]byte, headerSize+entries*directoryEntrySize))
	if d.Skew > 0 {
		p.put(bytes.Repeat([]byte{d.Padding}, d.Skew))
	}

	placed := make([]DirectoryEntry, 0, entries)
	placed = append(placed, lead...)
	seen := map[StreamType]int{}
	for _, part := range parts {
		start, size := part.place(p)
		seen[part.typ]++
		name := part.typ.String()
		if n := seen[part.typ]; n > 1 {
			name = fmt.Sprintf("%s#%d", name, n)
		}
		p.mark(start, "%s", name)
		placed = append(placed, DirectoryEntry{Type: part.typ, DataSize: p.u32("the size of "+name, size), RVA: p.u32("the RVA of "+name, start)})
	}
	p.mark(p.end, "End")
	placed = append(placed, trail...)
	placed = append(placed, make([]DirectoryEntry, d.Directory.Unused)...)

	var b bytesOf
	b.u32(0x504d444d) // MDMP
	b.u32(or(d.Version, DefaultVersion))
	b.u32(uint32(entries))
	b.u32(headerSize)
	b.u32(d.CheckSum)
	b.u32(or(d.TimeDateStamp, DefaultTime))
	b.u64(d.Flags)
	for i, e := range placed {
		if p.anchors != nil {
			p.mark(headerSize+int64(i)*directoryEntrySize, "Directory[%d]", i)
		}
		if e.Of != "" {
			e.RVA = p.u32("the RVA of "+e.Of, p.anchor(e.Of))
		}
		b.u32(uint32(e.Type))
		b.u32(e.DataSize)
		b.u32(e.RVA)
	}
	copy(p.chunks[head].data, b)
	for _, patch := range d.Patches {
		p.patch(patch)
	}
	return p, p.err
}

const (
	headerSize         = 32
	directoryEntrySize = 12
)

// part is one stream; place lays it and what it points at out, and returns
// where the stream starts and how long it is.
type part struct {
	typ   StreamType
	place func(*plan) (start, size int64)
}

// parts lists the streams that are present, in the order of the fields of Dump.
func (d Dump) parts() []part {
	var parts []part
	add := func(present bool, t StreamType, place func(*plan) (int64, int64)) {
		if present {
			parts = append(parts, part{t, place})
		}
	}
	raw := func(t StreamType, data []byte) {
		add(data != nil, t, func(p *plan) (int64, int64) { return p.whole(data) })
	}
	memory := d.memoryList()

	add(!d.NoSystemInfo, SystemInfoStream, d.SystemInfo.place)
	add(d.MiscInfo != nil, MiscInfoStream, d.MiscInfo.place)
	add(d.Threads != nil, ThreadListStream, func(p *plan) (int64, int64) { return placeThreads(p, d.Threads, d.CountPadding) })
	add(d.ThreadExs != nil, ThreadExListStream, func(p *plan) (int64, int64) { return placeThreadExs(p, d.ThreadExs, d.CountPadding) })
	add(d.ThreadNames != nil, ThreadNamesStream, func(p *plan) (int64, int64) { return placeThreadNames(p, d.ThreadNames) })
	add(d.ThreadInfos != nil, ThreadInfoListStream, d.ThreadInfos.place)
	add(d.Modules != nil, ModuleListStream, func(p *plan) (int64, int64) { return placeModules(p, d.Modules, d.CountPadding) })
	add(d.UnloadedModules != nil, UnloadedModuleListStream, d.UnloadedModules.place)
	add(d.HandleData != nil, HandleDataStream, d.HandleData.place)
	add(d.HandleOperations != nil, HandleOperationListStream, d.HandleOperations.place)
	add(d.MemoryInfos != nil, MemoryInfoListStream, d.MemoryInfos.place)
	add(d.ProcessVmCounters != nil, ProcessVmCountersStream, d.ProcessVmCounters.place)
	add(d.SystemMemoryInfo != nil, SystemMemoryInfoStream, d.SystemMemoryInfo.place)
	add(d.Exception != nil, ExceptionStream, d.Exception.place)
	add(d.FunctionTables != nil, FunctionTableStream, d.FunctionTables.place)
	add(d.Tokens != nil, TokenStream, d.Tokens.place)
	add(d.BreakpadInfo != nil, BreakpadInfoStream, d.BreakpadInfo.place)
	add(d.AssertionInfo != nil, AssertionInfoStream, d.AssertionInfo.place)
	add(d.LinuxAuxv != nil, LinuxAuxvStream, func(p *plan) (int64, int64) { return placeAuxv(p, d.LinuxAuxv) })
	add(d.LinuxDSODebug != nil, LinuxDSODebugStream, d.LinuxDSODebug.place)
	add(d.CrashpadInfo != nil, CrashpadInfoStream, d.CrashpadInfo.place)
	if d.CommentA != nil {
		raw(CommentStreamA, append([]byte(*d.CommentA), 0))
	}
	if d.CommentW != nil {
		text := appendString(nil, *d.CommentW)
		raw(CommentStreamW, text[4:]) // a comment has no length in front
	}
	for _, s := range d.Streams {
		add(true, s.Type, func(p *plan) (int64, int64) { return p.whole(s.Data) })
	}
	add(memory != nil, MemoryListStream, func(p *plan) (int64, int64) { return placeMemory(p, memory, d.CountPadding) })
	add(d.Memory64 != nil, Memory64ListStream, func(p *plan) (int64, int64) { return placeMemory64(p, d.Memory64) })
	return parts
}
