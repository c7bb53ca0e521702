package dumpfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

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
