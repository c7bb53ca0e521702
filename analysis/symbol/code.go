package symbol

import (
	"context"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// Code reads the code of the dumped process: from the memory of the dump, and
// what that lacks from the image files. It is not safe for concurrent use.
type Code struct {
	s      *Session
	ctx    context.Context
	images map[int]*peimage.Image // by index of the module; nil if there is no image
}

// Code prepares to read code. ctx bounds the search for image files, which begins
// when code is read that the dump does not hold; the reads return its error.
// It ends with the Session.
func (s *Session) Code(ctx context.Context) *Code {
	return &Code{s: s, ctx: ctx, images: map[int]*peimage.Image{}}
}

// ReadAt reads code at an address. Bytes of an image file are those before
// loading; see [Code.Shift]. The error wraps [minidump.ErrNotCaptured] if
// neither the dump nor an image file has them.
func (c *Code) ReadAt(p []byte, addr minidump.VA) (int, error) {
	if c.captured(addr) {
		return c.s.memory.ReadAt(p, addr)
	}
	img, m, err := c.image(addr)
	if err != nil {
		return 0, err
	}
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
	img, m, err := c.image(addr)
	if img == nil || err != nil {
		return 0
	}
	return m.BaseOfImage - minidump.VA(img.ImageBase)
}

func (c *Code) captured(addr minidump.VA) bool { return c.s.memory != nil && c.s.memory.Contains(addr) }

// image returns the image file of the module at addr, or nil. The error is that
// of the context.
func (c *Code) image(addr minidump.VA) (*peimage.Image, *minidump.Module, error) {
	i := c.s.modules.index(addr)
	if i < 0 {
		return nil, nil, nil
	}
	m := &c.s.modules.modules[i]
	img, known := c.images[i]
	if !known {
		path, _, err := c.s.findImage(c.ctx, TrustNone, m)
		if err != nil {
			return nil, nil, err
		}
		if path != "" {
			img, _ = c.s.image(c.ctx, path) // findImage has just opened it
			if err := c.ctx.Err(); err != nil {
				return nil, nil, err
			}
		}
		c.images[i] = img
	}
	return img, m, nil
}
