package analysis

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// A processMemory reads structures of Windows in the memory of a process.
type processMemory struct {
	*minidump.Memory
	// left is how many bytes may still be read: structures and texts of a
	// hostile dump may overlap, so that a small file would unfold to a large
	// answer.
	left int64
	size int64 // of the file
}

// overlap is how many times the size of the file may be read of structures and
// texts. Windows keeps each once; some are read two or three times.
const overlap = 4

// spend counts bytes that are read.
func (m *processMemory) spend(n int) error {
	if m.left -= int64(n); m.left < 0 {
		return fmt.Errorf("overlapping structures: they are together more than %d times the file", overlap)
	}
	return nil
}

func newProcessMemory(f *minidump.File, m *minidump.Memory) *processMemory {
	return &processMemory{Memory: m, left: overlap * f.Size(), size: f.Size()}
}

// A field is where a structure of Windows has something: bytes from its start
// in a process of 32 and of 64 bits, as headers write it: 00c/018.
type field [2]uint16

// A structure is one in the memory of a process, as far as it was captured.
type structure struct {
	what    string // "the PEB", for messages
	at      minidump.VA
	pointer int // bytes
	first   int // where in the structure buf begins
	buf     []byte
	lost    bool // a field was asked for that was not captured
}

// structure reads the first bytes of a structure, up to what lies behind the
// field end. The error wraps [minidump.ErrNotCaptured] if there are none.
func (m *processMemory) structure(what string, at minidump.VA, pointer int, end field) (*structure, error) {
	return m.part(what, at, pointer, field{}, end)
}

// part is structure for what lies from one field up to what is behind another: there
// is more of a TEB between its fields than in them.
func (m *processMemory) part(what string, at minidump.VA, pointer int, from, end field) (*structure, error) {
	s := &structure{what: what, at: at, pointer: pointer, first: from.of(pointer)}
	s.buf = make([]byte, end.of(pointer)-s.first)
	n, err := m.ReadAt(s.buf, at+minidump.VA(s.first))
	s.buf = s.buf[:n]
	if err == nil || n > 0 && errors.Is(err, minidump.ErrNotCaptured) {
		err = m.spend(n)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

func (f field) of(pointer int) int {
	if pointer == 4 {
		return int(f[0])
	}
	return int(f[1])
}

// bytes returns n bytes of a field, which are zero if they were not captured.
func (s *structure) bytes(off, n int) []byte {
	if off -= s.first; off < 0 || off+n > len(s.buf) {
		s.lost = true
		return make([]byte, n)
	}
	return s.buf[off : off+n]
}

func (s *structure) bool8(f field) bool { return s.bytes(f.of(s.pointer), 1)[0] != 0 }

func (s *structure) u16(f field) uint16 {
	return binary.LittleEndian.Uint16(s.bytes(f.of(s.pointer), 2))
}

func (s *structure) u32(f field) uint32 {
	return binary.LittleEndian.Uint32(s.bytes(f.of(s.pointer), 4))
}

// ptr reads a pointer or a handle.
func (s *structure) ptr(f field) uint64 { return s.pointerAt(f.of(s.pointer)) }

func (s *structure) va(f field) minidump.VA { return minidump.VA(s.ptr(f)) }

func (s *structure) pointerAt(off int) uint64 {
	p := s.bytes(off, s.pointer)
	if s.pointer == 4 {
		return uint64(binary.LittleEndian.Uint32(p))
	}
	return binary.LittleEndian.Uint64(p)
}

// list reads a LIST_ENTRY.
func (s *structure) list(f field) ListEntry {
	off := f.of(s.pointer)
	return ListEntry{minidump.VA(s.pointerAt(off)), minidump.VA(s.pointerAt(off + s.pointer))}
}

// err says what is missing of the structure; nil if nothing is that was asked
// for.
func (s *structure) err() error {
	if !s.lost {
		return nil
	}
	return fmt.Errorf("%s at %s, behind its first %d bytes: %w", s.what, s.at, s.first+len(s.buf), minidump.ErrNotCaptured)
}

// A ListEntry is two links of a list that is closed to a ring, or its head
// (LIST_ENTRY).
type ListEntry struct{ Flink, Blink minidump.VA }

// unicode reads the text of a UNICODE_STRING of a structure, whose buffer
// is counted from base. It is nil if the text was not captured.
func (m *processMemory) unicode(s *structure, f field, base minidump.VA) (*string, error) {
	n := int(s.u16(f)) &^ 1
	at := minidump.VA(s.pointerAt(f.of(s.pointer) + s.pointer))
	if f.of(s.pointer)+2*s.pointer > len(s.buf) {
		return nil, nil // which the structure says
	}
	var text string
	if n == 0 {
		return &text, nil
	}
	if err := m.spend(n); err != nil {
		return nil, fmt.Errorf("%s at %s: %w", s.what, s.at, err)
	}
	p := make([]byte, n)
	if _, err := m.ReadAt(p, base+at); err != nil {
		if errors.Is(err, minidump.ErrNotCaptured) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s at %s: %w", s.what, s.at, err)
	}
	text = minidump.DecodeUTF16(p)
	return &text, nil
}
