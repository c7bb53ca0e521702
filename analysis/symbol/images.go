package symbol

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/dwarfsym"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/minidump"
)

// checkImage refuses an image that is not the one that was loaded.
func (s *Session) checkImage(img *peimage.Image, m *minidump.Module) error {
	if s.options.Loose {
		return nil
	}
	return sameKey(img.Key(), m.ImageKey())
}

// findImage looks for the image file of a module. The error is that of ctx.
func (s *Session) findImage(ctx context.Context, t Trust, m *minidump.Module) (string, []Try, error) {
	req := store.Request{Folder: m.BaseName(), Key: m.ImageKey()}
	return s.find(ctx, s.imageStore, t, req, func(path string) error {
		img, err := peimage.Open(path)
		if err != nil {
			return err
		}
		defer img.Close()
		return s.checkImage(img, m)
	})
}

// imageSource names addresses by the DWARF of an image, and what that does not
// cover by its COFF symbols.
type imageSource struct {
	image   *peimage.Image
	dwarf   *dwarfsym.File // nil if there is none
	symbols *peimage.Symbols
	s       *Session
	*damage
}

func (i imageSource) lookup(ctx context.Context, rva uint32) (name, bool) {
	if i.dwarf != nil {
		sym, ok, err := i.dwarf.Lookup(rva)
		if i.note(err); ok && err == nil {
			n := name{function: i.s.text(sym.Name), displacement: uint64(rva - sym.RVA), file: i.s.path(sym.File), line: sym.Line}
			for _, f := range sym.Inlined {
				n.inlined = i.s.inline(ctx, n.inlined, f.Function, f.File, f.Line)
			}
			return n, true
		}
	}
	if n, ok := i.variable(rva); ok {
		return n, true
	}
	sym, ok, err := i.symbols.Lookup(rva)
	if i.note(err); !ok || err != nil {
		return name{}, false
	}
	const i386 = 0x14c
	text := i.s.text
	if i.image.Machine == i386 {
		text = i.s.textX86
	}
	return name{function: text(sym.Name), displacement: uint64(rva - sym.RVA)}, true
}

// variable names an address of data by the variable that begins nearest below,
// in the same section.
func (i imageSource) variable(rva uint32) (name, bool) {
	const memExecute = 0x20000000 // IMAGE_SCN_MEM_EXECUTE
	if i.dwarf == nil {
		return name{}, false
	}
	for _, s := range i.image.Sections {
		if !s.Contains(rva) || s.Characteristics&memExecute != 0 {
			continue
		}
		v, ok, err := i.dwarf.Variable(rva)
		if err != nil || !ok || !s.Contains(v.RVA) {
			return name{}, false
		}
		return name{function: i.s.text(v.Name), displacement: uint64(rva - v.RVA)}, true
	}
	return name{}, false
}

func loadImageSymbols(ctx context.Context, s *Session, m *minidump.Module) (source, []Try, error) {
	path, tries, err := s.findImage(ctx, TrustDWARF, m)
	if path == "" {
		return nil, tries, err
	}
	src, err := s.files.open(ctx, TrustDWARF, path, func(r io.ReaderAt, size int64) (source, error) {
		img, err := peimage.NewFile(r, size)
		if err != nil {
			return nil, err
		}
		src := imageSource{image: img, s: s, damage: s.damage(tries)}
		var dwarfErr, symErr error
		src.dwarf, dwarfErr = dwarfsym.New(img)
		if src.symbols, symErr = img.Symbols(); src.dwarf != nil || src.symbols.Len() > 0 {
			return src, nil
		}
		if errors.Is(dwarfErr, dwarfsym.ErrNoDWARF) {
			dwarfErr = cmp.Or(symErr, errors.New("no DWARF and no COFF symbols in the image"))
		}
		return nil, dwarfErr
	})
	if err != nil {
		return nil, failed(tries, err), ctx.Err()
	}
	return src, tries, nil
}
