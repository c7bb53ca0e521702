package symbol

import (
	"context"
	"io"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/ctxlock"
	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// shared keeps what several modules may have in common, each made once.
type shared[K comparable, V any] struct {
	mu   sync.Mutex
	made map[K]*made[V]
}

type made[V any] struct {
	lock  ctxlock.Lock
	done  bool
	value V
	err   error
}

// get returns the value of a key. What make returns is kept, errors too, unless ctx
// ended meanwhile: then the error is that of ctx.
func (s *shared[K, V]) get(ctx context.Context, key K, make func() (V, error)) (V, error) {
	s.mu.Lock()
	m := s.made[key]
	if m == nil {
		if s.made == nil {
			s.made = map[K]*made[V]{}
		}
		m = &made[V]{lock: ctxlock.New()}
		s.made[key] = m
	}
	s.mu.Unlock()
	var none V
	if err := m.lock.Lock(ctx); err != nil {
		return none, err
	}
	defer m.lock.Unlock()
	if !m.done {
		value, err := make()
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		m.done, m.value, m.err = true, value, err
	}
	return m.value, m.err
}

// A mappedImage is what the image in the memory of the dump depends on, and
// whether it is that of a module.
type mappedImage struct {
	base      minidump.VA
	size      uint32
	timestamp uint32
}

func imageOf(m *minidump.Module) mappedImage {
	return mappedImage{m.BaseOfImage, m.SizeOfImage, m.TimeDateStamp}
}

// mostOpen is how many symbol files and images are open at the same time. A dump
// lists hundreds of modules, a hostile one as many as it has room for, and each may
// have a file of its own.
const mostOpen = 64

// symbolFiles are the files that names come from, each opened once for all modules
// that have it.
type symbolFiles struct {
	budget  *budget
	pool    *openfile.Pool
	files   shared[string, *openfile.File]
	sources shared[fileTrust, source]
	images  shared[string, *peimage.Image]
}

func (f *symbolFiles) init(b *budget) { f.budget, f.pool = b, openfile.NewPool(mostOpen) }

// file opens a file, whose size counts for what its names may cost.
func (f *symbolFiles) file(ctx context.Context, path string) (*openfile.File, error) {
	return f.files.get(ctx, path, func() (*openfile.File, error) {
		r, err := f.pool.Open(path)
		if err == nil {
			f.budget.size.Add(r.Size())
		}
		return r, err
	})
}

// open returns the source that read makes of a file: one for each file and Trust.
func (f *symbolFiles) open(ctx context.Context, t Trust, path string, read func(io.ReaderAt, int64) (source, error)) (source, error) {
	return f.sources.get(ctx, fileTrust{path, t}, func() (source, error) {
		file, err := f.file(ctx, path)
		if err != nil {
			return nil, err
		}
		r := &loading{File: file, ctx: ctx}
		src, err := read(r, file.Size())
		r.ctx = context.Background()
		return src, err
	})
}

type fileTrust struct {
	path  string
	trust Trust
}

// loading is a file that cannot be read any more when a context has ended: to go
// through all of it may take long.
type loading struct {
	*openfile.File
	ctx context.Context
}

func (l *loading) ReadAt(p []byte, off int64) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	return l.File.ReadAt(p, off)
}

// image opens an image file.
func (s *Session) image(ctx context.Context, path string) (*peimage.Image, error) {
	return s.files.images.get(ctx, path, func() (*peimage.Image, error) {
		r, err := s.files.file(ctx, path)
		if err != nil {
			return nil, err
		}
		return peimage.NewFile(r, r.Size())
	})
}
