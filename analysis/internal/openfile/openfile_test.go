package openfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
)

func TestSpecial(t *testing.T) {
	var special *openfile.Special
	if _, _, err := openfile.Open(t.TempDir()); !errors.As(err, &special) || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v, want that it is a folder", err)
	}
	if _, _, err := openfile.Open(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that there is none", err)
	}
	if _, err := openfile.NewPool(1).Open(t.TempDir()); !errors.As(err, &special) {
		t.Errorf("error %v of the pool", err)
	}
}

// Many files are read by many goroutines at once, and few are open.
func TestPool(t *testing.T) {
	const most, files, goroutines = 3, 20, 4
	dir := t.TempDir()
	p := openfile.NewPool(most)
	var all []*openfile.File
	for i := range files {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, fmt.Appendf(nil, "file %02d", i), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := p.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Size() != 7 {
			t.Errorf("size %d, want 7", f.Size())
		}
		all = append(all, f)
	}
	var wait sync.WaitGroup
	for g := range goroutines {
		wait.Go(func() {
			for i := range 5 * files {
				n := (i*7 + g) % files
				var b [2]byte
				if _, err := all[n].ReadAt(b[:], 5); err != nil || string(b[:]) != fmt.Sprintf("%02d", n) {
					t.Errorf("file %d: %q, error %v", n, b, err)
				}
				if open := p.Len(); open > most+goroutines {
					t.Errorf("%d files are open", open)
				}
			}
		})
	}
	wait.Wait()
	if open := p.Len(); open != most {
		t.Errorf("%d files are open in the end, want %d", open, most)
	}
	p.Close()
	if _, err := all[0].ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) || p.Len() != 0 {
		t.Errorf("error %v and %d open files after Close", err, p.Len())
	}
}

// A file that was replaced while it was closed is not read as if it was the same.
func TestReplaced(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, path := range []string{a, b} {
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := openfile.NewPool(1)
	defer p.Close()
	f, err := p.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Open(b); err != nil { // a is closed for it
		t.Fatal(err)
	}
	if err := os.Rename(b, a); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("error %v, want that the file has changed", err)
	}
}
