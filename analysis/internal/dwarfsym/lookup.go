package dwarfsym

import (
	"debug/dwarf"
	"sort"
	"strings"
)

// Symbol is what DWARF knows of one address.
type Symbol struct {
	Name    string  // decorated if there is such a name; else the plain name
	RVA     uint32  // start of the function, in bytes from the image base
	File    string  // source file of the line; "" if there is none
	Line    int     // line in File within this very function: the call, when the address is inlined code
	Inlined []Frame // calls that were inlined at the address, innermost first
}

// MaxInlined is how many inlined calls within one another are named of one
// address, the outermost ones; no compiler is known to go so deep.
const MaxInlined = 256

// More is the name of the innermost call that is listed where there are further
// ones within it.
const More = "…"

// Frame is one call that the compiler inlined.
type Frame struct {
	Function string // as Symbol.Name; More for all calls from here on inwards, where they are too many
	File     string // source file of Line
	Line     int    // line within the inlined function
}

// Lookup names the address rva bytes after the image's base. The boolean says
// whether a function covers it.
func (f *File) Lookup(rva uint32) (sym Symbol, ok bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer guard(&err)
	addr := f.base + uint64(rva)
	off, ok := f.unitAt(addr)
	if !ok {
		return Symbol{}, false, nil
	}
	u := f.unit(off)
	if u.err != nil {
		return Symbol{}, false, u.err
	}
	i := sort.Search(len(u.funcs), func(i int) bool { return u.funcs[i].low > addr }) - 1
	if i < 0 || addr >= u.funcs[i].high {
		return Symbol{}, false, nil
	}
	fn := u.funcs[i].fn
	if fn.start > addr {
		// A part of the function that lies before its entry.
		fn = &function{off: fn.off, start: u.funcs[i].low, calls: fn.calls}
	}
	name, err := f.name(fn.off)
	if err != nil || name == "" {
		return Symbol{}, false, err
	}
	sym = Symbol{Name: name, RVA: uint32(fn.start - f.base)}
	file, line := u.lines.at(addr)
	calls := fn.at(addr)
	for i := len(calls) - 1; i >= 0; i-- {
		called := More
		if i < MaxInlined {
			if called, err = f.name(calls[i].off); err != nil {
				return Symbol{}, false, err
			}
		}
		sym.Inlined = append(sym.Inlined, Frame{Function: called, File: file, Line: line})
		file, line = u.lines.file(calls[i].file), int(calls[i].line)
	}
	sym.File, sym.Line = file, line
	return sym, true, nil
}

// at returns the inlined calls that cover addr, outermost first, up to one more
// than MaxInlined.
func (fn *function) at(addr uint64) []callRange {
	var calls []callRange
	for depth := 0; ; depth++ {
		if depth > MaxInlined {
			return calls
		}
		i := sort.Search(len(fn.calls), func(i int) bool {
			c := &fn.calls[i]
			return c.depth > depth || c.depth == depth && c.low > addr
		}) - 1
		if i < 0 || fn.calls[i].depth != depth || addr >= fn.calls[i].high {
			return calls
		}
		calls = append(calls, fn.calls[i])
	}
}

// maxOrigins bounds how far a name is looked for: from a copy to the abstract
// function to its declaration.
const maxOrigins = 8

// isDecorated recognises the linkage names of C++ and Rust, which say more than the
// plain name, from those of C, which say less: "DllMain@12".
func isDecorated(name string) bool {
	return strings.HasPrefix(name, "_Z") || strings.HasPrefix(name, "_R") || strings.HasPrefix(name, "?")
}

const attrMIPSLinkageName dwarf.Attr = 0x2007 // DW_AT_MIPS_linkage_name, before DWARF 4

// name returns the name of the function that the entry at off is, or is a copy
// of.
func (f *File) name(off dwarf.Offset) (string, error) {
	if n, ok := f.names[off]; ok {
		return n, nil
	}
	plain := ""
	at := off
	for range maxOrigins {
		r := f.data.Reader()
		r.Seek(at)
		e, err := f.next(r)
		if err != nil {
			return "", err
		}
		if e == nil {
			break
		}
		for _, attr := range []dwarf.Attr{dwarf.AttrLinkageName, attrMIPSLinkageName} {
			if linkage, ok := e.Val(attr).(string); ok && isDecorated(linkage) {
				f.names[off] = linkage
				return linkage, nil
			}
		}
		if n, ok := e.Val(dwarf.AttrName).(string); ok && plain == "" {
			plain = n
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			origin, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset)
		}
		if !ok {
			break
		}
		at = origin
	}
	f.names[off] = plain
	return plain, nil
}
