package clr

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

// modulesOf returns the Modules that may define the class of a MethodTable.
//
// Up to .NET 7 the field has the module whose loader made the MethodTable. That
// is the one of the definition unless the class is generic: then the canonical
// MethodTable counts, and that may have the module of the definition in one of
// its slots (MethodTable::GetModule). Precompiled code may have the distance to
// the Module instead of its address.
func (r *Reader) modulesOf(m *methodTable, f form) []uint64 {
	generic := m.flags&hasComponentSize == 0 && m.flags&genericsMask != 0
	if f == tokenInWord && generic {
		canonical := m.pointers[atCanonical]
		if low := canonical & 3; low == 1 || low == 2 {
			c, ok := r.read(canonical &^ 3)
			if !ok {
				return nil
			}
			m = &c
		} else if low == 3 {
			c, ok := r.read(r.pointer(canonical &^ 3))
			if !ok {
				return nil
			}
			m = &c
		}
		if m.more&hasModuleOverride != 0 {
			slot := r.overrideSlot(m)
			p := r.pointer(slot)
			return []uint64{p, r.wrap(slot + p)}
		}
	}
	p := m.pointers[atModule]
	return []uint64{p, r.wrap(m.at + methodTableHead + uint64(atModule*r.ptr) + p)}
}

// wrap makes an address of a sum: distances may be negative.
func (r *Reader) wrap(at uint64) uint64 {
	if r.ptr == 4 {
		return uint64(uint32(at))
	}
	return at
}

// overrideSlot returns where a MethodTable has the module of its definition. The
// slots for many purposes are taken in the order of their flags: the one of
// generic arguments and that of interfaces have the two fixed places; where one
// of them is missing another takes its place, and the rest stands behind the
// pointers to the virtual methods, one pointer for eight of them.
func (r *Reader) overrideSlot(m *methodTable) uint64 {
	const arguments, interfaces, dispatch, nonVirtual = 1, 2, 4, 8
	at := func(i int) uint64 { return m.at + methodTableHead + uint64((atElement+i)*r.ptr) }
	var free []int
	if m.more&arguments == 0 {
		free = append(free, 0)
	}
	if m.more&interfaces == 0 {
		free = append(free, 1)
	}
	before := 0
	for _, flag := range [...]uint32{dispatch, nonVirtual} {
		if m.more&flag != 0 {
			before++
		}
	}
	if before < len(free) {
		return at(free[before])
	}
	chunks := (int(m.virtuals) + 7) / 8
	return at(2 + chunks + before - len(free))
}

// A module is a Module of the runtime whose metadata was found.
type module struct {
	*metadata
	name     string // "orders.dll"
	assembly string // "orders"
}

// metadata is found once for all that lead to it.
type metadata struct {
	*clrmeta.Metadata
	names map[uint32]named
}

type named struct {
	name, extends string
	ok            bool
}

// class returns the names of the class with a token and of its parent.
func (m *metadata) class(rid uint32) (name, extends string, ok bool) {
	n, known := m.names[rid]
	if !known {
		var err1, err2 error
		n.name, err1 = m.TypeName(rid)
		n.extends, err2 = m.Extends(rid)
		n.ok = err1 == nil && err2 == nil
		m.names[rid] = n
	}
	return n.name, n.extends, n.ok
}

// moduleKey is the address of a Module and whether it must be that of the core
// library, which has System.Object.
type moduleKey struct {
	at   uint64
	core bool
}

// moduleLen is how much of a Module is looked at, in pointers: m_pSimpleName is
// the second up to .NET 5, the 22nd in .NET 10.
const moduleLen = 64

// module returns the Module at an address, or nil.
//
// It is known by m_pSimpleName, the name of its assembly. The runtime does not
// copy the name: the pointer leads to the text in the metadata of the assembly.
// So a pointer that leads to precisely where the metadata of an image has the
// name of its assembly is that field, wherever it stands.
func (r *Reader) module(k moduleKey) *module {
	m, ok := r.modules[k]
	if ok || k.at == 0 || k.at%uint64(r.ptr) != 0 {
		return m
	}
	b := make([]byte, moduleLen*r.ptr)
	n, _ := r.mem.ReadAt(b, k.at)
	for b = b[:n]; len(b) >= r.ptr && m == nil; b = b[r.ptr:] {
		if at := r.word(b); at >= 1<<16 && (!k.core || r.namesCore(at)) {
			m = r.named(at)
		}
	}
	if m != nil || !k.core { // what has a class with a sound parent is remembered in any case
		r.modules[k] = m
	}
	return m
}

