package owners

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/undecorate"
	"github.com/dumpscan/dumpscan/minidump"
)

// maxClassName is the longest name of a class that is read, in bytes.
const maxClassName = 4096

// rtti returns the class that a vtable belongs to, and how far into the object
// the vtable pointer stands. Both compilers keep a pointer before the vtable;
// what it points to is checked in every way there is, since a table of
// functions in C has something else there.
func (m *images) rtti(vtable minidump.VA, mod *minidump.Module) (class string, before uint32) {
	p, ok := m.pointer(vtable - minidump.VA(m.hunt.space.ptr))
	if !ok || !inside(mod, p) {
		return "", 0
	}
	if class, before = m.rttiMSVC(minidump.VA(p), mod); class != "" {
		return class, before
	}
	return m.rttiItanium(vtable, minidump.VA(p))
}

// rttiMSVC reads a complete object locator (RTTICompleteObjectLocator in
// rttidata.h of Visual C++): signature, offset of this vtable in the class,
// cdOffset, type descriptor, class hierarchy; on 64 bits these are RVAs, and
// the locator's own RVA follows. The type descriptor holds two pointers and
// the decorated name.
func (m *images) rttiMSVC(locator minidump.VA, mod *minidump.Module) (class string, before uint32) {
	var b [24]byte
	size := 20
	if m.hunt.space.ptr == 8 {
		size = 24
	}
	if _, err := m.readAt(b[:size], locator); err != nil {
		return "", 0
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	descriptor := uint64(word(3))
	if m.hunt.space.ptr == 8 {
		if word(0) != 1 || locator-minidump.VA(word(5)) != mod.BaseOfImage {
			return "", 0
		}
		descriptor += uint64(mod.BaseOfImage)
	} else if word(0) != 0 {
		return "", 0
	} else {
		descriptor = uint64(uint32(descriptor + uint64(m.shift(locator))))
	}
	if !inside(mod, descriptor) || word(1) >= mod.SizeOfImage {
		return "", 0
	}
	name := m.text(minidump.VA(descriptor) + minidump.VA(2*m.hunt.space.ptr))
	if !strings.HasPrefix(name, ".?A") {
		return "", 0
	}
	return className(name), word(1)
}

// rttiItanium reads what GCC and Clang leave before a vtable: the offset to
// the top of the object and the address of a std::type_info, which is a
// pointer to its own vtable and one to the name
// (https://itanium-cxx-abi.github.io/cxx-abi/abi.html#vtable-components).
func (m *images) rttiItanium(vtable, info minidump.VA) (class string, before uint32) {
	ptr := minidump.VA(m.hunt.space.ptr)
	top, ok := m.word(vtable - 2*ptr)
	if !ok {
		return "", 0
	}
	if ptr == 4 {
		top = uint64(int64(int32(uint32(top))))
	}
	if back := -top; back > 1<<20 {
		return "", 0
	}
	own, ok1 := m.pointer(info)
	at, ok2 := m.pointer(info + ptr)
	if !ok1 || !ok2 {
		return "", 0
	}
	if _, ok := m.hunt.space.modules.Find(minidump.VA(own)); !ok {
		return "", 0
	}
	if _, ok := m.hunt.space.modules.Find(minidump.VA(at)); !ok {
		return "", 0
	}
	name := strings.TrimPrefix(m.text(minidump.VA(at)), "*") // a name of one image only
	if name == "" || !(name[0] == 'N' || name[0] == 'S' || name[0] >= '1' && name[0] <= '9') {
		return "", 0
	}
	return className("_ZTS" + name), uint32(-top)
}

// text reads a string of printable ASCII characters that ends with a zero.
func (m *images) text(at minidump.VA) string {
	var name []byte
	var piece [64]byte
	for len(name) < maxClassName {
		n, err := m.readAt(piece[:], at+minidump.VA(len(name)))
		if end := bytes.IndexByte(piece[:n], 0); end >= 0 {
			name = append(name, piece[:end]...)
			break
		}
		if err != nil {
			return ""
		}
		name = append(name, piece[:n]...)
	}
	if len(name) >= maxClassName || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return string(name)
}

// className makes the name that people wrote of the one in RTTI; what is not
// understood is left as it is.
func className(raw string) string {
	name := undecorate.Name(raw)
	for _, prefix := range []string{"typeinfo name for ", "class ", "struct "} {
		name = strings.TrimPrefix(name, prefix)
	}
	return name
}

func inside(mod *minidump.Module, at uint64) bool {
	return at >= uint64(mod.BaseOfImage) && at-uint64(mod.BaseOfImage) < uint64(mod.SizeOfImage)
}
