package pdb

import (
	"encoding/binary"
	"slices"
	"sync"
)

// module is what stays in memory of a module that a lookup has visited: where its functions and line tables are.
// Names and lines stay in the file.
type module struct {
	s          *stream
	symbolsEnd int64
	procs      []proc  // by start
	lines      []lines // by start
	checksums  extent  // DEBUG_S_FILECHKSMS
	inlinees   []extent

	inlineeOnce  sync.Once
	inlineeLines []inlineeLine
	inlineeErr   error
}

// rng is a piece of code.
type rng struct {
	start address
	size  uint32
}

func (r rng) bounds() rng { return r }

// proc is a function or thunk.
type proc struct {
	rng
	rec  uint32 // offset of its record in the stream
	kind Kind
}

// lines is one DEBUG_S_LINES subsection.
type lines struct {
	rng
	off, length uint32 // of its body in the stream
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

// readProcs lists the functions. It looks at the length of every record but decodes only those of functions, and only
// up to the name: a module that link-time optimization made may have millions.
func (m *module) readProcs() error {
	sig, err := m.s.u32(0)
	if err != nil {
		return err
	}
	if sig != signatureC13 {
		return m.s.fail(0, "symbol records of version %d", sig)
	}
	le := binary.LittleEndian
	w := m.s.window(4, m.symbolsEnd)
	for w.left() >= 4 {
		b, err := w.peek(4)
		if err != nil {
			return err
		}
		size := 2 + int(le.Uint16(b))
		if size < 4 || int64(size) > w.left() {
			return m.s.fail(w.off, "record of %d bytes, %d left", size, w.left())
		}
		if kind := procKind(le.Uint16(b[2:])); kind != 0 {
			fixed := procSize
			if kind == KindThunk {
				fixed = thunkSize
			}
			if size < fixed {
				return m.s.fail(w.off, "function in a record of %d bytes", size)
			}
			if b, err = w.peek(fixed); err != nil {
				return err
			}
			m.procs = append(m.procs, decodeProc(kind, b, w.off))
		}
		w.skip(int64(size))
	}
	sortByStart(m.procs)
	return nil
}

func (m *module) readSubsections(off, end int64) error {
	le := binary.LittleEndian
	w := m.s.window(off, end)
	for w.left() >= 8 {
		b, err := w.peek(8)
		if err != nil {
			return err
		}
		kind, size := le.Uint32(b), int64(le.Uint32(b[4:]))
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
			if b, err = w.peek(linesHeaderSize); err != nil {
				return err
			}
			m.lines = append(m.lines, lines{rng{address{le.Uint16(b[4:]), le.Uint32(b)}, le.Uint32(b[8:])}, uint32(w.off), uint32(size)})
		case debugFileChecksum:
			m.checksums = body
		case debugInlineeLines:
			m.inlinees = append(m.inlinees, body)
		}
		w.skip((size + 3) &^ 3)
	}
	sortByStart(m.lines)
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

// sortByStart sorts by address, and leaves things that begin at the same place in the order of the file. Most
// writers have sorted them already.
func sortByStart[T interface{ bounds() rng }](items []T) {
	byStart := func(a, b T) int { return a.bounds().start.compare(b.bounds().start) }
	if !slices.IsSortedFunc(items, byStart) {
		slices.SortStableFunc(items, byStart)
	}
}

// covering finds, among the sorted items that begin nearest before an address, the first that reaches over it.
func covering[T interface{ bounds() rng }](items []T, a address) (int, bool) {
	after, _ := slices.BinarySearchFunc(items, a, func(item T, a address) int {
		if a.less(item.bounds().start) {
			return 1
		}
		return -1
	})
	found := -1
	for i := after - 1; i >= 0 && items[i].bounds().start == items[after-1].bounds().start; i-- {
		if r := items[i].bounds(); r.start.seg == a.seg && a.off-r.start.off < r.size {
			found = i
		}
	}
	return found, found >= 0
}
