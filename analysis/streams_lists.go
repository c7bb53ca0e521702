package analysis

import (
	"encoding/binary"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// streamReaders say what the streams of each type hold. Those without a row are
// opaque, such as protocol buffers.
var streamReaders = map[minidump.StreamType]func(f *minidump.File, info *StreamsInfo, s *StreamFact) error{
	minidump.ThreadListStream: func(f *minidump.File, info *StreamsInfo, s *StreamFact) (err error) {
		info.Threads, err = f.Threads()
		s.list(len(info.Threads), "thread")
		return err
	},
	minidump.ThreadExListStream: func(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
		threads, err := f.ThreadExs()
		s.list(len(threads), "thread")
		return err
	},
	minidump.ThreadInfoListStream: func(f *minidump.File, info *StreamsInfo, s *StreamFact) (err error) {
		info.ThreadInfos, err = f.ThreadInfos()
		info.InfoLayout = [2]uint32{u32In(f, s.StreamType, 0), u32In(f, s.StreamType, 4)}
		s.list(len(info.ThreadInfos), "thread")
		return err
	},
	minidump.ThreadNamesStream: func(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
		names, err := f.ThreadNames()
		s.list(len(names), "name")
		return err
	},
	minidump.ModuleListStream: func(f *minidump.File, info *StreamsInfo, s *StreamFact) (err error) {
		info.Modules, err = f.Modules()
		s.list(len(info.Modules), "module")
		return err
	},
	minidump.UnloadedModuleListStream: func(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
		modules, err := f.UnloadedModules()
		s.list(len(modules), "module")
		return err
	},
	minidump.MemoryListStream:          memoryListFacts,
	minidump.Memory64ListStream:        memory64ListFacts,
	minidump.MemoryInfoListStream:      memoryInfoFacts,
	minidump.HandleDataStream:          handleDataFacts,
	minidump.HandleOperationListStream: handleOperationFacts,
	minidump.FunctionTableStream:       functionTableFacts,
	minidump.TokenStream:               tokenFacts,
	minidump.SystemInfoStream:          systemFacts,
	minidump.MiscInfoStream:            miscFacts,
	minidump.ExceptionStream:           exceptionFacts,
	minidump.SystemMemoryInfoStream:    systemMemoryFacts,
	minidump.ProcessVmCountersStream:   vmCountersFacts,
	minidump.CommentStreamA:            commentFacts,
	minidump.CommentStreamW:            commentFacts,
	minidump.BreakpadInfoStream:        breakpadFacts,
	minidump.AssertionInfoStream:       assertionFacts,
	minidump.LinuxCPUInfoStream:        textFacts,
	minidump.LinuxProcStatusStream:     textFacts,
	minidump.LinuxLSBReleaseStream:     textFacts,
	minidump.LinuxCmdLineStream:        textFacts,
	minidump.LinuxEnvironStream:        textFacts,
	minidump.LinuxMapsStream:           textFacts,
	minidump.LinuxAuxvStream:           auxvFacts,
	minidump.LinuxDSODebugStream:       dsoFacts,
	minidump.CrashpadInfoStream:        crashpadFacts,
	minidump.MozLinuxLimitsStream:      textFacts,
	minidump.MozSoftErrorsStream:       textFacts,
}

func (s *StreamFact) list(n int, what string) { s.Count, s.What = uint64(n), what }

func memoryListFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	ranges, err := f.MemoryList()
	s.list(len(ranges), "memory range")
	var bytes uint64
	for _, r := range ranges {
		bytes += uint64(r.Memory.DataSize)
		if err == nil { // what they are about may be cut off
			err = f.Check(minidump.DirectoryEntry{StreamType: s.StreamType, Location: r.Memory})
		}
	}
	s.add("Bytes", "%s", words.Bytes(bytes))
	return err
}

func memory64ListFacts(f *minidump.File, info *StreamsInfo, s *StreamFact) (err error) {
	info.Memory64, err = f.Memory64List()
	if info.Memory64 == nil {
		return err
	}
	s.list(len(info.Memory64.Ranges), "memory range")
	var bytes uint64
	nonsense := false
	for _, r := range info.Memory64.Ranges {
		bytes += r.DataSize
		nonsense = nonsense || bytes < r.DataSize // together more than an address space
	}
	if !nonsense {
		s.add("Bytes", "%s", words.Bytes(bytes))
	}
	if end := info.Memory64.BaseRVA + bytes; err == nil && (nonsense || end < bytes || end > uint64(f.Size())) {
		_, err = f.Memory() // which says how much is cut off
	}
	return err
}

func memoryInfoFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	l, err := f.MemoryInfos()
	if err != nil {
		return err
	}
	n, err := l.Len()
	s.list(n, "region")
	return err
}

func handleDataFacts(f *minidump.File, info *StreamsInfo, s *StreamFact) (err error) {
	if info.Handles, err = f.HandleData(); err != nil {
		return err
	}
	n, err := info.Handles.Len()
	s.list(n, "descriptor")
	return err
}

func handleOperationFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	l, err := f.HandleOperations()
	if err != nil {
		return err
	}
	n, err := l.Len()
	s.list(n, "operation")
	return err
}

func functionTableFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	l, err := f.FunctionTables()
	if err != nil {
		return err
	}
	n, short := l.Len()
	s.list(n, "function table")
	var failed Failures
	var entries uint64
	for t, err := range l.All() {
		failed.Note(err)
		entries += uint64(t.EntryCount)
	}
	failed.Note(short)
	s.add("Entries", "%s of %d bytes", words.Count(entries), l.SizeOfFunctionEntry)
	return failed.Err()
}

func tokenFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	tokens, err := f.Tokens()
	s.list(len(tokens), "token")
	for _, t := range tokens {
		user := t.User.SID.String()
		if name := t.User.SID.Name(); name != "" {
			user += " (" + name + ")"
		}
		s.add(fmt.Sprintf("Token %d", t.TokenID), "%s %s", t.TokenType, user)
	}
	return err
}

// u32In reads a number of a stream that its decoded form does not keep, such as
// where a name stands; 0 if it is not there.
func u32In(f *minidump.File, t minidump.StreamType, off int64) uint32 {
	r, _ := f.Stream(t) // an error may be about what stands behind it
	if r == nil {
		return 0
	}
	var p [4]byte
	if n, _ := r.ReadAt(p[:], off); n < len(p) {
		return 0
	}
	return binary.LittleEndian.Uint32(p[:])
}
