package owners

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
	"github.com/dumpscan/dumpscan/minidump"
)

// processMemory is the memory of the process as the reader of the CLR's classes
// wants it.
type processMemory struct{ *images }

func (m processMemory) ReadAt(p []byte, at uint64) (int, error) {
	return m.images.readAt(p, minidump.VA(at))
}

func (m processMemory) Image(at uint64) (base, size uint64, ok bool) {
	mod, ok := m.hunt.space.modules.Find(minidump.VA(at))
	if !ok {
		return 0, 0, false
	}
	return uint64(mod.BaseOfImage), uint64(mod.SizeOfImage), true
}

// managedClass returns the class of the CLR whose objects begin with the
// address, or nil.
func (m *images) managedClass(at uint64) *clr.Class {
	if m.classes == nil {
		m.classes = clr.New(processMemory{m}, m.hunt.space.ptr)
	}
	return m.classes.Class(at)
}

// beside reports whether the word begins objects of a class of the CLR, and the
// field lies outside of these: it belongs to what stands beside them.
func (s *suspect) beside() bool {
	c := s.image.managed
	return c != nil && !c.Holds(int(s.field.offset), s.field.width)
}

// managed returns the class of the CLR that the objects of the claim are of, or
// nil.
func (c *claim) managed() *clr.Class {
	if c.image == nil {
		return nil
	}
	return c.image.managed
}

// An objectFinder finds the objects of the CLR that pointers stand in. It is to
// be asked in ascending order, and takes from what it read for one pointer what
// it can for the next.
type objectFinder struct {
	images *images
	last   uint64 // the pointer asked for before
	start  uint64 // the object that begins before it, nearest to it; 0 if none is known
	end    uint64 // of that object
	class  *clr.Class
}

const (
	// objectReach is how far before a pointer its object may begin, in bytes: an
	// array of a quarter of a million references.
	objectReach = 2 << 20
	// objectBudget bounds how much is read to find the objects of all pointers,
	// in bytes. In a heap of objects a pointer costs a few words, and in memory
	// of another kind objectReach at most.
	objectBudget = 64 << 20
)

// at returns the object that the pointer at an address stands in.
func (f *objectFinder) at(from uint64) (start uint64, class *clr.Class) {
	ptr := uint64(f.images.hunt.space.ptr)
	known := f.last // what is below was looked at
	if from < known || from-known > objectReach {
		known, f.start = from-min(from, objectReach), 0
	}
	f.last = from
	const piece = 4096
	var buf [piece]byte
scan:
	for at := from; at > known; {
		size := min(at-known, piece)
		b := buf[:size]
		f.images.scanned += int(size)
		if f.images.scanned > objectBudget {
			f.start = 0
			break
		}
		if n, _ := f.images.readAt(b, vaOf(at-size)); uint64(n) < size {
			f.start = 0
			break
		}
		for len(b) >= int(ptr) {
			at -= ptr
			b = b[:len(b)-int(ptr)]
			if f.begins(at, readPointer(buf[len(b):], int(ptr))) {
				break scan
			}
		}
		at -= uint64(len(b))
	}
	if f.start == 0 || from+ptr > f.end || from == f.start {
		return 0, nil
	}
	return f.start, f.class
}

func readPointer(b []byte, size int) uint64 {
	if size == 4 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// begins notes the object at an address if its first word is that of a class.
func (f *objectFinder) begins(at, word uint64) bool {
	if word < minPointer || f.images.hunt.space.kinds.of(word) == 0 {
		return false
	}
	c := f.images.managedClass(word)
	if c == nil {
		return false
	}
	f.start, f.class, f.end = at, c, at+uint64(c.Size)
	if c.Component > 0 {
		var b [4]byte
		n, _ := f.images.readAt(b[:], vaOf(at+uint64(f.images.hunt.space.ptr)))
		if n == len(b) {
			f.end += uint64(c.Component) * uint64(binary.LittleEndian.Uint32(b[:]))
		}
	}
	return true
}
