// Cut makes a small dump of a full one for the tests of owners: it keeps the heap
// of the objects of one assembly and what names their classes. In place of the
// images and the metadata of the runtime, which are not ours to publish, it
// writes metadata of its own, in which the classes that are needed stand in the
// same rows, and headers that lead to it.
//
//	go run ./analysis/internal/clr/testdata/cut FULL.dmp ASSEMBLY CUT.dmp
package main

import (
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// leastWords is how many words of a range must be classes of the assembly for it
// to be of the heap.
const leastWords = 100

type cutter struct {
	f       *minidump.File
	mem     *minidump.Memory
	list    []minidump.Module
	modules *symbol.Modules
	ptr     int
	kept    []piece
	tables  map[uint64]bool // MethodTables
	record  bool
}

// A piece is memory to be kept; a later one of the same place is what counts.
type piece struct {
	start uint64
	data  []byte
}

func (c *cutter) ReadAt(p []byte, at uint64) (int, error) {
	n, err := c.mem.ReadAt(p, minidump.VA(at))
	if c.record && n > 0 {
		c.kept = append(c.kept, piece{at, slices.Clone(p[:n])})
	}
	return n, err
}

func (c *cutter) Image(at uint64) (base, size uint64, ok bool) {
	m, ok := c.modules.Find(minidump.VA(at))
	if !ok {
		return 0, 0, false
	}
	return uint64(m.BaseOfImage), uint64(m.SizeOfImage), true
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("cut: ")
	if len(os.Args) != 4 {
		log.Fatal("usage: cut FULL.dmp ASSEMBLY CUT.dmp")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(from, assembly, to string) error {
	f, err := minidump.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	c := &cutter{f: f, ptr: f.PointerSize(), tables: map[uint64]bool{}}
	if c.mem, err = f.Memory(); err != nil {
		return err
	}
	if c.list, err = f.Modules(); err != nil {
		return err
	}
	c.modules = symbol.NewModules(c.list)
	heap := c.heap(assembly)
	if len(heap) == 0 {
		return fmt.Errorf("no range of memory has objects of %s", assembly)
	}
	c.classes(heap)
	for _, m := range c.list {
		if m.Name() == assembly {
			b := make([]byte, m.SizeOfImage)
			for off := 0; off < len(b); off += 4096 { // what of it was captured
				page := b[off:min(off+4096, len(b))]
				if n, _ := c.mem.ReadAt(page, m.BaseOfImage+minidump.VA(off)); n > 0 {
					c.kept = append(c.kept, piece{uint64(m.BaseOfImage) + uint64(off), page[:n]})
				}
			}
		}
	}
	if err := c.replace(assembly); err != nil {
		return err
	}
	c.kept = append(c.kept, heap...)
	return c.write(to)
}

// heap returns the private writable ranges with objects of the assembly.
func (c *cutter) heap(assembly string) []piece {
	r := clr.New(c, c.ptr)
	var out []piece
	infos, err := c.f.MemoryInfos()
	if err != nil {
		log.Fatal(err)
	}
	for m, err := range infos.All() {
		if err != nil {
			log.Fatal(err)
		}
		if m.State != minidump.MemCommit || m.Type != minidump.MemPrivate || !m.Protect.Writable() || m.RegionSize > 64<<20 {
			continue
		}
		b := make([]byte, m.RegionSize)
		n, _ := c.mem.ReadAt(b, m.BaseAddress)
		b = b[:n]
		words := 0
		for i := 0; i+c.ptr <= len(b); i += c.ptr {
			if class := r.Class(c.word(b[i:])); class != nil && class.Assembly == assembly && class.Component == 0 {
				words++
			}
		}
		if words >= leastWords {
			fmt.Printf("heap: 0x%x, %d bytes, %d objects of %s\n", uint64(m.BaseAddress), len(b), words, assembly)
			out = append(out, piece{uint64(m.BaseAddress), b})
		}
	}
	return out
}

func (c *cutter) word(b []byte) uint64 {
	var v uint64
	for i := range c.ptr {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

// classes notes what is read to name the classes of the objects in the heap.
func (c *cutter) classes(heap []piece) {
	known := clr.New(c, c.ptr)
	for _, p := range heap {
		for i := 0; i+c.ptr <= len(p.data); i += c.ptr {
			if v := c.word(p.data[i:]); !c.tables[v] && known.Class(v) != nil {
				c.tables[v] = true
			}
		}
	}
	again := clr.New(c, c.ptr)
	c.record = true
	for at := range c.tables {
		again.Class(at)
	}
	c.record = false
}
