package minidump

import (
	"io"
	"iter"
	"math"
)

// readFullAt reads len(p) bytes at off. An io.ReaderAt may return io.EOF with
// a full read; that is no error here.
func readFullAt(r io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// load reads the bytes [off, off+n) that lie inside the file, for structures
// of a fixed, small size.
func (f *File) load(t StreamType, off int64, n int) *cursor {
	c := &cursor{off: off, stream: t}
	n = int(min(int64(n), max(f.size-off, 0)))
	c.buf = make([]byte, n)
	if _, err := readFullAt(f.r, c.buf, off); err != nil {
		c.err = &FormatError{Stream: t, Off: off, Msg: "reading", Err: err}
	}
	return c
}

// loadStream reads up to n bytes from the start of the stream t.
func (f *File) loadStream(t StreamType, n int) (*cursor, error) {
	d, err := f.find(t)
	if err != nil {
		return nil, err
	}
	return f.load(t, int64(d.RVA), int(min(int64(n), int64(d.DataSize)))), nil
}

// A table is a run of records of one size, as every list stream has it.
type table struct {
	stream   StreamType
	off      int64  // file offset of the first record
	stride   int64  // bytes from one record to the next
	declared uint64 // number of records that the stream claims
	end      int64  // where the stream ends; the file may end before
	what     string // plural, for messages
}

// count returns how many of the declared records are in the file, and an
// error if that is not all of them.
func (t table) count(size int64) (uint64, error) {
	end := min(t.end, size)
	there := uint64(max(end-t.off, 0) / t.stride)
	if t.declared <= there {
		return t.declared, nil
	}
	msg := "the stream ends"
	if size < t.end {
		msg = "the file ends"
	}
	return there, formatErrorf(t.stream, t.off+int64(there)*t.stride,
		"%d %s of %d bytes declared, but %s after %d", t.declared, t.what, t.stride, msg, there)
}

// len is count for those who keep records in memory.
func (t table) len(size int64) (int, error) {
	n, err := t.count(size)
	return int(min(n, math.MaxInt)), err
}

// part is the table of the records from the start-th up to the end-th, as far
// as the file holds them.
func (t table) part(start, end int, size int64) table {
	n, _ := t.len(size)
	end = min(end, n)
	start = min(max(start, 0), max(end, 0))
	t.off += int64(start) * t.stride
	t.declared = uint64(max(end-start, 0))
	return t
}

const windowMax = 256 << 10

// each calls do for every record of t that is in the file, reading them
// window by window.
func (f *File) each(t table, do func(c *cursor)) error {
	return f.until(t, func(c *cursor) bool { do(c); return true })
}

// until is each, ending early when do returns false.
func (f *File) until(t table, do func(c *cursor) bool) error {
	var c cursor // one for all records: it escapes through do
	return f.blocks(t, func(block []byte, size int, off int64) bool {
		for ; len(block) > 0; block = block[size:] {
			c = cursor{buf: block[:size], off: off, stream: t.stream}
			if !do(&c) {
				return false
			}
			off += t.stride
		}
		return true
	})
}

// blocks calls do with runs of whole records, each of the given size, the
// first at file offset off, until do returns false. The block is valid until
// do returns.
func (f *File) blocks(t table, do func(block []byte, size int, off int64) bool) error {
	n, short := t.count(f.size)
	perWindow := uint64(max(windowMax/t.stride, 1))
	size := int(min(t.stride, windowMax)) // no known record is longer
	buf := make([]byte, int(min(n, perWindow))*size)
	for first := uint64(0); first < n; first += perWindow {
		off := t.off + int64(first)*t.stride
		block := buf[:int(min(n-first, perWindow))*size]
		if _, err := readFullAt(f.r, block, off); err != nil {
			return &FormatError{Stream: t.stream, Off: off, Msg: "reading " + t.what, Err: err}
		}
		if !do(block, size, off) {
			return nil
		}
	}
	return short
}

// listTable finds the records of a list whose header is a bare count
// (ThreadList, ModuleList, MemoryList). Writers other than dbghelp may put
// four bytes of padding behind the count, which only the size shows.
func (f *File) listTable(t StreamType, stride int64, what string) (table, error) {
	d, err := f.find(t)
	if err != nil {
		return table{}, err
	}
	c := f.load(t, int64(d.RVA), 4)
	n := c.u32()
	if c.err != nil {
		return table{}, c.err
	}
	off := int64(d.RVA) + 4
	if int64(d.DataSize) == 8+int64(n)*stride {
		off += 4
	}
	return table{
		stream: t, off: off, stride: stride, declared: uint64(n),
		end: int64(d.RVA) + int64(d.DataSize), what: what,
	}, nil
}

// exTable finds the records of a list whose header names its own size and
// that of a record. Records may be longer than known, never shorter than
// least. wide says that the count has 64 bits.
func (f *File) exTable(t StreamType, least int64, wide bool, what string) (table, error) {
	d, err := f.find(t)
	if err != nil {
		return table{}, err
	}
	c := f.load(t, int64(d.RVA), 16)
	header, stride := int64(c.u32()), int64(c.u32())
	var n uint64
	if wide {
		n = c.u64()
	} else {
		n = uint64(c.u32())
	}
	if c.err != nil {
		return table{}, c.err
	}
	if header < 12 {
		return table{}, formatErrorf(t, int64(d.RVA), "header size %d is too small", header)
	}
	if stride < least {
		return table{}, formatErrorf(t, int64(d.RVA)+4,
			"%s of %d bytes; %d is the least", what, stride, least)
	}
	return table{
		stream: t, off: int64(d.RVA) + header, stride: stride, declared: n,
		end: int64(d.RVA) + int64(d.DataSize), what: what,
	}, nil
}

// records iterates over a table. An error, yielded last, says why it ended
// early.
func records[T any](f *File, t table, decode func(c *cursor) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		stopped := false
		err := f.until(t, func(c *cursor) bool {
			stopped = !yield(decode(c), nil)
			return !stopped
		})
		if err != nil && !stopped {
			var zero T
			yield(zero, err)
		}
	}
}
