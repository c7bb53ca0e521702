package breakpad

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
)

// Symbol is what a symbol file knows of one address.
type Symbol struct {
	Name    string  // as dump_syms wrote it, usually undecorated
	Public  bool    // from a PUBLIC record: the nearest name below, of unknown size
	RVA     uint64  // start of the function, in bytes from the image base
	Size    uint64  // bytes of code; 0 if Public
	File    string  // source file of the line; "" if there is none
	Line    int     // line in File within this very function: the call, when the address is inlined code
	Inlined []Frame // calls that were inlined at the address, innermost first
}

// MaxInlined is how many inlined calls within one another are named of one
// address, the outermost ones. Visual C++ stops at 255 (#pragma inline_depth).
const MaxInlined = 256

// More is the name of the innermost call that is listed where there are further
// ones within it.
const More = "…"

// Frame is one call that the compiler inlined.
type Frame struct {
	Function string // More for all calls from here on inwards, where they are too many
	File     string // source file of Line
	Line     int    // line within the inlined function
}

// body is what follows a FUNC record.
type body struct {
	lines   []lineRange
	inlines []inlineRange
}

type lineRange struct {
	addr, end  uint64
	line, file uint32
}

// An inlineRange is one range of an INLINE record.
type inlineRange struct {
	depth      uint32
	addr, end  uint64
	line, file uint32 // the call, in the function around it
	origin     uint32
	hasFile    bool // records of old versions have no file of the call
}

// Lookup names the address rva bytes after the image's base. The boolean says
// whether anything covers it.
func (f *File) Lookup(rva uint64) (Symbol, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn, isFunc := below(f.funcs, rva)
	if isFunc && rva-fn.addr < fn.size {
		return f.function(fn, rva)
	}
	public, ok := below(f.publics, rva)
	// A public symbol does not reach over a function that ended in between.
	if !ok || isFunc && fn.addr >= public.addr {
		return Symbol{}, false, nil
	}
	name, err := f.name(public.off, 2)
	if err != nil {
		return Symbol{}, false, err
	}
	return Symbol{Name: name, Public: true, RVA: public.addr}, true, nil
}

// below returns the last record that begins at or before rva.
func below(rs []record, rva uint64) (record, bool) {
	i := sort.Search(len(rs), func(i int) bool { return rs[i].addr > rva })
	if i == 0 {
		return record{}, false
	}
	return rs[i-1], true
}

func (f *File) function(fn record, rva uint64) (Symbol, bool, error) {
	name, err := f.name(fn.off, 3)
	if err != nil {
		return Symbol{}, false, err
	}
	b, err := f.body(fn)
	if err != nil {
		return Symbol{}, false, err
	}
	sym := Symbol{Name: name, RVA: fn.addr, Size: fn.size}
	var file string
	var line uint32
	i := sort.Search(len(b.lines), func(i int) bool { return b.lines[i].addr > rva }) - 1
	if i >= 0 && rva < b.lines[i].end {
		line = b.lines[i].line
		if file, err = f.text(f.files, b.lines[i].file); err != nil {
			return Symbol{}, false, err
		}
	}
	// The line record says where the innermost function is. Each inlined
	// call gives the line in the function around it.
	calls := b.at(rva)
	for i := len(calls) - 1; i >= 0; i-- {
		call := calls[i]
		origin := More
		if i < MaxInlined {
			if origin, err = f.text(f.origins, call.origin); err != nil {
				return Symbol{}, false, err
			}
		}
		sym.Inlined = append(sym.Inlined, Frame{Function: origin, File: file, Line: int(line)})
		line, file = call.line, ""
		if call.hasFile {
			if file, err = f.text(f.files, call.file); err != nil {
				return Symbol{}, false, err
			}
		}
	}
	sym.File, sym.Line = file, int(line)
	return sym, true, nil
}

// at returns the inlined calls that cover rva, outermost first, up to one more
// than MaxInlined.
func (b *body) at(rva uint64) []inlineRange {
	var calls []inlineRange
	for depth := uint32(0); ; depth++ {
		if depth > MaxInlined {
			return calls
		}
		i := sort.Search(len(b.inlines), func(i int) bool {
			r := &b.inlines[i]
			return r.depth > depth || r.depth == depth && r.addr > rva
		}) - 1
		if i < 0 || b.inlines[i].depth != depth || rva >= b.inlines[i].end {
			return calls
		}
		calls = append(calls, b.inlines[i])
	}
}

// text returns the name of a numbered record, or "" if there is no such number.
func (f *File) text(m map[uint32]int64, n uint32) (string, error) {
	off, ok := m[n]
	if !ok {
		return "", nil
	}
	return f.name(off, 1)
}

// body reads the records between a function and the next record of another
// kind.
func (f *File) body(fn record) (*body, error) {
	if b, ok := f.bodies[fn.off]; ok {
		return b, nil
	}
	b := &body{}
	s := newScanner(f.r, fn.off, f.size, 4<<10)
	s.line()
	for {
		line, ok := s.line()
		if !ok || !b.add(line) {
			break
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	slices.SortStableFunc(b.lines, func(a, b lineRange) int { return cmp.Compare(a.addr, b.addr) })
	slices.SortStableFunc(b.inlines, func(a, b inlineRange) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.addr, b.addr))
	})
	f.bodies[fn.off] = b
	return b, nil
}

var inlineKeyword = []byte("INLINE ")

// add takes a line or INLINE record and reports false for any other kind. One
// that cannot be read is left out.
func (b *body) add(line []byte) bool {
	if rest, ok := bytes.CutPrefix(line, inlineKeyword); ok {
		b.addInline(rest)
		return true
	}
	if len(line) > 0 && line[0] >= 'A' && bytes.IndexByte(line, ' ') > 0 && isKeyword(line) {
		return false
	}
	w := fields{rest: line}
	addr, size := w.hex(), w.hex()
	r := lineRange{addr: addr, end: addr + size, line: w.dec(), file: w.dec()}
	if !w.bad && r.end > r.addr {
		b.lines = append(b.lines, r)
	}
	return true
}

// isKeyword distinguishes a keyword from an address, which may begin with a letter too.
func isKeyword(line []byte) bool {
	word, _, _ := bytes.Cut(line, []byte{' '})
	for _, c := range word {
		if c > 'F' && c < 'a' || c > 'f' {
			return true
		}
	}
	return false
}

func (b *body) addInline(rest []byte) {
	words := len(bytes.Fields(rest))
	w := fields{rest: rest}
	r := inlineRange{depth: w.dec(), line: w.dec()}
	// Depth, line, file, origin and pairs of address and size; records of old
	// versions have no file.
	if r.hasFile = words%2 == 0; r.hasFile {
		r.file = w.dec()
	}
	r.origin = w.dec()
	for w.more() {
		r.addr = w.hex()
		r.end = r.addr + w.hex()
		if w.bad {
			return
		}
		if r.end > r.addr {
			b.inlines = append(b.inlines, r)
		}
	}
}
