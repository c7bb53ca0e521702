package dumptest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sort"
	"sync/atomic"
)

// Reader is a dump as an io.ReaderAt that counts what is read from it. The zeros
// of a [MemoryRange] whose Size is larger than its Data exist only in the answers,
// so a dump with 8 GiB of memory costs what the rest of it costs.
// It is safe for concurrent use.
type Reader struct {
	chunks  []chunk
	patches []placedPatch
	size    int64
	bytes   atomic.Int64
	reads   atomic.Int64
	highest atomic.Int64
}

// Reader lays the dump out for reading. Handles and operations of an iterator are
// held in memory as they stand in the file.
func (d Dump) Reader() (*Reader, error) {
	p, err := d.plan(len(d.Patches) > 0)
	if err != nil {
		return nil, fmt.Errorf("dumptest: %w", err)
	}
	r := &Reader{patches: p.patches, size: p.size()}
	for _, c := range p.chunks {
		if c.write != nil {
			var b bytes.Buffer
			w := bufio.NewWriter(&b)
			if err := c.write(w); err != nil {
				return nil, err
			}
			if err := w.Flush(); err != nil {
				return nil, err
			}
			c.data = b.Bytes()
		}
		if c.size > 0 {
			r.chunks = append(r.chunks, c)
		}
	}
	return r, nil
}

// Size is the length of the file in bytes.
func (r *Reader) Size() int64 { return r.size }

// BytesRead is the number of bytes that ReadAt has returned so far.
func (r *Reader) BytesRead() int64 { return r.bytes.Load() }

// Reads is the number of calls of ReadAt so far.
func (r *Reader) Reads() int64 { return r.reads.Load() }

// HighestRead is the end of the read that reached furthest into the file.
func (r *Reader) HighestRead() int64 { return r.highest.Load() }

// Reset sets the counters to zero.
func (r *Reader) Reset() {
	r.bytes.Store(0)
	r.reads.Store(0)
	r.highest.Store(0)
}

// ReadAt implements io.ReaderAt.
func (r *Reader) ReadAt(b []byte, off int64) (int, error) {
	r.reads.Add(1)
	if off < 0 {
		return 0, fmt.Errorf("dumptest: negative offset %d", off)
	}
	if off >= r.size {
		return 0, io.EOF
	}
	var err error
	if int64(len(b)) > r.size-off {
		b, err = b[:r.size-off], io.EOF
	}
	first := sort.Search(len(r.chunks), func(i int) bool { return r.chunks[i].off+r.chunks[i].size > off })
	done := 0
	for _, c := range r.chunks[first:] {
		if done == len(b) {
			break
		}
		at := off + int64(done) - c.off
		n := int(min(c.size-at, int64(len(b)-done)))
		if c.data == nil {
			clear(b[done : done+n])
		} else {
			copy(b[done:done+n], c.data[at:])
		}
		done += n
	}
	apply(r.patches, off, b)
	r.bytes.Add(int64(len(b)))
	for end := off + int64(len(b)); ; {
		old := r.highest.Load()
		if end <= old || r.highest.CompareAndSwap(old, end) {
			break
		}
	}
	return len(b), err
}
