package owners

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// ownerScene is a process made for the owner hunt: one module with a section
// of code, one of constants and one of variables, a heap, and handles.
type ownerScene struct {
	ptr     int // 8 or 4
	rand    *rand.Rand
	handles []dumptest.Handle
	image   []byte
	base    uint64
	heap    []byte
	heapAt  uint64
	noInfos bool // no MemoryInfoList
	time    uint32
}

const (
	sceneCode   = 0x1000 // RVAs of the sections
	sceneData   = 0x2000
	sceneVars   = 0x4000 // variables
	sceneImage  = 0x9000 // size
	sceneVtable = sceneData + 0x100
)

func newScene(seed uint64, ptr int) *ownerScene {
	s := &ownerScene{ptr: ptr, rand: rand.New(rand.NewPCG(seed, 0)), base: 0x7ff612340000, heapAt: 0x1f0_10000000}
	if ptr == 4 {
		s.base, s.heapAt = 0x10000000, 0x5000000
	}
	s.image = sceneHeaders(ptr)
	// Vtables without RTTI: three functions each, 0x40 bytes apart.
	for at := sceneVtable; at < sceneVtable+0x400; at += 0x40 {
		for i := range 3 {
			s.put(s.image, at+i*ptr, s.base+sceneCode+uint64(at-sceneVtable+16*i))
		}
	}
	return s
}

// sceneHeaders is a PE image of two sections, as loaded.
func sceneHeaders(ptr int) []byte {
	image := make([]byte, sceneImage)
	le := binary.LittleEndian
	copy(image, "MZ")
	le.PutUint32(image[0x3c:], 0x80)
	copy(image[0x80:], "PE\x00\x00")
	machine, magic, optional := uint16(0x8664), uint16(0x20b), 240
	if ptr == 4 {
		machine, magic, optional = 0x14c, 0x10b, 224
	}
	le.PutUint16(image[0x84:], machine)
	le.PutUint16(image[0x86:], 3) // sections
	le.PutUint16(image[0x94:], uint16(optional))
	le.PutUint16(image[0x98:], magic)
	le.PutUint32(image[0x98+56:], sceneImage)
	le.PutUint32(image[0x98+60:], 0x400) // SizeOfHeaders
	section := image[0x98+optional:]
	for i, s := range []struct {
		name               string
		rva, size, purpose uint32
	}{
		{".text", sceneCode, sceneData - sceneCode, 0x60000020},
		{".rdata", sceneData, sceneVars - sceneData, 0x40000040},
		{".data", sceneVars, sceneImage - sceneVars, 0xc0000040},
	} {
		h := section[40*i:]
		copy(h, s.name)
		le.PutUint32(h[8:], s.size)
		le.PutUint32(h[12:], s.rva)
		le.PutUint32(h[36:], s.purpose)
	}
	return image
}

// put writes a pointer-sized word.
func (s *ownerScene) put(b []byte, at int, v uint64) {
	if s.ptr == 4 {
		binary.LittleEndian.PutUint32(b[at:], uint32(v))
	} else {
		binary.LittleEndian.PutUint64(b[at:], v)
	}
}

// vtable is the address of one of the vtables.
func (s *ownerScene) vtable(i int) uint64 { return s.base + sceneVtable + uint64(0x40*i) }

// open makes n handles of a type with the given values.
func (s *ownerScene) open(typ string, n int, value func(i int) uint64) []uint64 {
	values := make([]uint64, n)
	for i := range values {
		values[i] = value(i)
		s.handles = append(s.handles, dumptest.Handle{Value: values[i], Type: typ})
	}
	return values
}

// system opens what every process has, at the lowest values.
func (s *ownerScene) system() {
	for i, typ := range []string{"Event", "Key", "File", "Directory", "IoCompletion", "Thread", "Key", "Event"} {
		s.open(typ, 1, func(int) uint64 { return uint64(4 * (i + 1)) })
	}
}

