package breakpad

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
)

// ErrNotSym means that the file does not begin with a MODULE record.
var ErrNotSym = errors.New("not a Breakpad symbol file")

// File is an open symbol file. It is safe for concurrent use.
type File struct {
	OS      string // "windows", "Linux", "mac"
	CPU     string // "x86", "x86_64", "arm64"
	ID      string // identity: GUID and age in hexadecimal digits, as a symbol store writes them
	Name    string // file that the symbols were made of, "test_app.pdb"
	Skipped int    // records that could not be read

	r       io.ReaderAt
	size    int64
	closer  io.Closer
	funcs   []record         // FUNC, by address
	publics []record         // PUBLIC, by address
	files   map[uint32]int64 // offset of the FILE record of each number
	origins map[uint32]int64 // likewise for INLINE_ORIGIN
	stack   stackRecords
	mu      sync.Mutex
	bodies  map[int64]*body  // of functions that were asked for, by offset
	names   map[int64]string // of the records that were asked for, by offset
}

// A record is a FUNC or PUBLIC line.
type record struct {
	addr uint64 // RVA
	size uint64 // bytes; 0 for PUBLIC
	off  int64  // file offset of the line
}

// Open opens the symbol file at path. The caller must Close it.
func Open(path string) (*File, error) {
	r, size, err := openfile.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := NewFile(r, size)
	if err != nil {
		r.Close()
		return nil, err
	}
	f.closer = r
	return f, nil
}

// Close closes the file that Open opened; otherwise it does nothing.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// ReadID returns the identity of a symbol file from its first line, which is
// all that it reads.
func ReadID(r io.ReaderAt, size int64) (string, error) {
	f := &File{r: r, size: size}
	err := f.readModule(newScanner(r, 0, min(size, window), lineWindow))
	return f.ID, err
}

// NewFile reads a symbol file of size bytes. It fails only if the first line is
// not a MODULE record, or if r does.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	f := &File{
		r: r, size: size,
		files: make(map[uint32]int64), origins: make(map[uint32]int64),
		bodies: make(map[int64]*body), names: make(map[int64]string),
	}
	s := newScanner(r, 0, size, window)
	if err := f.readModule(s); err != nil {
		return nil, err
	}
	for {
		line, ok := s.line()
		if !ok {
			break
		}
		f.index(line, s.off)
	}
	if s.err != nil {
		return nil, s.err
	}
	for _, rs := range []*[]record{&f.funcs, &f.publics, &f.stack.cfi} {
		sorted, err := byAddress(*rs, f.readable)
		if err != nil {
			return nil, err
		}
		*rs = sorted
	}
	f.funcs, f.publics = distinct(f.funcs), distinct(f.publics)
	f.stack.index()
	return f, nil
}

func (f *File) readModule(s *scanner) error {
	line, _ := s.line()
	if s.err != nil {
		return s.err
	}
	w := fields{rest: line}
	if string(w.word()) != "MODULE" {
		return ErrNotSym
	}
	f.OS, f.CPU, f.ID = string(w.word()), string(w.word()), string(w.word())
	f.Name = w.text()
	if w.bad {
		return fmt.Errorf("%w: MODULE record without identity", ErrNotSym)
	}
	return nil
}

// index notes where a record is. Lines and inlined calls, which begin with a
// number or INLINE, belong to the function above them and are read with it.
func (f *File) index(line []byte, off int64) {
	if len(line) == 0 || line[0] < 'A' {
		return // a line record
	}
	w := fields{rest: line}
	switch string(w.word()) {
	case "STACK":
		f.indexStack(&w, off)
	case "FUNC":
		w.skipMark()
		r := record{addr: w.hex(), size: w.hex(), off: off}
		w.hex()
		if w.bad || !w.more() || r.addr+r.size < r.addr {
			f.Skipped++
			return
		}
		f.funcs = append(f.funcs, r)
	case "PUBLIC":
		w.skipMark()
		r := record{addr: w.hex(), off: off}
		w.hex()
		if w.bad || !w.more() {
			f.Skipped++
			return
		}
		f.publics = append(f.publics, r)
	case "FILE":
		f.note(f.files, &w, off)
	case "INLINE_ORIGIN":
		f.note(f.origins, &w, off)
	}
}

// note keeps where a numbered record is; the first of a number counts.
func (f *File) note(m map[uint32]int64, w *fields, off int64) {
	n := w.dec()
	if w.bad || !w.more() {
		f.Skipped++
		return
	}
	if _, ok := m[n]; !ok {
		m[n] = off
	}
}

// readable returns the error of reading a byte. A reader that is told to stop says so.
func (f *File) readable() error {
	if _, err := f.r.ReadAt(make([]byte, 1), 0); err != nil && err != io.EOF {
		return fmt.Errorf("reading at offset 0x0: %w", err)
	}
	return nil
}

// distinct keeps the first of several sorted records at one address.
func distinct(rs []record) []record {
	return slices.CompactFunc(rs, func(a, b record) bool { return a.addr == b.addr })
}

// name reads the text of the record at off, behind its keyword and a number of
// other words.
func (f *File) name(off int64, words int) (string, error) {
	if n, ok := f.names[off]; ok {
		return n, nil
	}
	s := newScanner(f.r, off, f.size, lineWindow)
	line, _ := s.line()
	if s.err != nil {
		return "", s.err
	}
	w := fields{rest: bytes.Clone(line)}
	w.word()
	w.skipMark()
	for range words {
		w.word()
	}
	n := w.text()
	f.names[off] = n
	return n, nil
}
