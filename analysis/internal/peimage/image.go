package peimage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
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

	r             io.ReaderAt
	size          int64
	mapped        bool
	closer        io.Closer
	sizeOfHeaders uint32
	exports       directory
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
	return newImage(&Image{r: r, size: size})
}

// NewMapped reads the headers of an image that is loaded: offset 0 of r is its
// base address, and r may have holes, as the memory in a dump does. Reads end at
// size bytes.
func NewMapped(r io.ReaderAt, size int64) (*Image, error) {
	return newImage(&Image{r: r, size: size, mapped: true})
}

// Open opens the image file at path. The caller must Close it.
func Open(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	img, err := NewFile(f, info.Size())
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
	dos := load("DOS header", 0, 64, img.readRaw)
	if magic := dos.u16(); dos.err != nil || magic != 0x5a4d {
		return nil, fmt.Errorf("%w: no MZ at the start", ErrNotPE)
	}
	dos.skip(58)
	lfanew := int64(dos.u32())
	if dos.err != nil {
		return nil, dos.err
	}
	c := load("PE header", lfanew, 24, img.readRaw)
	if sig := c.u32(); c.err != nil || sig != 0x4550 {
		return nil, fmt.Errorf("%w: no PE signature at 0x%x", ErrNotPE, lfanew)
	}
	img.Machine = c.u16()
	sections := int(c.u16())
	img.TimeDateStamp = c.u32()
	img.symbols, img.symbolCount = int64(c.u32()), c.u32()
	optional := int(c.u16())
	c.skip(2)
	if c.err != nil {
		return nil, c.err
	}
	if err := img.readOptional(lfanew+24, optional); err != nil {
		return nil, err
	}
	return img, img.readSections(lfanew+24+int64(optional), sections)
}

func (img *Image) readOptional(off int64, size int) error {
	c := load("optional header", off, size, img.readRaw)
	magic := c.u16()
	if c.err == nil && magic != magicPE32 && magic != magicPE32Plus {
		return fmt.Errorf("%w: optional header of kind 0x%x", ErrNotPE, magic)
	}
	c.skip(22)
	if magic == magicPE32Plus {
		img.ImageBase = c.u64()
	} else {
		c.skip(4)
		img.ImageBase = uint64(c.u32())
	}
	c.skip(24)
	img.SizeOfImage = c.u32()
	img.sizeOfHeaders = c.u32()
	c.skip(8)
	if magic == magicPE32Plus {
		c.skip(32)
	} else {
		c.skip(16)
	}
	c.skip(4)
	directories := c.u32()
	if c.err != nil {
		return c.err
	}
	if directories > 0 {
		img.exports = directory{rva: c.u32(), size: c.u32()}
	}
	return c.err
}

func (img *Image) readSections(off int64, n int) error {
	c := load("section table", off, n*40, img.readRaw)
	for i := range n {
		name := c.take(8)
		s := Section{VirtualSize: c.u32(), VirtualAddress: c.u32(), SizeOfRawData: c.u32(), PointerToRawData: c.u32()}
		c.skip(12)
		s.Characteristics = c.u32()
		if c.err != nil {
			return c.err
		}
		for len(name) > 0 && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		s.Name = string(name)
		if i > 0 && s.VirtualAddress <= img.Sections[i-1].VirtualAddress {
			return &FormatError{Part: "section table", Off: off + int64(i)*40, Msg: "sections are not in ascending order"}
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

// readRaw reads at an offset of r: of the file, or of the loaded image, whose
// headers lie alike.
func (img *Image) readRaw(p []byte, off int64) (int, error) {
	if off < 0 || off >= img.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > img.size-off
	if short {
		p = p[:img.size-off]
	}
	n, err := img.r.ReadAt(p, off)
	if n == len(p) {
		err = nil
		if short {
			err = io.EOF
		}
	}
	return n, err
}

// readRVA reads what is loaded at rva, up to the end of the bytes the file has
// for that section.
func (img *Image) readRVA(p []byte, rva int64) (int, error) {
	if img.mapped {
		return img.readRaw(p, rva)
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
		n, err := img.readRaw(p[:left], off+rva-base)
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	return img.readRaw(p, off+rva-base)
}
