package words

import (
	"cmp"
	"strconv"
)

// Hex writes a number in hexadecimal, "0x7e0", for people and for programs:
// masks, ids, handles, addresses, RVAs.
func Hex[T Integer](n T) string {
	if n < 0 {
		return "-0x" + strconv.FormatUint(-uint64(n), 16)
	}
	return "0x" + strconv.FormatUint(uint64(n), 16)
}

// Offset writes a distance from a beginning: "+0x18", "-0x8".
func Offset[T Integer](n T) string {
	if n < 0 {
		return Hex(n)
	}
	return "+" + Hex(n)
}

// InModule writes an address by the module that it lies in:
// "MyCustomDll+0x3070". Outside all modules there is no such name; write the
// address with [Hex].
func InModule[T Integer](module string, offset T) string { return module + Offset(offset) }

// Type is the name of a handle's type in a table or a sentence. A handle
// without type is "None", WinDbg's word. JSON and CSV have "" for it.
func Type(name string) string { return cmp.Or(name, "None") }

// Name is the name of an object in a table. An object without name is
// "<none>", WinDbg's word. JSON and CSV have "" for it.
func Name(name string) string { return cmp.Or(name, "<none>") }

// Kind names handles by type and name in a sentence: `File \Device\Afd`, "Key
// without name".
func Kind(typeName, name string) string {
	if name == "" {
		return Type(typeName) + " without name"
	}
	return Type(typeName) + " " + name
}
