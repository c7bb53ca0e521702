package pdb

import (
	"encoding/binary"
	"sync"
)

// module is what stays in memory of a module that a lookup has visited. Functions and line tables stay in the file.
type module struct {
	s          *stream
	symbolsEnd int64
	procs      index // functions and thunks
	lines      index // DEBUG_S_LINES subsections

	tablesOnce sync.Once
	tablesErr  error
	checksums  extent   // DEBUG_S_FILECHKSMS
	inlinees   []extent // DEBUG_S_INLINEELINES

	inlineeOnce  sync.Once
	inlineeLines []inlineeLine
	inlineeErr   error
}

// Kinds of C13 subsections (DEBUG_S_SUBSECTION_TYPE).
const (
	debugLines        = 0xf2
	debugFileChecksum = 0xf4
	debugInlineeLines = 0xf6
)

const signatureC13 = 4 // CV_SIGNATURE_C13

// openModule checks the extents of a module's parts: symbol records, and after the lines of an older form those of C13.
func (f *File) openModule(i int, info moduleInfo) (*module, error) {
	s, err := f.msf.stream(int(info.stream), moduleName(i))
	if err != nil {
		return nil, err
	}
	c13 := int64(info.symbols) + int64(info.c11)
	end := c13 + int64(info.c13)
	if end > s.size {
		return nil, s.fail(0, "symbols and lines end at %#x, the stream at %#x", end, s.size)
	}
	m := &module{s: s, symbolsEnd: int64(info.symbols)}
	const head = 4 // the signature
	m.procs = newIndex(s, head, max(head, m.symbolsEnd), walkProcs)
	m.lines = newIndex(s, c13, end, m.walkSubsections)
	if m.symbolsEnd > head {
		sig, err := s.u32(0)
		if err != nil {
			return nil, err
		}
		if sig != signatureC13 {
			return nil, s.fail(0, "symbol records of version %d", sig)
		}
	}
	return m, nil
}

// tables walks over all C13 subsections: the table of files, which every line needs, may be the last of them.
func (m *module) tables() error {
	m.tablesOnce.Do(func() { m.tablesErr = m.lines.all() })
	return m.tablesErr
}

// walkProcs visits functions. A module that link-time optimization made may have millions of records, so this loop
// stays in the bytes that are in memory, and decodes nothing but the places of functions.
func walkProcs(w *window, stop int64, _ bool, visit func(item)) error {
	le := binary.LittleEndian
	for w.left() > 0 && w.off < stop {
		b, err := w.ahead(int(min(procSize, w.left())))
		if err != nil {
			return err
		}
		last := int64(len(b)) == w.left()
		n := 0
		for w.off+int64(n) < stop && (n+procSize <= len(b) || last && n < len(b)) {
			size, kind := 0, Kind(0)
			if n+recordHead <= len(b) {
				size, kind = 2+int(le.Uint16(b[n:])), procKind(le.Uint16(b[n+2:]))
			}
			if size < recordHead || int64(n+size) > w.left() || kind != 0 && size < kind.fixed() {
				return w.s.fail(w.off+int64(n), "record of %d bytes, %d left", size, w.left()-int64(n))
			}
			if kind != 0 {
				visit(decodeProc(kind, b[n:], w.off+int64(n)))
			}
			n += size
		}
		w.skip(int64(n))
	}
	return nil
}

// walkSubsections visits line tables in the same manner. The first time it notes where the other tables are.
func (m *module) walkSubsections(w *window, stop int64, fresh bool, visit func(item)) error {
	const head = 8
	le := binary.LittleEndian
	for w.left() > 0 && w.off < stop {
		b, err := w.ahead(int(min(head+linesHeaderSize, w.left())))
		if err != nil {
			return err
		}
		last := int64(len(b)) == w.left()
		n, have := int64(0), int64(len(b))
		for w.off+n < stop && (n+head+linesHeaderSize <= have || last && n < have) {
			if n+head > have {
				return w.s.fail(w.off+n, "subsection cut short, %d bytes left", have-n)
			}
			kind, size := le.Uint32(b[n:]), int64(le.Uint32(b[n+4:]))
			at := w.off + n + head
			if size > w.end-at || kind == debugLines && size < linesHeaderSize {
				return w.s.fail(at, "subsection %#x of %d bytes, %d left", kind, size, w.end-at)
			}
			switch {
			case kind == debugLines:
				l := b[n+head:]
				code := rng{address{le.Uint16(l[4:]), le.Uint32(l)}, le.Uint32(l[8:])}
				visit(item{rng: code, off: uint32(at), size: uint32(size)})
			case kind == debugFileChecksum && fresh:
				m.checksums = extent{at, at + size}
			case kind == debugInlineeLines && fresh:
				m.inlinees = append(m.inlinees, extent{at, at + size})
			}
			n += head + (size+3)&^3
		}
		w.skip(n)
	}
	return nil
}
