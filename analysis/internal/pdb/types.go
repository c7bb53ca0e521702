package pdb

import (
	"bytes"
	"encoding/binary"
	"sort"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// types is the TPI or IPI stream: type or id records, found by their index.
type types struct {
	s           *stream
	recent      *memory
	first, last uint32 // indices it has, the last one excluded
	records     extent
	offsets     []byte // sparse index of records: pairs of index and offset; nil if there is none

	mu     sync.Mutex
	buf    []byte // for walking
	walked int64  // bytes, since the stream was last read into memory
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
	t := &types{s: s, recent: &f.recent, first: c.U32(), last: c.U32()}
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
			t.offsets = make([]byte, size)
			if err := h.readAt(t.offsets, off); err != nil {
				return nil, err
			}
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
	const entry = 8
	le := binary.LittleEndian
	n := sort.Search(len(t.offsets)/entry, func(i int) bool { return le.Uint32(t.offsets[i*entry:]) > index })
	if n > 0 {
		pair := t.offsets[(n-1)*entry:]
		at, from = t.records.off+int64(le.Uint32(pair[4:])), le.Uint32(pair)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.walked > t.s.size { // asked for often enough to have it at hand
		if err := t.recent.keep(t.s); err != nil {
			return record{}, 0, err
		}
		t.walked = 0
	}
	w := t.s.window(at, t.records.end)
	if w.buf == nil {
		w.buf = t.buf
		defer func() { t.buf, t.walked = w.buf[:0], t.walked+w.off-at }()
	}
	for w.left() >= recordHead && (t.offsets == nil || w.off-at <= maxWalk) {
		b, err := w.ahead(recordHead)
		if err != nil {
			return record{}, 0, err
		}
		n := 0
		for ; from < index && n+recordHead <= len(b); from++ {
			size := 2 + int(binary.LittleEndian.Uint16(b[n:]))
			if size < recordHead || int64(n+size) > w.left() {
				return record{}, 0, t.s.fail(w.off+int64(n), "record of %d bytes, %d left", size, w.left()-int64(n))
			}
			n += size
		}
		if w.skip(int64(n)); from < index || w.left() < recordHead {
			continue
		}
		if r, err = w.record(); err == nil {
			off := r.body.Off()
			r.body = *bounded.New(t.s.name, off, bytes.Clone(r.body.Take(r.body.Left())))
		}
		return r, w.off - at, err
	}
	return record{}, 0, t.s.fail(at, "record %#x is not where the index says", index)
}
