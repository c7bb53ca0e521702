package render

import (
	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A StreamsReport is the answer of "dumpscan streams": the directory of a dump
// and what its streams hold.
type StreamsReport struct {
	Dump            DumpHeader `json:"dump"`
	Version         Hex        `json:"version"`         // of the header
	NumberOfStreams uint32     `json:"numberOfStreams"` // as the header declares them
	Flags           InfoFlags  `json:"flags"`
	Streams         []Stream   `json:"streams"`
	Notes           []string   `json:"notes"`
	Complaints

	// What WinDbg shows of the bodies, for the text.
	threads     []streamThread
	threadInfos []streamThread
	modules     []streamModule
	memory64    *minidump.Memory64List
	system      *streamSystem
	handles     *streamHandles
}

// A Stream is an entry of the directory and what its stream holds.
type Stream struct {
	Index     int           `json:"index"` // in the directory, from 0
	Type      uint32        `json:"type"`
	Name      string        `json:"name"`
	Size      uint32        `json:"size"` // bytes
	Offset    Hex           `json:"offset"`
	Ignored   bool          `json:"ignored,omitempty"`   // another stream of the type is read instead
	Recovered bool          `json:"recovered,omitempty"` // found by its shape
	What      string        `json:"what,omitempty"`      // a record of a list: "thread"
	Count     *uint64       `json:"count,omitempty"`     // of them
	Fields    []StreamField `json:"fields"`
	Error     string        `json:"error,omitempty"`
}

// A StreamField is a fact about a stream.
type StreamField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A streamThread is a thread by the place of its record in the file.
type streamThread struct {
	rva int64
	id  uint32
	teb minidump.VA
}

type streamModule struct {
	rva       int64
	base, end minidump.VA
	path      string
}

type streamSystem struct {
	minidump.SystemInfo
	csd uint32 // file offset of the service pack's name
}

type streamHandles struct{ descriptors, header, size uint32 }

// NewStreamsReport makes a report of the streams.
func NewStreamsReport(dump DumpHeader, info *analysis.StreamsInfo) *StreamsReport {
	r := &StreamsReport{
		Dump: dump, Version: Hex(info.Header.Version), NumberOfStreams: info.Header.NumberOfStreams,
		Flags: InfoFlags{Hex(info.Header.Flags), info.Header.Flags.Names()}, memory64: info.Memory64,
	}
	for i, s := range info.Streams {
		stream := Stream{
			Index: i, Type: uint32(s.StreamType), Name: s.StreamType.String(), Size: s.DataSize, Offset: Hex(s.RVA), Ignored: s.Ignored, Recovered: s.Recovered, What: s.What,
		}
		if s.What != "" {
			stream.Count = &s.Count
		}
		for _, f := range s.Fields {
			stream.Fields = append(stream.Fields, StreamField(f))
		}
		if s.Err != nil {
			stream.Error = s.Err.Error()
		}
		r.Streams = append(r.Streams, stream)
		if !s.Ignored {
			r.addBody(info, s.DirectoryEntry)
		}
	}
	return r
}

// addBody keeps what WinDbg shows of the stream that is read of a type.
func (r *StreamsReport) addBody(info *analysis.StreamsInfo, e minidump.DirectoryEntry) {
	const threadSize, moduleSize = 48, 108
	first := func(n int, size int64) int64 { return int64(e.RVA) + listHeader(e, n, size) }
	switch e.StreamType {
	case minidump.ThreadListStream:
		at := first(len(info.Threads), threadSize)
		for i, t := range info.Threads {
			r.threads = append(r.threads, streamThread{at + int64(i)*threadSize, t.ThreadID, t.Teb})
		}
	case minidump.ThreadInfoListStream:
		header, entry := int64(info.InfoLayout[0]), int64(info.InfoLayout[1])
		for i, t := range info.ThreadInfos {
			r.threadInfos = append(r.threadInfos, streamThread{rva: int64(e.RVA) + header + int64(i)*entry, id: t.ThreadID})
		}
	case minidump.ModuleListStream:
		at := first(len(info.Modules), moduleSize)
		for i := range info.Modules {
			m := &info.Modules[i]
			r.modules = append(r.modules, streamModule{at + int64(i)*moduleSize, m.BaseOfImage, m.End(), m.ModuleName})
		}
	case minidump.SystemInfoStream:
		if info.System != nil {
			r.system = &streamSystem{*info.System, info.CSDVersion}
		}
	case minidump.HandleDataStream:
		if h := info.Handles; h != nil {
			r.handles = &streamHandles{h.NumberOfDescriptors, h.SizeOfHeader, h.SizeOfDescriptor}
		}
	}
}

// listHeader is how many bytes stand before the first of n records: a count, and
// with some writers four bytes of padding.
func listHeader(e minidump.DirectoryEntry, n int, size int64) int64 {
	if int64(e.DataSize) == 8+int64(n)*size {
		return 8
	}
	return 4
}

func (*StreamsReport) schema() string { return "dumpscan.streams/1" }
