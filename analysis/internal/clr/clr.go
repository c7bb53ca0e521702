package clr

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A Class is what a MethodTable says of the objects that begin with its address.
type Class struct {
	Name      string // full name, as the runtime writes it: "Orders.Cache+Entry", "Orders.Ledger`1", "System.Byte[]"
	Module    string // the module of its definition by its metadata, for an array that of its elements: "orders.dll"
	Assembly  string // the assembly, without an ending: "orders"
	Size      int    // bytes of an object, from the MethodTable pointer on; for arrays and text without the elements
	Component int    // bytes of an element of an array, or of a character; 0 for other classes
}

// Holds reports whether a field of so many bytes lies in the objects, at an
// offset from the MethodTable pointer. What has elements holds what follows it,
// too.
func (c *Class) Holds(offset, bytes int) bool {
	return offset > 0 && (c.Component > 0 || offset+bytes <= c.Size)
}

// Framework reports whether the class comes with .NET itself, by the name of its
// assembly, and not from the makers of a program.
func (c *Class) Framework() bool {
	switch c.Assembly {
	case "mscorlib", "System", "netstandard", "WindowsBase", "PresentationCore", "PresentationFramework":
		return true
	}
	return strings.HasPrefix(c.Assembly, "System.") || strings.HasPrefix(c.Assembly, "Microsoft.")
}

// Memory is the memory of a process and the images in it.
type Memory interface {
	// ReadAt reads what is at an address, as [io.ReaderAt] does.
	ReadAt(p []byte, at uint64) (int, error)
	// Image returns where the loaded image lies that an address is in.
	Image(at uint64) (base, size uint64, ok bool)
}

// A Reader names classes. It remembers what it found and is for one goroutine.
type Reader struct {
	mem     Memory
	ptr     int // bytes of a pointer
	known   map[key]*Class
	modules map[uint64]*module
	roots   map[uint64]*metadata // by the address of an assembly's name
	budget  int64                // bytes left to search for metadata outside of images
}

type key struct {
	methodTable uint64
	form        form
}

// New returns a Reader for a process whose pointers have 4 or 8 bytes.
func New(mem Memory, pointerSize int) *Reader {
	return &Reader{
		mem: mem, ptr: pointerSize, budget: searchBudget,
		known: map[key]*Class{}, modules: map[uint64]*module{}, roots: map[uint64]*metadata{},
	}
}

// Class returns what a MethodTable says, or nil if there is none at the address.
func (r *Reader) Class(methodTable uint64) *Class {
	var found *Class
	for _, f := range [...]form{tokenInWord, tokenInFlags} {
		c := r.class(methodTable, f, 0)
		if c != nil && found != nil && *c != *found {
			return nil
		}
		if c != nil {
			found = c
		}
	}
	return found
}

// A form says where a MethodTable has the token of its class.
type form uint8

const (
	// tokenInWord has it in 16 bits behind those of m_wFlags2: .NET Framework 4,
	// .NET Core and later ones up to the change.
	tokenInWord form = iota
	// tokenInFlags has it in the upper 24 bits of m_dwFlags2: .NET 9 and 10.
	tokenInFlags
)

// The beginning of a MethodTable. Where the offset depends on the size of a
// pointer, it is in pointers behind methodTableHead bytes.
const (
	methodTableHead = 16 // m_dwFlags, m_BaseSize, flags and token, m_wNumVirtuals, m_wNumInterfaces
	atParent        = 0  // m_pParentMethodTable
	atModule        = 1  // m_pLoaderModule; m_pModule since .NET 8
	atCanonical     = 3  // m_pEEClass or m_pCanonMT
	atElement       = 4  // m_ElementTypeHnd of arrays; else the first of the slots for many purposes
	methodTableLen  = 6  // pointers, two of them slots

	hasComponentSize  = 0x80000000
	genericsMask      = 0x00000030
	typicalGeneric    = 0x00000030
	categoryMask      = 0x000c0000
	categoryArray     = 0x00080000
	categoryVector    = 0x00020000 // of an array: it has one dimension, which counts from 0
	hasIndirectParent = 0x00800000
	hasModuleOverride = 0x0010 // of m_wFlags2, as are the four slots before it
)

// maxDepth is how far a class may be from System.Object.
const maxDepth = 64

// methodTable is the beginning of a MethodTable.
type methodTable struct {
	at                uint64
	flags, base, more uint32 // more is what m_wFlags2 and m_wToken or m_dwFlags2 hold
	virtuals          uint16
	pointers          [methodTableLen]uint64
}

