package analysis

import (
	"bytes"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// openDump makes and opens a synthetic dump.
func openDump(t testing.TB, d dumptest.Dump) *minidump.File {
	t.Helper()
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
