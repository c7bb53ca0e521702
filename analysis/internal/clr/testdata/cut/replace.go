package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta"
	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta/clrmetatest"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// at presents memory from an address on.
type at struct {
	c    *cutter
	base uint64
}

func (r at) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.c.mem.ReadAt(p, minidump.VA(r.base+uint64(off)))
	if n < len(p) && err == nil {
		err = io.EOF
	}
	return n, err
}

// flatSize is how many bytes metadata outside of images has at most; nothing else
// that is kept lies there.
const flatSize = 16 << 20

// metadata is that of an assembly which is not ours.
type metadata struct {
	*clrmeta.Metadata
	root, size uint64
	name       uint64 // address of the assembly's name
	image      uint64 // base; 0 outside of images
	rows       map[uint32]bool
}

// replace puts metadata of our own in the place of that of all assemblies but
// one, which is ours; what was read of their images beside classes goes.
func (c *cutter) replace(own string) error {
	found := map[string]*metadata{}
	reader := clr.New(c, c.ptr)
	// The classes that were asked for and those that they are derived from.
	todo := []uint64{}
	for t := range c.tables {
		todo = append(todo, t)
	}
	for len(todo) > 0 {
		table := todo[0]
		todo = todo[1:]
		class := reader.Class(table)
		b := make([]byte, 16+6*c.ptr)
		if _, err := c.mem.ReadAt(b, minidump.VA(table)); err != nil || class == nil {
			return fmt.Errorf("the class at 0x%x: %v", table, err)
		}
		pointer := func(i int) uint64 { return c.word(b[16+i*c.ptr:]) }
		for _, v := range []uint64{pointer(0), pointer(4)} { // parent, element
			if !c.tables[v] && reader.Class(v) != nil {
				c.tables[v] = true
				todo = append(todo, v)
			}
		}
		if strings.HasSuffix(class.Name, "]") {
			continue
		}
		if err := c.note(found, class, b, table); err != nil {
			return err
		}
	}
	// Of other images nothing is needed: that they are no assemblies does not have to be seen.
	c.kept = slices.DeleteFunc(c.kept, func(p piece) bool {
		base, _, in := c.Image(p.start)
		for _, m := range found {
			in = in && m.image != base
		}
		return in
	})
	var synthetic []piece
	for name, m := range found {
		if name == own {
			if m.image == 0 { // not in the list of modules: it is taken as it is
				start := m.root &^ 4095 // of a file of a few pages, the metadata in the first
				img, err := peimage.NewFile(at{c, start}, flatSize)
				if err != nil {
					return err
				}
				last := img.Sections[len(img.Sections)-1]
				b := make([]byte, last.PointerToRawData+last.SizeOfRawData)
				n, _ := c.mem.ReadAt(b, minidump.VA(start))
				synthetic = append(synthetic, piece{start, b[:n]})
			}
			continue
		}
		c.kept = slices.DeleteFunc(c.kept, func(p piece) bool {
			end := p.start + uint64(len(p.data))
			return p.start < m.root+m.size && end > m.root || m.image != 0 && p.start >= m.image && p.start < m.image+4096 ||
				m.image != 0 && p.start >= m.image && end <= m.root && bytes.HasPrefix(p.data, []byte{0x48, 0, 0, 0}) // CLI header
		})
		pieces, err := c.written(m)
		if err != nil {
			return err
		}
		synthetic = append(synthetic, pieces...)
	}
	c.kept = append(c.kept, synthetic...)
	return nil
}

// note finds the metadata of a class and takes down the rows that name it.
func (c *cutter) note(found map[string]*metadata, class *clr.Class, table []byte, address uint64) error {
	m := found[class.Assembly]
	if m == nil {
		canonical := c.word(table[16+3*c.ptr:])
		tables := []uint64{address}
		if canonical&3 != 0 {
			tables = append(tables, canonical&^3)
		}
		for _, t := range tables {
			b := make([]byte, 16+12*c.ptr)
			c.mem.ReadAt(b, minidump.VA(t))
			for i := 1; i < 12 && m == nil; i++ {
				v := c.word(b[16+i*c.ptr:])
				for _, module := range []uint64{v, c.wrap(t + 16 + uint64(i*c.ptr) + v)} {
					if m = c.metadataOf(module, class.Assembly); m != nil {
						break
					}
				}
			}
		}
		if m == nil {
			return fmt.Errorf("no metadata of %s", class.Assembly)
		}
		found[class.Assembly] = m
	}
	more := binary.LittleEndian.Uint32(table[8:])
	for _, rid := range []uint32{more >> 16, more >> 8} {
		if name, err := m.TypeName(rid); err == nil && name == class.Name {
			m.rows[rid] = true
			return nil
		}
	}
	return fmt.Errorf("no row of %s", class.Name)
}

