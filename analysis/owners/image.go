package owners

import (
	"encoding/binary"
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// images looks at what the words before handles point to.
type images struct {
	hunt   *hunt
	known  map[uint64]*targetInfo
	images map[minidump.VA]*peimage.Image // by base address; nil if not captured
}

// targetInfo is what is known of the place a word points to.
type targetInfo struct {
	module string
	offset uint64
	target Target
	class  string
	before uint32 // the vtable is that of a base class so far into the object
}

// rank orders targets by how likely they begin an object.
func (t *targetInfo) rank() int {
	switch t.target {
	case TargetVtable:
		return 0
	case TargetData, TargetModule:
		return 1
	case TargetCode:
		return 2
	}
	return 3
}

// of tells what is at an address.
func (m *images) of(address uint64) *targetInfo {
	info := m.known[address]
	if info == nil {
		info = m.look(minidump.VA(address))
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
// module, and whether the dump tells.
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

// image returns the headers of a module, or nil if they were not captured.
func (m *images) image(mod *minidump.Module) *peimage.Image {
	img, ok := m.images[mod.BaseOfImage]
	if !ok {
		img, _ = peimage.NewMapped(memoryOf{m.hunt.mem, mod.BaseOfImage}, int64(mod.SizeOfImage))
		if m.images == nil {
			m.images = map[minidump.VA]*peimage.Image{}
		}
		m.images[mod.BaseOfImage] = img
	}
	return img
}

// pointer reads a pointer of the process.
func (m *images) pointer(at minidump.VA) (uint64, bool) {
	var b [8]byte
	_, err := m.hunt.mem.ReadAt(b[:m.hunt.space.ptr], at)
	return binary.LittleEndian.Uint64(b[:]), err == nil
}

// memoryOf presents memory from a base address on.
type memoryOf struct {
	mem  *minidump.Memory
	base minidump.VA
}

func (r memoryOf) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.mem.ReadAt(p, r.base+minidump.VA(off))
	if err != nil && n == 0 {
		return 0, io.EOF
	}
	return n, err
}