func (r *Reader) read(at uint64) (m methodTable, ok bool) {
	if at == 0 || at%uint64(r.ptr) != 0 {
		return m, false
	}
	var b [methodTableHead + 8*methodTableLen]byte
	size := methodTableHead + r.ptr*methodTableLen
	if n, _ := r.mem.ReadAt(b[:size], at); n < size {
		return m, false
	}
	m.at = at
	m.flags, m.base = binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:])
	m.more, m.virtuals = binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint16(b[12:])
	for i := range m.pointers {
		m.pointers[i] = r.word(b[methodTableHead+i*r.ptr:])
	}
	// The least object has its header, the MethodTable and one field; text has a
	// length of 4 bytes and a character there. The most is what the loader
	// allows, FIELD_OFFSET_LAST_REAL_OFFSET.
	least, most := uint32(3*r.ptr), uint32(1<<27)
	if m.flags&hasComponentSize != 0 {
		return m, m.base >= uint32(2*r.ptr+4) && m.base <= most
	}
	return m, m.base >= least && m.base <= most && m.base%uint32(r.ptr) == 0
}

func (r *Reader) word(b []byte) uint64 {
	if r.ptr == 4 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *Reader) pointer(at uint64) uint64 {
	var b [8]byte
	if n, _ := r.mem.ReadAt(b[:r.ptr], at); n < r.ptr {
		return 0
	}
	return r.word(b[:])
}

func (m *methodTable) token(f form) uint32 {
	if f == tokenInWord {
		return m.more >> 16
	}
	return m.more >> 8
}

// class names the class of a MethodTable, and so those it is derived from.
func (r *Reader) class(at uint64, f form, depth int) *Class {
	k := key{at, f}
	if c, ok := r.known[k]; ok {
		return c
	}
	m, ok := r.read(at)
	if !ok || depth == maxDepth {
		return nil
	}
	r.known[k] = nil // a class is not derived from itself
	c := r.decode(&m, f, depth)
	r.known[k] = c
	return c
}

func (r *Reader) decode(m *methodTable, f form, depth int) *Class {
	c := &Class{Size: int(m.base) - r.ptr}
	if m.flags&hasComponentSize != 0 {
		c.Component = int(m.flags & 0xffff)
		if m.flags&categoryMask == categoryArray {
			return r.array(m, c, f, depth)
		}
	}
	parents := r.parents(m, f, depth)
	for _, at := range r.modulesOf(m, f) {
		mod := r.module(at)
		if mod == nil {
			continue
		}
		name, extends, ok := mod.class(m.token(f))
		if !ok || !m.fitsGeneric(name) || !follows(parents, m, name, extends, mod) {
			continue
		}
		c.Name, c.Module, c.Assembly = name, mod.name, mod.assembly
		return c
	}
	return nil
}

// follows reports whether a class may have the parent of the MethodTable: the
// one that its metadata names, or none if it is System.Object.
func follows(parents []*Class, m *methodTable, name, extends string, mod *module) bool {
	if m.pointers[atParent] == 0 {
		return name == "System.Object" && extends == "" && mod.core()
	}
	return slices.ContainsFunc(parents, func(c *Class) bool { return c.Name == extends })
}

// parents returns the classes that the MethodTable may be derived from. In
// precompiled code the field may hold the address of a cell that holds that of
// the parent; the cell was first addressed as if it were the field of a
// MethodTable, so as to make the same steps lead there.
func (r *Reader) parents(m *methodTable, f form, depth int) []*Class {
	p := m.pointers[atParent]
	candidates := []uint64{p}
	if m.flags&hasIndirectParent != 0 {
		candidates = append(candidates, r.pointer(p), r.pointer(p+methodTableHead))
	}
	var out []*Class
	for _, at := range candidates {
		if c := r.class(at, f, depth+1); at != 0 && c != nil {
			out = append(out, c)
		}
	}
	return out
}

// fitsGeneric reports whether the flags say generic of a class whose name does.
func (m *methodTable) fitsGeneric(name string) bool {
	if m.flags&hasComponentSize != 0 {
		return true // the low flags are the size of an element
	}
	return m.flags&genericsMask != 0 == strings.Contains(name, "`")
}

// array names an array by its elements. Its class has no row of its own and is
// derived from System.Array.
func (r *Reader) array(m *methodTable, c *Class, f form, depth int) *Class {
	element := r.class(m.pointers[atElement], f, depth+1)
	isArray := func(c *Class) bool { return c.Name == "System.Array" }
	if element == nil || !slices.ContainsFunc(r.parents(m, f, depth), isArray) {
		return nil
	}
	c.Module, c.Assembly = element.Module, element.Assembly
	commas := ""
	if rank := (int(m.base) - 3*r.ptr) / 8; m.flags&categoryVector == 0 && rank > 0 && rank <= 32 {
		commas = strings.Repeat(",", rank-1) // beside the elements it has length and lower bound of each dimension
	}
	c.Name = element.Name + "[" + commas + "]"
	return c
}
