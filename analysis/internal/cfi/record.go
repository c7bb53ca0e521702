package cfi

import (
	"fmt"
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// A walker goes through the records of a section, with few reads.
type walker struct {
	s      *Section
	window []byte
	at     int64 // offset of the window
}

func (w *walker) ReadAt(p []byte, off int64) (int, error) {
	if off < w.at || off+int64(len(p)) > w.at+int64(len(w.window)) {
		size := min(int64(cap(w.window)), w.s.Size-off)
		if int64(len(p)) > size {
			return w.s.readAt(p, off)
		}
		n, err := w.s.readAt(w.window[:size], off)
		w.window, w.at = w.window[:n], off
		if n < len(p) {
			return copy(p, w.window), err
		}
	}
	return copy(p, w.window[off-w.at:]), nil
}

// headSize is how much of a record is read to index it: its head and two
// encoded pointers.
const headSize = 64

// record returns a cursor over the head of a record, behind its length, and where
// the next one begins. The cursor is nil for a record of no length.
func (w *walker) record(off int64) (*bounded.Cursor, int64, error) {
	c := bounded.Load("call frame information", off, int(min(headSize, w.s.Size-off)), w.ReadAt)
	return w.s.begin(c)
}

// begin reads a record's length.
func (s *Section) begin(c *bounded.Cursor) (*bounded.Cursor, int64, error) {
	size := int64(c.U32())
	if size == 0xffffffff {
		return nil, 0, fmt.Errorf("%w: a record of the 64-bit format", ErrSyntax) // of sections beyond 4 GiB
	}
	next := c.Off() + size
	if c.Err() != nil {
		return nil, 0, c.Err()
	}
	if next > s.Size {
		return nil, 0, &bounded.Error{Part: "call frame information", Off: c.Off() - 4, Msg: fmt.Sprintf("a record of %d bytes", size)}
	}
	if size == 0 {
		return nil, next, nil
	}
	return c, next, nil
}

// load reads a whole record and returns a cursor behind its length.
func (s *Section) load(off int64) (*bounded.Cursor, error) {
	c, next, err := s.begin(bounded.Load("call frame information", off, 4, s.readAt))
	if err != nil {
		return nil, err
	}
	if c == nil || next-off > maxEntry {
		return nil, &bounded.Error{Part: "call frame information", Off: off, Msg: fmt.Sprintf("a record of %d bytes", next-off-4)}
	}
	return bounded.Load("call frame information", off+4, int(next-off-4), s.readAt), nil
}

func (s *Section) readAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.Size {
		return 0, io.EOF
	}
	return s.R.ReadAt(p[:min(int64(len(p)), s.Size-off)], off)
}

// common reads where the common part (CIE) of a function's record is; false for a
// record that is such a part itself.
func (s *Section) common(c *bounded.Cursor) (int64, bool) {
	at := c.Off()
	id := c.U32()
	if s.EH {
		return at - int64(id), id != 0 && c.Err() == nil
	}
	return int64(id), id != 0xffffffff && c.Err() == nil
}

// A cie is what the rules of several functions have in common.
type cie struct {
	encoding  byte // of the functions' addresses
	augmented bool // functions have augmentation data
	codeAlign uint64
	dataAlign int64
	ra        int // register of the return address
	program   *bounded.Cursor
	signal    bool // functions are interrupted, not called
}

const (
	encAbsolute = 0x00
	encIndirect = 0x80
	encOmitted  = 0xff
)

func (t *Table) readCIE(off int64) (*cie, error) {
	c, err := t.s.load(off)
	if err != nil {
		return nil, err
	}
	if _, ok := t.s.common(c); ok {
		return nil, fmt.Errorf("%w: common rules at 0x%x that are a function's", ErrSyntax, off)
	}
	k := &cie{encoding: encAbsolute}
	version := c.U8()
	if c.Err() == nil && version != 1 && version != 3 && version != 4 {
		return nil, fmt.Errorf("%w: version %d at 0x%x", ErrSyntax, version, off)
	}
	augmentation := c.CString()
	if version == 4 {
		c.Skip(2) // sizes of an address and of a segment
	}
	k.codeAlign, k.dataAlign = uleb(c), sleb(c)
	ra := uint64(0)
	if version == 1 {
		ra = uint64(c.U8())
	} else {
		ra = uleb(c)
	}
	var ok bool
	if k.ra, ok = t.s.Arch.dwarf(ra); !ok && c.Err() == nil {
		return nil, fmt.Errorf("%w: return address in register %d", ErrSyntax, ra)
	}
	if err := t.augment(c, k, augmentation); err != nil {
		return nil, err
	}
	k.program = c
	return k, c.Err()
}

// augment reads what the letters of the augmentation announce.
func (t *Table) augment(c *bounded.Cursor, k *cie, letters string) error {
	if letters == "" {
		return nil
	}
	if letters[0] != 'z' {
		return fmt.Errorf("%w: augmentation %.20q", ErrSyntax, letters)
	}
	k.augmented = true
	size := uleb(c)
	if size > uint64(c.Left()) {
		return fmt.Errorf("%w: augmentation of %d bytes", ErrSyntax, size)
	}
	end := c.Off() + int64(size)
	for _, l := range letters[1:] {
		switch l {
		case 'R':
			k.encoding = c.U8()
		case 'L':
			c.Skip(1)
		case 'P':
			t.s.pointer(c, c.U8())
		case 'S':
			k.signal = true
		}
	}
	if c.Off() > end {
		return fmt.Errorf("%w: augmentation of %d bytes", ErrSyntax, size)
	}
	c.Skip(int(end - c.Off()))
	return c.Err()
}

// pointer reads an encoded pointer.
func (s *Section) pointer(c *bounded.Cursor, encoding byte) uint64 {
	if encoding == encOmitted {
		return 0
	}
	at := s.Base + uint64(s.RVA) + uint64(c.Off())
	var v uint64
	switch encoding & 0x0f {
	case 0x00:
		if s.Arch.pointer() == 4 {
			v = uint64(c.U32())
		} else {
			v = c.U64()
		}
	case 0x01:
		v = uleb(c)
	case 0x02:
		v = uint64(c.U16())
	case 0x03:
		v = uint64(c.U32())
	case 0x04, 0x0c:
		v = c.U64()
	case 0x09:
		v = uint64(sleb(c))
	case 0x0a:
		v = uint64(int16(c.U16()))
	case 0x0b:
		v = uint64(int32(c.U32()))
	default:
		c.Fail(c.Off(), "a pointer of encoding 0x%x", encoding)
	}
	switch encoding & 0x70 {
	case 0x00:
	case 0x10:
		if v != 0 {
			v += at
		}
	case 0x50: // aligned: compilers do not write it
		c.Fail(c.Off(), "a pointer of encoding 0x%x", encoding)
	default: // relative to text, data or function, whose place only the linker knew
		v = 0
	}
	return s.Arch.mask(v)
}
