package symbol

import (
	"context"
	"errors"

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

// exportSource names addresses by the export table of an image.
type exportSource struct {
	exports *peimage.Exports
	image   *peimage.Image
	text    func(string) string
}

func (e exportSource) close() error { return e.image.Close() }

func (e exportSource) lookup(rva uint32) (name, bool) {
	x, ok, err := e.exports.Lookup(rva)
	if err != nil || !ok {
		return name{}, false
	}
	return name{function: e.text(x.Name), displacement: uint64(rva - x.RVA)}, true
}

func loadMemoryExports(ctx context.Context, s *Session, m *minidump.Module) (source, []Try, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	src, err := s.memoryExports(m)
	tries := []Try{{Trust: TrustExport, Where: inMemory, Err: err}}
	if src == nil {
		return nil, tries, nil
	}
	return src, tries, nil
}

// memoryExports reads the export table of a module from the dump. It may return
// both a source and an error: the part of the table that is there is useful.
func (s *Session) memoryExports(m *minidump.Module) (source, error) {
	if s.memory == nil || !s.memory.Contains(m.BaseOfImage) {
		return nil, ErrNoImage
	}
	img, err := peimage.NewMapped(memoryAt{s.memory, m.BaseOfImage}, int64(m.SizeOfImage))
	if err != nil {
		return nil, err
	}
	if err := s.checkImage(img, m); err != nil {
		return nil, err
	}
	exports, err := readExports(img)
	if exports == nil {
		return nil, err
	}
	// Images of a sound dump have each their own bytes. In a hostile one many
	// modules can share the same, and would multiply the memory used.
	if s.exported.Add(-4*int64(exports.Len())) < 0 {
		return nil, errors.New("the export tables in this dump claim more bytes than it has")
	}
	return exportSource{exports: exports, image: img, text: s.text}, err
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
	img, err := peimage.Open(path)
	if err != nil {
		return nil, failed(tries, err), nil
	}
	exports, err := readExports(img)
	if exports == nil {
		img.Close()
		return nil, failed(tries, err), nil
	}
	return exportSource{exports: exports, image: img, text: s.text}, tries, nil
}
