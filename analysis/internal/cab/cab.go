package cab

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var (
	// ErrNotCabinet means that the bytes do not begin as a cabinet does.
	ErrNotCabinet = errors.New("not a cabinet")

	// ErrCompression is wrapped for a compression that is not read.
	ErrCompression = errors.New("compression is not supported")
)

// A FormatError is a cabinet that contradicts itself or ends too early.
type FormatError struct {
	Off int64  // file offset
	Msg string // what is wrong
	Err error  // cause; may be nil
}

func (e *FormatError) Error() string {
	s := fmt.Sprintf("cabinet: at 0x%x: %s", e.Off, e.Msg)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Header flags (CFHEADER.flags).
const (
	flagPrevCabinet    = 1
	flagNextCabinet    = 2
	flagReservePresent = 4
)

// Compression types (the low four bits of CFFOLDER.typeCompress).
const (
	storedType  = 0
	mszipType   = 1
	quantumType = 2
	lzxType     = 3
)

// maxBlock is how many bytes a block of data gives at most.
const maxBlock = 32 << 10

// File is the first file of a cabinet.
type File struct {
	Name string // as stored; not to be trusted as a path
	Size uint32 // bytes

	folder folder
	start  uint32 // bytes before the file in its folder
	r      io.ReaderAt
	size   int64
}

type folder struct {
	off     int64 // file offset of the first block
	blocks  int
	method  uint16
	reserve int // bytes behind each block's header
}

// Open reads the directory of a cabinet of size bytes as far as its first file.
func Open(r io.ReaderAt, size int64) (*File, error) {
	c := newCursor(r, 0, size)
	if sig := c.u32(); c.err != nil || sig != 0x4643534d {
		return nil, ErrNotCabinet
	}
	c.skip(12)
	filesOff := int64(c.u32())
	c.skip(6)
	folders, files, flags := c.u16(), c.u16(), c.u16()
	c.skip(4)
	var folderReserve, dataReserve int
	if flags&flagReservePresent != 0 {
		headerReserve := int(c.u16())
		folderReserve, dataReserve = int(c.u8()), int(c.u8())
		c.skip(headerReserve)
	}
	if flags&(flagPrevCabinet|flagNextCabinet) != 0 {
		return nil, &FormatError{Off: 30, Msg: "the cabinet is one part of several"}
	}
	if c.err == nil && (folders == 0 || files == 0) {
		return nil, &FormatError{Off: 26, Msg: "the cabinet is empty"}
	}
	foldersOff := c.off
	f, index := readFile(newCursor(r, filesOff, size))
	if c.err != nil {
		return nil, c.err
	}
	if f == nil {
		return nil, &FormatError{Off: filesOff, Msg: "the file entry is cut off"}
	}
	if index >= folders {
		return nil, &FormatError{Off: filesOff + 8, Msg: fmt.Sprintf("file in folder %d of %d", index, folders)}
	}
	c = newCursor(r, foldersOff+int64(index)*int64(8+folderReserve), size)
	f.folder = folder{off: int64(c.u32()), blocks: int(c.u16()), method: c.u16(), reserve: dataReserve}
	if c.err != nil {
		return nil, c.err
	}
	f.r, f.size = r, size
	switch f.folder.method & 0xf {
	case storedType, mszipType:
		return f, nil
	case quantumType:
		return nil, fmt.Errorf("cabinet: Quantum %w", ErrCompression)
	case lzxType:
		return nil, fmt.Errorf("cabinet: LZX %w", ErrCompression)
	}
	return nil, fmt.Errorf("cabinet: compression 0x%x: %w", f.folder.method, ErrCompression)
}

// readFile reads the file entry at c (CFFILE) and the index of its folder.
func readFile(c *cursor) (*File, uint16) {
	f := &File{Size: c.u32(), start: c.u32()}
	index := c.u16()
	c.skip(6)
	var name []byte
	for len(name) <= 256 {
		b := c.u8()
		if c.err != nil {
			return nil, 0
		}
		if b == 0 {
			f.Name = string(name)
			return f, index
		}
		name = append(name, b)
	}
	return nil, 0
}

// WriteTo unpacks the file to w. An error can come after some bytes of it were
// written.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	out := &slice{w: w, skip: int64(f.start), left: int64(f.Size)}
	z := &mszip{inflater: flate.NewReader(nil)}
	block := make([]byte, maxBlock)
	off := f.folder.off
	for i := 0; i < f.folder.blocks && out.left > 0; i++ {
		data, size, next, err := f.block(off)
		if err != nil {
			return out.written, err
		}
		if f.folder.method&0xf == mszipType {
			if err := z.inflate(block[:size], data); err != nil {
				return out.written, &FormatError{Off: off, Msg: "MSZIP block", Err: err}
			}
			data = block[:size]
		}
		if err := out.write(data); err != nil {
			return out.written, err
		}
		off = next
	}
	if out.left > 0 {
		return out.written, &FormatError{Off: off, Msg: fmt.Sprintf("%d bytes of the file are missing", out.left)}
	}
	return out.written, nil
}

