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
// offset from the MethodTable pointer, or may be part of an element.
func (c *Class) Holds(offset, bytes int) bool {
	return offset > 0 && (offset+bytes <= c.Size || bytes <= c.Component)
}

// Framework reports whether an assembly comes with .NET itself, by its name, and
// not from the makers of a program.
func Framework(assembly string) bool {
	switch assembly {
	case "mscorlib", "System", "netstandard", "WindowsBase", "PresentationCore", "PresentationFramework":
		return true
	}
	return strings.HasPrefix(assembly, "System.") || strings.HasPrefix(assembly, "Microsoft.")
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
	ptr     int            // bytes of a pointer
	known   map[key]*Class // those that were found
	left    int            // MethodTables that the question in hand may still look at
	modules map[moduleKey]*module
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
		known: map[key]*Class{}, modules: map[moduleKey]*module{}, roots: map[uint64]*metadata{},
	}
}

// Class returns what a MethodTable says, or nil if there is none at the address.
func (r *Reader) Class(methodTable uint64) *Class {
	var found *Class
	for _, f := range [...]form{tokenInWord, tokenInFlags} {
		r.left = maxMethodTables
		c := r.class(methodTable, f)
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

// maxMethodTables is how many MethodTables are looked at to name one class: its
// parents, in precompiled code each in up to three places, and of an array those
// of its elements. In a sound process a class is a dozen steps from System.Object.
const maxMethodTables = 256

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

// class names the class of a MethodTable, and so those it is derived from. What
// is none is not remembered: nearly every word of a heap is none, and is found
// to be none at once.
func (r *Reader) class(at uint64, f form) *Class {
	if c := r.known[key{at, f}]; c != nil {
		return c
	}
	if r.left--; r.left < 0 {
		return nil
	}
	m, ok := r.read(at)
	if !ok {
		return nil
	}
	c := r.decode(&m, f)
	if c != nil {
		r.known[key{at, f}] = c
	}
	return c
}

func (r *Reader) decode(m *methodTable, f form) *Class {
	c := &Class{Size: int(m.base) - r.ptr}
	if m.flags&hasComponentSize != 0 {
		c.Component = int(m.flags & 0xffff)
		if m.flags&categoryMask == categoryArray {
			return r.array(m, c, f)
		}
	}
	root := m.pointers[atParent] == 0
	parents := r.parents(m, f)
	if !root && len(parents) == 0 {
		return nil
	}
	for _, at := range r.modulesOf(m, f) {
		mod := r.module(moduleKey{at, root})
		if mod == nil {
			continue
		}
		name, extends, ok := mod.class(m.token(f))
		if !ok || !m.fitsGeneric(name) || !follows(parents, name, extends) {
			continue
		}
		c.Name, c.Module, c.Assembly = name, mod.name, mod.assembly
		return c
	}
	return nil
}

// follows reports whether a class has the parent that its metadata names, or
// none if it is System.Object.
func follows(parents []*Class, name, extends string) bool {
	if len(parents) == 0 {
		return name == "System.Object" && extends == ""
	}
	return slices.ContainsFunc(parents, func(c *Class) bool { return c.Name == extends })
}

// parents returns the classes that the MethodTable may be derived from. In
// precompiled code the field may hold the address of a cell that holds that of
// the parent; the cell was first addressed as if it were the field of a
// MethodTable, so as to make the same steps lead there.
func (r *Reader) parents(m *methodTable, f form) []*Class {
	var out []*Class
	add := func(at uint64) {
		if c := r.class(at, f); c != nil {
			out = append(out, c)
		}
	}
	p := m.pointers[atParent]
	if add(p); m.flags&hasIndirectParent != 0 {
		add(r.pointer(p))
		add(r.pointer(p + methodTableHead))
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
func (r *Reader) array(m *methodTable, c *Class, f form) *Class {
	isArray := func(c *Class) bool { return c.Name == "System.Array" }
	if !slices.ContainsFunc(r.parents(m, f), isArray) {
		return nil
	}
	element := r.class(m.pointers[atElement], f)
	if element == nil {
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
