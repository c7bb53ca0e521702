package minidump

import "encoding/binary"

// A cursor reads little-endian values from bytes that have been loaded from
// the file. It owns all byte access of this package: no read goes past the
// end, and the first one that would leaves an error with its file offset, after
// which every read returns zero.
type cursor struct {
	buf    []byte
	pos    int
	off    int64 // file offset of buf[0]
	stream StreamType
	err    error
}

func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.buf)-c.pos {
		c.err = formatErrorf(c.stream, c.off+int64(c.pos),
			"%d more bytes needed, %d left", n, len(c.buf)-c.pos)
		return nil
	}
	p := c.buf[c.pos : c.pos+n]
	c.pos += n
	return p
}

func (c *cursor) u8() uint8 {
	if p := c.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if p := c.take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if p := c.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if p := c.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (c *cursor) i32() int32   { return int32(c.u32()) }
func (c *cursor) va() VA       { return VA(c.u64()) }
func (c *cursor) skip(n int)   { c.take(n) }
func (c *cursor) left() int    { return len(c.buf) - c.pos }
func (c *cursor) bool8() bool  { return c.u8() != 0 }
func (c *cursor) ok() bool     { return c.err == nil }
func (c *cursor) rest() []byte { return c.take(c.left()) }

// ptr reads a pointer-sized integer of the dumped process.
func (c *cursor) ptr(size int) uint64 {
	if size == 4 {
		return uint64(c.u32())
	}
	return c.u64()
}

func (c *cursor) location() Location {
	return Location{DataSize: c.u32(), RVA: c.u32()}
}
