package pdb

import (
	"encoding/binary"
	"sync"
)

// module is what stays in memory of a module that a lookup has visited: where its functions and line tables are.
type module struct {
	f          *File
	s          *stream
	symbolsEnd int64
	c13        extent

	procs  func() (spans, error) // functions and thunks; those before damage come with the error
	tables func() (*tables, error)
}

// tables are the C13 subsections of a module.
type tables struct {
	lines            spans    // DEBUG_S_LINES
	checksums        extent   // DEBUG_S_FILECHKSMS
	inlinees         []extent // DEBUG_S_INLINEELINES
	imports, exports []extent // DEBUG_S_CROSSSCOPEIMPORTS, DEBUG_S_CROSSSCOPEEXPORTS

	inlineeLines func() ([]inlineeLine, error)
	scopes       func() ([]scope, error)
	globalIDs    func() ([]export, error)
}

// Kinds of C13 subsections (DEBUG_S_SUBSECTION_TYPE).
const (
	debugLines        = 0xf2
	debugFileChecksum = 0xf4
	debugInlineeLines = 0xf6
	debugImports      = 0xf7
	debugExports      = 0xf8
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
	m := &module{f: f, s: s, symbolsEnd: int64(info.symbols), c13: extent{c13, end}}
	m.procs = sync.OnceValues(m.readProcs)
	m.tables = sync.OnceValues(m.readTables)
	return m, nil
}

// readProcs walks over the symbol records. A module that link-time optimization made may have millions, so this loop
// stays in the bytes that are in memory, and decodes nothing but the places of functions.
func (m *module) readProcs() (spans, error) {
	var l list
	err := m.f.recent.keep(m.s)
	if err == nil {
		err = m.walkProcs(l.add)
	}
	return l.spans(), err
}

func (m *module) walkProcs(visit func(item)) error {
	const head = 4 // the signature
	if m.symbolsEnd <= head {
		return nil
	}
	sig, err := m.s.u32(0)
	if err != nil {
		return err
	}
	if sig != signatureC13 {
		return m.s.fail(0, "symbol records of version %d", sig)
	}
	le := binary.LittleEndian
	for w := m.s.window(head, m.symbolsEnd); w.left() > 0; {
		b, err := w.ahead(int(min(procSize, w.left())))
		if err != nil {
			return err
		}
		last := int64(len(b)) == w.left()
		n := 0
		for n+procSize <= len(b) || last && n < len(b) {
			size, kind := 0, Kind(0)
			if n+recordHead <= len(b) {
				size, kind = 2+int(le.Uint16(b[n:])), procKind(le.Uint16(b[n+2:]))
			}
			if size < recordHead || int64(n+size) > w.left() || kind != 0 && size < kind.fixed() {
				return w.s.fail(w.off+int64(n), "record of %d bytes, %d left", size, w.left()-int64(n))
			}
			if kind != 0 {
				visit(decodeProc(kind, b[n+recordHead:], w.off+int64(n)))
			}
			n += size
		}
		w.skip(int64(n))
	}
	return nil
}

// readTables walks over the C13 subsections. The table of files, which every line needs, may be the last of them.
func (m *module) readTables() (*tables, error) {
	t := &tables{}
	t.inlineeLines = sync.OnceValues(func() ([]inlineeLine, error) { return m.readInlineeLines(t.inlinees) })
	t.scopes = sync.OnceValues(func() ([]scope, error) { return m.readImports(t.imports) })
	t.globalIDs = sync.OnceValues(func() ([]export, error) { return m.readExports(t.exports) })
	const head = 8
	var lines list
	for w := m.s.window(m.c13.off, m.c13.end); w.left() > 0; {
		if w.left() < head {
			return nil, w.s.fail(w.off, "subsection cut short, %d bytes left", w.left())
		}
		b, err := w.peek(int(min(head+linesHeaderSize, w.left())))
		if err != nil {
			return nil, err
		}
		le := binary.LittleEndian
		kind, size, at := le.Uint32(b), int64(le.Uint32(b[4:])), w.off+head
		if size > w.end-at || kind == debugLines && size < linesHeaderSize {
			return nil, w.s.fail(at, "subsection %#x of %d bytes, %d left", kind, size, w.end-at)
		}
		part := extent{at, at + size}
		switch kind {
		case debugLines:
			code := rng{address{le.Uint16(b[head+4:]), le.Uint32(b[head:])}, le.Uint32(b[head+8:])}
			lines.add(item{rng: code, off: uint32(at), size: uint32(size)})
		case debugFileChecksum:
			t.checksums = part
		case debugInlineeLines:
			t.inlinees = append(t.inlinees, part)
		case debugImports:
			t.imports = append(t.imports, part)
		case debugExports:
			t.exports = append(t.exports, part)
		}
		w.skip(head + (size+3)&^3)
	}
	t.lines = lines.spans()
	return t, nil
}
