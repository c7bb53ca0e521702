package pdb_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// large is a PDB of more than 100 MB: 2000 modules of 250 functions with 60 lines each, and half a million public
// symbols. It is made once, and only for benchmarks.
var large = sync.OnceValue(func() []byte { return program(2000, 250, 60).Bytes() })

// lump is a PDB of the same size whose code is all of one module, as link-time optimization leaves it.
var lump = sync.OnceValue(func() []byte { return program(1, 500_000, 12).Bytes() })

func program(modules, functions, lines int) pdbtest.PDB {
	const size = 0x100
	p := pdbtest.PDB{Age: 1, Machine: 0x8664, Sections: []pdbtest.Section{{RVA: 0x1000, Size: uint32(modules * functions * size)}}}
	var off uint32
	for m := range modules {
		mod := pdbtest.Module{Name: fmt.Sprintf(`d:\build\project\subsystem\object_%05d.obj`, m)}
		for i := range functions {
			f := pdbtest.Proc{Name: fmt.Sprintf("project::subsystem_%05d::Class::method_%06d", m, i),
				Extent: pdbtest.Extent{Seg: 1, Off: off, Size: size}}
			for l := range lines {
				f.Lines = append(f.Lines, pdbtest.Line{Off: uint32(4 * l), File: mod.Name + ".cpp", Line: uint32(10*i + l)})
			}
			mod.Procs = append(mod.Procs, f)
			p.Publics = append(p.Publics, pdbtest.Public{Name: "?" + f.Name + "@@YAXXZ", Seg: 1, Off: off})
			off += size
		}
		p.Modules = append(p.Modules, mod)
	}
	return p
}

// counter counts what is read.
type counter struct {
	io.ReaderAt
	bytes, reads atomic.Int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.bytes.Add(int64(len(p)))
	c.reads.Add(1)
	return c.ReaderAt.ReadAt(p, off)
}

func write(b *testing.B, data []byte) *os.File {
	b.Helper()
	if len(data) < 100<<20 {
		b.Fatalf("only %d bytes", len(data))
	}
	name := filepath.Join(b.TempDir(), "large.pdb")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

// BenchmarkColdLookup opens a PDB of over 100 MB and names one address, every time anew. Compare BenchmarkCat.
func BenchmarkColdLookup(b *testing.B) {
	for name, data := range map[string]func() []byte{"modules=2000": large, "modules=1": lump} {
		b.Run(name, func(b *testing.B) {
			r := &counter{ReaderAt: write(b, data())}
			size := int64(len(data()))
			b.ReportAllocs()
			for b.Loop() {
				f, err := pdb.NewFile(r, size)
				if err != nil {
					b.Fatal(err)
				}
				if s, ok, err := f.Lookup(0x1000 + 0x100*123456 + 0x10); !ok || s.Line == 0 || err != nil {
					b.Fatal(s, ok, err)
				}
			}
			b.ReportMetric(float64(r.bytes.Load())/float64(b.N), "read-B/op")
			b.ReportMetric(float64(r.reads.Load())/float64(b.N), "reads/op")
			b.ReportMetric(float64(size), "file-B")
		})
	}
}

// BenchmarkCat reads the same file from end to end, as cat does.
func BenchmarkCat(b *testing.B) {
	f := write(b, large())
	buf := make([]byte, 128<<10)
	for b.Loop() {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, buf)
		if err != nil || n < 100<<20 {
			b.Fatal(n, err)
		}
	}
	b.SetBytes(int64(len(large())))
}

// BenchmarkWarmLookup names addresses of modules that have been visited before.
func BenchmarkWarmLookup(b *testing.B) {
	data := program(50, 100, 20).Bytes()
	f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := uint32(0); b.Loop(); i++ {
		if _, ok, err := f.Lookup(0x1000 + i*997%(50*100*0x100)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkAscending opens a PDB and names 10,000 addresses in ascending order, as a report does. With -pdbs it does so
// for each PDB of that folder, over its code.
func BenchmarkAscending(b *testing.B) {
	run := func(name string, data []byte, addresses []uint32) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					b.Fatal(err)
				}
				for _, rva := range addresses {
					if _, _, err := f.Lookup(rva); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	const n = 10_000
	even := func(lo, hi uint32) (out []uint32) {
		for i := range uint64(n) {
			out = append(out, lo+uint32(uint64(hi-lo)*i/n))
		}
		return out
	}
	run("made", program(50, 100, 20).Bytes(), even(0x1000, 0x1000+50*100*0x100))
	for _, path := range pdb.Folder() {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		if f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data))); err == nil {
			run(filepath.Base(path), data, f.CodeAddresses(n))
		}
	}
}
