package clr_test

import (
	"encoding/binary"
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta/clrmetatest"
)

// A process is memory with what the runtime keeps in it, written by the layouts
// of the documentation.
type process struct {
	ptr    int
	flags  bool // the token is in m_dwFlags2, as in .NET 9
	base   uint64
	b      []byte
	images []image

	core, orders uint64 // Modules
	object       uint64 // MethodTable of System.Object
}

type image struct{ base, size uint64 }

func (p *process) ReadAt(b []byte, at uint64) (int, error) {
	if at < p.base || at-p.base >= uint64(len(p.b)) {
		return 0, io.EOF
	}
	n := copy(b, p.b[at-p.base:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (p *process) Image(at uint64) (base, size uint64, ok bool) {
	for _, i := range p.images {
		if at-i.base < i.size {
			return i.base, i.size, true
		}
	}
	return 0, 0, false
}

func (p *process) add(b []byte, align int) uint64 {
	p.b = append(p.b, make([]byte, -len(p.b)&(align-1))...)
	at := p.base + uint64(len(p.b))
	p.b = append(p.b, b...)
	return at
}

func (p *process) put(at, v uint64) {
	if p.ptr == 4 {
		binary.LittleEndian.PutUint32(p.b[at-p.base:], uint32(v))
	} else {
		binary.LittleEndian.PutUint64(p.b[at-p.base:], v)
	}
}

// assembly loads an assembly, in an image of the loader or elsewhere as a single
// file has it, and returns its Module. field is the word in which that has the
// name.
func (p *process) assembly(a clrmetatest.Assembly, loaded bool, field int) uint64 {
	const gap = 0x400
	a.NameAt = 0x4000 // as good as any that is large enough
	img := clrmetatest.Image(a.Bytes(), p.ptr, gap, !loaded)
	at := p.add(img, 4096)
	name := at + 0x200 + gap + uint64(a.NameAt)
	if loaded {
		name += 0x2000 - 0x200
		p.images = append(p.images, image{at, uint64(len(img))})
	}
	module := p.add(make([]byte, 64*8), 8)
	p.put(module, 0x7ff0_0000)
	p.put(module+uint64(field*p.ptr), name)
	return module
}

// A table is a MethodTable to be written.
type table struct {
	flags     uint32
	base      int // bytes; 0: the least
	more      uint16
	row       int
	virtuals  int
	parent    uint64
	module    uint64
	canonical uint64
	slots     []uint64 // behind the pointer to the EEClass
}

func (p *process) methodTable(t table) uint64 {
	le := binary.LittleEndian
	if t.base == 0 {
		t.base = 3 * p.ptr
	}
	b := make([]byte, 16+8*24)
	le.PutUint32(b, t.flags)
	le.PutUint32(b[4:], uint32(t.base))
	if p.flags {
		le.PutUint32(b[8:], uint32(t.row)<<8|uint32(t.more)&0xff)
	} else {
		le.PutUint16(b[8:], t.more)
		le.PutUint16(b[10:], uint16(t.row))
	}
	le.PutUint16(b[12:], uint16(t.virtuals))
	at := p.add(b, 8)
	for i, v := range append([]uint64{t.parent, t.module, 0x4444, t.canonical}, t.slots...) {
		p.put(at+16+uint64(i*p.ptr), v)
	}
	return at
}

var coreLib = clrmetatest.Assembly{Name: "System.Private.CoreLib", Classes: []clrmetatest.Class{
	{Row: 5, Namespace: "System", Name: "Object"},
	{Row: 6, Namespace: "System", Name: "Array", Extends: "System.Object"},
	{Row: 7, Namespace: "System", Name: "String", Extends: "System.Object"},
	{Row: 8, Namespace: "System", Name: "ValueType", Extends: "System.Object"},
	{Row: 9, Namespace: "System", Name: "Int64", Extends: "System.ValueType"},
	{Row: 20, Namespace: "System.Collections.Generic", Name: "List`1", Extends: "System.Object"},
}}

var ordersDLL = clrmetatest.Assembly{Name: "orders", Classes: []clrmetatest.Class{
	{Row: 2, Namespace: "Orders", Name: "Cache", Extends: "System.Object"},
	{Row: 3, Name: "Entry", In: 2, Extends: "System.Object"},
	{Row: 4, Namespace: "Orders", Name: "Late", Extends: "Orders.Cache+Entry"},
	{Row: 5, Namespace: "Orders", Name: "Ledger`1", Extends: "System.Object"},
	{Row: 6, Namespace: "Orders", Name: "Numbers", Extends: "System.Collections.Generic.List`1", Generic: true},
	{Row: 20, Namespace: "Orders", Name: "Decoy`1", Extends: "System.Object"}, // the row of List`1
}}

// newProcess is a process with the two assemblies.
func newProcess(ptr int, flags, loaded bool) *process {
	p := &process{ptr: ptr, flags: flags, base: 0x1_4000_0000}
	if ptr == 4 {
		p.base = 0x400_0000
	}
	field := 1
	if flags {
		field = 21
	}
	p.add(make([]byte, 64), 8)
	p.core = p.assembly(coreLib, loaded, field)
	p.orders = p.assembly(ordersDLL, loaded, field)
	p.object = p.methodTable(table{row: 5, module: p.core})
	return p
}

func (p *process) class(at uint64) *clr.Class { return clr.New(p, p.ptr).Class(at) }
