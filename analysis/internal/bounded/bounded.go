// Package bounded reads little-endian values from files that may declare more
// than they hold: what is not there is an error with its offset, and never a
// panic or an allocation. The readers of symbol files and images are built on
// it. It imports nothing of the module.
package bounded

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// An Error is a file that contradicts its format or ends too early.
type Error struct {
	Part string // what was read: "section table", "DBI", …
	Off  int64  // bytes from the start of the file, or of the stream that Part names; an RVA for what is found by RVA
	Msg  string // what is wrong
	Err  error  // cause, when reading failed; may be nil
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s at 0x%x: %s", e.Part, e.Off, e.Msg)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Cursor reads values from bytes that are in memory. The first read past
// their end leaves an error, after which every read returns zero.
type Cursor struct {
	part  string
	base  int64 // offset of buf[0]
	buf   []byte
	pos   int
	err   error
	cause error // why there are not more bytes; nil if the file has no more
}

// New returns a Cursor over bytes that lie at offset base of what part names.
func New(part string, base int64, buf []byte) *Cursor {
	return &Cursor{part: part, base: base, buf: buf}
}

// chunk is how many bytes are read at once, so that memory follows the bytes
// that exist and not the count that is declared.
const chunk = 16 << 10

// Load reads n bytes at offset off and returns a Cursor over those that are
// there. That bytes are missing shows as an error when they are asked for. read
// is the method ReadAt of an [io.ReaderAt].
func Load(part string, off int64, n int, read func(p []byte, off int64) (int, error)) *Cursor {
	c := New(part, off, nil)
	for len(c.buf) < n {
		have, step := len(c.buf), min(n-len(c.buf), chunk)
		c.buf = append(c.buf, make([]byte, step)...)
		got, err := read(c.buf[have:], off+int64(have))
		if got < step {
			c.buf = c.buf[:have+max(got, 0)]
			if err != io.EOF {
				c.cause = err
			}
			break
		}
	}
	return c
}

// Err returns the error of the first read that failed.
func (c *Cursor) Err() error { return c.err }

// Off returns the offset of the next byte, from where that of New or Load
// counts.
func (c *Cursor) Off() int64 { return c.base + int64(c.pos) }

// Left returns how many bytes are left.
func (c *Cursor) Left() int { return len(c.buf) - c.pos }

// Fail leaves an error about what stands at an offset, unless there is one
// already.
func (c *Cursor) Fail(off int64, format string, args ...any) {
	if c.err == nil {
		c.err = &Error{Part: c.part, Off: off, Msg: fmt.Sprintf(format, args...)}
	}
}

// Take returns the next n bytes, or nil if there are fewer. The caller must not
// change them.
func (c *Cursor) Take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > c.Left() {
		c.err = &Error{Part: c.part, Off: c.Off(), Msg: fmt.Sprintf("%d bytes wanted, %d left", n, c.Left()), Err: c.cause}
		return nil
	}
	p := c.buf[c.pos : c.pos+n]
	c.pos += n
	return p
}

// Skip passes over n bytes.
func (c *Cursor) Skip(n int) { c.Take(n) }

// U8 reads a number of one byte.
func (c *Cursor) U8() uint8 {
	if p := c.Take(1); p != nil {
		return p[0]
	}
	return 0
}

// U16 reads a number of two bytes.
func (c *Cursor) U16() uint16 {
	if p := c.Take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

// U32 reads a number of four bytes.
func (c *Cursor) U32() uint32 {
	if p := c.Take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// U64 reads a number of eight bytes.
func (c *Cursor) U64() uint64 {
	if p := c.Take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// CString reads a text up to its zero byte and passes over that. Without one it
// takes all that is left: some writers cut long names at the end of a record.
func (c *Cursor) CString() string {
	if c.err != nil {
		return ""
	}
	rest := c.buf[c.pos:]
	if n := bytes.IndexByte(rest, 0); n >= 0 {
		c.pos += n + 1
		return string(rest[:n])
	}
	c.pos = len(c.buf)
	return string(rest)
}
