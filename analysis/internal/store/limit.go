package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Defaults of [Options], in bytes: more than a PDB can have, and more than the
// symbols of a system with all its programs.
const (
	defaultMaxFile = 8 << 30
	defaultMaxRun  = 64 << 30
)

// errSpent is the error when a run has written as much as it may.
var errSpent = errors.New("downloads have come to the limit of this run")

func (s *Store) spent() error {
	if s.written.Load() >= s.options.MaxRun {
		return fmt.Errorf("%w, %d bytes", errSpent, s.options.MaxRun)
	}
	return nil
}

// A limitedWriter writes a file that comes from a server or out of a cabinet. What is
// written is charged before, to the file and to the run.
type limitedWriter struct {
	store *Store
	w     io.Writer
	done  int64
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	n := int64(len(p))
	if n > l.store.options.MaxFile-l.done {
		return 0, fmt.Errorf("more than %d bytes", l.store.options.MaxFile)
	}
	if l.store.written.Add(n) > l.store.options.MaxRun {
		return 0, fmt.Errorf("%w, %d bytes", errSpent, l.store.options.MaxRun)
	}
	l.done += n
	return l.w.Write(p)
}

const (
	tempPattern = ".dumpscan-*.part"
	tempAge     = 24 * time.Hour // no download takes so long
)

// sweep removes what runs that were killed have left behind in a cache. It does so
// once for each.
func (s *Store) sweep(cache string) {
	if cache == "" {
		return
	}
	s.mu.Lock()
	swept := s.swept[cache]
	s.swept[cache] = true
	s.mu.Unlock()
	if swept {
		return
	}
	prefix, suffix, _ := strings.Cut(tempPattern, "*")
	entries, _ := os.ReadDir(cache) // what cannot be listed cannot be swept
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), suffix) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > tempAge {
			os.Remove(filepath.Join(cache, e.Name()))
		}
	}
}
