//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
)

// TestPipes has pipes in all the places where a file or folder is looked for. To open
// one would wait for ever.
func TestPipes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, pipe, index, want string }{
		{"file", "app.pdb", "", "is a pipe, not a regular file"},
		{"compressed", "app.pd_", "", "is a pipe, not a regular file"},
		{"in a store", "app.pdb/" + key + "/app.pdb", "", "is a pipe, not a regular file"},
		{"compressed in a store", "app.pdb/" + key + "/app.pd_", "", "is a pipe, not a regular file"},
		{"pointer", "app.pdb/" + key + "/file.ptr", "", "is a pipe, not a regular file"},
		{"folder of a key", "app.pdb/" + key, "", "not found"},
		{"first tier", "ap", "index2.txt", "not found"},
		{"index", "index2.txt", "", "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			pipe := filepath.Join(dir, filepath.FromSlash(tt.pipe))
			if err := os.MkdirAll(filepath.Dir(pipe), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Skip(err)
			}
			if tt.index != "" {
				if err := os.WriteFile(filepath.Join(dir, tt.index), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := newStore(t, dir, store.Options{})
			type answer struct {
				path  string
				tries []store.Try
			}
			got := make(chan answer, 1)
			go func() {
				path, tries, _ := s.Find(t.Context(), store.Request{Folder: "app.pdb", Key: key}, check)
				got <- answer{path, tries}
			}()
			select {
			case a := <-got:
				if last := a.tries[len(a.tries)-1].Err; a.path != "" || last == nil || !strings.Contains(last.Error(), tt.want) {
					t.Errorf("found %q, %v, want %q", a.path, a.tries, tt.want)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("waits for the pipe")
			}
		})
	}
}
