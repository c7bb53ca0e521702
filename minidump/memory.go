package minidump

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"sync"
)

// A MemoryRange is captured memory of the process and its place in the file.
type MemoryRange struct {
	Start  VA
	Size   uint64 // bytes that are in the file
	Offset int64  // file offset
}

// End returns the address behind the last byte.
func (r MemoryRange) End() VA { return r.Start + VA(r.Size) }

// Memory is the captured memory of a dump: the Memory64List of a full-memory
// dump, the MemoryList of others, or both.
type Memory struct {
	f       *File
	ranges  []MemoryRange // by Start
	index   memoryIndex
	missing uint64
	hasX86  func() bool // a 32-bit half of an AMD64 process, asked once
}

// Memory reads the lists of captured memory, not the memory itself. With an
// error, the memory that is there can still be used; a file that was cut off,
// as full-memory dumps often are, is such an error, and [Memory.Missing] says
// how much was lost. The error wraps [ErrNoStream] if there is no list at all.
func (f *File) Memory() (*Memory, error) {
	f.memoryOnce.Do(func() { f.memory, f.memoryErr = f.readMemory() })
	return f.memory, f.memoryErr
}

func (f *File) readMemory() (*Memory, error) {
	m := &Memory{f: f, hasX86: sync.OnceValue(f.hasX86)}
	err64 := m.readMemory64List()
	err32 := m.readMemoryList()
	none64, none32 := errors.Is(err64, ErrNoStream), errors.Is(err32, ErrNoStream)
	if none64 && none32 {
		return nil, err64
	}
	sort.SliceStable(m.ranges, func(i, j int) bool { return m.ranges[i].Start < m.ranges[j].Start })
	m.index = newMemoryIndex(m.ranges)
	if none64 {
		err64 = nil
	}
	if none32 {
		err32 = nil
	}
	return m, JoinErrors(err64, err32)
}

// add keeps what the file holds of a declared range and reports whether that
// is all of it.
func (m *Memory) add(start VA, size uint64, off int64) bool {
	if size > -uint64(start) && start != 0 {
		size = -uint64(start) // a range cannot wrap around the address space
	}
	there := uint64(max(m.f.size-off, 0))
	whole := size <= there
	if !whole {
		m.lose(size - there)
		size = there
	}
	if size > 0 {
		m.ranges = append(m.ranges, MemoryRange{Start: start, Size: size, Offset: off})
	}
	return whole
}

// lose counts bytes that are missing. What a hostile list declares may be more
// than a number holds.
func (m *Memory) lose(n uint64) {
	if m.missing += n; m.missing < n {
		m.missing = math.MaxUint64
	}
}

func (m *Memory) readMemory64List() error {
	l, err := m.f.Memory64List()
	if l == nil {
		return err
	}
	m.ranges = make([]MemoryRange, 0, len(l.Ranges))
	next, cut := l.BaseRVA, false
	for _, d := range l.Ranges {
		if !m.add(d.StartOfMemoryRange, d.DataSize, int64(min(next, 1<<62))) {
			cut = true
		}
		if next += d.DataSize; next < d.DataSize {
			next = 1 << 63 // overflow: what follows cannot be in the file
		}
	}
	if err == nil && cut {
		err = formatErrorf(Memory64ListStream, m.f.size, "the file is cut off: %s", missingMemory(m.missing))
	}
	return err
}

func (m *Memory) readMemoryList() error {
	before := m.missing
	ranges, err := m.f.MemoryList()
	for _, d := range ranges {
		m.add(d.StartOfMemoryRange, uint64(d.Memory.DataSize), int64(d.Memory.RVA))
	}
	if err == nil && m.missing > before {
		err = formatErrorf(MemoryListStream, m.f.size,
			"the file is cut off: %s", missingMemory(m.missing-before))
	}
	return err
}

// Ranges returns the captured ranges by ascending start. They may overlap.
// The caller must not change them.
func (m *Memory) Ranges() []MemoryRange { return m.ranges }

// MaxAddressSpace is the size in bytes of the largest address space that a
// process can have today, of 57 bits. A list that declares more is damaged.
const MaxAddressSpace = 1 << 57

// missingMemory says how many bytes are missing. Damaged lists declare sums that
// nobody can mean.
func missingMemory(n uint64) string {
	if n > MaxAddressSpace {
		return "more captured memory is missing than an address space has"
	}
	return fmt.Sprintf("%d bytes of captured memory are missing", n)
}

// Missing returns how many bytes the lists declare that the file, cut off,
// does not hold. It is math.MaxUint64 for more than that.
func (m *Memory) Missing() uint64 { return m.missing }

// ReadAt reads memory of the process at va. It stops at the first byte that
// was not captured, with an error that wraps [ErrNotCaptured].
func (m *Memory) ReadAt(p []byte, va VA) (n int, err error) {
	for n < len(p) {
		at := va + VA(n)
		r, ok := m.find(at)
		if !ok || at < va {
			return n, fmt.Errorf("%w: %s", ErrNotCaptured, at)
		}
		skip := uint64(at - r.Start)
		part := p[n:]
		part = part[:min(uint64(len(part)), r.Size-skip)]
		got, err := readFullAt(m.f.r, part, r.Offset+int64(skip))
		n += got
		if err != nil {
			return n, &FormatError{Off: r.Offset + int64(skip), Msg: "reading memory", Err: err}
		}
	}
	return n, nil
}

// find returns a range that holds the byte at va.
func (m *Memory) find(va VA) (MemoryRange, bool) {
	if i := m.index.find(va); i >= 0 {
		return m.ranges[i], true
	}
	return MemoryRange{}, false
}

// Contains reports whether the byte at va was captured.
func (m *Memory) Contains(va VA) bool {
	_, ok := m.find(va)
	return ok
}

// ReadRange reads len(p) bytes of a captured range, beginning skip bytes into
// it. It is ReadAt for those who walk the ranges one after the other.
func (m *Memory) ReadRange(p []byte, r MemoryRange, skip uint64) (int, error) {
	n, err := readFullAt(m.f.r, p, r.Offset+int64(skip))
	if err != nil {
		err = &FormatError{Off: r.Offset + int64(skip), Msg: "reading memory", Err: err}
	}
	return n, err
}
