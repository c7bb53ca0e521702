package dumpfile

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// FuzzOpen feeds hostile input through a pipe: an error comes without a file,
// two runs agree, and nothing is left behind.
func FuzzOpen(f *testing.F) {
	d := small(1)
	for _, seed := range [][]byte{d, gz(d), zst(d), zipOf("a.dmp", d), zipOf("a.dmp", d, "b.dmp.gz", gz(d)), gz(d)[:40], {0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff}} {
		f.Add(seed)
	}
	temp := f.TempDir() // of a worker: one for each input takes more time than the rest
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			return // large inputs only slow the search down
		}
		open := func() ([]byte, string) {
			file, err := Open(context.Background(), "-", Options{Stdin: bytes.NewReader(data), TempDir: temp})
			if err != nil {
				if file != nil {
					t.Error("an error and a file")
				}
				return nil, err.Error()
			}
			defer file.Close()
			got, err := io.ReadAll(io.NewSectionReader(file, 0, file.Size()))
			if err != nil || int64(len(got)) != file.Size() {
				t.Errorf("read %d of %d bytes: %v", len(got), file.Size(), err)
			}
			if file.Truncated() != nil {
				return got, file.Truncated().Error()
			}
			return got, ""
		}
		got1, err1 := open()
		got2, err2 := open()
		if !bytes.Equal(got1, got2) || err1 != err2 {
			t.Errorf("two runs differ: %d bytes %q, %d bytes %q", len(got1), err1, len(got2), err2)
		}
		empty(t, temp)
	})
}
