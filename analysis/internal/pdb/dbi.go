package pdb

import (
	"fmt"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

const (
	dbiHeaderSize = 64
	noStream      = 0xffff // a 16-bit stream number that stands for none
)

// dbi is the debug information stream's header: where its parts are, and the numbers of related streams.
type dbi struct {
	s             *stream
	publics       uint16 // stream of the public symbols' hash and address map
	records       uint16 // stream of the global and public symbol records
	modules       extent
	contributions extent
	near          hint
	last          atomic.Pointer[contribution]
	debugHeader   [11]uint16 // streams of the optional debug header, by its index
}

// Indices of the optional debug header.
const (
	dbgFPO            = 0
	dbgOMAPToSource   = 3
	dbgOMAPFromSource = 4
	dbgSections       = 5 // section headers of the image
	dbgFrameData      = 9
	dbgSectionsOrig   = 10 // section headers before the image was rearranged
)

// extent is a part of a stream.
type extent struct{ off, end int64 }

// readDBI reads the header of the DBI stream (NewDBIHdr).
func (f *File) readDBI() error {
	s, err := f.msf.stream(streamDBI, "DBI")
	if err != nil {
		return err
	}
	c, err := s.cursor(0, dbiHeaderSize)
	if err != nil {
		return err
	}
	d := &f.dbi
	d.s = s
	if sig := c.U32(); sig != 0xffffffff {
		return s.fail(0, "header signature %#x", sig)
	}
	c.Skip(4) // version
	f.Age = c.U32()
	c.Skip(4) // stream of the global symbols' hash, build number
	d.publics = c.U16()
	c.Skip(2) // version of mspdb.dll
	d.records = c.U16()
	c.Skip(2) // its build number

	// The parts follow the header in the order module info, section contributions, section map, source info,
	// type server map, edit-and-continue, optional debug header; the last two sizes stand in other places.
	var sizes [7]uint32
	for i := range 5 {
		sizes[i] = c.U32()
	}
	c.Skip(4) // index of the MFC type server
	sizes[6], sizes[5] = c.U32(), c.U32()
	c.Skip(2) // flags
	f.Machine = c.U16()
	if c.Err() != nil {
		return c.Err()
	}
	var parts [7]extent
	at := int64(dbiHeaderSize)
	for i, size := range sizes {
		parts[i] = extent{at, at + int64(size)}
		at += int64(size)
		if at > s.size {
			return s.fail(24, "part %d ends at %#x, the stream at %#x", i, at, s.size)
		}
	}
	d.modules, d.contributions = parts[0], parts[1]
	return d.readDebugHeader(parts[6])
}

func (d *dbi) readDebugHeader(part extent) error {
	for i := range d.debugHeader {
		d.debugHeader[i] = noStream
	}
	n := min((part.end-part.off)/2, int64(len(d.debugHeader)))
	c, err := d.s.cursor(part.off, 2*n)
	if err != nil {
		return err
	}
	for i := range n {
		d.debugHeader[i] = c.U16()
	}
	return c.Err()
}

// moduleInfo is what the DBI stream says of one module: an object file's contribution.
type moduleInfo struct {
	stream   uint16 // noStream when the module has no symbols
	symbols  uint32 // bytes of symbol records, from the start of the stream
	c11, c13 uint32 // bytes of line information: the old form, then the new
	name     extent // of the module, in the DBI stream
}

// readModules walks through the module info records (MODI).
func (d *dbi) readModules() ([]moduleInfo, error) {
	var out []moduleInfo
	var owner [maxStreams]bool
	w := d.s.window(d.modules.off, d.modules.end)
	for w.left() > 0 {
		const fixed = 64
		b, err := w.peek(fixed)
		if err != nil {
			return nil, err
		}
		c := bounded.New(d.s.name, w.off, b)
		c.Skip(34) // a pointer, the first section contribution, flags
		m := moduleInfo{stream: c.U16(), symbols: c.U32(), c11: c.U32(), c13: c.U32()}
		// One module a stream: a file whose modules share one could make every lookup cost as much as the file.
		if m.stream != noStream {
			if owner[m.stream] {
				return nil, d.s.fail(w.off, "module %d uses stream %d of another module", len(out), m.stream)
			}
			owner[m.stream] = true
		}
		start := w.off
		w.skip(fixed)
		m.name.off = w.off
		if err := w.skipCString(); err != nil {
			return nil, err
		}
		m.name.end = w.off
		if err := w.skipCString(); err != nil { // name of the object file or library
			return nil, err
		}
		w.skip((4 - (w.off-start)%4) % 4)
		out = append(out, m)
	}
	return out, nil
}

// skipCString walks over a NUL-terminated string.
func (w *window) skipCString() error {
	for w.left() > 0 {
		b, err := w.peek(int(min(w.left(), 256)))
		if err != nil {
			return err
		}
		for i, x := range b {
			if x == 0 {
				w.skip(int64(i) + 1)
				return nil
			}
		}
		w.skip(int64(len(b)))
	}
	return w.s.fail(w.off, "string without an end")
}

func moduleName(i int) string { return fmt.Sprintf("module %d", i) }
