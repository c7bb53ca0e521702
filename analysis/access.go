package analysis

import (
	"fmt"
	"strings"
)

// Access is a granted access mask, split and named. WinDbg's names are used
// where they are known, for all types whose !handle output is documented by
// samples; the other names are the constants of the Windows headers.
type Access struct {
	Mask uint32

	// Standard are the names of the standard rights (Delete to Synch).
	Standard []string
	// Specific are the names of the rights of the object's type.
	Specific []string
	// Unnamed are the bits for which there is no name.
	Unnamed uint32
}

// Names returns all rights in ascending order of the bits within each kind:
// standard, specific, and last the unnamed bits as one hexadecimal number.
func (a Access) Names() []string {
	names := make([]string, 0, len(a.Standard)+len(a.Specific)+1)
	names = append(append(names, a.Standard...), a.Specific...)
	if a.Unnamed != 0 {
		names = append(names, fmt.Sprintf("%#x", a.Unnamed))
	}
	return names
}

// A right is one bit of an access mask.
type right struct {
	bit      uint32
	constant string // of the Windows headers
	windbg   string // as !handle prints it, if that is known
}

// name is WinDbg's word if it is known, else the constant.
func (r right) name() string {
	if r.windbg == "" || r.windbg == emptySlot {
		return r.constant
	}
	return r.windbg
}

// DecodeAccess names the rights in the mask of a handle of the given type.
func DecodeAccess(typeName string, mask uint32) Access {
	a := Access{Mask: mask, Unnamed: mask}
	take := func(names *[]string, rights []right) {
		for _, r := range rights {
			if mask&r.bit != 0 {
				*names = append(*names, r.name())
				a.Unnamed &^= r.bit
			}
		}
	}
	take(&a.Standard, standardRights[:])
	take(&a.Specific, specificRights[typeName])
	take(&a.Specific, genericRights[:])
	return a
}

// WinDbgAccess returns the two lines that !handle prints below the mask: the
// standard rights and those of the type, each "None" if there are none.
//
// For the types with known names the second line has WinDbg's quirks: a bit
// without a name leaves its comma behind (Process 0x4, "CreateThread,,VMOp"),
// and bits above the table are dropped. For all other types the names are the
// constants of the headers.
func WinDbgAccess(typeName string, mask uint32) (standard, specific string) {
	standard = windbgLine(standardRights[:], mask, false)
	table := specificRights[typeName]
	last := lastKnown(table)
	if last < 0 {
		return standard, windbgLine(table, mask, false)
	}
	return standard, windbgLine(table[:last+1], mask, true)
}

// lastKnown returns the index of the last right whose WinDbg name is known,
// or -1.
func lastKnown(table []right) int {
	for i := len(table) - 1; i >= 0; i-- {
		if table[i].windbg != "" {
			return i
		}
	}
	return -1
}

func windbgLine(table []right, mask uint32, slots bool) string {
	var line []byte
	some := false
	for _, r := range table {
		if mask&r.bit == 0 {
			continue
		}
		if some {
			line = append(line, ',')
		}
		some = true
		if !slots || r.windbg != emptySlot {
			line = append(line, r.name()...)
		}
	}
	if !some {
		return "None"
	}
	return string(line)
}

// FindRight returns the bit of a right by its WinDbg name or its constant, in
// any case: "SetValue" or "KEY_SET_VALUE" of a Key. With typeName "" the name
// is looked for in all types; ok is false if no type has it, or if it means
// different bits in different types.
func FindRight(typeName, name string) (bit uint32, ok bool) {
	bits := map[uint32]bool{}
	find := func(rights []right) {
		for _, r := range rights {
			if strings.EqualFold(r.constant, name) || strings.EqualFold(r.windbg, name) {
				bits[r.bit] = true
				bit = r.bit
			}
		}
	}
	find(standardRights[:])
	for t, rights := range specificRights {
		if typeName == "" || t == typeName {
			find(rights)
		}
	}
	return bit, len(bits) == 1
}
