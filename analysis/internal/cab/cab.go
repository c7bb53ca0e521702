package cab

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

var (
	// ErrNotCabinet means that the bytes do not begin as a cabinet does.
	ErrNotCabinet = errors.New("not a cabinet")

	// ErrCompression is wrapped for a compression that is not read.
	ErrCompression = errors.New("compression is not supported")
)

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
	in     *io.SectionReader
}

type folder struct {
	off     int64 // file offset of the first block
	blocks  int
	method  uint16
	reserve int // bytes behind each block's header
}

// Open reads the directory of a cabinet of size bytes as far as its first file.
func Open(r io.ReaderAt, size int64) (*File, error) {
	in := io.NewSectionReader(r, 0, size)
	c := bounded.Load("cabinet header", 0, 40, in.ReadAt)
	if sig := c.U32(); c.Err() != nil || sig != 0x4643534d {
		return nil, ErrNotCabinet
	}
	c.Skip(12)
	filesOff := int64(c.U32())
	c.Skip(6)
	folders, files, flags := c.U16(), c.U16(), c.U16()
	c.Skip(4)
	var headerReserve, folderReserve, dataReserve int
	if flags&flagReservePresent != 0 {
		headerReserve, folderReserve, dataReserve = int(c.U16()), int(c.U8()), int(c.U8())
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	if flags&(flagPrevCabinet|flagNextCabinet) != 0 {
		return nil, &bounded.Error{Part: "cabinet header", Off: 30, Msg: "the cabinet is one part of several"}
	}
	if folders == 0 || files == 0 {
		return nil, &bounded.Error{Part: "cabinet header", Off: 26, Msg: "the cabinet is empty"}
	}
	foldersOff := c.Off() + int64(headerReserve)
	f, index, err := readFile(in, filesOff)
	if err != nil {
		return nil, err
	}
	if index >= folders {
		return nil, &bounded.Error{Part: filePart, Off: filesOff + 8, Msg: fmt.Sprintf("file in folder %d of %d", index, folders)}
	}
	c = bounded.Load("cabinet folder", foldersOff+int64(index)*int64(8+folderReserve), 8, in.ReadAt)
	f.folder = folder{off: int64(c.U32()), blocks: int(c.U16()), method: c.U16(), reserve: dataReserve}
	if c.Err() != nil {
		return nil, c.Err()
	}
	f.in = in
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

const (
	filePart  = "cabinet file entry"
	blockPart = "cabinet block"
	maxName   = 256 // bytes of a file's name, without the zero byte
)

// readFile reads a file entry (CFFILE) and the index of its folder.
func readFile(in *io.SectionReader, off int64) (*File, uint16, error) {
	c := bounded.Load(filePart, off, 16+maxName+1, in.ReadAt)
	f := &File{Size: c.U32(), start: c.U32()}
	index := c.U16()
	c.Skip(6)
	name := c.Take(c.Left())
	if c.Err() != nil {
		return nil, 0, c.Err()
	}
	end := bytes.IndexByte(name, 0)
	if end < 0 {
		return nil, 0, &bounded.Error{Part: filePart, Off: off, Msg: "the name has no end"}
	}
	f.Name = string(name[:end])
	return f, index, nil
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
				return out.written, &bounded.Error{Part: blockPart, Off: off, Msg: "MSZIP block", Err: err}
			}
			data = block[:size]
		}
		if err := out.write(data); err != nil {
			return out.written, err
		}
		off = next
	}
	if out.left > 0 {
		return out.written, &bounded.Error{Part: blockPart, Off: off, Msg: fmt.Sprintf("%d bytes of the file are missing", out.left)}
	}
	return out.written, nil
}

// block reads the data block at off (CFDATA): its bytes, how many they unpack
// to, and where the next one is.
func (f *File) block(off int64) (data []byte, size int, next int64, err error) {
	c := bounded.Load(blockPart, off, 8+f.folder.reserve, f.in.ReadAt)
	sum, head, reserve := c.U32(), c.Take(4), c.Take(f.folder.reserve)
	if c.Err() != nil {
		return nil, 0, 0, c.Err()
	}
	packed, size := int(binary.LittleEndian.Uint16(head)), int(binary.LittleEndian.Uint16(head[2:]))
	c = bounded.Load(blockPart, c.Off(), packed, f.in.ReadAt)
	if data = c.Take(packed); c.Err() != nil {
		return nil, 0, 0, c.Err()
	}
	if size > maxBlock || size == 0 || f.folder.method&0xf == storedType && size != packed {
		return nil, 0, 0, &bounded.Error{Part: blockPart, Off: off, Msg: fmt.Sprintf("block of %d bytes unpacks to %d", packed, size)}
	}
	// The sum covers the data first, then what stands before it.
	if sum != 0 && checksum(append(bytes.Clone(head), reserve...), checksum(data, 0)) != sum {
		return nil, 0, 0, &bounded.Error{Part: blockPart, Off: off, Msg: "wrong checksum"}
	}
	return data, size, c.Off(), nil
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
