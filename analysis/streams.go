package analysis

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// StreamsInfo is the directory of a dump with what its streams hold.
type StreamsInfo struct {
	Header  minidump.Header
	Pointer int          // size of a pointer in bytes; 0 if the dump does not say
	Streams []StreamFact // in the order of the file, unused entries too

	// What WinDbg's .dumpdebug shows of the bodies; nil or empty without.
	Threads     []minidump.Thread
	ThreadInfos []minidump.ThreadInfo
	InfoLayout  [2]uint32 // bytes of the header and of an entry of their list
	Modules     []minidump.Module
	Memory64    *minidump.Memory64List
	System      *minidump.SystemInfo
	CSDVersion  uint32 // file offset of the service pack's name
	Handles     *minidump.HandleData

	// Problem is what could not be read of the directory and of the streams, a
	// [*PartialError]; nil if there is nothing. A stream that is ignored is none.
	Problem error
}

// A StreamFact is an entry of the directory, and what its stream holds, as far
// as that takes a few lines.
type StreamFact struct {
	minidump.DirectoryEntry
	Ignored   bool          // another stream of the type is read instead
	Recovered bool          // found by its shape: see [minidump.Recover]
	What      string        // a record of a list, such as "thread"; "" if it is none
	Count     uint64        // of them
	Fields    []StreamField // of a stream that is no list, and facts about one that is
	Err       error         // why not all of it could be read
}

// A StreamField is a fact about a stream, with the name that the specification
// has for it. The value may be text of the dump.
type StreamField struct{ Name, Value string }

// add appends a field.
func (s *StreamFact) add(name, format string, args ...any) {
	s.Fields = append(s.Fields, StreamField{name, fmt.Sprintf(format, args...)})
}

// addText appends a field unless its text is empty.
func (s *StreamFact) addText(name, text string) {
	if text != "" {
		s.Fields = append(s.Fields, StreamField{name, text})
	}
}

// Streams describes every stream of a dump.
func Streams(f *minidump.File) *StreamsInfo {
	info := &StreamsInfo{Header: f.Header, Pointer: f.PointerSize()}
	entries, err := f.WholeDirectory()
	var failed Failures
	failed.Note(err)
	ignored := f.Ignored()
	for _, e := range entries {
		s := StreamFact{DirectoryEntry: e, Recovered: isRecovered(f, e)}
		switch read := streamReaders[e.StreamType]; {
		case e.StreamType == minidump.UnusedStream:
		case len(ignored) > 0 && ignored[0].DirectoryEntry == e:
			s.Ignored, s.Err, ignored = true, ignored[0].Err, ignored[1:]
		case read != nil:
			s.Err = read(f, info, &s)
			fallthrough
		default:
			if s.Err == nil { // what reads a stream may not need all of it
				s.Err = f.Check(e)
			}
			failed.Note(s.Err)
		}
		info.Streams = append(info.Streams, s)
	}
	info.Problem = failed.Err()
	return info
}
