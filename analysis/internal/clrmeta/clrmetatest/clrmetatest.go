// Package clrmetatest writes metadata of assemblies for tests, as ECMA-335
// describes it and without the reader: a second transcription must not share the
// first one's mistakes. It imports nothing of the module.
package clrmetatest

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// An Assembly is metadata to be written.
type Assembly struct {
	Name    string // of the assembly; "" for a module that is not its first
	Module  string // of the module; "" for Name and ".dll"
	Classes []Class
	Wide    bool // indexes into heaps have four bytes
	NameAt  int  // where the name of the assembly is to stand, bytes from the start of the metadata; 0: where it comes to
}

// A Class is a row of the table TypeDef. Rows that no class is given for have no
// name; row 1 is the one without a class, <Module>.
type Class struct {
	Row       int
	Namespace string
	Name      string
	In        int    // row of the class it lies in; 0 if in none
	Extends   string // full name; of another assembly unless a class of this one has it; "" for none
	Generic   bool   // Extends is an instantiation of a generic class
}

// FullName is how the runtime writes the name of a class.
func (a *Assembly) FullName(c *Class) string {
	if c.In != 0 {
		return a.FullName(a.class(c.In)) + "+" + c.Name
	}
	if c.Namespace != "" {
		return c.Namespace + "." + c.Name
	}
	return c.Name
}

func (a *Assembly) class(row int) *Class {
	for i := range a.Classes {
		if a.Classes[i].Row == row {
			return &a.Classes[i]
		}
	}
	panic(fmt.Sprintf("no class in row %d", row))
}

// writer collects the heaps and the rows.
type writer struct {
	*Assembly
	strings, blobs []byte
	refs           [][3]uint32 // scope, name, namespace
	specs          []uint32
}

func (w *writer) text(s string) uint32 {
	if s == "" {
		return 0
	}
	at := len(w.strings)
	w.strings = append(append(w.strings, s...), 0)
	return uint32(at)
}

// Bytes writes the metadata.
func (a *Assembly) Bytes() []byte {
	w := &writer{Assembly: a, strings: []byte{0}, blobs: []byte{0}}
	name := w.text(a.Name)
	module := a.Module
	if module == "" {
		module = a.Name + ".dll"
	}
	moduleName, global := w.text(module), w.text("<Module>")
	rows := 1
	for _, c := range a.Classes {
		rows = max(rows, c.Row)
	}
	type def struct{ flags, name, namespace, extends uint32 }
	defs := make([]def, rows+1)
	defs[1].name = global
	nested := make([]int, rows+1)
	for i := range a.Classes {
		c := &a.Classes[i]
		d := def{name: w.text(c.Name), namespace: w.text(c.Namespace), extends: w.extends(c)}
		if c.In != 0 {
			d.flags = 2 // NestedPublic
			nested[c.Row] = c.In
		}
		defs[c.Row] = d
	}
	var in [][2]int
	for row, outer := range nested {
		if outer != 0 {
			in = append(in, [2]int{row, outer})
		}
	}

	var t table
	heaps := byte(0)
	if a.Wide {
		heaps = 7
	}
	assemblies := 0
	if a.Name != "" {
		assemblies = 1
	}
	t.u32(0)
	t.b = append(t.b, 2, 0, heaps, 1)
	counts := []struct{ table, rows int }{{0, 1}, {1, len(w.refs)}, {2, rows}, {0x1b, len(w.specs)}, {0x20, assemblies}, {0x29, len(in)}}
	var valid uint64
	for _, c := range counts {
		if c.rows > 0 {
			valid |= 1 << c.table
		}
	}
	t.u64(valid)
	t.u64(0)
	for _, c := range counts {
		if c.rows > 0 {
			t.u32(uint32(c.rows))
		}
	}
	heap := func(v uint32) { t.index(v, a.Wide) }
	types := max(len(w.refs), rows, len(w.specs)) >= 1<<14
	scopes := len(w.refs) >= 1<<14
	t.u16(0)
	heap(moduleName)
	for range 3 {
		heap(0) // GUIDs
	}
	for _, r := range w.refs {
		t.index(r[0], scopes)
		heap(r[1])
		heap(r[2])
	}
	for _, d := range defs[1:] {
		t.u32(d.flags)
		heap(d.name)
		heap(d.namespace)
		t.index(d.extends, types)
		t.u16(1) // fields
		t.u16(1) // methods
	}
	for _, s := range w.specs {
		heap(s)
	}
	if assemblies > 0 {
		t.u32(0x8004)
		for range 4 {
			t.u16(0)
		}
		t.u32(0)
		heap(0) // key
		heap(name)
		heap(0) // culture
	}
	for _, i := range in {
		t.index(uint32(i[0]), rows >= 1<<16)
		t.index(uint32(i[1]), rows >= 1<<16)
	}
	return w.root(t.b, name)
}

