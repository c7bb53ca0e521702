package dumpfile

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// wrapping is what a file turns out to be.
type wrapping int

const (
	plain wrapping = iota
	gzipped
	zstandard
	zipped
)

// detect knows a wrapping by its first four bytes.
func detect(head []byte) wrapping {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return zstandard // begins with a skippable frame
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipped
	}
	return plain
}

// unwrap takes one wrapping off. A nil next without an error means that there is
// none. path is the archive and *member the file wanted of it, which is cleared
// once it has been found.
func (s *spooler) unwrap(in input, path string, member *string) (next *input, damage, err error) {
	head := make([]byte, 4)
	n, err := in.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, nil, bare(err)
	}
	counted := &counter{src: in}
	var src io.ReadCloser
	total := in.size
	switch detect(head[:n]) {
	case plain:
		return nil, nil, nil
	case gzipped:
		src, err = gunzip(counted.all(in.size))
	case zstandard:
		src, err = unzstd(counted.all(in.size), maxWindow(in.size))
	case zipped:
		var entry *zip.File
		if entry, err = s.choose(counted, in.size, path, *member); err != nil {
			return nil, nil, err
		}
		*member = ""
		counted.taken.Store(0)                      // the search does not count
		if entry.CompressedSize64 < uint64(total) { // it is only claimed
			total = int64(entry.CompressedSize64)
		}
		src, err = entry.Open()
	}
	if err != nil {
		return nil, nil, err
	}
	unpacked, damage, err := s.spool(src, total, counted.taken.Load)
	src.Close() // what it has to say, reading has said
	if err != nil {
		return nil, nil, explain(err)
	}
	return &unpacked, explain(damage), nil
}

func gunzip(r io.Reader) (io.ReadCloser, error) {
	return gzip.NewReader(bufio.NewReaderSize(r, chunkSize))
}

func unzstd(r io.Reader, window uint64) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(window))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// maxWindow is the memory that a zstd stream in a file of size bytes may ask
// for. Some twenty bytes may ask for terabytes; zstd itself grants 128 MiB unless
// told otherwise. A file that really was made with a longer window (--long=31)
// is large, and so justifies more.
func maxWindow(size int64) uint64 {
	return uint64(min(max(128<<20, 16*size), 2<<30))
}

// explain says what to do about a stream that asks for too much memory.
func explain(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return fmt.Errorf("%w: the zstd stream asks for more memory than its size justifies; unpack it with zstd -d --long=31", err)
	}
	return err
}

// choose opens the archive and picks the file wanted, or else its only file, or
// else its only dump.
func (s *spooler) choose(r io.ReaderAt, size int64, path, want string) (*zip.File, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // no path is ever used
		return nil, fmt.Errorf("%w: the table of contents, which stands at the end, cannot be read", err)
	}
	archive.RegisterDecompressor(zip.Deflate, flate.NewReader)
	window := maxWindow(size)
	archive.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(
		zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(window)))

	var files []*zip.File
	var names []string
	for _, f := range archive.File {
		if f.Mode().IsRegular() && !strings.HasSuffix(f.Name, "/") {
			files = append(files, f)
			names = append(names, f.Name)
		}
	}
	if want != "" {
		i, ok := findMember(names, want)
		if !ok {
			return nil, &ChoiceError{Archive: path, Wanted: want, Names: names}
		}
		return readable(files[i])
	}
	if len(files) == 1 {
		return readable(files[0])
	}
	var dumps []*zip.File
	var dumpNames []string
	for _, f := range files {
		if s.ctx.Err() != nil {
			return nil, s.ctx.Err()
		}
		if holdsDump(f, window) {
			dumps = append(dumps, f)
			dumpNames = append(dumpNames, f.Name)
		}
	}
	switch len(dumps) {
	case 0:
		return nil, &ChoiceError{Archive: path, Names: names}
	case 1:
		return dumps[0], nil
	}
	return nil, &ChoiceError{Archive: path, Names: dumpNames, Dumps: true}
}

// readable says in plain words what archive/zip would not.
func readable(f *zip.File) (*zip.File, error) {
	const encrypted = 1
	if f.Flags&encrypted != 0 {
		return nil, fmt.Errorf("%s is encrypted in the archive", f.Name)
	}
	return f, nil
}

// holdsDump reports whether a file of an archive is a minidump, compressed once
// more or not.
func holdsDump(f *zip.File, window uint64) bool {
	r, err := f.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(4) // short files are no dumps
	var inner io.ReadCloser
	switch detect(head) {
	case gzipped:
		inner, err = gunzip(buffered)
	case zstandard:
		inner, err = unzstd(buffered, window)
	default:
		return string(head) == "MDMP"
	}
	if err != nil {
		return false
	}
	defer inner.Close()
	head = make([]byte, 4)
	n, _ := fill(inner, head)
	return string(head[:n]) == "MDMP"
}

// counter counts what is read of the input; the zstd decoder does that in a
// goroutine of its own.
type counter struct {
	src   io.ReaderAt
	taken atomic.Int64
}

func (c *counter) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.src.ReadAt(b, off)
	c.taken.Add(int64(n))
	return n, err
}

// all reads the input from its beginning.
func (c *counter) all(size int64) io.Reader { return io.NewSectionReader(c, 0, size) }
