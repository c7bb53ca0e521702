package symbol

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
)

// Options tell [NewResolver] where to look for symbols. The zero value looks
// into the dump only.
type Options struct {
	// SymbolPath and ImagePath say where symbol files and images are, in the
	// form of _NT_SYMBOL_PATH; see package store. Images are looked for in the
	// folders of SymbolPath too. A server is asked only if a path names it.
	SymbolPath, ImagePath string

	// Cache is the store for what servers named without one give; "" means
	// dumpscan/symbols in the user's cache folder.
	Cache string

	Loose    bool // take a file by its name although its identity differs
	RawNames bool // leave decorated names as they are
	Offline  bool // ask no servers, look into their caches only

	Client   *http.Client  // for servers; nil means one of its own
	Timeout  time.Duration // how long a server may send nothing; 0 means 30 s
	Progress func(Progress)

	// Context ends downloads; nil means none does. It is an option since
	// Resolve, which may start a download, cannot take one.
	Context context.Context
}

// Progress says how far a download is.
type Progress = store.Progress

// defaultCache is the store in the user's cache folder, "" if there is none.
func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "dumpscan", "symbols")
}

// serverList holds the servers of the two paths, for manifests.
type serverList struct{ symbols, images []store.Element }

// openStores reads the paths.
func (s *Session) openStores() error {
	cache := s.options.Cache
	if cache == "" {
		cache = defaultCache()
	}
	symbols, err := store.ParsePath(s.options.SymbolPath, cache)
	if err != nil {
		return err
	}
	images, err := store.ParsePath(s.options.ImagePath, cache)
	if err != nil {
		return err
	}
	for _, e := range images {
		if e.URL != "" {
			s.servers.images = append(s.servers.images, e)
		}
	}
	for _, e := range symbols {
		if e.URL != "" {
			s.servers.symbols = append(s.servers.symbols, e)
		} else {
			images = append(images, e)
		}
	}
	o := store.Options{
		Client: s.options.Client, Timeout: s.options.Timeout,
		Offline: s.options.Offline, Progress: s.options.Progress,
	}
	s.files, s.images = store.New(symbols, o), store.New(images, o)
	return nil
}

func (s *Session) context() context.Context {
	if s.options.Context == nil {
		return context.Background()
	}
	return s.options.Context
}
