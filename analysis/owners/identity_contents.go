package owners

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"unicode/utf16"

	"github.com/dumpscan/dumpscan/minidump"
)

// maxMarkText is how much of a text is compared, in bytes; a text has at least
// minMarkText characters.
const (
	maxMarkText = 64
	minMarkText = 4
)

// contents is what surrounds a handle.
type contents struct {
	side *identitySide
	at   uint64 // of the handle
	lo   int
	b    []byte // from lo on
}

// read reads what surrounds a handle of a class, as far as it was captured and
// up to where an object of a known class begins.
func (s *identitySide) read(c *holderClass, at uint64, buf []byte) contents {
	n, _ := s.mem.ReadAt(buf[:c.hi-c.lo], vaAt(at, c.lo))
	x := contents{side: s, at: at, lo: c.lo, b: buf[:n]}
	if c.stride > 0 {
		return x
	}
	ptr := s.space.ptr
	for off := c.inside() + int(-(at+uint64(c.inside()))%uint64(ptr)); off-c.lo+ptr <= n; off += ptr {
		if s.words.find(wordAt(x.b[off-c.lo:], ptr)) != nil {
			x.b = x.b[:off-c.lo]
			break
		}
	}
	return x
}

// word returns the bytes at an offset from the handle, nil if they are not there.
func (x *contents) word(off, size int) []byte {
	if i := off - x.lo; i >= 0 && i+size <= len(x.b) {
		return x.b[i : i+size]
	}
	return nil
}

// handle is the value in the place of the handle.
func (x *contents) handle(c *holderClass) (uint64, bool) {
	b := x.word(0, c.width)
	if b == nil {
		return 0, false
	}
	return readValue(b, c.width), true
}

// is reports whether the place belongs to an object of the class.
func (x *contents) is(c *holderClass, side int) bool {
	if c.stride > 0 {
		return c.has(side, x.at)
	}
	v, ok := x.side.value(vaAt(x.at, -c.distance), c.wordSize)
	if c.wordSize == 4 {
		v = uint64(uint32(v))
	}
	return ok && v == c.word
}

// A markField is a field that may distinguish objects, from the handle.
type markField struct{ off, size int } // bytes; size is 0 for text

// markFields are all fields of a class that may be marks.
func (c *holderClass) markFields(ptr int) (fields []markField) {
	align := func(off, to int) int { return off + (to-off%to)%to }
	for off := align(c.lo, 4); off+4 <= c.hi; off += 4 {
		for _, size := range [...]int{4, 8, 0} {
			if off+max(size, 4) <= c.hi && !c.overlaps(off, max(size, 4)) && (size > 0 || off+ptr <= c.hi) {
				fields = append(fields, markField{off, size})
			}
		}
	}
	return fields
}

var markSeed = maphash.MakeSeed()

// value is what a field holds: a number that is no address, or the hash of a text
// that it leads to.
func (x *contents) value(f markField) (uint64, bool) {
	ptr := x.side.space.ptr
	switch f.size {
	case 0:
		b := x.word(f.off, ptr)
		if b == nil || (x.at+uint64(int64(f.off)))%uint64(ptr) != 0 {
			return 0, false
		}
		return x.side.text(wordAt(b, ptr))
	case 8:
		b := x.word(f.off, 8)
		if b == nil || (x.at+uint64(int64(f.off)))%8 != 0 || ptr == 4 && (x.address(f.off) || x.address(f.off+4)) || x.address(f.off) {
			return 0, false
		}
		v := binary.LittleEndian.Uint64(b)
		// Two numbers of 4 bytes are looked at one by one.
		return v, v>>32 != 0 && v<<32 != 0 && v != math.MaxUint64
	}
	b := x.word(f.off, 4)
	if b == nil || x.address(f.off) {
		return 0, false
	}
	v := binary.LittleEndian.Uint32(b)
	return uint64(v), v != 0 && v != math.MaxUint32
}

// address reports whether a field is an address of the process, or a half of one.
func (x *contents) address(off int) bool {
	s := x.side.space
	off -= int((x.at + uint64(int64(off))) % uint64(s.ptr))
	b := x.word(off, s.ptr)
	if b == nil {
		return false
	}
	return x.side.points(wordAt(b, s.ptr))
}

// points reports whether a word is an address of memory that was captured, or of
// a module.
func (s *identitySide) points(v uint64) bool {
	if v < minPointer || s.space.kinds.of(v) == 0 {
		return false
	}
	_, ok := s.space.modules.Find(minidump.VA(v))
	return ok || s.mem.Contains(minidump.VA(v))
}

// text returns a hash of the text at an address: ASCII or UTF-16, without control
// characters.
func (s *identitySide) text(at uint64) (uint64, bool) {
	if !s.points(at) {
		return 0, false
	}
	var b [maxMarkText]byte
	n, _ := s.mem.ReadAt(b[:], minidump.VA(at))
	length := 0
	for length < n && b[length] >= ' ' && b[length] <= '~' {
		length++
	}
	if length >= minMarkText && (length == len(b) || length < n && b[length] == 0) {
		return maphash.Bytes(markSeed, b[:length]), true
	}
	length = 0
	for length+2 <= n {
		u := binary.LittleEndian.Uint16(b[length:])
		if u < ' ' || u > 0x24ff || utf16.IsSurrogate(rune(u)) { // scripts that have words, not noise
			break
		}
		length += 2
	}
	if length >= 2*minMarkText && (length == len(b) || length+2 <= n && b[length] == 0 && b[length+1] == 0) {
		return maphash.Bytes(markSeed, b[:length]), true
	}
	return 0, false
}