func (c *cutter) wrap(v uint64) uint64 {
	if c.ptr == 4 {
		return uint64(uint32(v))
	}
	return v
}

// metadataOf finds the metadata that a Module leads to.
func (c *cutter) metadataOf(module uint64, assembly string) *metadata {
	b := make([]byte, 64*c.ptr)
	n, _ := c.mem.ReadAt(b, minidump.VA(module))
	for b = b[:n]; len(b) >= c.ptr; b = b[c.ptr:] {
		name := c.word(b)
		text := make([]byte, len(assembly)+1)
		if n, _ := c.mem.ReadAt(text, minidump.VA(name)); n < len(text) || string(text) != assembly+"\x00" {
			continue
		}
		if base, size, ok := c.Image(name); ok {
			img, err := peimage.NewMapped(at{c, base}, int64(size))
			if err != nil {
				continue
			}
			rva, length, ok, err := img.Metadata()
			if err == nil && ok {
				if m := c.metadataAt(base+uint64(rva), uint64(length), name); m != nil {
					m.image = base
					return m
				}
			}
			continue
		}
		for root := name &^ 3; name-root < 64<<20; root -= 4 {
			var b [4]byte
			if n, _ := c.mem.ReadAt(b[:], minidump.VA(root)); n < 4 {
				break
			}
			if string(b[:]) == "BSJB" {
				if m := c.metadataAt(root, flatSize, name); m != nil {
					return m
				}
			}
		}
	}
	return nil
}

func (c *cutter) metadataAt(root, size, name uint64) *metadata {
	m, err := clrmeta.New(at{c, root}, int64(size))
	if err != nil {
		return nil
	}
	if off, err := m.AssemblyName(); err != nil || root+uint64(off) != name {
		return nil
	}
	return &metadata{Metadata: m, root: root, size: size, name: name, rows: map[uint32]bool{}}
}

// written writes metadata with the same names in the same rows.
func (c *cutter) written(m *metadata) ([]piece, error) {
	a := clrmetatest.Assembly{}
	var err error
	if a.Name, err = m.Assembly(); err != nil {
		return nil, err
	}
	if a.Module, err = m.Module(); err != nil {
		return nil, err
	}
	rows := map[string]int{}
	next := 0
	for rid := range m.rows {
		name, _ := m.TypeName(rid)
		rows[name] = int(rid)
		next = max(next, int(rid)+1)
	}
	add := func(name, extends string, row int) {
		class := clrmetatest.Class{Row: row, Extends: extends, Generic: strings.Contains(extends, "`")}
		if i := strings.LastIndex(name, "+"); i >= 0 {
			class.Name, class.In = name[i+1:], rows[name[:i]]
		} else if i := strings.LastIndex(name, "."); i >= 0 {
			class.Namespace, class.Name = name[:i], name[i+1:]
		} else {
			class.Name = name
		}
		a.Classes = append(a.Classes, class)
	}
	for rid := range m.rows {
		name, _ := m.TypeName(rid)
		for outer := name; strings.Contains(outer, "+"); {
			outer = outer[:strings.LastIndex(outer, "+")]
			if rows[outer] == 0 {
				rows[outer] = next
				next++
			}
		}
	}
	for name, row := range rows {
		extends := ""
		if m.rows[uint32(row)] {
			if extends, err = m.Extends(uint32(row)); err != nil {
				return nil, err
			}
		}
		add(name, extends, row)
	}
	slices.SortFunc(a.Classes, func(a, b clrmetatest.Class) int { return cmp.Compare(a.Row, b.Row) })
	natural := a.Bytes()
	parsed, err := clrmeta.New(bytes.NewReader(natural), int64(len(natural)))
	if err != nil {
		return nil, err
	}
	off, err := parsed.AssemblyName()
	if err != nil {
		return nil, err
	}
	a.NameAt = int(off)
	for (m.name-uint64(a.NameAt))%4 != 0 {
		a.NameAt++
	}
	b := a.Bytes()
	root := m.name - uint64(a.NameAt)
	fmt.Printf("%s: %d rows, %d bytes of metadata\n", a.Name, len(m.rows), len(b))
	out := []piece{{root, b}}
	if m.image == 0 { // memory is captured in pages
		out[0] = piece{root &^ 4095, append(make([]byte, root&4095), b...)}
	}
	if m.image != 0 {
		img := clrmetatest.Image(b, c.ptr, int(root-m.image-0x2000), false)
		out = append(out, piece{m.image, img[:0x400]}, piece{m.image + 0x2000, img[0x2000:0x2048]})
	}
	return out, nil
}
