package pdb

import "encoding/binary"

const (
	contribV60 = 0xeffe0000 + 19970605 // DBISCImpv60
	contribV2  = 0xeffe0000 + 20140516 // DBISCImpv2: one field more
)

// contribution is what one module put into one section.
type contribution struct {
	rng
	module int
}

// hasContributions reports whether the file says which module its code is of. Without, publics are all there is.
func (d *dbi) hasContributions() bool { return d.contributions.end-d.contributions.off > 4 }

// contributionAt finds the contribution that an address belongs to. They are sorted by address, so a binary search
// reads some twenty of them.
func (d *dbi) contributionAt(a address) (found contribution, ok bool, err error) {
	if last := d.last.Load(); last != nil && last.covers(a) {
		return *last, true, nil
	}
	if !d.hasContributions() {
		return contribution{}, false, nil
	}
	part := d.contributions
	version, err := d.s.u32(part.off)
	if err != nil {
		return contribution{}, false, err
	}
	var entry int64
	switch version {
	case contribV60:
		entry = 28
	case contribV2:
		entry = 32
	default:
		return contribution{}, false, d.s.fail(part.off, "section contributions of version %#x", version)
	}
	_, err = d.near.search((part.end-part.off-4)/entry, func(i int64) (bool, error) {
		c, err := d.contribution(part.off + 4 + i*entry)
		if err != nil || a.less(c.start) {
			return false, err
		}
		found, ok = c, true
		return true, nil
	})
	if err != nil || !ok || !found.covers(a) {
		return contribution{}, false, err
	}
	keep := found
	d.last.Store(&keep)
	return found, true, nil
}

// contribution reads the part that the versions share (SC40): section, offset, size, characteristics, module.
func (d *dbi) contribution(off int64) (contribution, error) {
	var b [18]byte
	err := d.s.readAt(b[:], off)
	le := binary.LittleEndian
	return contribution{
		rng:    rng{address{le.Uint16(b[0:]), le.Uint32(b[4:])}, le.Uint32(b[8:])},
		module: int(le.Uint16(b[16:])),
	}, err
}
