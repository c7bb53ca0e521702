package minidump

import (
	"fmt"
	"strings"
)

// Flags say what the writer of a dump was asked to save (MINIDUMP_TYPE).
// They are the request: a stream may be missing although its flag is set, and
// Breakpad and Crashpad leave them 0.
type Flags uint64

// The flags that ask for streams and for memory. [Flags.Names] knows them all.
const (
	WithFullMemory             Flags = 0x2
	WithHandleData             Flags = 0x4
	WithUnloadedModules        Flags = 0x20
	WithPrivateReadWriteMemory Flags = 0x200
	WithFullMemoryInfo         Flags = 0x800
	WithThreadInfo             Flags = 0x1000
	WithTokenInformation       Flags = 0x40000
	WithIptTrace               Flags = 0x400000
)

// flagNames are the names of the flag bits in ascending order, without the
// MiniDump prefix.
var flagNames = [...]string{
	"WithDataSegs", "WithFullMemory", "WithHandleData", "FilterMemory",
	"ScanMemory", "WithUnloadedModules", "WithIndirectlyReferencedMemory", "FilterModulePaths",
	"WithProcessThreadData", "WithPrivateReadWriteMemory", "WithoutOptionalData", "WithFullMemoryInfo",
	"WithThreadInfo", "WithCodeSegs", "WithoutAuxiliaryState", "WithFullAuxiliaryState",
	"WithPrivateWriteCopyMemory", "IgnoreInaccessibleMemory", "WithTokenInformation", "WithModuleHeaders",
	"FilterTriage", "WithAvxXStateContext", "WithIptTrace", "ScanInaccessiblePartialPages",
	"FilterWriteCombinedMemory", "NoIgnoreInaccessibleMemory",
}

// Names returns the names of the flags that are set, in ascending order and
// without the prefix "MiniDump". Unknown bits come last, as one hexadecimal
// number. No flag at all is "Normal".
func (f Flags) Names() []string {
	if f == 0 {
		return []string{"Normal"}
	}
	return bitNames(uint64(f), flagNames[:])
}

// bitNames returns the names of the bits that are set, in ascending order.
// Those without a name come last, as one hexadecimal number.
func bitNames(bits uint64, of []string) []string {
	var names []string
	for i, name := range of {
		if bit := uint64(1) << i; bits&bit != 0 && name != "" {
			names = append(names, name)
			bits &^= bit
		}
	}
	if bits != 0 {
		names = append(names, fmt.Sprintf("%#x", bits))
	}
	return names
}

// bitString joins [bitNames] with "|"; none is "0".
func bitString(bits uint64, of []string) string {
	if bits == 0 {
		return "0"
	}
	return strings.Join(bitNames(bits, of), "|")
}

// String joins [Flags.Names] with "|".
func (f Flags) String() string { return strings.Join(f.Names(), "|") }
