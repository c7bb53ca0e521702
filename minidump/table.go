package minidump

import (
	"fmt"
	"iter"
	"math"
)

// A table is a run of records of one size, as every list stream has it.
type table struct {
	stream   StreamType
	off      int64  // file offset of the first record
	stride   int64  // bytes from one record to the next
	declared uint64 // number of records that the stream claims
	end      int64  // where the stream ends; the file may end before
	header   uint32 // bytes before the first record, as the list declares them
	doubt    error  // that the list is not read as it declares itself; may be nil
	what     string // plural, for messages
}

// count returns how many of the declared records are in the file, and an
// error if that is not all of them, or if it is in doubt where they are.
func (t table) count(size int64) (uint64, error) {
	end := min(t.end, size)
	there := uint64(max(end-t.off, 0) / t.stride)
	if t.declared <= there {
		return t.declared, t.doubt
	}
	msg := "the stream ends"
	if size < t.end {
		msg = "the file ends"
	}
	return there, JoinErrors(t.doubt, formatErrorf(t.stream, t.off+int64(there)*t.stride,
		"%d %s of %d bytes declared, but %s after %d", t.declared, t.what, t.stride, msg, there))
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

const (
	windowMax = 256 << 10

	// pieceSize is what is read at once where a window cannot be read whole: a
	// sector of a disk.
	pieceSize = 4 << 10
)

// steps iterates over the records of t that are in the file, one step for
// each. begin makes the function that decodes a record over the value of the
// record before it.
func steps[T any](f *File, t table, begin func() func(record []byte, v *T) error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		decode := begin()
		var v T
		f.blocks(t, func(block []byte, size int, lost error) bool {
			for ; len(block) > 0; block = block[size:] {
				err := lost
				if lost == nil {
					err = decode(block[:size], &v)
				} else {
					var zero T
					v = zero
				}
				if !yield(&v, err) {
					return false
				}
			}
			return true
		})
	}
}

// each calls do for every record of t that is in the file and can be read. The
// error is the first of a record that could not be, or says that the list is
// shorter than declared, or both.
func (f *File) each(t table, do func(c *cursor)) error {
	var c cursor // one for all records: it escapes through do
	var first error
	f.blocks(t, func(block []byte, size int, lost error) bool {
		if lost != nil && first == nil {
			first = lost
		}
		for ; len(block) > 0 && lost == nil; block = block[size:] {
			c = cursor{buf: block[:size]} // records are whole: no offset is needed
			do(&c)
		}
		return true
	})
	_, short := t.count(f.size)
	return JoinErrors(first, short)
}

// blocks calls do with runs of whole records, each of the given size, until do
// returns false. The runs are together all records of t that are in the file. A
// record that could not be read comes alone and with an error; its bytes mean
// nothing. The block is valid until do returns.
func (f *File) blocks(t table, do func(block []byte, size int, lost error) bool) {
	n, _ := t.count(f.size)
	perWindow := uint64(max(windowMax/t.stride, 1))
	size := int(min(t.stride, windowMax)) // no known record is longer
	buf := make([]byte, int(min(n, perWindow))*size)
	for first := uint64(0); first < n; first += perWindow {
		off := t.off + int64(first)*t.stride
		block := buf[:int(min(n-first, perWindow))*size]
		if _, err := readFullAt(f.r, block, off); err != nil {
			if !f.salvage(t, block, size, off, do) {
				return
			}
		} else if !do(block, size, nil) {
			return
		}
	}
}

// salvage is blocks for the records of one block that could not be read at
// once. It reads them piece by piece, so that a bad sector costs those that lie
// on it and no others.
func (f *File) salvage(t table, block []byte, size int, off int64, do func(block []byte, size int, lost error) bool) bool {
	gaps := f.readPieces(block, off)
	for ; len(block) > 0; block = block[size:] {
		for len(gaps) > 0 && gaps[0].end <= off {
			gaps = gaps[1:]
		}
		var lost error
		if len(gaps) > 0 && gaps[0].start < off+int64(size) {
			lost = &FormatError{Stream: t.stream, Off: off, Msg: "reading " + t.what,
				Err: fmt.Errorf("%w: %w", ErrUnreadable, gaps[0].cause)}
		}
		if !do(block[:size], size, lost) {
			return false
		}
		off += t.stride
	}
	return true
}

// A gap is a stretch of the file that cannot be read.
type gap struct {
	start, end int64
	cause      error
}

// readPieces reads what can be read of the len(p) bytes at off.
func (f *File) readPieces(p []byte, off int64) []gap {
	var gaps []gap
	for len(p) > 0 {
		n := min(pieceSize-off%pieceSize, int64(len(p)))
		if got, err := readFullAt(f.r, p[:n], off); err != nil {
			gaps = append(gaps, gap{off + int64(got), off + n, err})
		}
		p = p[n:]
		off += n
	}
	return gaps
}

// listTable finds the records of a list whose header is a bare count
// (ThreadList, ModuleList, MemoryList). Writers other than dbghelp may put
// four bytes of padding behind the count, which only the size shows.
func (f *File) listTable(t StreamType, stride int64, what string) (table, error) {
	c, d, err := f.loadStream(t, 4)
	if err != nil {
		return table{}, err
	}
	n := c.u32()
	if c.err != nil {
		return table{}, c.err
	}
	header := uint32(4)
	if int64(d.DataSize) == 8+int64(n)*stride {
		header = 8
	}
	return newTable(d, header, stride, uint64(n), what), nil
}

// exTable finds the records of a list whose header names its own size and
// that of a record. Records may be longer than known, never shorter than
// least. wide says that the count has 64 bits.
func (f *File) exTable(t StreamType, least int64, wide bool, what string) (table, error) {
	c, d, err := f.loadStream(t, 16)
	if err != nil {
		return table{}, err
	}
	header, stride := c.u32(), int64(c.u32())
	var n uint64
	if wide {
		n = c.u64()
	} else {
		n = uint64(c.u32())
	}
	if c.err != nil {
		return table{}, c.err
	}
	if known := leasts[t].size; header < known {
		return table{}, formatErrorf(t, c.off, "header of %d bytes; %d is the least", header, known)
	}
	if stride < least {
		return table{}, formatErrorf(t, c.off+4, "%s of %d bytes; %d is the least", what, stride, least)
	}
	return newTable(d, header, stride, n, what), nil
}

// newTable is the table of n records behind the header of the stream d.
func newTable(d DirectoryEntry, header uint32, stride int64, n uint64, what string) table {
	return table{
		stream: d.StreamType, off: int64(d.RVA) + int64(header), stride: stride, declared: n,
		end: int64(d.RVA) + int64(d.DataSize), header: header, what: what,
	}
}
