package analysis

import (
	"fmt"
)

// Access is a granted access mask, split and named. WinDbg's names are used
// where they are known; the other names are the constants of the Windows
// headers.
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
	constant string // of the Windows headers; "" if they have none
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
// standard rights, and those of the type.
//
// WinDbg has a table of rights for most types that it knows. If it has one, a
// line without any right is "None", a bit without a name leaves its comma
// behind (Process 0x4, "CreateThread,,VMOp"), and bits above the table are
// dropped. For other types the second line is empty whatever the mask. Which
// words its tables have for Token, Job, KeyedEvent, SymbolicLink, Port and
// Profile has not been seen; the constants of the headers stand for them.
//
// With constants, the rights of types that WinDbg has no table for get the
// names of the headers, too.
func WinDbgAccess(typeName string, mask uint32, constants bool) (standard, specific string) {
	standard = windbgLine(standardRights[:], mask, false)
	table := specificRights[typeName]
	last := lastKnown(table)
	switch {
	case last >= 0:
		return standard, windbgLine(table[:last+1], mask, true)
	case !hasWinDbgTable(typeName) && (!constants || len(table) == 0):
		return standard, ""
	}
	return standard, windbgLine(table, mask, false)
}

// hasWinDbgTable reports whether WinDbg has a table of rights for a type. It
// has none for WaitCompletionPacket, although its summary has a row for it, nor
// for the types that it counts as None, as far as their output has been seen
// (IRTimer).
func hasWinDbgTable(typeName string) bool {
	return KnownType(typeName) && typeName != "WaitCompletionPacket"
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
