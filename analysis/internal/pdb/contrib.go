package pdb

import "encoding/binary"

const (
	contribV60 = 0xeffe0000 + 19970605 // DBISCImpv60
	contribV2  = 0xeffe0000 + 20140516 // DBISCImpv2: one field more
)

// contribution is what one module put into one section.
type contribution struct {
	start  address
	size   uint32
	module int
}

// moduleAt finds the module that an address belongs to. The section contributions are sorted by address, so a binary
// search reads some twenty of them.
func (d *dbi) moduleAt(a address) (module int, ok bool, err error) {
	part := d.contributions
	if part.end-part.off < 4 {
		return 0, false, nil
	}
	version, err := d.s.u32(part.off)
	if err != nil {
		return 0, false, err
	}
	var entry int64
	switch version {
	case contribV60:
		entry = 28
	case contribV2:
		entry = 32
	default:
		return 0, false, d.s.fail(part.off, "section contributions of version %#x", version)
	}
	var found contribution
	lo, hi := int64(0), (part.end-part.off-4)/entry
	for lo < hi {
		mid := lo + (hi-lo)/2
		c, err := d.contribution(part.off + 4 + mid*entry)
		if err != nil {
			return 0, false, err
		}
		if a.less(c.start) {
			hi = mid
			continue
		}
		lo, found, ok = mid+1, c, true
	}
	if !ok || found.start.seg != a.seg || a.off-found.start.off >= found.size {
		return 0, false, nil
	}
	return found.module, true, nil
}

// contribution reads the part that the versions share (SC40): section, offset, size, characteristics, module.
func (d *dbi) contribution(off int64) (contribution, error) {
	var b [18]byte
	err := d.s.readAt(b[:], off)
	le := binary.LittleEndian
	return contribution{
		start:  address{le.Uint16(b[0:]), le.Uint32(b[4:])},
		size:   le.Uint32(b[8:]),
		module: int(le.Uint16(b[16:])),
	}, err
}
