package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// Untyped is the row under which WinDbg counts handles without a type, and
// handles of types that it does not know.
const Untyped = "None"

// windbgTypes are the object types that WinDbg's !handle knows, in the order
// of its summary. The places of Profile, Job and WaitablePort are inferred.
var windbgTypes = [...]string{
	Untyped, "Event", "Section", "File", "Port", "Directory", "SymbolicLink", "Mutant",
	"WindowStation", "Semaphore", "Key", "Token", "Process", "Thread", "Desktop",
	"IoCompletion", "Timer", "Profile", "Job", "WaitablePort", "KeyedEvent",
	"TpWorkerFactory", "ALPC Port", "WaitCompletionPacket",
}

// typeRank is a type's place in a summary: WinDbg's types in WinDbg's order,
// then all others.
func typeRank(name string) int {
	if name == "" {
		return 0
	}
	if i := slices.Index(windbgTypes[1:], name); i >= 0 {
		return i + 1
	}
	return len(windbgTypes)
}

// CompareTypes orders types as WinDbg's summary does, those that it does not
// know last, by name.
func CompareTypes(a, b string) int {
	return cmp.Or(cmp.Compare(typeRank(a), typeRank(b)), cmp.Compare(a, b))
}

// KnownType reports whether WinDbg's summary has a row of its own for the
// type.
func KnownType(name string) bool { return name != "" && typeRank(name) < len(windbgTypes) }

// KnownTypes are the types of WinDbg's summary, [Untyped] among them, in its
// order.
func KnownTypes() []string { return slices.Clone(windbgTypes[:]) }

// CanonicalType returns the spelling of a type that a person typed: !handle
// takes any case and prints the real one. Names that WinDbg does not know are
// returned as they are. "None" stands for handles without a type, "".
func CanonicalType(name string) string {
	if strings.EqualFold(name, Untyped) {
		return ""
	}
	for _, t := range windbgTypes {
		if strings.EqualFold(t, name) {
			return t
		}
	}
	return name
}

// An UnknownTypeError says that neither WinDbg nor a dump knows a type that a
// person typed.
type UnknownTypeError struct {
	Type    string
	Similar string // what may have been meant; "" if nothing is like it
}

func (e *UnknownTypeError) Error() string {
	s := fmt.Sprintf("no handle is of type %q, and WinDbg does not know such a type", e.Type)
	if e.Similar != "" {
		s += fmt.Sprintf("; did you mean %s?", e.Similar)
	}
	return s
}

// CheckType returns an [*UnknownTypeError] if a type that a person typed is
// neither one that WinDbg knows nor, in any case, one of those in the dumps.
func CheckType(name string, inDumps []string) error {
	canonical := CanonicalType(name)
	if canonical == "" || KnownType(canonical) {
		return nil
	}
	for _, t := range inDumps {
		if strings.EqualFold(t, name) {
			return nil
		}
	}
	return &UnknownTypeError{Type: name, Similar: words.Similar(name, slices.Concat(windbgTypes[:], inDumps))}
}
