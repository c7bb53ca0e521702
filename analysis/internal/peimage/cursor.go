package peimage

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A FormatError is an image that contradicts the format or ends too early.
type FormatError struct {
	Part string // part of the image: "DOS header", "section table", …
	Off  int64  // file offset, or RVA for what is found by RVA
	Msg  string // what is wrong
	Err  error  // cause, when reading failed; may be nil
}

func (e *FormatError) Error() string {
	s := fmt.Sprintf("%s at 0x%x: %s", e.Part, e.Off, e.Msg)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// A cursor reads little-endian values from bytes that were loaded. The first
// read past the end leaves an error, after which every read returns zero.
type cursor struct {
	buf  []byte
	pos  int
	part string
	off  int64 // of buf[0]
	err  error
}

func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.buf)-c.pos {
		c.err = &FormatError{Part: c.part, Off: c.off + int64(c.pos),
			Msg: fmt.Sprintf("%d more bytes needed, %d left", n, len(c.buf)-c.pos)}
		return nil
	}
	p := c.buf[c.pos : c.pos+n]
	c.pos += n
	return p
}

func (c *cursor) skip(n int) { c.take(n) }

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

// chunk is how much of a table is read at once, so that memory follows the
// bytes that exist and not the count that is declared.
const chunk = 16 << 10

// load reads n bytes by read, which takes an offset, and gives a cursor over
// those that are there. The bytes missing show as the cursor's error when they
// are asked for.
func load(part string, off int64, n int, read func(p []byte, off int64) (int, error)) *cursor {
	c := &cursor{part: part, off: off}
	for len(c.buf) < n {
		step := min(n-len(c.buf), chunk)
		have := len(c.buf)
		c.buf = append(c.buf, make([]byte, step)...)
		got, err := read(c.buf[have:], off+int64(have))
		if got < step {
			c.buf = c.buf[:have+max(got, 0)]
			if err != nil && err != io.EOF && got <= 0 && have == 0 {
				c.err = &FormatError{Part: part, Off: off, Msg: "cannot be read", Err: err}
			}
			break
		}
	}
	return c
}
