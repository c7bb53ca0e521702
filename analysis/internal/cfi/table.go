package cfi

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// A Section is where a [Table] is read from.
type Section struct {
	Arch Arch
	R    io.ReaderAt // of the section's bytes, from 0 on
	Size int64       // bytes
	// EH is set for .eh_frame, and not for .debug_frame: they differ in how a
	// function finds what it has in common with others.
	EH bool
	// RVA is where the section is loaded, and Base the address that absolute ones
	// in it count from: the preferred address of an image file, the real one of
	// an image in memory.
	RVA  uint32
	Base uint64
}

// A Table finds the rules of addresses in a section of call frame information. It
// is immutable and safe for concurrent use.
type Table struct {
	s     Section
	funcs []entry // by start
	err   error
}

// An entry is a function (FDE).
type entry struct{ start, size, off uint32 }

// maxEntry bounds the bytes of one function's rules. Those of the longest functions
// take a few thousand.
const maxEntry = 1 << 16

// NewTable goes through a section once. It ends where that cannot be understood;
// see [Table.Err].
func NewTable(s Section) *Table {
	t := &Table{s: s}
	w := walker{s: &t.s, window: make([]byte, 0, 1<<16)}
	common := map[int64]*cie{}
	for off := int64(0); off < s.Size; {
		c, next, err := w.record(off)
		if err != nil {
			t.err = err
			break
		}
		if c == nil { // the end of .eh_frame, or padding
			off = next
			continue
		}
		if from, ok := t.s.common(c); ok && from >= 0 && from < off {
			if err := t.add(&w, common, c, off, from); err != nil && t.err == nil {
				t.err = err
			}
		}
		off = next
	}
	slices.SortStableFunc(t.funcs, func(a, b entry) int { return cmp.Compare(a.start, b.start) })
	t.funcs = slices.Clip(t.funcs)
	return t
}

// Len returns the number of functions.
func (t *Table) Len() int { return len(t.funcs) }

// Err returns the first thing in the section that could not be understood.
func (t *Table) Err() error { return t.err }

// add notes the function whose record's bytes c is over.
func (t *Table) add(w *walker, common map[int64]*cie, c *bounded.Cursor, off, from int64) error {
	k := common[from]
	if k == nil {
		var err error
		if k, err = t.readCIE(from); err != nil {
			return err
		}
		if len(common) == 1024 { // a section has one or a few
			clear(common)
		}
		common[from] = k
	}
	start, size, ok := t.codeRange(c, k)
	if c.Err() != nil {
		return c.Err()
	}
	if ok && size > 0 {
		t.funcs = append(t.funcs, entry{start, size, uint32(off)})
	}
	return nil
}

// codeRange reads which code a function's rules are of, as an RVA and bytes.
func (t *Table) codeRange(c *bounded.Cursor, k *cie) (start, size uint32, ok bool) {
	begin := t.s.pointer(c, k.encoding)
	n := t.s.pointer(c, k.encoding&0x0f) // as wide, and relative to nothing
	rva := t.s.Arch.mask(begin - t.s.Base)
	if begin == 0 || rva >= 1<<32 || n >= 1<<32 || rva+n > 1<<32 {
		return 0, 0, false // code that the linker dropped
	}
	return uint32(rva), uint32(n), true
}

// Rules returns the rules of the address rva bytes after the image's base, nil if
// the section has none of it.
func (t *Table) Rules(rva uint32) (*Rules, error) {
	i := sort.Search(len(t.funcs), func(i int) bool { return t.funcs[i].start > rva }) - 1
	if i < 0 || rva-t.funcs[i].start >= t.funcs[i].size {
		return nil, nil
	}
	f := t.funcs[i]
	c, err := t.s.load(int64(f.off))
	if err != nil {
		return nil, err
	}
	from, ok := t.s.common(c)
	if !ok {
		return nil, fmt.Errorf("%w: a function without common rules", ErrSyntax)
	}
	k, err := t.readCIE(from)
	if err != nil {
		return nil, err
	}
	t.codeRange(c, k)
	if k.augmented {
		c.Skip(int(min(uleb(c), maxEntry)))
	}
	p := program{arch: t.s.Arch, cie: k, section: &t.s, start: f.start, stop: uint64(rva - f.start)}
	return p.rules(c)
}

// Function returns the start of the function at an address, as an RVA.
func (t *Table) Function(rva uint32) (start uint32, ok bool) {
	i := sort.Search(len(t.funcs), func(i int) bool { return t.funcs[i].start > rva }) - 1
	if i < 0 || rva-t.funcs[i].start >= t.funcs[i].size {
		return 0, false
	}
	return t.funcs[i].start, true
}
