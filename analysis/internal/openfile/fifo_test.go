//go:build unix

package openfile_test

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
)

// A pipe without a writer is refused at once.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evil.pdb")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	var special *openfile.Special
	if _, _, err := openfile.Open(path); !errors.As(err, &special) || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("error %v, want that it is a pipe", err)
	}
}
