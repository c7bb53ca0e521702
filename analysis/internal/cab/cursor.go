package cab

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A cursor reads little-endian values from a file. The first read past the end
// leaves an error, after which every read returns zero.
type cursor struct {
	r    io.ReaderAt
	off  int64
	size int64
	err  error
}

func newCursor(r io.ReaderAt, off, size int64) *cursor {
	return &cursor{r: r, off: off, size: size}
}

// take reads n bytes; all callers ask for 64 KiB at most.
func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if int64(n) > c.size-c.off {
		c.err = &FormatError{Off: c.off, Msg: fmt.Sprintf("%d more bytes needed, %d left", n, max(c.size-c.off, 0))}
		return nil
	}
	p := make([]byte, n)
	if got, err := c.r.ReadAt(p, c.off); got < n {
		c.err = &FormatError{Off: c.off, Msg: "reading", Err: err}
		return nil
	}
	c.off += int64(n)
	return p
}

func (c *cursor) skip(n int) { c.take(n) }

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