// namesCore reports whether the name of the core library stands at an address:
// that of .NET, or of .NET Framework.
func (r *Reader) namesCore(at uint64) bool {
	var b [len("System.Private.CoreLib") + 1]byte
	n, _ := r.mem.ReadAt(b[:], at)
	name, _, ended := bytes.Cut(b[:n], []byte{0})
	return ended && (string(name) == "System.Private.CoreLib" || string(name) == "mscorlib")
}

// named returns the module whose assembly's name stands at an address.
func (r *Reader) named(at uint64) *module {
	meta, ok := r.roots[at]
	if !ok {
		if base, size, in := r.mem.Image(at); in {
			meta = r.ofImage(at, base, size)
		} else {
			meta = r.behind(at)
		}
		r.roots[at] = meta
	}
	if meta == nil {
		return nil
	}
	m := &module{metadata: meta}
	var err1, err2 error
	m.assembly, err1 = meta.Assembly()
	m.name, err2 = meta.Module()
	if err1 != nil || err2 != nil || m.assembly == "" {
		return nil
	}
	return m
}

// ofImage returns the metadata of a loaded image if the name of its assembly
// stands at the address.
func (r *Reader) ofImage(at, base, size uint64) *metadata {
	img, err := peimage.NewMapped(process{r.mem, base}, int64(size))
	if err != nil {
		return nil
	}
	rva, length, ok, err := img.Metadata()
	if err != nil || !ok {
		return nil
	}
	return r.atRoot(base+uint64(rva), int64(length), at)
}

// atRoot reads metadata, if it has the name of its assembly at the address.
func (r *Reader) atRoot(root uint64, size int64, name uint64) *metadata {
	m, err := clrmeta.New(process{r.mem, root}, size)
	if err != nil {
		return nil
	}
	off, err := m.AssemblyName()
	if err != nil || root+uint64(off) != name {
		return nil
	}
	return &metadata{Metadata: m, names: map[uint32]named{}}
}

const (
	// searchReach is how far before the name of an assembly its metadata may
	// begin, in bytes; that of the largest assemblies of .NET has a tenth of it.
	searchReach = 128 << 20
	// searchBudget bounds all these searches together, in bytes: in a sound
	// process a few assemblies lie outside of images.
	searchBudget = 1 << 30
	searchPiece  = 64 << 10
)

// behind looks for metadata outside of the images of the loader, where the
// assemblies of a program in a single file are, and those that were loaded from
// bytes. It goes back from the name to where metadata begins.
func (r *Reader) behind(at uint64) *metadata {
	if !r.isName(at) {
		return nil
	}
	signature := []byte("BSJB")
	buf := make([]byte, searchPiece+len(signature)-1)
	for end := at; at-end < searchReach && r.budget > 0; {
		step := min(end, searchPiece)
		piece := buf[:min(step+uint64(len(signature))-1, at-end+step)]
		n, err := r.mem.ReadAt(piece, end-step)
		if n < len(piece) || err != nil && err != io.EOF {
			step, piece = r.tail(end, piece) // memory begins in the middle of it
		}
		if step == 0 {
			return nil
		}
		end -= step
		r.budget -= int64(step)
		for i := len(piece); ; {
			if i = bytes.LastIndex(piece[:i], signature); i < 0 {
				break
			}
			root := end + uint64(i)
			if root%4 != 0 {
				continue
			}
			if m := r.atRoot(root, searchReach, at); m != nil {
				return m
			}
		}
	}
	return nil
}

// tail reads as much memory as there is before an address, less than a piece,
// page by page.
func (r *Reader) tail(end uint64, buf []byte) (uint64, []byte) {
	const page = 4096
	var have uint64
	for {
		from := (end - have - 1) &^ (page - 1)
		size := end - have - from
		if end-have == 0 || have+size > uint64(len(buf)) {
			break
		}
		if n, _ := r.mem.ReadAt(buf[:size], from); uint64(n) < size {
			break
		}
		have += size
	}
	n, _ := r.mem.ReadAt(buf[:have], end-have)
	return have, buf[:n]
}

// isName reports whether a text stands at an address that may be the name of an
// assembly: letters, digits and a few signs.
func (r *Reader) isName(at uint64) bool {
	var b [256]byte
	n, _ := r.mem.ReadAt(b[:], at)
	end := bytes.IndexByte(b[:n], 0)
	if end <= 0 || !utf8.Valid(b[:end]) {
		return false
	}
	return !bytes.ContainsFunc(b[:end], func(c rune) bool { return c < ' ' || c == 0x7f || c == '/' || c == '\\' || c == ':' })
}

// process presents memory from an address on.
type process struct {
	mem  Memory
	base uint64
}

func (p process) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.mem.ReadAt(b, p.base+uint64(off))
	if n < len(b) && err == nil {
		err = io.EOF
	}
	return n, err
}