// block reads the data block at off (CFDATA): its bytes, how many they unpack
// to, and where the next one is.
func (f *File) block(off int64) (data []byte, size int, next int64, err error) {
	c := newCursor(f.r, off, f.size)
	sum := c.u32()
	head := c.take(4)
	if c.err != nil {
		return nil, 0, 0, c.err
	}
	packed, size := int(binary.LittleEndian.Uint16(head)), int(binary.LittleEndian.Uint16(head[2:]))
	reserve := c.take(f.folder.reserve)
	data = c.take(packed)
	if c.err != nil {
		return nil, 0, 0, c.err
	}
	if size > maxBlock || size == 0 || f.folder.method&0xf == storedType && size != packed {
		return nil, 0, 0, &FormatError{Off: off, Msg: fmt.Sprintf("block of %d bytes unpacks to %d", packed, size)}
	}
	// The sum covers the data first, then what stands before it.
	if sum != 0 && checksum(append(bytes.Clone(head), reserve...), checksum(data, 0)) != sum {
		return nil, 0, 0, &FormatError{Off: off, Msg: "wrong checksum"}
	}
	return data, size, c.off, nil
}

// checksum is CFDATA.csum: words of four bytes joined by exclusive or, the one
// to three bytes left over as a big-endian number.
func checksum(p []byte, sum uint32) uint32 {
	for ; len(p) >= 4; p = p[4:] {
		sum ^= binary.LittleEndian.Uint32(p)
	}
	var last uint32
	for _, b := range p {
		last = last<<8 | uint32(b)
	}
	return sum ^ last
}

// mszip unpacks the blocks of a folder one after the other. Each is a deflate
// stream of its own that may refer back to the 32 KiB before it.
type mszip struct {
	inflater io.ReadCloser
	window   []byte
}

// inflate unpacks a block, which must give as many bytes as p has room for.
func (z *mszip) inflate(p, data []byte) error {
	rest, ok := bytes.CutPrefix(data, []byte("CK"))
	if !ok {
		return errors.New("no signature")
	}
	if err := z.inflater.(flate.Resetter).Reset(bytes.NewReader(rest), z.window); err != nil {
		return err
	}
	if _, err := io.ReadFull(z.inflater, p); err != nil {
		return err
	}
	z.window = append(z.window, p...)
	if n := len(z.window) - maxBlock; n > 0 {
		z.window = append(z.window[:0], z.window[n:]...)
	}
	return nil
}

// A slice passes on a part of what is written to it.
type slice struct {
	w       io.Writer
	skip    int64
	left    int64
	written int64
}

func (s *slice) write(p []byte) error {
	n := min(s.skip, int64(len(p)))
	s.skip -= n
	p = p[n:]
	p = p[:min(s.left, int64(len(p)))]
	n2, err := s.w.Write(p)
	s.left -= int64(n2)
	s.written += int64(n2)
	return err
}
