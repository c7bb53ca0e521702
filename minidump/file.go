package minidump

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A VA is a virtual address in the dumped process.
type VA uint64

// String returns the address in hexadecimal, for example "0x7ff6127dc480".
func (a VA) String() string { return fmt.Sprintf("%#x", uint64(a)) }

// A Header is the first structure of the file (MINIDUMP_HEADER, 32 bytes).
type Header struct {
	Version            uint32 // low 16 bits 0xa793; the high 16 bits belong to the writer
	NumberOfStreams    uint32 // as declared; see [File.Directory] for those that are there
	StreamDirectoryRVA uint32
	CheckSum           uint32 // 0 in practice; never verified
	TimeDateStamp      uint32 // when the dump was written, seconds since 1970 UTC
	Flags              Flags
}

// Time returns when the dump was written, to the second, in UTC.
func (h Header) Time() time.Time { return time.Unix(int64(h.TimeDateStamp), 0).UTC() }

// A Location says where in the file some bytes are
// (MINIDUMP_LOCATION_DESCRIPTOR).
type Location struct {
	DataSize uint32 // bytes
	RVA      uint32 // file offset in bytes
}

// A File is an open minidump.
type File struct {
	Header

	r      io.ReaderAt
	size   int64
	dir    []DirectoryEntry
	taken  map[StreamType]int // index in dir of the stream that is read
	dirErr error
	arch   ProcessorArchitecture // [ProcessorUnknown] if the dump does not say
	ptr    int                   // bytes of a pointer
	closer io.Closer

	recovered []RecoveredStream
	rebuilt   bool // dir is what Recover made of it

	memoryOnce sync.Once
	memory     *Memory
	memoryErr  error
}

const (
	headerSize = 32
	signature  = 0x504d444d // "MDMP"
	version    = 0xa793
)

// Open opens the named minidump. The caller closes it. Errors are of type
// [*fs.PathError], and wrap what [NewFile] says.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}

func open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path, which Open adds
	}
	fi, err := r.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	f, err := NewFile(r, fi.Size())
	if err != nil {
		r.Close()
		return nil, err
	}
	f.closer = r
	return f, nil
}

// NewFile reads the header and the directory of a minidump of size bytes. An
// error wraps [ErrNotMinidump] if r holds something else, or is a
// [*FormatError] if the file ends inside the header.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	head := make([]byte, min(max(size, 0), sniffSize))
	if _, err := readFullAt(r, head, 0); err != nil {
		// What cannot be read may lie behind the header, which is all that is
		// needed of a minidump.
		head = head[:min(len(head), headerSize)]
		if _, err := readFullAt(r, head, 0); err != nil {
			return nil, &FormatError{Msg: "reading the header", Err: err}
		}
	}
	c := &cursor{buf: head}
	sig := c.u32()
	if !c.ok() || sig != signature {
		return nil, sniff(head, size)
	}
	f.readHeader(c)
	if c.err != nil {
		return nil, formatErrorf(UnusedStream, 0,
			"the file ends inside the header, after %d of %d bytes", size, headerSize)
	}
	if uint16(f.Version) != version {
		return nil, headerError{fmt.Sprintf("it has the signature MDMP, but version %#04x instead of %#04x", uint16(f.Version), version)}
	}
	f.readDirectory()
	f.readArchitecture()
	return f, nil
}

// readHeader reads what follows the signature.
func (f *File) readHeader(c *cursor) {
	f.Version = c.u32()
	f.NumberOfStreams = c.u32()
	f.StreamDirectoryRVA = c.u32()
	f.CheckSum = c.u32()
	f.TimeDateStamp = c.u32()
	f.Flags = Flags(c.u64())
}

// Close closes the file that [Open] opened. It does nothing after [NewFile].
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Size returns the size of the file in bytes.
func (f *File) Size() int64 { return f.size }

// Section returns the raw bytes at a location, such as a thread's context.
// The error is a [*FormatError] if the file ends before the location does.
func (f *File) Section(l Location) (*io.SectionReader, error) {
	return f.section(UnusedStream, l)
}

func (f *File) section(t StreamType, l Location) (*io.SectionReader, error) {
	off, n := int64(l.RVA), int64(l.DataSize)
	var err error
	if there := max(f.size-off, 0); n > there {
		err = formatErrorf(t, off, "%d bytes declared, but the file ends after %d", n, there)
		n = there
	}
	return io.NewSectionReader(f.r, off, n), err
}

// PointerSize returns the size in bytes of a pointer in the dump: 4 or 8, by
// the processor architecture of SystemInfo, or 0 if the dump does not say.
// A 32-bit process dumped by a 64-bit debugger (WOW64) counts as 8.
func (f *File) PointerSize() int { return f.ptr }

// readArchitecture finds out what the layout of pointers and registers depends on.
func (f *File) readArchitecture() {
	f.arch = ProcessorUnknown
	if si, _ := f.SystemInfo(); si != nil { // an error may only be about the name of the service pack
		f.arch = si.ProcessorArchitecture
	}
	f.ptr = f.arch.PointerSize()
}
