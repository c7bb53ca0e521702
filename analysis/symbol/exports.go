package symbol

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// inMemory is the Where of images that the dump itself holds.
const inMemory = "memory of the dump"

// memoryAt presents the memory of the dump from base on as an io.ReaderAt, so
// that the offset is the RVA in the image loaded there.
type memoryAt struct {
	memory *minidump.Memory
	base   minidump.VA
}

func (m memoryAt) ReadAt(p []byte, off int64) (int, error) {
	return m.memory.ReadAt(p, m.base+minidump.VA(off))
}

// A tableReader is memoryAt for the tables of an image. Those of a sound dump have
// each their own bytes. In a hostile one many modules can share the same, and would
// multiply time and memory, so that what is read of all together may not be more than
// the dump has. Each read is charged before it is done.
type tableReader struct {
	memoryAt
	s      *Session
	free   bool // the tables were read; what is read now is single names
	denied bool
}

func (t *tableReader) ReadAt(p []byte, off int64) (int, error) {
	if t.free {
		return t.memoryAt.ReadAt(p, off)
	}
	if t.denied || t.s.tables.Add(-int64(len(p))) < 0 {
		if !t.denied {
			t.s.tables.Add(int64(len(p)))
		}
		t.denied = true
		t.s.budget.say(saidExports)
		return 0, ErrLimit
	}
	n, err := t.memoryAt.ReadAt(p, off)
	t.s.tables.Add(int64(len(p) - n))
	return n, err
}

// mapped opens the image of a module in the memory of the dump. The reader is that
// of its tables; one that is to be kept is freed when those were read.
func (s *Session) mapped(m *minidump.Module) (*peimage.Image, *tableReader, error) {
	r := &tableReader{memoryAt: memoryAt{s.memory, m.BaseOfImage}, s: s}
	img, err := peimage.NewMapped(r, int64(m.SizeOfImage))
	return img, r, err
}

// exportSource names addresses by the export table of an image.
type exportSource struct {
	exports *peimage.Exports
	text    func(string) string
	last    atomic.Pointer[exportName] // addresses come in ascending order
}

// exportName is the name of the export that begins at start.
type exportName struct {
	start uint32
	text  string
}

func (e *exportSource) lookup(_ context.Context, rva uint32) (name, bool) {
	start, ok := e.exports.Start(rva)
	if !ok {
		return name{}, false
	}
	last := e.last.Load()
	if last == nil || last.start != start {
		x, ok, err := e.exports.Lookup(rva)
		if err != nil || !ok {
			return name{}, false
		}
		last = &exportName{start, e.text(x.Name)}
		e.last.Store(last)
	}
	return name{function: last.text, displacement: uint64(rva - start)}, true
}

func loadMemoryExports(ctx context.Context, s *Session, m *minidump.Module) (source, []Try, error) {
	src, err := s.memoryExports(ctx, m)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	tries := []Try{{Trust: TrustExport, Where: inMemory, Err: err}}
	if src == nil {
		return nil, tries, nil
	}
	return src, tries, nil
}

// memoryExports reads the export table of a module from the dump. It may return
// both a source and an error: the part of the table that is there is useful.
func (s *Session) memoryExports(ctx context.Context, m *minidump.Module) (source, error) {
	if s.memory == nil || !s.memory.Contains(m.BaseOfImage) {
		return nil, ErrNoImage
	}
	return s.exports.get(ctx, imageOf(m), func() (source, error) {
		img, r, err := s.mapped(m)
		if err == nil {
			err = s.checkImage(img, m)
		}
		if r.denied {
			err = ErrLimit
		}
		if err != nil {
			return nil, err
		}
		exports, err := readExports(img)
		r.free = true
		if exports == nil {
			return nil, err
		}
		return &exportSource{exports: exports, text: s.text}, err
	})
}

// readExports returns the exports of an image, or nil if it has none. Those
// before an error are returned too.
func readExports(img *peimage.Image) (*peimage.Exports, error) {
	exports, err := img.Exports()
	if exports.Len() > 0 {
		return exports, err
	}
	if err == nil {
		err = ErrNoExports
	}
	return nil, err
}

// loadImageExports reads the export table of an image file.
func loadImageExports(ctx context.Context, s *Session, m *minidump.Module) (source, []Try, error) {
	path, tries, err := s.findImage(ctx, TrustExport, m)
	if path == "" {
		return nil, tries, err
	}
	src, err := s.files.open(ctx, TrustExport, path, func(r io.ReaderAt, size int64) (source, error) {
		img, err := peimage.NewFile(r, size)
		if err != nil {
			return nil, err
		}
		exports, err := readExports(img)
		if exports == nil {
			return nil, err
		}
		return &exportSource{exports: exports, text: s.text}, nil
	})
	if err != nil {
		return nil, failed(tries, err), ctx.Err()
	}
	return src, tries, nil
}
