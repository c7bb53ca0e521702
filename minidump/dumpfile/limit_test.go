package dumpfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	d := dump()
	dir := write(t, map[string][]byte{"d.gz": gz(d), "d.zst": zst(d), "d.zip": zipOf("w3wp.dmp", d), "plain.dmp": d})
	size := int64(len(d))
	for _, tt := range []struct {
		name  string
		limit int64
		want  int64 // bytes
	}{
		{"d.gz", 0, size}, {"d.gz", size, size}, {"d.gz", size - 1, size - 1}, {"d.gz", 100, 100},
		{"d.zst", 1 << 20, 1 << 20}, {"d.zip", 1<<20 + 1, 1<<20 + 1}, {"plain.dmp", 1, size}, {"-", 5000, 5000},
	} {
		name := tt.name
		if name != "-" {
			name = filepath.Join(dir, name)
		}
		limit := NewLimit(tt.limit)
		f, err := Open(t.Context(), name, Options{Stdin: bytes.NewReader(d), TempDir: t.TempDir(), Limit: limit})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := contents(t, f); !bytes.Equal(got, d[:tt.want]) {
			t.Errorf("%s, %d bytes allowed: %d bytes, want %d", tt.name, tt.limit, len(got), tt.want)
		}
		if cut := errors.Is(f.Truncated(), ErrLimit); cut != (tt.want < size) {
			t.Errorf("%s, %d bytes allowed: Truncated: %v", tt.name, tt.limit, f.Truncated())
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if used := limit.used.Load(); used != 0 {
			t.Errorf("%s: after Close %d bytes are in use", tt.name, used)
		}
	}
}

// TestLimitShared: a run has one limit for all its inputs, and what is closed
// makes room.
func TestLimitShared(t *testing.T) {
	d := small(1)
	dir := write(t, map[string][]byte{"d.gz": gz(d)})
	limit := NewLimit(int64(len(d)) + 10)
	open := func() (*File, error) {
		return Open(t.Context(), filepath.Join(dir, "d.gz"), Options{TempDir: t.TempDir(), Limit: limit})
	}
	first, err := open()
	if err != nil || first.Truncated() != nil {
		t.Fatalf("%v, %v", first, err)
	}
	second, err := open()
	if err != nil || second.Size() != 10 || !errors.Is(second.Truncated(), ErrLimit) {
		t.Fatalf("the second has %d bytes, %v, %v", second.Size(), second.Truncated(), err)
	}
	if third, err := open(); third != nil || !errors.Is(err, ErrLimit) {
		t.Errorf("the third: %v, %v", third, err)
	}
	first.Close()
	second.Close()
	again, err := open()
	if err != nil || again.Truncated() != nil {
		t.Fatalf("after Close: %v, %v", again, err)
	}
	again.Close()
}

// A fullDisk takes so many bytes.
type fullDisk struct{ left int }

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.left)
	if d.left -= n; n < len(b) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// TestDiskFullLate: what was unpacked before the disk was full is kept.
func TestDiskFullLate(t *testing.T) {
	s := &spooler{ctx: t.Context(), dir: "/some/folder"}
	size, truncated, err := s.copyTo(&fullDisk{1<<20 + 7}, bytes.NewReader(dump()), -1, nil)
	if err != nil || size != 1<<20+7 || truncated == nil || !strings.Contains(truncated.Error(), "no space left") {
		t.Errorf("%d bytes, %v, %v", size, truncated, err)
	}
}

func TestGzipTrailing(t *testing.T) {
	t.Parallel()
	d := small(1)
	two := append(gz(d[:100]), gz(d[100:])...)
	for _, tt := range []struct {
		name   string
		behind []byte
		want   error
	}{
		{"nothing", nil, nil},
		{"padding", make([]byte, 100_000), nil},
		{"text", []byte("trailing text"), errTrailing},
		{"text behind padding", []byte("\x00\x00text"), errTrailing},
		{"half a header", []byte{0x1f, 0x8b, 8}, io.ErrUnexpectedEOF},
		{"one byte", []byte{0x1f}, errTrailing},
	} {
		input := append(bytes.Clone(two), tt.behind...)
		f, err := Open(t.Context(), "-", Options{Stdin: bytes.NewReader(input), TempDir: t.TempDir()})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := contents(t, f); !bytes.Equal(got, d) || !errors.Is(f.Truncated(), tt.want) {
			t.Errorf("%s: %d bytes of %d, %v; want %v", tt.name, len(got), len(d), f.Truncated(), tt.want)
		}
		f.Close()
	}
}

// TestCutAnywhere: the more there is of a compressed dump, the more is read of
// it, and all that is read is right.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	d := bytes.Repeat(append(small(1), "some text that repeats itself"...), 40)
	for name, data := range map[string][]byte{"gzip": gz(d), "members": append(gz(d[:999]), gz(d[999:])...), "zstd": append(zst(d[:999]), zst(d[999:])...)} {
		last, temp := 0, t.TempDir()
		for n := 4; n < len(data); n++ {
			f, err := Open(t.Context(), "-", Options{Stdin: bytes.NewReader(data[:n]), TempDir: temp})
			if err != nil {
				if last > 0 {
					t.Errorf("%s: %d bytes: %v, but with fewer there was a dump", name, n, err)
				}
				continue
			}
			got := contents(t, f)
			if !bytes.HasPrefix(d, got) || len(got) < last {
				t.Errorf("%s: %d bytes give %d, one less gave %d", name, n, len(got), last)
			}
			if f.Truncated() == nil && len(got) != 999 {
				t.Errorf("%s: %d of %d bytes are said to be all", name, n, len(data))
			}
			last = len(got)
			f.Close()
		}
		if name != "zstd" && last != len(d) {
			t.Errorf("%s: without its last byte it gives %d bytes of %d", name, last, len(d))
		}
	}
}

// TestManyFiles: a dump in an archive of a folder with many files is found
// without a look into each of them.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	var files []any
	for i := range 20_000 {
		files = append(files, "logs/"+strings.Repeat("x", i%50)+".txt", []byte("line"))
	}
	files = append(files, "w3wp.dmp", small(1))
	dir := write(t, map[string][]byte{"d.zip": zipOf(files...)})
	start := time.Now()
	f, err := Open(t.Context(), filepath.Join(dir, "d.zip"), Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if took := time.Since(start); took > 2*time.Second { // 10 ms on a quiet machine
		t.Errorf("it took %v", took)
	}
	if !bytes.Equal(contents(t, f), small(1)) {
		t.Error("it is another file")
	}
}

// TestOpenPipe: a pipe that nobody writes to is given up when the context ends.
func TestOpenPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := mkfifo(path); err != nil {
		t.Skipf("no named pipes: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if f, err := Open(ctx, path, Options{TempDir: t.TempDir()}); f != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", f, err)
	}
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	// With somebody who writes it is an input like others. The first pipe still has
	// a reader.
	path = filepath.Join(t.TempDir(), "pipe")
	if err := mkfifo(path); err != nil {
		t.Fatal(err)
	}
	go func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		w.Write(small(1))
		w.Close()
	}()
	f, err := Open(t.Context(), path, Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !bytes.Equal(contents(t, f), small(1)) {
		t.Error("the pipe gave something else")
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "absent"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
