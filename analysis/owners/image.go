package owners

import (
	"encoding/binary"
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// images looks at what the words before handles point to.
type images struct {
	hunt   *hunt
	known  map[uint64]*targetInfo
	images map[minidump.VA]*peimage.Image // by base address; nil if there is none

	classes *clr.Reader // of the CLR; nil until the first is asked for
	scanned int         // bytes that were read to find the objects of pointers
}

// targetInfo is what is known of the place a word points to.
type targetInfo struct {
	module string
	offset uint64
	target Target
	class  string
	before uint32 // the vtable is that of a base class so far into the object

	managed *clr.Class // the class of the CLR that the place describes, which is class then; else nil
}

// rank orders targets by how likely they begin an object.
func (t *targetInfo) rank() int {
	switch t.target {
	case TargetClass:
		return 0 // and the handle is known to lie inside of the object
	case TargetVtable:
		return 1
	case TargetData, TargetModule:
		return 2
	case TargetCode:
		return 3
	}
	return 4
}

// of returns what is at an address.
func (m *images) of(address uint64) *targetInfo {
	info := m.known[address]
	if info == nil {
		info = m.look(minidump.VA(address))
		if info.target != TargetModule { // precompiled classes lie in images, among the code
			if c := m.managedClass(address); c != nil {
				info.target, info.class, info.managed = TargetClass, c.Name, c
			}
		}
		m.known[address] = info
	}
	return info
}

func (m *images) look(at minidump.VA) *targetInfo {
	mod, ok := m.hunt.space.modules.Find(at)
	if !ok {
		return &targetInfo{target: TargetMemory}
	}
	info := &targetInfo{module: mod.Name(), offset: uint64(at - mod.BaseOfImage), target: TargetModule}
	executable, known := m.executable(at)
	if !known {
		return info
	}
	if executable {
		info.target = TargetCode
		return info
	}
	info.target = TargetData
	first, ok := m.pointer(at)
	if !ok {
		return info
	}
	if executable, _ := m.executable(minidump.VA(first)); !executable {
		return info
	}
	info.target = TargetVtable
	info.class, info.before = m.rtti(at, mod)
	return info
}

// executable reports whether the address lies in an executable section of a
// module, and whether that is known.
func (m *images) executable(at minidump.VA) (yes, known bool) {
	const memExecute = 0x20000000 // IMAGE_SCN_MEM_EXECUTE
	mod, ok := m.hunt.space.modules.Find(at)
	if !ok {
		return false, false
	}
	img := m.image(mod)
	if img == nil {
		return false, false
	}
	for _, s := range img.Sections {
		if s.Contains(uint32(at - mod.BaseOfImage)) {
			return s.Characteristics&memExecute != 0, true
		}
	}
	return false, true
}

// image returns the headers of a module, or nil if they are nowhere.
func (m *images) image(mod *minidump.Module) *peimage.Image {
	img, ok := m.images[mod.BaseOfImage]
	if !ok {
		img, _ = peimage.NewMapped(imageAt{m, mod.BaseOfImage}, int64(mod.SizeOfImage))
		if m.images == nil {
			m.images = map[minidump.VA]*peimage.Image{}
		}
		m.images[mod.BaseOfImage] = img
	}
	return img
}

// readAt reads memory of the process: what was captured, and else what the
// image file of the module has there before loading.
func (m *images) readAt(p []byte, at minidump.VA) (int, error) {
	if m.hunt.files != nil {
		return m.hunt.files.ReadAt(p, at)
	}
	return m.hunt.mem.ReadAt(p, at)
}

// shift is what to add to an absolute address that readAt reads at this place.
func (m *images) shift(at minidump.VA) minidump.VA {
	if m.hunt.files != nil {
		return m.hunt.files.Shift(at)
	}
	return 0
}

// word reads a number of the size of a pointer.
func (m *images) word(at minidump.VA) (uint64, bool) {
	var b [8]byte
	_, err := m.readAt(b[:m.hunt.space.ptr], at)
	return binary.LittleEndian.Uint64(b[:]), err == nil
}

// pointer reads a pointer of the process.
func (m *images) pointer(at minidump.VA) (uint64, bool) {
	v, ok := m.word(at)
	if v += uint64(m.shift(at)); m.hunt.space.ptr == 4 {
		v = uint64(uint32(v))
	}
	return v, ok
}

// imageAt presents an image from its base address on.
type imageAt struct {
	images *images
	base   minidump.VA
}

func (r imageAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.images.readAt(p, r.base+minidump.VA(off))
	if err != nil && n == 0 {
		return 0, io.EOF
	}
	return n, err
}
