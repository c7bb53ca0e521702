package dumpfile

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkOpen unpacks a dump of 2 MB that does not compress.
func BenchmarkOpen(b *testing.B) {
	d := dump()
	dir := b.TempDir()
	for _, bb := range []struct {
		name string
		data []byte
	}{{"gzip", gz(d)}, {"zstd", zst(d)}, {"zip", zipOf("a", d)}} {
		name := filepath.Join(dir, bb.name)
		if err := os.WriteFile(name, bb.data, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(d)))
			for b.Loop() {
				f, err := Open(b.Context(), name, Options{TempDir: dir})
				if err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
}
