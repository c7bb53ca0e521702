package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/cab"
	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
)

// searchFolder looks into a folder: for the file itself, then for its compressed form, then in the layout of a store.
func (s *Store) searchFolder(ctx context.Context, e Element, req Request, check func(string) error) (string, []Try) {
	var tries []Try
	tried := func(where string, err error) bool {
		tries = append(tries, Try{Where: where, Err: err})
		return err == nil
	}
	unpack := func(path string) (string, bool) {
		unpacked, err := s.unpackTo(ctx, e, req, path, check)
		if err == nil && e.Cache != "" && req.Key != "" {
			path = unpacked // what is unpacked without a cache is gone soon
		}
		return unpacked, tried(path, err)
	}
	checked := func(path string) bool {
		err := openfile.Check(path)
		if err == nil {
			err = check(path)
		}
		return tried(path, err)
	}
	// The folder of a store has the name of the file too.
	if path, ok := s.lookup(e.Dir, req.File); ok && !isFolder(path) && checked(path) {
		return path, tries
	}
	if path, ok := s.lookup(e.Dir, compressed(req.File)); ok && !isFolder(path) {
		if unpacked, ok := unpack(path); ok {
			return unpacked, tries
		}
	}
	for _, dir := range s.storeFolders(e.Dir, req) {
		if path, ok := s.lookup(dir, req.File); ok && checked(path) {
			return path, tries
		}
		if path, ok := s.lookup(dir, compressed(req.File)); ok {
			if unpacked, ok := unpack(path); ok {
				return unpacked, tries
			}
		}
		if path, ok := s.lookup(dir, "file.ptr"); ok {
			target, err := followPointer(path)
			if err != nil {
				tried(path, err)
			} else if checked(target) {
				return target, tries
			}
		}
	}
	if len(tries) == 0 {
		tried(e.Dir, ErrNotFound)
	}
	return "", tries
}

// storeFolders returns the folders of the file in a store, one-tier and
// two-tier, as far as they exist.
func (s *Store) storeFolders(root string, req Request) []string {
	if req.Key == "" {
		return nil
	}
	var found []string
	roots := []string{root}
	if _, ok := s.lookup(root, "index2.txt"); ok {
		if tier, ok := s.lookup(root, firstTier(req.Folder)); ok {
			roots = append(roots, tier)
		}
	}
	for _, root := range roots {
		if dir, ok := s.lookup(root, req.Folder); ok {
			if dir, ok = s.lookup(dir, req.Key); ok {
				found = append(found, dir)
			}
		}
	}
	return found
}

// lookup finds a name in a folder, whatever its case.
func (s *Store) lookup(dir, name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, ok := s.folders[dir]
	if !ok {
		names = make(map[string]string)
		var entries []os.DirEntry
		if isFolder(dir) { // a pipe would be waited for
			entries, _ = os.ReadDir(dir) // a folder that cannot be read has nothing to offer
		}
		for _, entry := range entries {
			lower := strings.ToLower(entry.Name())
			if _, ok := names[lower]; !ok {
				names[lower] = entry.Name()
			}
		}
		s.folders[dir] = names
	}
	real, ok := names[strings.ToLower(name)]
	if !ok {
		return "", false
	}
	return filepath.Join(dir, real), true
}

// compressed returns the name of the compressed form of a file: the last letter
// is an underscore.
func compressed(file string) string {
	runes := []rune(file)
	return string(runes[:len(runes)-1]) + "_"
}

// firstTier returns the folder above a file's in a two-tier store.
func firstTier(file string) string {
	runes := []rune(file)
	return string(runes[:min(2, len(runes))])
}

// unpackTo unpacks a cabinet and keeps the file in it. A file without identity has no place in a cache.
func (s *Store) unpackTo(ctx context.Context, e Element, req Request, path string, check func(string) error) (string, error) {
	if req.Key == "" {
		e.Cache = ""
	}
	out, err := s.tempFile(e)
	if err != nil {
		return "", err
	}
	err = unpack(until{ctx, &limitedWriter{store: s, w: out}}, path)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(out.Name())
		return "", err
	}
	return s.keep(e, req, out.Name(), check)
}

// until is a writer that ends with a context.
type until struct {
	ctx context.Context
	io.Writer
}

func (u until) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Writer.Write(p)
}

func unpack(w io.Writer, path string) error {
	in, size, err := openfile.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := cab.Open(in, size)
	if err != nil {
		return err
	}
	_, err = f.WriteTo(w)
	return err
}

// maxPointer bounds the size of a file.ptr: a path or a line of text.
const maxPointer = 64 << 10

// followPointer returns the file that a file.ptr in a folder stands for.
func followPointer(path string) (string, error) {
	in, _, err := openfile.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxPointer))
	if err != nil {
		return "", err
	}
	target, err := parsePointer(string(text))
	if err != nil {
		return "", err
	}
	if strings.Contains(target, "://") {
		return "", fmt.Errorf("points to %s, which is not on the symbol path", shorten(target))
	}
	err = openfile.Check(target)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("no such file")
	}
	if err != nil {
		return "", fmt.Errorf("points to %s: %w", shorten(target), err)
	}
	return target, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// parsePointer reads the text of a file.ptr.
func parsePointer(text string) (string, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "\x00")
	if target, ok := cutPrefixFold(text, "PATH:"); ok {
		if target = strings.TrimSpace(target); target != "" {
			return target, nil
		}
	}
	if msg, ok := cutPrefixFold(text, "MSG:"); ok {
		return "", fmt.Errorf("the store says: %s", shorten(strings.TrimSpace(msg)))
	}
	return "", fmt.Errorf("file.ptr has neither PATH: nor MSG: in it")
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