// extends codes an index of the kind TypeDefOrRef.
func (w *writer) extends(c *Class) uint32 {
	if c.Extends == "" {
		return 0
	}
	coded := uint32(0)
	for i := range w.Classes {
		if w.FullName(&w.Classes[i]) == c.Extends {
			coded = uint32(w.Classes[i].Row) << 2
		}
	}
	if coded == 0 {
		coded = w.ref(c.Extends)<<2 | 1
	}
	if !c.Generic {
		return coded
	}
	signature := []byte{0x15, 0x12} // GENERICINST CLASS
	switch {
	case coded < 0x80:
		signature = append(signature, byte(coded))
	case coded < 0x4000:
		signature = append(signature, 0x80|byte(coded>>8), byte(coded))
	default:
		signature = append(signature, 0xc0|byte(coded>>24), byte(coded>>16), byte(coded>>8), byte(coded))
	}
	signature = append(signature, 1, 0x08) // of one number
	w.specs = append(w.specs, uint32(len(w.blobs)))
	w.blobs = append(append(w.blobs, byte(len(signature))), signature...)
	return uint32(len(w.specs))<<2 | 2
}

// ref adds a row of TypeRef for a class of another assembly, and for those it
// lies in.
func (w *writer) ref(full string) uint32 {
	scope := uint32(0)<<2 | 2 // of no AssemblyRef
	outer, name, isNested := full, "", false
	if i := strings.LastIndex(full, "+"); i >= 0 {
		outer, name, isNested = full[:i], full[i+1:], true
	}
	namespace := ""
	if isNested {
		scope = w.ref(outer)<<2 | 3
	} else if i := strings.LastIndex(full, "."); i >= 0 {
		namespace, name = full[:i], full[i+1:]
	} else {
		name = full
	}
	w.refs = append(w.refs, [3]uint32{scope, w.text(name), w.text(namespace)})
	return uint32(len(w.refs))
}

// root puts the streams behind the root.
func (w *writer) root(tables []byte, name uint32) []byte {
	var t table
	t.u32(0x424a5342) // BSJB
	t.u16(1)
	t.u16(1)
	t.u32(0)
	t.u32(12)
	t.b = append(t.b, "v4.0.30319\x00\x00"...)
	t.u16(0)
	t.u16(3)
	off := len(t.b) + 8 + 4 + 8 + 12 + 8 + 8 // of the first stream
	header := func(name string, size int) {
		t.u32(uint32(off))
		t.u32(uint32(size))
		t.b = append(t.b, name...)
		for range 4 - len(name)%4 {
			t.b = append(t.b, 0)
		}
		off += size
	}
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	tables, text, blobs := pad(tables), pad(w.strings), pad(w.blobs)
	header("#~", len(tables))
	if w.NameAt > 0 {
		gap := w.NameAt - int(name) - off
		if gap < 0 {
			panic(fmt.Sprintf("the name cannot stand before %d", off+int(name)))
		}
		tables = append(tables, make([]byte, gap)...)
		off += gap
	}
	header("#Strings", len(text))
	header("#Blob", len(blobs))
	return append(append(append(t.b, tables...), text...), blobs...)
}

// A table is bytes in the making.
type table struct{ b []byte }

func (t *table) u16(v uint16) { t.b = binary.LittleEndian.AppendUint16(t.b, v) }
func (t *table) u32(v uint32) { t.b = binary.LittleEndian.AppendUint32(t.b, v) }
func (t *table) u64(v uint64) { t.b = binary.LittleEndian.AppendUint64(t.b, v) }

func (t *table) index(v uint32, wide bool) {
	if wide {
		t.u32(v)
	} else {
		t.u16(uint16(v))
	}
}

// Image puts metadata into a PE image that is loaded or, if flat, as it is in a
// file: the two differ in where the one section lies. The metadata stands at RVA
// 0x2000 and gap bytes.
func Image(metadata []byte, pointerSize, gap int, flat bool) []byte {
	const rva, fileOffset, cli = 0x2000, 0x200, 0x48
	section := make([]byte, max(cli, gap)+len(metadata))
	le := binary.LittleEndian
	le.PutUint32(section, cli)
	le.PutUint32(section[8:], uint32(rva+max(cli, gap)))
	le.PutUint32(section[12:], uint32(len(metadata)))
	copy(section[max(cli, gap):], metadata)
	at := rva
	if flat {
		at = fileOffset
	}
	image := make([]byte, at+len(section))
	copy(image, "MZ")
	le.PutUint32(image[0x3c:], 0x80)
	copy(image[0x80:], "PE\x00\x00")
	machine, magic, optional, directories := uint16(0x8664), uint16(0x20b), 240, 112
	if pointerSize == 4 {
		machine, magic, optional, directories = 0x14c, 0x10b, 224, 96
	}
	le.PutUint16(image[0x84:], machine)
	le.PutUint16(image[0x86:], 1)
	le.PutUint16(image[0x94:], uint16(optional))
	le.PutUint16(image[0x98:], magic)
	le.PutUint32(image[0x98+56:], uint32(rva+len(section)))
	le.PutUint32(image[0x98+60:], fileOffset)
	le.PutUint32(image[0x98+directories-4:], 16)
	le.PutUint32(image[0x98+directories+14*8:], rva)
	le.PutUint32(image[0x98+directories+14*8+4:], cli)
	h := image[0x98+optional:]
	copy(h, ".text")
	le.PutUint32(h[8:], uint32(len(section)))
	le.PutUint32(h[12:], rva)
	le.PutUint32(h[16:], uint32(len(section)))
	le.PutUint32(h[20:], fileOffset)
	le.PutUint32(h[36:], 0x60000020)
	copy(image[at:], section)
	return image
}
