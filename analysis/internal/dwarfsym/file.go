package dwarfsym

import (
	"cmp"
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

// ErrNoDWARF means that the image has no DWARF.
var ErrNoDWARF = errors.New("no DWARF in the image")

// errBudget stops the reading of entries that multiply.
var errBudget = errors.New("DWARF describes more than its size allows")

// File is the DWARF of an image. It is safe for concurrent use.
type File struct {
	base uint64 // preferred address of the image, which addresses are relative to

	mu     sync.Mutex
	data   *dwarf.Data
	budget int64 // attributes and ranges that may still be looked at
	ranges []unitRange
	units  map[dwarf.Offset]*unit
	lines  map[int64]*lineTable // by offset in .debug_line
	names  map[dwarf.Offset]string

	compileUnits  []dwarf.Offset
	variablesRead bool
	variablesErr  error
	variables     []placed // by address
}

// A unitRange is a piece of code that a compilation unit describes.
type unitRange struct {
	low, high uint64
	off       dwarf.Offset
}

// The sections that are read, each with the name it has for debug/dwarf.
var sectionNames = []string{"abbrev", "info", "str", "line", "ranges", "addr", "line_str", "str_offsets", "rnglists"}

// New reads the DWARF of an image file. The error wraps ErrNoDWARF if it has
// none.
func New(img *peimage.Image) (*File, error) {
	sections := make(map[string][]byte)
	total := 0
	for _, s := range img.Sections {
		full, err := img.FullName(s)
		if err != nil {
			return nil, err
		}
		name, ok := strings.CutPrefix(full, ".debug_")
		if !ok || !slices.Contains(sectionNames, name) || sections[name] != nil {
			continue
		}
		data, err := img.Data(s)
		if err != nil {
			return nil, err
		}
		sections[name] = data
		total += len(data)
	}
	if len(sections["info"]) == 0 {
		return nil, ErrNoDWARF
	}
	return open(img.ImageBase, sections, total)
}

func open(base uint64, sections map[string][]byte, total int) (f *File, err error) {
	f = &File{
		base:   base,
		budget: 8*int64(total) + 1024,
		units:  make(map[dwarf.Offset]*unit),
		lines:  make(map[int64]*lineTable),
		names:  make(map[dwarf.Offset]string),
	}
	defer guard(&err)
	f.data, err = dwarf.New(sections["abbrev"], nil, nil, sections["info"], sections["line"], nil,
		sections["ranges"], sections["str"])
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists"} {
		if data := sections[name]; data != nil {
			if err := f.data.AddSection(".debug_"+name, data); err != nil {
				return nil, err
			}
		}
	}
	if err := f.readUnits(sections["info"]); err != nil {
		return nil, err
	}
	return f, nil
}

// guard turns a panic of debug/dwarf into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged DWARF: %v", p)
	}
}

// readUnits notes the code of each compilation unit. It walks the headers of the
// units itself: debug/dwarf would go through all entries of a unit to find
// the next.
func (f *File) readUnits(info []byte) error {
	for off := uint64(0); off < uint64(len(info)); {
		header, next, ok := unitHeader(info, off)
		if !ok {
			break // a damaged unit ends the section; debug/dwarf has checked the rest
		}
		r := f.data.Reader()
		r.Seek(dwarf.Offset(header))
		e, err := f.next(r)
		if err != nil {
			return err
		}
		if e != nil && e.Tag == dwarf.TagCompileUnit {
			f.compileUnits = append(f.compileUnits, e.Offset)
			ranges, err := f.entryRanges(e)
			if err != nil {
				return err
			}
			for _, rg := range ranges {
				f.ranges = append(f.ranges, unitRange{rg[0], rg[1], e.Offset})
			}
		}
		off = next
	}
	slices.SortStableFunc(f.ranges, func(a, b unitRange) int { return cmp.Compare(a.low, b.low) })
	return nil
}

// unitHeader returns where the first entry of the unit at off begins and where
// the next unit does.
func unitHeader(info []byte, off uint64) (entry, next uint64, ok bool) {
	rest := info[off:]
	if len(rest) < 12 {
		return 0, 0, false
	}
	le := binary.LittleEndian
	length, at, wide := uint64(le.Uint32(rest)), uint64(4), uint64(4)
	if length == 0xffffffff {
		length, at, wide = le.Uint64(rest[4:]), 12, 8
	}
	if length < 2 || length > uint64(len(rest))-at || uint64(len(rest)) < at+8 {
		return 0, 0, false
	}
	next = off + at + length
	version := le.Uint16(rest[at:])
	at += 2
	if version < 5 {
		return off + at + wide + 1, next, true // offset of the abbreviations, size of an address
	}
	const skeleton, splitCompile, typeUnit, splitType = 4, 5, 2, 6
	kind := rest[at]
	at += 2 + wide
	switch kind {
	case skeleton, splitCompile:
		at += 8
	case typeUnit, splitType:
		at += 8 + wide
	}
	return off + at, next, true
}

// spend takes n from the budget.
func (f *File) spend(n int) error {
	if f.budget -= int64(n); f.budget < 0 {
		return errBudget
	}
	return nil
}

// next reads an entry; nil ends the unit.
func (f *File) next(r *dwarf.Reader) (*dwarf.Entry, error) {
	e, err := r.Next()
	if err != nil || e == nil {
		return nil, err
	}
	return e, f.spend(len(e.Field) + 1)
}

// entryRanges returns the addresses of an entry that are not empty.
func (f *File) entryRanges(e *dwarf.Entry) ([][2]uint64, error) {
	if e.Val(dwarf.AttrLowpc) == nil && e.Val(dwarf.AttrRanges) == nil {
		return nil, nil
	}
	all, err := f.data.Ranges(e)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(all, func(r [2]uint64) bool { return r[1] <= r[0] })
	return kept, f.spend(len(all))
}

// unitAt returns the unit that describes an address.
func (f *File) unitAt(addr uint64) (dwarf.Offset, bool) {
	i := sort.Search(len(f.ranges), func(i int) bool { return f.ranges[i].low > addr }) - 1
	if i < 0 || addr >= f.ranges[i].high {
		return 0, false
	}
	return f.ranges[i].off, true
}
