package pdb

import "encoding/binary"

// section is one section of the image, in RVAs.
type section struct{ start, size uint32 }

// readSections reads the section headers: those of the image before it was rearranged where the PDB has them, for
// the records of symbols speak of those.
func (f *File) readSections() error {
	d := &f.dbi
	n := d.debugHeader[dbgSectionsOrig]
	if n == noStream {
		n = d.debugHeader[dbgSections]
	} else {
		f.toSource = d.debugHeader[dbgOMAPToSource]
		f.fromSource = d.debugHeader[dbgOMAPFromSource]
	}
	if n == noStream {
		return nil
	}
	s, err := f.msf.stream(int(n), "section headers")
	if err != nil {
		return err
	}
	const headerSize = 40 // IMAGE_SECTION_HEADER
	c, err := s.cursor(0, min(s.size/headerSize, maxStreams)*headerSize)
	if err != nil {
		return err
	}
	for c.Left() >= headerSize {
		c.Skip(8) // name
		size, start := c.U32(), c.U32()
		if raw := c.U32(); size == 0 {
			size = raw // as the loader has it
		}
		f.sections = append(f.sections, section{start, size})
		c.Skip(headerSize - 20)
	}
	return c.Err()
}

// address is a place as symbol records give it: a section, counted from 1, and bytes into it.
type address struct {
	seg uint16
	off uint32
}

func (a address) less(b address) bool { return a.seg < b.seg || a.seg == b.seg && a.off < b.off }

// locate turns an RVA into section and offset.
func (f *File) locate(rva uint32) (address, bool) {
	for i, s := range f.sections {
		if rva >= s.start && rva-s.start < s.size {
			return address{uint16(i + 1), rva - s.start}, true
		}
	}
	return address{}, false
}

// rva turns section and offset into the RVA of the image as it is.
func (f *File) rva(a address) (uint32, error) {
	if a.seg == 0 || int(a.seg) > len(f.sections) {
		return 0, nil
	}
	return f.translate(f.fromSource, "OMAP from source", f.sections[a.seg-1].start+a.off)
}

// translate maps an RVA through an OMAP stream, which images rearranged after linking have: pairs of RVAs, sorted by
// the first; each says where the code from there on comes from, or went. Zero means nowhere. Without an OMAP the
// RVA is its own translation.
func (f *File) translate(stream uint16, name string, rva uint32) (uint32, error) {
	if stream == noStream || stream == 0 {
		return rva, nil
	}
	s, err := f.msf.stream(int(stream), name)
	if err != nil {
		return 0, err
	}
	const entry = 8
	var pair [entry]byte
	var to uint32
	lo, hi := int64(0), s.size/entry // the first lo pairs begin at or before rva
	for lo < hi {
		mid := lo + (hi-lo)/2
		if err := s.readAt(pair[:], mid*entry); err != nil {
			return 0, err
		}
		from := binary.LittleEndian.Uint32(pair[:])
		if from > rva {
			hi = mid
			continue
		}
		lo = mid + 1
		if to = binary.LittleEndian.Uint32(pair[4:]); to != 0 {
			to += rva - from
		}
	}
	return to, nil
}
