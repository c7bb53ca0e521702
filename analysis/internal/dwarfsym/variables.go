package dwarfsym

import (
	"cmp"
	"debug/dwarf"
	"encoding/binary"
	"slices"
	"sort"
)

// Variable is a variable with a fixed address.
type Variable struct {
	Name string // decorated if there is such a name; else the plain name
	RVA  uint32 // bytes from the image base
}

// A placed is a variable whose name was not read yet.
type placed struct {
	at  uint64
	off dwarf.Offset
}

// Variable returns the variable that begins nearest below rva, or there. DWARF
// says where it begins; that rva is in it is for the caller to judge.
func (f *File) Variable(rva uint32) (v Variable, ok bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer guard(&err)
	if !f.variablesRead {
		f.variablesRead = true
		f.variablesErr = f.readVariables()
	}
	addr := f.base + uint64(rva)
	i := sort.Search(len(f.variables), func(i int) bool { return f.variables[i].at > addr }) - 1
	if i < 0 {
		return Variable{}, false, f.variablesErr
	}
	name, err := f.name(f.variables[i].off)
	if err != nil || name == "" {
		return Variable{}, false, err
	}
	return Variable{Name: name, RVA: uint32(f.variables[i].at - f.base)}, true, nil
}

// readVariables goes through all entries of all units: a function may have
// variables with a fixed address, too.
func (f *File) readVariables() (err error) {
	defer func() {
		slices.SortStableFunc(f.variables, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	}()
	defer guard(&err)
	for _, off := range f.compileUnits {
		r := f.data.Reader()
		r.Seek(off)
		for depth := 0; ; {
			e, err := f.next(r)
			if err != nil {
				return err
			}
			if e == nil {
				break
			}
			if e.Tag == 0 {
				if depth--; depth <= 0 {
					break
				}
				continue
			}
			if e.Tag == dwarf.TagVariable {
				if at, ok := fixedAddress(e); ok && at >= f.base && at-f.base <= 1<<32-1 {
					f.variables = append(f.variables, placed{at, e.Offset})
				}
			}
			if e.Children {
				depth++
			} else if depth == 0 {
				break // a unit of nothing
			}
		}
	}
	return nil
}

// fixedAddress returns the address of a variable whose location is nothing but
// that.
func fixedAddress(e *dwarf.Entry) (uint64, bool) {
	const opAddr = 0x03 // DW_OP_addr
	loc, _ := e.Val(dwarf.AttrLocation).([]byte)
	switch {
	case len(loc) == 9 && loc[0] == opAddr:
		return binary.LittleEndian.Uint64(loc[1:]), true
	case len(loc) == 5 && loc[0] == opAddr:
		return uint64(binary.LittleEndian.Uint32(loc[1:])), true
	}
	return 0, false
}