// object appends words to the heap, a small header before them as heaps have.
// It returns the address of the first word.
func (s *ownerScene) object(words ...uint64) uint64 {
	header := make([]byte, 2*s.ptr)
	s.rand.Uint64()
	binary.LittleEndian.PutUint64(header, s.rand.Uint64())
	s.heap = append(s.heap, header...)
	at := s.heapAt + uint64(len(s.heap))
	b := make([]byte, len(words)*s.ptr)
	for i, w := range words {
		s.put(b, i*s.ptr, w)
	}
	s.heap = append(s.heap, b...)
	return at
}

// noise appends n words of what heaps are full of.
func (s *ownerScene) noise(n int) {
	words := make([]uint64, n)
	for i := range words {
		switch s.rand.IntN(8) {
		case 0, 1, 2: // zero
		case 3:
			words[i] = uint64(s.rand.IntN(64))
		case 4:
			words[i] = uint64(s.rand.IntN(64)) * 16
		case 5:
			words[i] = s.heapAt + uint64(s.rand.IntN(1<<20))*16
		case 6:
			words[i] = s.base + sceneData + uint64(s.rand.IntN(0x80))*8
		default:
			words[i] = s.rand.Uint64()
		}
	}
	s.object(words...)
}

// dump writes the scene down.
func (s *ownerScene) dump() dumptest.Dump {
	d := dumptest.Dump{
		PointerSize: s.ptr, TimeDateStamp: s.time,
		Flags:      dumptest.WithFullMemory | dumptest.WithHandleData,
		HandleData: &dumptest.HandleData{Handles: s.handles},
		Modules:    []dumptest.Module{{Base: s.base, Size: sceneImage, Name: `C:\srv\MyCustomDll.dll`}},
		Memory64:   []dumptest.MemoryRange{{Start: s.heapAt, Data: s.heap}, {Start: s.base, Data: s.image}},
	}
	if s.ptr == 8 {
		d.Memory64[0], d.Memory64[1] = d.Memory64[1], d.Memory64[0]
	}
	if !s.noInfos {
		d.MemoryInfos = &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
			{BaseAddress: s.heapAt, AllocationBase: s.heapAt, RegionSize: uint64(len(s.heap)), Protect: 4, Type: 0x20000},
			{BaseAddress: s.base, AllocationBase: s.base, RegionSize: sceneImage, Protect: 2, Type: 0x1000000},
		}}
	}
	return d
}

func (s *ownerScene) file(t testing.TB) *minidump.File {
	t.Helper()
	return openScene(t, s.dump())
}

func openScene(t testing.TB, d dumptest.Dump) *minidump.File {
	t.Helper()
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// find hunts for owners.
func (s *ownerScene) find(t testing.TB, o Options) *Report {
	t.Helper()
	r, err := Find(t.Context(), s.file(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ownerText is an owner in short, for comparisons.
func ownerText(o *Owner) string {
	place := fmt.Sprintf("%s+%#x", o.Module, o.ModuleOffset)
	if o.Module == "" {
		place = o.Address.String()
	}
	switch o.Kind {
	case KindArray, KindGlobal:
		return fmt.Sprintf("%d of %d %s, %d bytes in %s every %d at %s", o.Handles, o.Of, o.Type, o.Width, o.Kind, o.Stride, place)
	case KindRecord:
		place = fmt.Sprintf("%s %#x %q", o.Kind, o.Constant, o.Text)
	default:
		place = string(o.Target) + " " + place
	}
	if o.Class != "" {
		place += " " + o.Class
	}
	at := fmt.Sprintf("at %+d", o.FieldOffset)
	if o.Start && o.WordOffset != 0 {
		at += fmt.Sprintf("-%d", o.WordOffset)
	}
	if o.Width == 4 && o.Kind != KindObject {
		at = "4 bytes " + at
	}
	return fmt.Sprintf("%d of %d %s %s of %s", o.Handles, o.Of, o.Type, at, place)
}

func ownerTexts(r *Report) []string {
	texts := []string{}
	for i := range r.Owners {
		texts = append(texts, ownerText(&r.Owners[i]))
	}
	return texts
}

// blob appends bytes to the heap, a header before them, and returns where.
func (s *ownerScene) blob(b []byte) uint64 {
	at := s.object()
	s.heap = append(s.heap, b...)
	s.heap = append(s.heap, make([]byte, -len(b)&15)...)
	return at
}
