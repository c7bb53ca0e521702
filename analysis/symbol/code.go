package symbol

import (
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// Code reads the code of the dumped process: from the memory of the dump, and
// what that lacks from the image files. It is not safe for concurrent use.
type Code struct {
	s      *Session
	images map[int]*peimage.Image // by index of the module; nil if there is no image
}

// Code prepares to read code. The caller closes it before the Session.
func (s *Session) Code() *Code { return &Code{s: s, images: map[int]*peimage.Image{}} }

// Close closes the image files.
func (c *Code) Close() error {
	var first error
	for _, img := range c.images {
		if img == nil {
			continue
		}
		if err := img.Close(); first == nil {
			first = err
		}
	}
	return first
}

// ReadAt reads code at an address. Bytes of an image file are those before
// loading; see [Code.Shift]. The error wraps [minidump.ErrNotCaptured] if
// neither the dump nor an image file has them.
func (c *Code) ReadAt(p []byte, addr minidump.VA) (int, error) {
	if c.captured(addr) {
		return c.s.memory.ReadAt(p, addr)
	}
	img, m := c.image(addr)
	if img == nil {
		return 0, minidump.ErrNotCaptured
	}
	return img.ReadRVA(p, uint32(addr-m.BaseOfImage))
}

// Shift returns what to add to an absolute address within the code that ReadAt
// reads at addr: 0 for memory of the dump; for the bytes of an image file, how
// far from its preferred base the module was loaded.
func (c *Code) Shift(addr minidump.VA) minidump.VA {
	if c.captured(addr) {
		return 0
	}
	img, m := c.image(addr)
	if img == nil {
		return 0
	}
	return m.BaseOfImage - minidump.VA(img.ImageBase)
}

func (c *Code) captured(addr minidump.VA) bool { return c.s.memory != nil && c.s.memory.Contains(addr) }

// image returns the image file of the module at addr, or nil.
func (c *Code) image(addr minidump.VA) (*peimage.Image, *minidump.Module) {
	i := c.s.modules.index(addr)
	if i < 0 {
		return nil, nil
	}
	m := &c.s.modules.modules[i]
	img, known := c.images[i]
	if !known {
		if path, _ := c.s.findImage(TrustNone, m); path != "" {
			img, _ = peimage.Open(path) // findImage has just opened it
		}
		c.images[i] = img
	}
	return img, m
}
