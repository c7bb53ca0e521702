// Package testdump opens dumps for the tests of package analysis and of those
// below it: synthetic ones of package dumptest, and compressed ones of testdata
// and of the folder of real dumps that may lie beside the repository.
package testdump

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// Make makes and opens a synthetic dump.
func Make(t testing.TB, d dumptest.Dump) *minidump.File {
	t.Helper()
	return Bytes(t, d.Bytes())
}

// Bytes opens a dump in memory.
func Bytes(t testing.TB, data []byte) *minidump.File {
	t.Helper()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// root is the root of the repository as seen from a package's folder.
func root(t testing.TB) string {
	t.Helper()
	dir := "."
	for range 8 {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Join(dir, "..")
	}
	t.Fatal("no go.mod above this folder")
	return ""
}

// Open opens a dump; see [Read].
func Open(t testing.TB, path string) *minidump.File {
	t.Helper()
	return Bytes(t, Read(t, path))
}

// Read returns the bytes of a file, unpacked if its name ends in ".gz". The
// path begins at the root of the repository. What lies beside the repository
// ("../shared/dumps/...") need not be there: the test is skipped then.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(path)))
	if os.IsNotExist(err) && strings.HasPrefix(path, "../") {
		t.Skipf("%s is not here", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(z)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}
