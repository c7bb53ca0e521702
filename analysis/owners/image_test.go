package owners

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// leaks opens 60 handles and makes an object for each with the given words
// before the handle, and a few behind it.
func (s *ownerScene) leaks(words ...uint64) {
	s.system()
	for _, h := range s.open("Key", 60, func(i int) uint64 { return 0x100 + uint64(12*i) }) {
		s.object(slices.Concat(words, []uint64{h}, make([]uint64, s.rand.IntN(4)))...)
	}
}

// msvc writes what Visual C++ puts before a vtable: the address of a complete
// object locator, here at RVA sceneData+at, and a type descriptor behind it.
func (s *ownerScene) msvc(vtable, at int, name string, offset uint32) {
	le := binary.LittleEndian
	locator, descriptor := sceneData+at, sceneData+at+0x40
	s.put(s.image, sceneVtable+0x40*vtable-s.ptr, s.base+uint64(locator))
	le.PutUint32(s.image[locator+4:], offset)
	if s.ptr == 8 {
		le.PutUint32(s.image[locator:], 1)
		le.PutUint32(s.image[locator+12:], uint32(descriptor))
		le.PutUint32(s.image[locator+20:], uint32(locator))
	} else {
		le.PutUint32(s.image[locator+12:], uint32(s.base)+uint32(descriptor))
	}
	copy(s.image[descriptor+2*s.ptr:], name+"\x00")
}

// itanium writes what GCC puts before a vtable.
func (s *ownerScene) itanium(vtable, at int, name string, top int64) {
	info, text := sceneData+at, sceneData+at+0x40
	place := sceneVtable + 0x40*vtable
	s.put(s.image, place-s.ptr, s.base+uint64(info))
	s.put(s.image, place-2*s.ptr, uint64(top))
	s.put(s.image, info, s.base+sceneData)
	s.put(s.image, info+s.ptr, s.base+uint64(text))
	copy(s.image[text:], name+"\x00")
}

func TestOwnerTargets(t *testing.T) {
	tests := []struct {
		name  string
		ptr   int
		build func(s *ownerScene)
		want  string
	}{
		{"Visual C++", 8, func(s *ownerScene) {
			s.msvc(1, 0x800, ".?AVTask@ns@@", 0)
			s.leaks(s.vtable(1))
		}, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140 ns::Task"},
		{"Visual C++, x86", 4, func(s *ownerScene) {
			s.msvc(1, 0x800, ".?AUTask@@", 0)
			s.leaks(s.vtable(1), 7)
		}, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140 Task"},
		{"the second base of a class", 8, func(s *ownerScene) {
			s.msvc(1, 0x800, ".?AVTask@@", 0)
			s.msvc(2, 0x900, ".?AVTask@@", 16)
			s.leaks(s.vtable(1), 0, s.vtable(2))
		}, "60 of 62 Key at +24 of vtable MyCustomDll+0x2140 Task"},
		{"GCC", 8, func(s *ownerScene) {
			s.itanium(1, 0x800, "N2ns4TaskE", 0)
			s.leaks(s.vtable(1))
		}, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140 ns::Task"},
		{"GCC, x86, the second base of a class", 4, func(s *ownerScene) {
			s.itanium(1, 0x800, "4Task", 0)
			s.itanium(2, 0x900, "4Task", -8)
			s.leaks(s.vtable(1), 0, s.vtable(2))
		}, "60 of 62 Key at +12 of vtable MyCustomDll+0x2140 Task"},
		{"a name that is none", 8, func(s *ownerScene) {
			s.msvc(1, 0x800, ".?AV\x1b[31m@@", 0)
			s.leaks(s.vtable(1))
		}, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140"},
		{"a locator of another image", 8, func(s *ownerScene) {
			s.msvc(1, 0x800, ".?AVTask@@", 0)
			binary.LittleEndian.PutUint32(s.image[sceneData+0x800+20:], 0x1234)
			s.leaks(s.vtable(1))
		}, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140"},
		{"a locator that leads out of the image", 8, func(s *ownerScene) {
			s.msvc(1, 0x800, ".?AVTask@@", 0)
			binary.LittleEndian.PutUint32(s.image[sceneData+0x800+12:], 0xfffffff0)
			s.leaks(s.vtable(1))
		}, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140"},
		{"a pointer to code", 8, func(s *ownerScene) {
			s.leaks(s.base + sceneCode + 0x20)
		}, "60 of 62 Key at +8 of code MyCustomDll+0x1020"},
		{"a pointer to data", 8, func(s *ownerScene) {
			s.leaks(s.base + sceneData + 0x20)
		}, "60 of 62 Key at +8 of data MyCustomDll+0x2020"},
		{"an image without headers", 8, func(s *ownerScene) {
			clear(s.image[:sceneCode])
			s.leaks(s.vtable(1))
		}, "60 of 62 Key at +8 of module MyCustomDll+0x2140"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(1, test.ptr)
			test.build(s)
			if diff := cmp.Diff([]string{test.want}, ownerTexts(s.find(t, Options{}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
