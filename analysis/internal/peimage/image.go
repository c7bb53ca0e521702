package peimage

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
)

// ErrNotPE means that the bytes do not begin as a PE image does.
var ErrNotPE = errors.New("not a PE image")

// Image is an open PE image. It is immutable and safe for concurrent use.
type Image struct {
	Machine       uint16 // IMAGE_FILE_MACHINE_*
	TimeDateStamp uint32 // with SizeOfImage the identity of the image; a hash in reproducible builds
	SizeOfImage   uint32 // bytes, when loaded
	ImageBase     uint64 // preferred base address
	Sections      []Section

	r             *io.SectionReader // the file, or the loaded image, whose headers lie alike
	size          int64
	mapped        bool
	closer        io.Closer
	sizeOfHeaders uint32
	exports       directory
	exceptions    directory
	debug         directory
	cli           directory
	symbols       int64  // file offset of the COFF symbol table, or 0
	symbolCount   uint32 // as declared
}

// Section is a part of the image with its own protection (IMAGE_SECTION_HEADER,
// 40 bytes).
type Section struct {
	Name             string // at most 8 bytes; "/4" is an offset into the COFF string table
	VirtualSize      uint32 // bytes when loaded; 0 in old images, which mean SizeOfRawData
	VirtualAddress   uint32 // RVA
	SizeOfRawData    uint32 // bytes in the file
	PointerToRawData uint32 // file offset
	Characteristics  uint32 // IMAGE_SCN_*
}

// A directory is an entry of the optional header's data directory.
type directory struct{ rva, size uint32 }

const (
	magicPE32     = 0x10b
	magicPE32Plus = 0x20b
)

// NewFile reads the headers of an image file of size bytes.
func NewFile(r io.ReaderAt, size int64) (*Image, error) {
	return newImage(&Image{r: io.NewSectionReader(r, 0, size), size: size})
}

// NewMapped reads the headers of an image that is loaded: offset 0 of r is its
// base address, and r may have holes, as the memory in a dump does. Reads end at
// size bytes.
func NewMapped(r io.ReaderAt, size int64) (*Image, error) {
	return newImage(&Image{r: io.NewSectionReader(r, 0, size), size: size, mapped: true})
}

