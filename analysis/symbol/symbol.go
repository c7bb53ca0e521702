package symbol

import (
	"context"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// Trust says where the name of an address comes from, and so how much it is
// worth.
type Trust string

// The sources of names, the best first.
const (
	TrustPDB    Trust = "pdb"    // a PDB of the same GUID and age
	TrustSym    Trust = "sym"    // a Breakpad .sym file of the same identifier
	TrustDWARF  Trust = "dwarf"  // DWARF or COFF symbols of the image
	TrustExport Trust = "export" // the nearest exported function below the address
	TrustModule Trust = "module" // the module list: module and offset, no function
	TrustNone   Trust = ""       // the address lies in no known module
)

// Location is what is known of one address.
type Location struct {
	Address      minidump.VA
	Module       string // as WinDbg writes it, without extension; "" if the address lies in no module
	Offset       uint64 // bytes from the base of the module
	Function     string // "" if no source names one; File and Line may be known all the same
	Displacement uint64 // bytes from the start of the function
	File         string // source file of Line, as the compiler recorded it; "" if not known
	Line         int    // line within Function: the place of the call if Inlined is not empty; 0 if not known
	Inlined      []Inline
	// Others are further modules that were at this address at another time; only
	// if Module is an unloaded one as well.
	Others []ModuleOffset
	// Outside says what an address in no module is; "" in modules, and where nobody
	// looked: [Modules] do not.
	Outside Outside
	Trust   Trust
}

// A ModuleOffset is a place in a module.
type ModuleOffset struct {
	Module string
	Offset uint64
}

// Inline is one call that the compiler inlined. Location.Inlined lists them
// from the innermost, where the address is, to the one called by Function.
type Inline struct {
	Function string
	File     string // source file of Line
	Line     int    // line within the inlined function
}

// String returns the address as WinDbg writes it: "MyCustomDll!RegSetValueW+0x26a1",
// "MyCustomDll+0x1543" without a function, "ntdll!NtClose" at its very start,
// and the bare address, "0x7ff6127dc480", outside all modules.
func (l Location) String() string {
	switch {
	case l.Module == "":
		return l.Address.String()
	case l.Function == "":
		s := plus(l.Module, l.Offset)
		for _, o := range l.Others {
			s += " or " + plus(o.Module, o.Offset)
		}
		return s
	}
	return plus(l.Module+"!"+l.Function, l.Displacement)
}

// Place returns the address for people who look for the code at fault. The name
// of the nearest export is a guess that misleads, so that such an address is
// "MyCustomDll+0x13c8"; else Place is String.
func (l Location) Place() string {
	if l.Trust == TrustExport {
		return plus(l.Module, l.Offset)
	}
	return l.String()
}

// Source returns "file:line", or "" if the line is not known.
func (l Location) Source() string { return fileLine(l.File, l.Line) }

// Source returns "file:line", or "" if the line is not known.
func (i Inline) Source() string { return fileLine(i.File, i.Line) }

func plus(name string, n uint64) string {
	if n == 0 {
		return name
	}
	return fmt.Sprintf("%s+0x%x", name, n)
}

func fileLine(file string, line int) string {
	if file == "" || line <= 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// A Resolver names addresses. It is safe for concurrent use.
type Resolver interface {
	// Resolve names each of the addresses, which may come in any order and more
	// than once. It is the only step that reads files and asks servers: the
	// names are a finished value. The error is that of ctx, and comes without
	// names: what was not looked for is not the same as what has no name.
	Resolve(ctx context.Context, addrs []minidump.VA) (Names, error)
}

// Names are the names of addresses that a [Resolver] was asked for.
type Names map[minidump.VA]Location

// At returns the name of an address: nothing but the address if the Resolver was
// not asked for it.
func (n Names) At(addr minidump.VA) Location {
	if l, ok := n[addr]; ok {
		return l
	}
	return Location{Address: addr}
}

// resolve names each address once, in ascending order, so that what is loaded
// and downloaded does not depend on the order in which they are asked for.
func resolve(ctx context.Context, addrs []minidump.VA, locate func(minidump.VA) (Location, error)) (Names, error) {
	sorted := slices.Clone(addrs)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	names := make(Names, len(sorted))
	for _, addr := range sorted {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := locate(addr)
		if err != nil {
			return nil, err
		}
		names[addr] = l
	}
	return names, nil
}
