package analysis_test

import (
	"encoding/binary"
	"unicode/utf16"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A scene is a stretch of memory in which a test puts structures of Windows.
// It is a second transcription of winternl.h: fields are counted, one behind
// the other, in 32 and 64 bits.
type scene struct {
	base    uint64
	data    []byte
	pointer int
}

func newScene(base uint64, size, pointer int) *scene {
	return &scene{base: base, data: make([]byte, size), pointer: pointer}
}

func (s *scene) u16(at uint64, v uint16) { binary.LittleEndian.PutUint16(s.data[at-s.base:], v) }
func (s *scene) u32(at uint64, v uint32) { binary.LittleEndian.PutUint32(s.data[at-s.base:], v) }

// ptrs puts pointers one behind the other.
func (s *scene) ptrs(at uint64, values ...uint64) {
	for i, v := range values {
		at := at + uint64(i*s.pointer)
		if s.u32(at, uint32(v)); s.pointer == 8 {
			s.u32(at+4, uint32(v>>32))
		}
	}
}

// text puts a UNICODE_STRING at a place, and its characters at another.
func (s *scene) text(at, chars uint64, text string) {
	u := utf16.Encode([]rune(text))
	s.u16(at, uint16(2*len(u)))
	s.u16(at+2, uint16(2*len(u)+2))
	s.ptrs(at+uint64(s.pointer), chars)
	for i, c := range u {
		s.u16(chars+uint64(2*i), c)
	}
}

func (s *scene) by(off32, off64 uint64) uint64 {
	if s.pointer == 4 {
		return off32
	}
	return off64
}

func (s *scene) memory() dumptest.MemoryRange {
	return dumptest.MemoryRange{Start: s.base, Data: s.data}
}

// teb puts a TEB at the start of the scene, whose PEB is 0x2000 behind it.
func (s *scene) teb() (teb, peb uint64) {
	teb, peb = s.base, s.base+0x2000
	s.ptrs(teb, 0x1111, 0x22000, 0x21000, 0, 0x1e00, 0, teb, 0, 42, 43, 0, 0x7777, peb)
	at := teb + uint64(13*s.pointer)
	s.u32(at, 183)
	s.u32(at+4, 2)
	s.u32(teb+s.by(0xbf4, 0x1250), 0xc0000034)
	s.ptrs(teb+s.by(0xe0c, 0x1478), 0x20000)
	s.u32(teb+s.by(0xf28, 0x16b0), 1)
	return teb, peb
}

// process puts a TEB and a PEB with all that it leads to into the scene.
func (s *scene) process() {
	_, peb := s.teb()
	p := uint64(s.pointer)
	ldr, params, chars := peb+0x1000, peb+0x2000, peb+0x3000
	s.u32(peb, 0x00010100) // ReadImageFileExecOptions, BeingDebugged
	s.ptrs(peb+p, 0, 0x400000, ldr, params, 0, 0x340000)
	s.u32(peb+s.by(0x64, 0xb8), 4)
	s.u32(peb+s.by(0x68, 0xbc), 0x70)
	s.u32(peb+s.by(0x88, 0xe8), 2)
	s.ptrs(peb+s.by(0x90, 0xf0), peb+0xf00)
	s.ptrs(peb+0xf00, 0x340000, 0x350000)
	at := peb + s.by(0xa4, 0x118)
	s.u32(at, 10)
	s.u32(at+8, 19041) // OSBuildNumber, and no service pack
	s.u32(at+12, 2)
	s.u32(at+16, 3)
	s.u32(peb+s.by(0x1d4, 0x2c0), 1)
	s.u32(peb+s.by(0x478, 0x7c4), 5)

	head, first, second := ldr+p+8, ldr+0x100, ldr+0x200
	s.u32(ldr, 0x58)
	s.u32(ldr+4, 1)
	s.ptrs(head, first, second, first+2*p, second+2*p, second+4*p, first+4*p)
	module := func(at, next, base uint64, path string, chars uint64) {
		s.ptrs(at, next)
		s.ptrs(at+6*p, base, base+0x1000)
		s.u32(at+8*p, 0x5000)
		s.text(at+9*p, chars, path)
		s.u32(at+s.by(0x44, 0x80), 0x5f000000)
	}
	module(first, second, 0x400000, `C:\a.exe`, chars)
	module(second, head, 0x7ff000, `C:\b\ntdll.dll`, chars+0x100)

	s.u32(params+8, 1)
	s.ptrs(params+0x10, 3)
	at = params + 0x10 + 2*p // behind ConsoleFlags
	s.ptrs(at, 0x50, 0x54, 0x58)
	s.text(at+3*p, chars+0x200, `C:\dir\`)
	s.text(at+6*p, chars+0x300, "")
	s.text(at+8*p, chars+0x400, `C:\a.exe`)
	s.text(at+10*p, chars+0x500, `"C:\a.exe" -x`)
	s.ptrs(at+12*p, chars+0x600)
	at += 13*p + 9*4
	if s.pointer == 8 {
		at += 4
	}
	s.text(at, chars+0x700, "title")
	s.text(at+2*p, chars+0x780, `Winsta0\Default`)
	s.text(at+4*p, chars+0x7c0, "")
	s.environment(chars+0x600, "=C:=C:\\dir\x00PATH=C:\\bin\x00\x00")
}

func (s *scene) environment(at uint64, block string) {
	for i, c := range utf16.Encode([]rune(block)) {
		s.u16(at+uint64(2*i), c)
	}
}

func (s *scene) dump() dumptest.Dump {
	return dumptest.Dump{
		PointerSize: s.pointer, Threads: []dumptest.Thread{{ThreadID: 43, Teb: s.base}},
		Memory: []dumptest.MemoryRange{s.memory()},
	}
}

func ptr[T any](v T) *T { return &v }
