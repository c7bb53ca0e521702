package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/ctxlock"
)

var (
	// ErrNotFound is wrapped when a place does not have the file.
	ErrNotFound = errors.New("not found")

	// ErrNotAsked is wrapped when a server is left alone, since it has failed
	// before or there is no Fetcher.
	ErrNotAsked = errors.New("not asked")

	// ErrServer is wrapped by a Fetcher when it is of no use to ask the server
	// again.
	ErrServer = errors.New("server failed")
)

// Options say how a [Store] works.
type Options struct {
	Fetcher  Fetcher // for servers; nil means that none is asked
	Offline  bool    // ask no servers, look into their caches only
	Progress func(url string, done, total int64, end bool)

	// MaxFile and MaxRun are how many bytes are written of one file, and of all that
	// this Store downloads and unpacks; 0 means 8 GiB and 64 GiB.
	MaxFile, MaxRun int64
}

// Fetcher is symbol.Fetcher.
type Fetcher interface {
	Fetch(ctx context.Context, url string) (body io.ReadCloser, size int64, err error)
}

// A Try is one place that was searched.
type Try struct {
	Where string // file or URL
	Err   error  // why it was not taken; nil if it was
}

// Store finds files by a symbol path. It is safe for concurrent use.
type Store struct {
	elements []Element
	options  Options

	mu      sync.Mutex
	found   map[Request]*result
	folders map[string]map[string]string // names in a folder by their lower-case form
	servers map[string]*server
	temp    string // folder for files unpacked without a cache; "" until needed
	swept   map[string]bool

	written atomic.Int64 // bytes of downloads and of unpacked files
}

type result struct {
	lock  ctxlock.Lock
	known bool
	path  string
	tries []Try
}

// New returns a Store that searches the elements in their order.
func New(elements []Element, o Options) *Store {
	if o.MaxFile <= 0 {
		o.MaxFile = defaultMaxFile
	}
	if o.MaxRun <= 0 {
		o.MaxRun = defaultMaxRun
	}
	return &Store{
		elements: elements,
		options:  o,
		found:    make(map[Request]*result),
		folders:  make(map[string]map[string]string),
		servers:  make(map[string]*server),
		swept:    make(map[string]bool),
	}
}

// Close removes what was unpacked for want of a cache.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temp == "" {
		return nil
	}
	return os.RemoveAll(s.temp)
}

// Find returns the path of a file that check accepts, or "" if there is none, and
// what was tried, the place that has it last. That is not the path if the file had to be unpacked and there is no cache
// to keep it in. check gets the path of a file and refuses one of another
// identity with an error; it must not keep the file open. The answer for a
// request is remembered, failures too. The error is that of ctx: the search was
// broken off, and what it would have found is not known.
func (s *Store) Find(ctx context.Context, req Request, check func(path string) error) (string, []Try, error) {
	clean, err := req.clean()
	if err != nil {
		return "", []Try{{Where: req.Folder, Err: err}}, nil
	}
	s.mu.Lock()
	r := s.found[clean]
	if r == nil {
		r = &result{lock: ctxlock.New()}
		s.found[clean] = r
	}
	s.mu.Unlock()
	if err := r.lock.Lock(ctx); err != nil {
		return "", nil, err
	}
	defer r.lock.Unlock()
	if !r.known {
		path, tries, err := s.find(ctx, clean, check)
		if err != nil {
			return "", nil, err
		}
		r.known, r.path, r.tries = true, path, tries
	}
	return r.path, r.tries, nil
}

func (s *Store) find(ctx context.Context, req Request, check func(string) error) (string, []Try, error) {
	var tries []Try
	for _, e := range s.elements {
		search := s.searchFolder
		if e.URL != "" {
			if s.options.Offline || req.Key == "" {
				continue
			}
			if s.options.Fetcher == nil {
				tries = append(tries, Try{Where: e.URL, Err: fmt.Errorf("%w: no servers can be asked here", ErrNotAsked)})
				continue
			}
			search = s.searchServer
		}
		path, places := search(ctx, e, req, check)
		tries = append(tries, places...)
		if path != "" {
			return path, tries, nil
		}
		if err := ctx.Err(); err != nil {
			return "", nil, err
		}
	}
	return "", tries, nil
}

// keep moves a complete temporary file, after check accepted it, to its place
// in the cache of e, or leaves it where it is if there is no cache.
func (s *Store) keep(e Element, req Request, temp string, check func(string) error) (string, error) {
	if err := check(temp); err != nil {
		os.Remove(temp)
		return "", err
	}
	if e.Cache == "" {
		return temp, nil
	}
	target := filepath.Join(e.Cache, filepath.FromSlash(req.storePath()))
	err := os.MkdirAll(filepath.Dir(target), 0o777)
	if err == nil {
		err = os.Rename(temp, target)
	}
	if err != nil {
		os.Remove(temp)
		// Another process may have been faster and hold the file open.
		if check(target) == nil {
			return target, nil
		}
		return "", fmt.Errorf("keeping it in the cache: %w", err)
	}
	return target, nil
}

// tempFile creates a file in the cache of e, so that it can be renamed to its
// place there, or in a folder of its own that Close removes.
func (s *Store) tempFile(e Element) (*os.File, error) {
	s.sweep(e.Cache)
	dir := e.Cache
	if dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.temp == "" {
			temp, err := os.MkdirTemp("", "dumpscan-symbols-")
			if err != nil {
				return nil, err
			}
			s.temp = temp
		}
		dir = s.temp
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, tempPattern)
}
