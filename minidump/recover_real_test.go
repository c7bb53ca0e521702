package minidump_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumpfile"
)

// A patched is a file of which some bytes are others.
type patched struct {
	io.ReaderAt
	off   int64
	bytes []byte
}

func (p patched) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.ReaderAt.ReadAt(b, off)
	for i := range b[:n] {
		if at := off + int64(i) - p.off; at >= 0 && at < int64(len(p.bytes)) {
			b[i] = p.bytes[at]
		}
	}
	return n, err
}

// A damage is what may happen to the head of a dump.
type damage struct {
	name string
	do   func(r io.ReaderAt, head minidump.Header) io.ReaderAt
}

func zeroed(r io.ReaderAt, off int64, n int) io.ReaderAt {
	return patched{r, off, make([]byte, n)}
}

var damages = []damage{
	{"header and directory zeroed", func(r io.ReaderAt, h minidump.Header) io.ReaderAt {
		return zeroed(zeroed(r, 0, 32), int64(h.StreamDirectoryRVA), 12*int(h.NumberOfStreams))
	}},
	{"directory zeroed", func(r io.ReaderAt, h minidump.Header) io.ReaderAt {
		return zeroed(r, int64(h.StreamDirectoryRVA), 12*int(h.NumberOfStreams))
	}},
	{"header zeroed", func(r io.ReaderAt, h minidump.Header) io.ReaderAt { return zeroed(r, 0, 32) }},
	{"signature zeroed", func(r io.ReaderAt, h minidump.Header) io.ReaderAt { return zeroed(r, 0, 4) }},
	{"directory shifted by 4 bytes", func(r io.ReaderAt, h minidump.Header) io.ReaderAt {
		return patched{r, 12, []byte{byte(h.StreamDirectoryRVA) + 4}}
	}},
	{"the streams are elsewhere", func(r io.ReaderAt, h minidump.Header) io.ReaderAt {
		for i := range int64(h.NumberOfStreams) {
			r = patched{r, int64(h.StreamDirectoryRVA) + 12*i + 10, []byte{0x55}}
		}
		return r
	}},
	{"directory is noise", func(r io.ReaderAt, h minidump.Header) io.ReaderAt {
		return patched{r, int64(h.StreamDirectoryRVA), noise(12 * int(h.NumberOfStreams))}
	}},
}

func noise(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// contents is what must be the same after a recovery.
func contents(f *minidump.File) string {
	var b strings.Builder
	show := func(what string, n int, v any, err error) {
		if errors.Is(err, minidump.ErrNoStream) || err != nil && strings.Contains(err.Error(), "too short for") {
			err = minidump.ErrNoStream
		}
		text := fmt.Sprintf("%+v", v)
		if len(text) > 2000 {
			text = text[:1000] + fmt.Sprintf("... %x", len(text))
		}
		fmt.Fprintf(&b, "%s: %d %s %v\n", what, n, text, err)
	}
	hd, err := f.HandleData()
	if hd != nil {
		handles, err := hd.Slice()
		show("handles", len(handles), handles, err)
	} else {
		show("handles", 0, nil, err)
	}
	modules, err := f.Modules()
	show("modules", len(modules), modules, err)
	threads, err := f.Threads()
	show("threads", len(threads), threads, err)
	return b.String()
}

func TestRecoverRealDumps(t *testing.T) {
	t.Parallel()
	var names []string
	for _, dir := range []string{realDumps, realDumps + "/field", realDumps + "/windbg", realDumps + "/diag", "../testdata", "../testdata/*"} {
		found, err := filepath.Glob(dir + "/*dmp*")
		if err != nil {
			t.Fatal(err)
		}
		few := 1000
		if strings.HasSuffix(dir, "diag") || strings.HasSuffix(dir, "*") {
			few = 12 // series of much the same
		}
		for i := 0; i < len(found); i += max(len(found)/few, 1) {
			if info, err := os.Stat(found[i]); err == nil && info.Size() < 4<<20 { // compressed
				names = append(names, found[i])
			}
		}
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			file, err := dumpfile.Open(t.Context(), name, dumpfile.Options{TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			testRecover(t, file)
		})
	}
}

func testRecover(t *testing.T, file *dumpfile.File) {
	intact, err := file.Dump()
	if err != nil {
		return // it is no minidump
	}
	if _, err := intact.Directory(); err != nil {
		return
	}
	want := contents(intact)
	same, err := minidump.Recover(t.Context(), file, file.Size())
	if err != nil {
		t.Fatal(err)
	}
	if got := same.Recovered(); len(got) > 0 {
		t.Errorf("it is intact, but %+v were recovered", got)
	}
	some := damages
	if file.Size() > 1<<20 {
		some = damages[:1]
	}
	for _, d := range some {
		got := ""
		f, err := minidump.Recover(t.Context(), d.do(file, intact.Header), file.Size())
		if err != nil && strings.Count(want, minidump.ErrNoStream.Error()) == 3 {
			continue // there is nothing to find
		}
		if err == nil {
			got = contents(f)
		}
		if got != want {
			t.Errorf("%s: %v\n%s", d.name, err, cmp.Diff(want, got))
		}
	}
}

func TestRecoverNothing(t *testing.T) {
	for _, data := range [][]byte{nil, {0}, make([]byte, 1<<20), noise(4 << 20), bytes.Repeat([]byte{1, 0, 0, 0}, 1<<16), []byte(strings.Repeat("text, ", 1<<16))} {
		f, err := minidump.Recover(t.Context(), bytes.NewReader(data), int64(len(data)))
		if f != nil || !errors.Is(err, minidump.ErrNotMinidump) {
			t.Errorf("%d bytes of nothing: %v, %v", len(data), f, err)
		}
	}
}
