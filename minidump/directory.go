package minidump

import (
	"fmt"
	"io"
	"math"
)

// A DirectoryEntry locates one stream (MINIDUMP_DIRECTORY, 12 bytes).
type DirectoryEntry struct {
	StreamType StreamType
	Location
}

const directoryEntrySize = 12

// readDirectory reads as many directory entries as the file holds; an error
// is kept for Directory, because the streams before it are still of use.
func (f *File) readDirectory() {
	f.taken = map[StreamType]int{}
	f.dirErr = f.eachEntry(func(d DirectoryEntry) {
		// dbghelp leaves spare entries of type 0 at the end of the array.
		if d.StreamType != UnusedStream {
			f.dir = append(f.dir, d)
			f.take(len(f.dir) - 1)
		}
	})
}

// eachEntry calls do with every entry of the directory that is in the file.
func (f *File) eachEntry(do func(DirectoryEntry)) error {
	t := table{
		off:      int64(f.StreamDirectoryRVA),
		stride:   directoryEntrySize,
		declared: uint64(f.NumberOfStreams),
		end:      math.MaxInt64, // the header gives the number, not the size
		what:     "directory entries",
	}
	return f.each(t, func(c *cursor) {
		do(DirectoryEntry{StreamType: StreamType(c.u32()), Location: c.location()})
	})
}

// WholeDirectory is [File.Directory] with the unused entries (type 0) where they
// stand, so that an index is that of the file. After [Recover] it is the same as
// Directory if that had to be rebuilt.
func (f *File) WholeDirectory() ([]DirectoryEntry, error) {
	if f.rebuilt {
		return f.Directory()
	}
	var all []DirectoryEntry
	err := f.eachEntry(func(d DirectoryEntry) { all = append(all, d) })
	return all, err
}

// Directory returns the entries in the order of the file, without the unused
// ones (type 0). The error reports a directory that is longer than the file or
// that could not be read whole; the entries that are there are returned with
// it. Types may repeat: see [File.Ignored].
func (f *File) Directory() ([]DirectoryEntry, error) {
	return append([]DirectoryEntry(nil), f.dir...), f.dirErr
}

// Has reports whether the directory lists a stream of type t, usable or not.
func (f *File) Has(t StreamType) bool {
	_, err := f.pick(t)
	return err == nil
}

// leasts are the sizes below which a stream cannot hold what its type says, in
// bytes: that of the part which is there in every version.
var leasts = map[StreamType]struct {
	size uint32
	what string
}{
	ThreadListStream:          {4, "a list of threads"},
	ModuleListStream:          {4, "a list of modules"},
	MemoryListStream:          {4, "a list of memory"},
	ExceptionStream:           {exceptionSize, "an exception"},
	SystemInfoStream:          {32, "system information"},
	Memory64ListStream:        {16, "a list of memory"},
	HandleDataStream:          {12, "handle data"},
	UnloadedModuleListStream:  {12, "a list of unloaded modules"},
	MiscInfoStream:            {miscInfo1, "miscellaneous information"},
	MemoryInfoListStream:      {16, "a list of memory regions"},
	ThreadInfoListStream:      {12, "a list of thread information"},
	HandleOperationListStream: {12, "a list of handle operations"},
	ProcessVmCountersStream:   {80, "memory counters"},
	SystemMemoryInfoStream:    {492, "memory of the machine"},
	ThreadNamesStream:         {4, "a list of thread names"},
	ThreadExListStream:        {4, "a list of threads"},
	FunctionTableStream:       {24, "function tables"},
	TokenStream:               {16, "tokens"},
	BreakpadInfoStream:        {12, "what Breakpad notes"},
	AssertionInfoStream:       {776, "an assertion"},
	LinuxAuxvStream:           {8, "an auxiliary vector"},
	LinuxDSODebugStream:       {24, "what the dynamic linker notes"},
	CrashpadInfoStream:        {52, "what Crashpad notes"},
}

// unusable says why nothing can be read from the stream, or nil.
func (f *File) unusable(d DirectoryEntry) error {
	off, least := int64(d.RVA), leasts[d.StreamType]
	switch {
	case d.DataSize < least.size:
		return formatErrorf(d.StreamType, off, "%d bytes are too short for %s; %d are the least", d.DataSize, least.what, least.size)
	case d.DataSize == 0:
		return formatErrorf(d.StreamType, off, "the stream is empty")
	case off < headerSize:
		return formatErrorf(d.StreamType, off, "the stream starts inside the header of the file")
	case off >= f.size:
		return formatErrorf(d.StreamType, off, "the stream starts behind the end of the file, which has %d bytes", f.size)
	}
	return nil
}

// take notes the entry at index i, unless an earlier one of its type is to be
// read. This is the rule for several streams of one type, for all types alike:
// the first that is usable, or else the first.
func (f *File) take(i int) {
	d := f.dir[i]
	at, seen := f.taken[d.StreamType]
	if !seen || f.unusable(f.dir[at]) != nil && f.unusable(d) == nil {
		f.taken[d.StreamType] = i
	}
}

// pick returns the stream of type t that this package reads.
func (f *File) pick(t StreamType) (DirectoryEntry, error) {
	i, ok := f.taken[t]
	switch {
	case ok:
		return f.dir[i], nil
	case f.dirErr != nil: // what could not be read may hide the stream
		return DirectoryEntry{}, fmt.Errorf("%w: %s (%w)", ErrNoStream, t, f.dirErr)
	}
	return DirectoryEntry{}, fmt.Errorf("%w: %s", ErrNoStream, t)
}

// find is pick for those who read what the stream holds: a stream that is not
// usable is an error.
func (f *File) find(t StreamType) (DirectoryEntry, error) {
	d, err := f.pick(t)
	if err == nil {
		err = f.unusable(d)
	}
	return d, err
}

// An IgnoredStream is a stream that is not read because another one of its
// type is.
type IgnoredStream struct {
	DirectoryEntry
	Taken DirectoryEntry // the one that is read instead
	Err   error          // why this one cannot be read; nil if it could be, and only comes later
}

// Ignored returns the streams, in the order of the directory, that no method of
// the package reads because there are several of their type: the first that is
// usable is read, which means that it starts inside the file, behind the header,
// and is not shorter than every stream of its type must be. Among several that are not usable it is
// the first, and reading it is an error.
func (f *File) Ignored() []IgnoredStream {
	var ignored []IgnoredStream
	for i, d := range f.dir {
		if at := f.taken[d.StreamType]; at != i {
			ignored = append(ignored, IgnoredStream{DirectoryEntry: d, Taken: f.dir[at], Err: f.unusable(d)})
		}
	}
	return ignored
}

// Stream returns the raw bytes of the stream of type t that the package reads;
// see [File.Ignored] for which that is of several. The error wraps
// [ErrNoStream] and the reader is nil if there is none. It is a [*FormatError]
// if the file ends before the stream does; the reader then holds the bytes that
// are there.
func (f *File) Stream(t StreamType) (*io.SectionReader, error) {
	d, err := f.pick(t)
	if err != nil {
		return nil, err
	}
	return f.section(t, d.Location)
}

// Check returns a [*FormatError] if the file ends before the stream does.
func (f *File) Check(d DirectoryEntry) error {
	_, err := f.section(d.StreamType, d.Location)
	return err
}
