package pdb

import (
	"encoding/binary"
	"sync"
)

// section is one section of the image, in RVAs.
type section struct{ start, size uint32 }

// readSections reads the section headers. Records of symbols speak of the image as it was before it was rearranged, so
// the headers from then are taken where the PDB has them; instrumenting tools that move no section leave them out.
func (f *File) readSections() error {
	d := &f.dbi
	f.toSource = f.omap(dbgOMAPToSource, "OMAP to source")
	n := d.debugHeader[dbgSections]
	if f.toSource.exists() {
		f.fromSource = f.omap(dbgOMAPFromSource, "OMAP from source")
		if original := d.debugHeader[dbgSectionsOrig]; original != noStream {
			n = original
		}
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
	return f.fromSource.translate(f.sections[a.seg-1].start + a.off)
}

// omap translates the RVAs of an image that was rearranged after linking: pairs of RVAs, sorted by the first; each says
// where the code from there on comes from, or went. Zero means nowhere. Without pairs an RVA is its own translation.
type omap struct {
	open func() (*stream, error) // nil if there is none
	near *hint
}

const omapEntry = 8

func (f *File) omap(index int, name string) omap {
	n := f.dbi.debugHeader[index]
	if n == noStream || n == 0 || int(n) < len(f.msf.sizes) && f.msf.sizes[n] < omapEntry {
		return omap{}
	}
	return omap{sync.OnceValues(func() (*stream, error) { return f.msf.stream(int(n), name) }), &hint{}}
}

func (o omap) exists() bool { return o.open != nil }

func (o omap) translate(rva uint32) (to uint32, err error) {
	if !o.exists() {
		return rva, nil
	}
	s, err := o.open()
	if err != nil {
		return 0, err
	}
	var pair [omapEntry]byte
	_, err = o.near.search(s.size/omapEntry, func(i int64) (bool, error) {
		if err := s.readAt(pair[:], i*omapEntry); err != nil {
			return false, err
		}
		from := binary.LittleEndian.Uint32(pair[:])
		if from > rva {
			return false, nil
		}
		if to = binary.LittleEndian.Uint32(pair[4:]); to != 0 {
			to += rva - from
		}
		return true, nil
	})
	return to, err
}
