package testdump

import (
	"bytes"
	"errors"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// ErrBadSector is what reading a damaged part of a disk gives.
var ErrBadSector = errors.New("bad sector")

// Damaged makes and opens a synthetic dump of which size bytes at an anchor of
// its layout cannot be read: see [dumptest.Dump.Layout].
func Damaged(t testing.TB, d dumptest.Dump, anchor string, size int64) *minidump.File {
	t.Helper()
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	at, ok := layout[anchor]
	if !ok {
		t.Fatalf("the dump has no %s", anchor)
	}
	data := d.Bytes()
	f, err := minidump.NewFile(&badDisk{bytes.NewReader(data), at, at + size}, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A badDisk cannot read the bytes from start to end.
type badDisk struct {
	r          *bytes.Reader
	start, end int64
}

func (d *badDisk) ReadAt(p []byte, off int64) (int, error) {
	if off >= d.end || off+int64(len(p)) <= d.start {
		return d.r.ReadAt(p, off)
	}
	if off >= d.start {
		return 0, ErrBadSector
	}
	n, err := d.r.ReadAt(p[:d.start-off], off)
	if err == nil {
		err = ErrBadSector
	}
	return n, err
}
