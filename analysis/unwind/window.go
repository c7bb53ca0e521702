package unwind

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/minidump"
)

// windowSize is how much memory a window reads at once, in bytes: the frames of
// most threads lie within a page or two.
const windowSize = 2 << 12

// A window reads small pieces of memory that lie close together, such as those of
// a stack, with few reads of the file.
type window struct {
	r     CodeReader
	start minidump.VA
	data  []byte // what is there at start
	buf   [windowSize]byte
}

// at returns the n bytes at addr, with n no more than a page, or false if not all
// of them are there. They are valid until the next call.
func (w *window) at(addr minidump.VA, n int) ([]byte, bool) {
	if p := w.held(addr, n); p != nil {
		return p, true
	}
	const page = windowSize / 2
	// The page may not be there from its beginning: a small dump holds a stack
	// from the stack pointer on.
	for _, start := range [...]minidump.VA{addr &^ (page - 1), addr} {
		got, _ := w.r.ReadAt(w.buf[:], start)
		w.start, w.data = start, w.buf[:max(got, 0)]
		if p := w.held(addr, n); p != nil {
			return p, true
		}
	}
	return nil, false
}

func (w *window) held(addr minidump.VA, n int) []byte {
	skip := uint64(addr - w.start)
	if have := uint64(len(w.data)); skip > have || uint64(n) > have-skip {
		return nil
	}
	return w.data[skip : skip+uint64(n)]
}

// u64 reads a word of eight bytes.
func (w *window) u64(addr minidump.VA) (uint64, bool) {
	p, ok := w.at(addr, 8)
	if !ok {
		return 0, false
	}
	return binary.LittleEndian.Uint64(p), true
}

// readFull reads all of p at addr, whose pieces may come from the dump and from an
// image file.
func readFull(r CodeReader, p []byte, addr minidump.VA) bool {
	for len(p) > 0 {
		n, _ := r.ReadAt(p, addr)
		if n <= 0 {
			return false
		}
		p, addr = p[n:], addr+minidump.VA(n)
	}
	return true
}
