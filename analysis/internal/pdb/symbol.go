package pdb

// Kind says which sort of record named an address.
type Kind uint8

const (
	KindPublic     Kind = 1 + iota // S_PUB32: a name and an address, no size
	KindGlobalProc                 // S_GPROC32, S_GPROC32_ID
	KindLocalProc                  // S_LPROC32, S_LPROC32_ID and their DPC forms: static functions
	KindThunk                      // S_THUNK32: a jump that the linker made
	KindTrampoline                 // S_TRAMPOLINE: one that incremental linking made, which has no name of its own
)

// String returns the record's name in the format's own spelling.
func (k Kind) String() string {
	switch k {
	case KindPublic:
		return "S_PUB32"
	case KindGlobalProc:
		return "S_GPROC32"
	case KindLocalProc:
		return "S_LPROC32"
	case KindThunk:
		return "S_THUNK32"
	case KindTrampoline:
		return "S_TRAMPOLINE"
	}
	return "unknown"
}

// Symbol is what a PDB knows of one address.
type Symbol struct {
	Name         string  // as stored: qualified for procedures, decorated for publics; "" when there is only a line
	Thunk        string  // of a KindTrampoline: its table and place there, "ILT+5"; Name is what it jumps to
	Kind         Kind    // which record it came from
	RVA          uint32  // start of the function, in bytes from the image base
	Size         uint32  // bytes of code; 0 for a public symbol, which has no size
	Displacement uint32  // bytes from the start to the address asked for
	File         string  // source file of the line, as the compiler wrote it; "" when the PDB has no line here
	Line         int     // line in File within this very function: the call, when the address is inlined code
	Inlined      []Frame // calls that were inlined at the address, innermost first; shared, not to be changed
}

// MaxInlined is how many inlined calls within one another are named of one address, the outermost ones. Visual C++ stops
// at 255 (#pragma inline_depth).
const MaxInlined = 256

// More is the name of the innermost call that is listed where there are further ones within it.
const More = "…"

// Frame is one call that the compiler inlined.
type Frame struct {
	Function string // qualified name of the inlined function; More for all calls from here on inwards, where they are too many
	File     string // source file of Line; "" when the PDB has no line here
	Line     int    // line within the inlined function; 0 when the PDB has none
}
