package pdb

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
)

// module is what stays in memory of a module that a lookup has visited: where its functions and line tables are.
// Names and lines stay in the file.
type module struct {
	s          *stream
	symbolsEnd int64
	procs      []proc  // by start, then by offset in the stream
	lines      []lines // likewise
	checksums  extent  // DEBUG_S_FILECHKSMS
	inlinees   []extent

	inlineeOnce  sync.Once
	inlineeLines []inlineeLine
	inlineeErr   error
}

// proc is a function or thunk.
type proc struct {
	start address
	size  uint32
	rec   int64 // offset of its record
	kind  Kind
}

// lines is one DEBUG_S_LINES subsection.
type lines struct {
	start address
	size  uint32
	body  extent
}

// Kinds of C13 subsections (DEBUG_S_SUBSECTION_TYPE).
const (
	debugLines        = 0xf2
	debugFileChecksum = 0xf4
	debugInlineeLines = 0xf6
)

const signatureC13 = 4 // CV_SIGNATURE_C13

// openModule walks over the symbol records and the subsections of line information once.
func (f *File) openModule(i int, info moduleInfo) (*module, error) {
	s, err := f.msf.stream(int(info.stream), moduleName(i))
	if err != nil {
		return nil, err
	}
	m := &module{s: s, symbolsEnd: int64(info.symbols)}
	c13 := int64(info.symbols) + int64(info.c11)
	if c13+int64(info.c13) > s.size {
		return nil, s.fail(0, "symbols and lines end at %#x, the stream at %#x", c13+int64(info.c13), s.size)
	}
	if info.symbols > 4 {
		if err := m.readProcs(); err != nil {
			return nil, err
		}
	}
	if err := m.readSubsections(c13, c13+int64(info.c13)); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *module) readProcs() error {
	sig, err := m.s.u32(0)
	if err != nil {
		return err
	}
	if sig != signatureC13 {
		return m.s.fail(0, "symbol records of version %d", sig)
	}
	w := m.s.window(4, m.symbolsEnd)
	for w.left() >= 4 {
		r, err := w.record()
		if err != nil {
			return err
		}
		kind := r.procKind()
		if kind == 0 {
			continue
		}
		seg, off, size, err := r.place()
		if err != nil {
			return err
		}
		m.procs = append(m.procs, proc{address{seg, off}, size, r.off, kind})
	}
	slices.SortFunc(m.procs, func(a, b proc) int {
		return cmp.Or(a.start.compare(b.start), cmp.Compare(a.rec, b.rec))
	})
	return nil
}

func (m *module) readSubsections(off, end int64) error {
	w := m.s.window(off, end)
	for w.left() >= 8 {
		b, err := w.peek(8)
		if err != nil {
			return err
		}
		kind, size := binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint32(b[4:]))
		w.skip(8)
		if size > w.left() {
			return m.s.fail(w.off, "subsection %#x of %d bytes, %d left", kind, size, w.left())
		}
		body := extent{w.off, w.off + size}
		switch kind {
		case debugLines:
			if size < linesHeaderSize {
				return m.s.fail(w.off, "line table of %d bytes", size)
			}
			b, err := w.peek(linesHeaderSize)
			if err != nil {
				return err
			}
			le := binary.LittleEndian
			m.lines = append(m.lines, lines{address{le.Uint16(b[4:]), le.Uint32(b)}, le.Uint32(b[8:]), body})
		case debugFileChecksum:
			m.checksums = body
		case debugInlineeLines:
			m.inlinees = append(m.inlinees, body)
		}
		w.skip((size + 3) &^ 3)
	}
	slices.SortFunc(m.lines, func(a, b lines) int {
		return cmp.Or(a.start.compare(b.start), cmp.Compare(a.body.off, b.body.off))
	})
	return nil
}

// procAt finds the function that covers an address. Of several that begin at the same place the first recorded wins.
func (m *module) procAt(a address) (proc, bool) {
	i, ok := covering(m.procs, a)
	if !ok {
		return proc{}, false
	}
	return m.procs[i], true
}

// ranged is what has an address and a size.
type ranged interface{ bounds() (address, uint32) }

func (p proc) bounds() (address, uint32)  { return p.start, p.size }
func (l lines) bounds() (address, uint32) { return l.start, l.size }

// covering finds, among the sorted items that begin nearest before an address, the first that reaches over it.
func covering[T ranged](items []T, a address) (int, bool) {
	after, _ := slices.BinarySearchFunc(items, a, func(item T, a address) int {
		if start, _ := item.bounds(); a.less(start) {
			return 1
		}
		return -1
	})
	if after == 0 {
		return 0, false
	}
	nearest, _ := items[after-1].bounds()
	found := -1
	for i := after - 1; i >= 0; i-- {
		start, size := items[i].bounds()
		if start != nearest {
			break
		}
		if start.seg == a.seg && a.off-start.off < size {
			found = i
		}
	}
	return found, found >= 0
}
