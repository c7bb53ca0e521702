package dumpfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
)

// TestOddPieces reads a pipe that gives pieces of all sizes, so that they end
// anywhere in the steps of the spool.
func TestOddPieces(t *testing.T) {
	t.Parallel()
	d := dump()
	for _, sizes := range [][]int{{1, 65536, 3, 40000, 65535}, {65521}, {7919, 1 << 20}, {64 << 10}} {
		f, err := Open(t.Context(), "-", Options{Stdin: &pieces{data: d, sizes: sizes}, TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if got := contents(t, f); !bytes.Equal(got, d) || f.Truncated() != nil {
			t.Errorf("pieces of %v: %d bytes, want %d others; %v", sizes, len(got), len(d), f.Truncated())
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// pieces gives data in pieces of the given sizes, again and again; the last one
// comes together with the end.
type pieces struct {
	data  []byte
	sizes []int
	n     int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := copy(b, p.data[:min(p.sizes[p.n%len(p.sizes)], len(p.data))])
	p.n++
	p.data = p.data[n:]
	if len(p.data) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// openFiles counts the files that the process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("this system does not list open files: %v", err)
	}
	return len(fds)
}

// TestNothingStaysOpen opens every kind of file often, with and without success.
func TestNothingStaysOpen(t *testing.T) {
	d := small(1)
	dir := write(t, map[string][]byte{
		"plain.dmp": d, "d.gz": gz(d), "d.zst": zst(d), "d.zip": zipOf("w3wp.dmp", d), "gz.zip": zipOf("readme", []byte("r"), "w3wp.gz", gz(d)),
		"zst.zip": zipOf("readme", []byte("r"), "w3wp.zst", zst(d)), "two.zip": zipOf("a", d, "b", d), "cut.gz": gz(d)[:60], "header.gz": {0x1f, 0x8b, 8},
		"bad.zip": []byte("PK\x03\x04"), "text": []byte("hello"),
	})
	names := []string{".", "absent", "plain.dmp:x", "d.gz:x"}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	use := func() {
		for _, name := range names {
			f, err := Open(t.Context(), filepath.Join(dir, name), Options{TempDir: t.TempDir()})
			if err != nil {
				continue
			}
			if _, err := f.Dump(); err != nil && !errors.Is(err, minidump.ErrNotMinidump) {
				t.Errorf("%s: %v", name, err)
			}
			if err := f.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%s can be read after Close: %v", name, err)
			}
		}
	}
	use() // what the runtime opens for itself
	before := openFiles(t)
	use()
	if after := openFiles(t); after != before {
		t.Errorf("%d files are open, and were %d before", after, before)
	}
}

// TestStdinStaysOpen: it belongs to the caller, a file that Open has opened does
// not.
func TestStdinStaysOpen(t *testing.T) {
	dir := write(t, map[string][]byte{"d": small(1)})
	stdin, err := os.Open(filepath.Join(dir, "d"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	f, err := Open(t.Context(), "-", Options{Stdin: stdin})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := stdin.Seek(0, io.SeekStart); err != nil {
		t.Errorf("standard input was closed: %v", err)
	}
	own, err := Open(t.Context(), filepath.Join(dir, "d"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Close(); err != nil {
		t.Error(err)
	}
	if err := own.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
}

// TestDumpError says which file it is.
func TestDumpError(t *testing.T) {
	dir := write(t, map[string][]byte{"notes.zip": zipOf("notes.txt", []byte("hello"))})
	name := filepath.Join(dir, "notes.zip")
	f, err := Open(t.Context(), name, Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := f.Dump()
	var path *fs.PathError
	if d != nil || !errors.Is(err, minidump.ErrNotMinidump) || !errors.As(err, &path) || path.Path != name {
		t.Errorf("Dump of a text: %v, %v", d, err)
	}
}

// TestInputThatFails: a file that cannot be read is no plain dump.
func TestInputThatFails(t *testing.T) {
	dir := write(t, map[string][]byte{"d": small(1)})
	file, err := os.Open(filepath.Join(dir, "d"))
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	s := &spooler{ctx: t.Context(), dir: dir}
	member := ""
	next, damage, err := s.unwrap(input{file: file, size: 10}, "d", &member)
	if next != nil || damage != nil || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("unwrap = %v, %v, %v", next, damage, err)
	}
}

// TestRemoveOnClose is what happens where an open file cannot be deleted.
func TestRemoveOnClose(t *testing.T) {
	dir := write(t, map[string][]byte{"spooled": small(1)})
	path := filepath.Join(dir, "spooled")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	in := input{file: file, size: 10, remove: path}
	if err := in.close(); err != nil {
		t.Error(err)
	}
	empty(t, dir)
	if err := in.close(); !errors.Is(err, fs.ErrClosed) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the second time: %v", err)
	}
}
