package dumpfile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func TestTruncated(t *testing.T) {
	t.Parallel()
	d := dump()
	checksum := gz(d)
	checksum[len(checksum)-8] ^= 1
	archived := zipOf("w3wp.dmp", d)
	archived[len(archived)/2] ^= 0xff
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, tt := range []struct {
		name  string
		input []byte
		least int // bytes that must have been kept
		cause error
	}{
		{"gzip", half(gz(d)), 1 << 20, io.ErrUnexpectedEOF},
		{"gzip checksum", checksum, len(d), gzip.ErrChecksum},
		{"zstd", half(zst(d)), 1 << 20, io.ErrUnexpectedEOF},
		{"damaged zip", archived, 1 << 18, nil},
		{"gzip in zip", zipOf("w3wp.gz", half(gz(d))), 1 << 20, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Open(t.Context(), "-", Options{Stdin: bytes.NewReader(tt.input), TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Truncated() == nil {
				t.Error("Truncated is nil")
			}
			if tt.cause != nil && !errors.Is(f.Truncated(), tt.cause) {
				t.Errorf("Truncated: %v, want %v", f.Truncated(), tt.cause)
			}
			got := contents(t, f)
			if len(got) < tt.least || !bytes.Equal(got[:tt.least], d[:tt.least]) {
				t.Errorf("kept %d bytes, want at least %d, all right", len(got), tt.least)
			}
			if _, err := f.Dump(); err != nil {
				t.Errorf("Dump: %v", err)
			}
		})
	}
	greedy := append(zst(d), 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00) // a second frame with a window of 2 TiB
	f, err := Open(t.Context(), "-", Options{Stdin: bytes.NewReader(greedy), TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Truncated() == nil || !strings.Contains(f.Truncated().Error(), "zstd -d --long=31") || !bytes.Equal(contents(t, f), d) {
		t.Errorf("a greedy second frame: %v", f.Truncated())
	}
	broken := errors.New("connection lost")
	f, err = Open(t.Context(), "-", Options{Stdin: io.MultiReader(bytes.NewReader(d[:100]), failing{broken}), TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() != 100 || !errors.Is(f.Truncated(), broken) {
		t.Errorf("a pipe that breaks leaves %d bytes, Truncated: %v", f.Size(), f.Truncated())
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestProgress(t *testing.T) {
	t.Parallel()
	d := dump()
	compressed := gz(d)
	// The search through an archive reads more than the first step of the spool.
	var files []any
	for i := range 500 {
		files = append(files, strconv.Itoa(i), d[1+i*4096:][:4096])
	}
	files = append(files, "w3wp.dmp", d)
	dir := write(t, map[string][]byte{"d.gz": compressed, "plain.dmp": d, "d.zip": zipOf(files...)})
	archive, err := zip.OpenReader(filepath.Join(dir, "d.zip"))
	if err != nil {
		t.Fatal(err)
	}
	archive.Close()
	member := int64(archive.File[500].CompressedSize64) // w3wp.dmp
	for _, tt := range []struct {
		name  string
		total int64
		end   int64
		calls int // at least
	}{
		{filepath.Join(dir, "d.gz"), int64(len(compressed)), int64(len(compressed)), 3},
		{filepath.Join(dir, "d.zip"), member, member, 3},
		{filepath.Join(dir, "plain.dmp"), 0, 0, 0},
		{"-", -1, int64(len(d)), 3},
	} {
		calls, last := 0, int64(0)
		var first int64
		f, err := Open(t.Context(), tt.name, Options{Stdin: bytes.NewReader(d), TempDir: t.TempDir(), Progress: func(done, total int64) {
			if calls++; calls == 1 {
				first = done
			}
			if tt.total != 0 && total != tt.total || total >= 0 && done > total || done < last {
				t.Errorf("%s: progress %d of %d after %d, want a total of %d", tt.name, done, total, last, tt.total)
			}
			last = done
		}})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if tt.calls > 0 && (first == 0 || first >= last) {
			t.Errorf("%s: the first call of Progress says %d, the last %d", tt.name, first, last)
		}
		if calls < tt.calls || tt.calls == 0 && calls > 0 || tt.end > 0 && last != tt.end {
			t.Errorf("%s: %d calls of Progress up to %d, want at least %d up to %d", tt.name, calls, last, tt.calls, tt.end)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string][]byte{"d.gz": gz(dump())})
	t.Run("while unpacking", func(t *testing.T) {
		temp := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Open(ctx, filepath.Join(dir, "d.gz"), Options{TempDir: temp, Progress: func(int64, int64) { cancel() }})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		empty(t, temp)
	})
	t.Run("while a pipe is silent", func(t *testing.T) {
		temp := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		r := &silent{cancel: cancel, end: make(chan struct{})}
		defer close(r.end)
		_, err := Open(ctx, "-", Options{Stdin: r, TempDir: temp})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		empty(t, temp)
	})
}

// silent says something once; when asked again, it cancels and blocks.
type silent struct {
	said   bool
	cancel func()
	end    chan struct{}
}

func (s *silent) Read(b []byte) (int, error) {
	if !s.said {
		s.said = true
		return copy(b, "MDMP"), nil
	}
	s.cancel()
	<-s.end
	return 0, io.EOF
}

func TestDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no device that is always full: %v", err)
	}
	defer full.Close()
	s := &spooler{ctx: t.Context(), dir: "/some/folder"}
	_, truncated, err := s.copyTo(full, bytes.NewReader(dump()), -1, nil)
	if err == nil || truncated != nil {
		t.Fatalf("copyTo = %v, %v, want an error alone", truncated, err)
	}
	for _, want := range []string{"/some/folder", "TMPDIR", "no space left"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q lacks %q", err, want)
		}
	}
}

func TestNoTempDir(t *testing.T) {
	_, err := Open(t.Context(), "-", Options{Stdin: strings.NewReader("MDMP"), TempDir: filepath.Join(t.TempDir(), "absent")})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "temporary file in") {
		t.Errorf("the error is %v", err)
	}
}

// TestMaxWindow: what zstd itself grants, more for large files, and never more
// than 2 GiB.
func TestMaxWindow(t *testing.T) {
	for size, want := range map[int64]uint64{0: 128 << 20, 8 << 20: 128 << 20, 8<<20 + 1: 128<<20 + 16, 100 << 20: 1600 << 20, 128 << 20: 2 << 30, 1 << 40: 2 << 30} {
		if got := maxWindow(size); got != want {
			t.Errorf("maxWindow(%d) = %d, want %d", size, got, want)
		}
	}
}
