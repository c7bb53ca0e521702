package symbol

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
)

// Options say where [NewResolver] to look for symbols. The zero value looks
// into the dump only.
type Options struct {
	// SymbolPath and ImagePath say where symbol files and images are; see the
	// package comment. Images are looked for in the folders of SymbolPath too. A
	// server is asked only if a path names it.
	SymbolPath, ImagePath string

	// Cache is the store for what servers named without one give; "" means
	// dumpscan/symbols in the user's cache folder.
	Cache string

	Loose    bool // take a file by its name although its identity differs
	RawNames bool // leave decorated names as they are
	Offline  bool // ask no servers, look into their caches only

	Fetcher  Fetcher        // asks servers; nil means that none is asked
	Progress func(Progress) // called during downloads, perhaps by several goroutines at once; may be nil

	// MaxDownload and MaxDownloads are how many bytes are written of one file that a
	// server has or that is to be unpacked, and of all of them, for symbols and for
	// images each; 0 means 8 GiB and 64 GiB.
	MaxDownload, MaxDownloads int64

	// Damaged is called once for each symbol file or image in which something
	// cannot be read when an address is named, perhaps by several goroutines at
	// once; the address has the names that could be read. It may be nil.
	Damaged func(path string, err error)

	// Limited is called once for each kind of thing that is not all there because
	// it is out of proportion to the size of the files, with a sentence about it,
	// perhaps by several goroutines at once. It may be nil.
	Limited func(what string)
}

// Progress says how far a download is.
type Progress struct {
	URL   string
	Done  int64 // bytes received
	Total int64 // bytes announced, or -1
	End   bool  // the last call for this URL, whether it succeeded or not
}

// A Fetcher asks a symbol server for a file. Package symserver has one; programs
// that ask no server need none, and no network. It is safe for concurrent use.
type Fetcher interface {
	// Fetch returns what is at an http or https URL, and how many bytes that
	// will be, -1 if the server does not say. The caller closes the body. Both
	// Fetch and reading the body end when ctx does. The error wraps ErrNotFound
	// if the server does not have the file, and ErrServer if it is of no use to
	// ask this server again.
	Fetch(ctx context.Context, url string) (body io.ReadCloser, size int64, err error)
}

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
	o := store.Options{Fetcher: s.options.Fetcher, Offline: s.options.Offline, MaxFile: s.options.MaxDownload, MaxRun: s.options.MaxDownloads}
	if report := s.options.Progress; report != nil {
		o.Progress = func(url string, done, total int64, end bool) {
			report(Progress{URL: url, Done: done, Total: total, End: end})
		}
	}
	s.symbolStore, s.imageStore = store.New(symbols, o), store.New(images, o)
	return nil
}
