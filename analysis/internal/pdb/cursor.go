package pdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// cursor reads little-endian fields from bytes that are already in memory. The first read past the end is
// remembered with its offset; every read after it gives zero.
type cursor struct {
	stream string // for errors
	base   int64  // offset of buf in that stream
	buf    []byte
	off    int
	err    error
}

// take gives the next n bytes, or nil once the bytes have run out.
func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.buf)-c.off {
		c.err = &FormatError{Stream: c.stream, Off: c.base + int64(c.off),
			Msg: fmt.Sprintf("%d bytes wanted, %d left", n, len(c.buf)-c.off)}
		return nil
	}
	b := c.buf[c.off : c.off+n]
	c.off += n
	return b
}

func (c *cursor) u8() uint8 {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) skip(n int) { c.take(n) }

// cstring reads up to and over a NUL. Without one it takes all that is left: some writers cut long names at the
// record's end.
func (c *cursor) cstring() string {
	if c.err != nil {
		return ""
	}
	rest := c.buf[c.off:]
	if n := bytes.IndexByte(rest, 0); n >= 0 {
		c.off += n + 1
		return string(rest[:n])
	}
	c.off = len(c.buf)
	return string(rest)
}

// skipNumeric reads over a numeric leaf: a 16-bit value, or a tag and the value it announces.
func (c *cursor) skipNumeric() {
	switch tag := c.u16(); tag {
	case leafChar:
		c.skip(1)
	case leafShort, leafUShort:
		c.skip(2)
	case leafLong, leafULong:
		c.skip(4)
	case leafQuad, leafUQuad:
		c.skip(8)
	default:
		if tag >= leafNumeric && c.err == nil {
			c.err = &FormatError{Stream: c.stream, Off: c.base + int64(c.off) - 2,
				Msg: fmt.Sprintf("numeric leaf %#x", tag)}
		}
	}
}
