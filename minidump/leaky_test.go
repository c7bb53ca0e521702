package minidump_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

const leakyDumps = "../testdata/leaky"

// handleLine writes a handle as the tables of the truth do.
func handleLine(h *minidump.Handle) string {
	return fmt.Sprintf("%x\t%s\t%x\t%x\t%d\t%d\t%s",
		h.Handle, h.TypeName, h.Attributes, h.GrantedAccess, h.HandleCount, h.PointerCount, h.ObjectName)
}

func dumpLines(t *testing.T, f *minidump.File) []string {
	t.Helper()
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for h, err := range hd.All() {
		if err != nil {
			t.Error(err)
		}
		lines = append(lines, handleLine(h))
	}
	return lines
}

// truthLines reads a table of handles, without header, comments and columns
// beyond the name.
func truthLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "handle\t") || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		lines = append(lines, strings.Join(cells[:min(len(cells), 7)], "\t"))
	}
	return lines
}

// TestLeakyHandles compares the handles of our own leaking program with what
// it knew of them, handle by handle.
func TestLeakyHandles(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(leakyDumps, "*.dmp.gz"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dumps: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			want := truthLines(t, strings.TrimSuffix(path, ".dmp.gz")+".handles.tsv")
			if diff := cmp.Diff(want, dumpLines(t, mustOpen(t, path))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRealLeakyHandles does the same for dumps that are not in the repository.
func TestRealLeakyHandles(t *testing.T) {
	for _, name := range []string{"leaky-a.dmp", "leaky-b.dmp", "leaky-c.dmp.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, _, _ := strings.Cut(name, ".")
			want := truthLines(t, realDump(t, base+".truth.tsv"))
			if diff := cmp.Diff(want, dumpLines(t, mustOpen(t, realDump(t, name)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