// Open opens the image file at path. The caller must Close it.
func Open(path string) (*Image, error) {
	f, size, err := openfile.Open(path)
	if err != nil {
		return nil, err
	}
	img, err := NewFile(f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	img.closer = f
	return img, nil
}

// Close closes the file that Open opened; otherwise it does nothing.
func (img *Image) Close() error {
	if img.closer == nil {
		return nil
	}
	return img.closer.Close()
}

// Key returns the identity under which a symbol store keeps the image: the
// timestamp in eight upper-case and the size in lower-case hexadecimal digits.
func (img *Image) Key() string { return fmt.Sprintf("%08X%x", img.TimeDateStamp, img.SizeOfImage) }

func newImage(img *Image) (*Image, error) {
	dos := bounded.Load("DOS header", 0, 64, img.r.ReadAt)
	if magic := dos.U16(); dos.Err() != nil || magic != 0x5a4d {
		return nil, fmt.Errorf("%w: no MZ at the start", ErrNotPE)
	}
	dos.Skip(58)
	lfanew := int64(dos.U32())
	if dos.Err() != nil {
		return nil, dos.Err()
	}
	c := bounded.Load("PE header", lfanew, 24, img.r.ReadAt)
	if sig := c.U32(); c.Err() != nil || sig != 0x4550 {
		return nil, fmt.Errorf("%w: no PE signature at 0x%x", ErrNotPE, lfanew)
	}
	img.Machine = c.U16()
	sections := int(c.U16())
	img.TimeDateStamp = c.U32()
	img.symbols, img.symbolCount = int64(c.U32()), c.U32()
	optional := int(c.U16())
	c.Skip(2)
	if c.Err() != nil {
		return nil, c.Err()
	}
	if err := img.readOptional(lfanew+24, optional); err != nil {
		return nil, err
	}
	return img, img.readSections(lfanew+24+int64(optional), sections)
}

func (img *Image) readOptional(off int64, size int) error {
	c := bounded.Load("optional header", off, size, img.r.ReadAt)
	magic := c.U16()
	if c.Err() == nil && magic != magicPE32 && magic != magicPE32Plus {
		return fmt.Errorf("%w: optional header of kind 0x%x", ErrNotPE, magic)
	}
	c.Skip(22)
	if magic == magicPE32Plus {
		img.ImageBase = c.U64()
	} else {
		c.Skip(4)
		img.ImageBase = uint64(c.U32())
	}
	c.Skip(24)
	img.SizeOfImage = c.U32()
	img.sizeOfHeaders = c.U32()
	c.Skip(8)
	if magic == magicPE32Plus {
		c.Skip(32)
	} else {
		c.Skip(16)
	}
	c.Skip(4)
	directories := c.U32()
	if c.Err() != nil {
		return c.Err()
	}
	if directories > 0 {
		img.exports = directory{rva: c.U32(), size: c.U32()}
	}
	if directories > 3 {
		c.Skip(2 * 8)
		img.exceptions = directory{rva: c.U32(), size: c.U32()}
	}
	if directories > 6 {
		c.Skip(2 * 8)
		img.debug = directory{rva: c.U32(), size: c.U32()}
	}
	if directories > 14 && c.Left() >= 8*8 {
		c.Skip(7 * 8)
		img.cli = directory{rva: c.U32(), size: c.U32()}
	}
	return c.Err()
}

func (img *Image) readSections(off int64, n int) error {
	c := bounded.Load("section table", off, n*40, img.r.ReadAt)
	for i := range n {
		name := c.Take(8)
		s := Section{VirtualSize: c.U32(), VirtualAddress: c.U32(), SizeOfRawData: c.U32(), PointerToRawData: c.U32()}
		c.Skip(12)
		s.Characteristics = c.U32()
		if c.Err() != nil {
			return c.Err()
		}
		for len(name) > 0 && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		s.Name = string(name)
		if i > 0 && s.VirtualAddress <= img.Sections[i-1].VirtualAddress {
			return &bounded.Error{Part: "section table", Off: off + int64(i)*40, Msg: "sections are not in ascending order"}
		}
		img.Sections = append(img.Sections, s)
	}
	return nil
}

// Contains reports whether rva lies in the section as it is loaded.
func (s Section) Contains(rva uint32) bool {
	n := s.VirtualSize
	if n == 0 {
		n = s.SizeOfRawData
	}
	return rva >= s.VirtualAddress && rva-s.VirtualAddress < n
}

// section returns the last section that begins at or below rva.
func (img *Image) section(rva uint32) (Section, bool) {
	i := sort.Search(len(img.Sections), func(i int) bool { return img.Sections[i].VirtualAddress > rva })
	if i == 0 {
		return Section{}, false
	}
	return img.Sections[i-1], true
}

// readRVA reads what is loaded at rva, up to the end of the bytes the file has
// for that section.
func (img *Image) readRVA(p []byte, rva int64) (int, error) {
	if img.mapped {
		return img.r.ReadAt(p, rva)
	}
	if rva < 0 || rva > 1<<32-1 {
		return 0, io.EOF
	}
	base, off, size := int64(0), int64(0), int64(img.sizeOfHeaders)
	if s, ok := img.section(uint32(rva)); ok {
		base, off, size = int64(s.VirtualAddress), int64(s.PointerToRawData), int64(s.SizeOfRawData)
	}
	left := size - (rva - base)
	if left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > left {
		n, err := img.r.ReadAt(p[:left], off+rva-base)
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	return img.r.ReadAt(p, off+rva-base)
}
