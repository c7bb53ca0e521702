package pdb

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// types is the TPI or IPI stream: type or id records, found by their index.
type types struct {
	s             *stream
	first, last   uint32 // indices it has, the last one excluded
	records       extent
	offsets       *stream // stream with the sparse index of records
	offsetsExtent extent

	mu  sync.Mutex
	buf []byte // for walking
}

// openTypes reads the header of the stream (HDR of TPI).
func (f *File) openTypes(number int, name string) (*types, error) {
	s, err := f.msf.stream(number, name)
	if err != nil {
		return nil, err
	}
	const fixed = 56
	c, err := s.cursor(0, fixed)
	if err != nil {
		return nil, err
	}
	c.Skip(4) // version
	headerSize := int64(c.U32())
	t := &types{s: s, first: c.U32(), last: c.U32()}
	t.records = extent{headerSize, headerSize + int64(c.U32())}
	if t.records.end > s.size {
		return nil, s.fail(16, "records end at %#x, the stream at %#x", t.records.end, s.size)
	}
	hash := c.U16()
	c.Skip(2 + 4 + 4 + 8) // second hash stream, size and number of buckets, extent of the hash values
	off, size := int64(c.U32()), int64(c.U32())
	if hash != noStream && size >= 8 {
		h, err := f.msf.stream(int(hash), name+" hash")
		if err != nil {
			return nil, err
		}
		if off+size <= h.size {
			t.offsets, t.offsetsExtent = h, extent{off, off + size}
		}
	}
	return t, c.Err()
}

// maxWalk is how far apart entries of the sparse index may be; writers make one for every 8 KB of records.
const maxWalk = 1 << 18

// record finds a record by its index: by binary search in the sparse index, then by walking. walked is how many
// bytes it looked at for that.
func (t *types) record(index uint32) (r record, walked int64, err error) {
	if index < t.first || index >= t.last {
		return record{}, 0, t.s.fail(8, "no record %#x", index)
	}
	at, from := t.records.off, t.first
	if t.offsets != nil {
		const entry = 8
		var pair [entry]byte
		lo, hi := int64(0), (t.offsetsExtent.end-t.offsetsExtent.off)/entry
		for lo < hi {
			mid := lo + (hi-lo)/2
			if err := t.offsets.readAt(pair[:], t.offsetsExtent.off+mid*entry); err != nil {
				return record{}, 0, err
			}
			if i := binary.LittleEndian.Uint32(pair[:]); i > index {
				hi = mid
			} else {
				lo, from = mid+1, i
				at = t.records.off + int64(binary.LittleEndian.Uint32(pair[4:]))
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.s.window(at, t.records.end)
	w.buf = t.buf
	defer func() { t.buf = w.buf[:0] }()
	for ; w.left() >= recordHead; from++ {
		if from == index {
			if r, err = w.record(); err == nil {
				off := r.body.Off()
				r.body = *bounded.New(t.s.name, off, bytes.Clone(r.body.Take(r.body.Left())))
			}
			return r, w.off - at, err
		}
		head, err := w.peek(recordHead)
		if err != nil {
			return record{}, 0, err
		}
		size := 2 + int64(binary.LittleEndian.Uint16(head))
		if size < recordHead || size > w.left() {
			return record{}, 0, t.s.fail(w.off, "record of %d bytes, %d left", size, w.left())
		}
		w.skip(size)
		if t.offsets != nil && w.off-at > maxWalk {
			break
		}
	}
	return record{}, 0, t.s.fail(at, "record %#x is not where the index says", index)
}
