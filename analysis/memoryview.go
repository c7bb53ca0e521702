package analysis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A MemoryFormat is one of WinDbg's commands that show memory, by its name.
type MemoryFormat string

// The formats.
const (
	ShowBytes        MemoryFormat = "db"  // bytes and ASCII
	ShowWords        MemoryFormat = "dw"  // 2 bytes
	ShowDwords       MemoryFormat = "dd"  // 4 bytes
	ShowDwordChars   MemoryFormat = "dc"  // 4 bytes and ASCII
	ShowQwords       MemoryFormat = "dq"  // 8 bytes
	ShowPointers     MemoryFormat = "dp"  // of the process
	ShowSymbols      MemoryFormat = "dps" // pointers with the names of where they lead
	ShowDwordSymbols MemoryFormat = "dds" // likewise of 4 bytes
	ShowQwordSymbols MemoryFormat = "dqs" // likewise of 8 bytes
	ShowASCII        MemoryFormat = "da"  // a text up to its NUL
	ShowUnicode      MemoryFormat = "du"  // a text of UTF-16 up to its NUL
)

// memoryFormats have for each format the bytes of a unit, or 0 for a pointer,
// and how many WinDbg shows unless told otherwise; 0 is half as many pointers of
// 8 bytes as of 4, and for a text up to its end.
var memoryFormats = map[MemoryFormat]struct{ unit, units int }{
	ShowBytes: {1, 128}, ShowWords: {2, 64}, ShowDwords: {4, 32}, ShowDwordChars: {4, 32}, ShowQwords: {8, 16},
	ShowPointers: {0, 0}, ShowSymbols: {0, 0}, ShowDwordSymbols: {4, 32}, ShowQwordSymbols: {8, 16},
	ShowASCII: {1, 0}, ShowUnicode: {2, 0},
}

// MemoryFormats are the names of the formats.
func MemoryFormats() []string {
	return []string{"db", "dw", "dd", "dc", "dq", "dp", "dps", "dds", "dqs", "da", "du"}
}

// ParseMemoryFormat reads the name of a format.
func ParseMemoryFormat(text string) (MemoryFormat, error) {
	f := MemoryFormat(strings.ToLower(text))
	if _, ok := memoryFormats[f]; !ok {
		return "", fmt.Errorf("memory is shown as %s, not as %s", words.Choice(MemoryFormats()...), text)
	}
	return f, nil
}

// Unit is how many bytes a value has, in a process with pointers of so many.
func (f MemoryFormat) Unit(pointer int) int {
	if unit := memoryFormats[f].unit; unit != 0 {
		return unit
	}
	return pointer
}

// Text reports whether the format shows a text up to its NUL.
func (f MemoryFormat) Text() bool { return f == ShowASCII || f == ShowUnicode }

// Symbols reports whether the format names where the values lead.
func (f MemoryFormat) Symbols() bool {
	return f == ShowSymbols || f == ShowDwordSymbols || f == ShowQwordSymbols
}

// length is how many bytes are shown unless told otherwise.
func (f MemoryFormat) length(pointer int) uint64 {
	units := memoryFormats[f].units
	if units == 0 {
		units = 128 / pointer
	}
	return uint64(units * f.Unit(pointer))
}

// MaxMemoryView is the most memory that is shown at once, in bytes: what WinDbg
// allows.
const MaxMemoryView = 256 << 20

// ParseMemoryLength reads a length: bytes in hexadecimal, or values of the
// format behind an L, as WinDbg writes it: "100", "L20".
func (f MemoryFormat) ParseMemoryLength(text string, pointer int) (uint64, error) {
	digits, unit := text, uint64(1)
	if len(text) > 1 && (text[0] == 'L' || text[0] == 'l') {
		digits, unit = text[1:], uint64(f.Unit(pointer))
	}
	n, err := ParseHex(digits)
	switch {
	case err != nil || n == 0:
		return 0, fmt.Errorf("%q is no length: it is bytes in hexadecimal, or values behind an L", text)
	case n > MaxMemoryView/unit:
		return 0, fmt.Errorf("%q is too long: at most %s are shown", text, words.Bytes(MaxMemoryView))
	}
	return n * unit, nil
}

// A MemoryView is a stretch of memory, as far as the dump has it.
type MemoryView struct {
	Format      MemoryFormat
	Address     minidump.VA
	PointerSize int
	Data        []byte       // from Address on; bytes in Gaps are zero
	Gaps        []MemoryHole // what was not captured, ascending and disjoint
	Ended       bool         // of a text: its NUL was found, which is not in Data
}

// A MemoryHole is bytes of a [MemoryView] from Start to before End, counted from
// its address.
type MemoryHole struct{ Start, End int }

// Captured is how many bytes the dump has.
func (v *MemoryView) Captured() int {
	n := len(v.Data)
	for _, g := range v.Gaps {
		n -= g.End - g.Start
	}
	return n
}

// Has reports whether the dump has n bytes at an offset, all of them inside Data.
func (v *MemoryView) Has(off, n int) bool {
	if off+n > len(v.Data) {
		return false
	}
	i := sort.Search(len(v.Gaps), func(i int) bool { return v.Gaps[i].End > off })
	return i == len(v.Gaps) || v.Gaps[i].Start >= off+n
}

// Value is the value of n bytes, at most 8, at an offset; ok is false if not all
// of them were captured.
func (v *MemoryView) Value(off, n int) (value uint64, ok bool) {
	if !v.Has(off, n) {
		return 0, false
	}
	var p [8]byte
	copy(p[:], v.Data[off:off+n])
	return binary.LittleEndian.Uint64(p[:]), true
}

// Pointers are the values of a format whose values are named.
func (v *MemoryView) Pointers() []minidump.VA {
	var addrs []minidump.VA
	unit := v.Format.Unit(v.PointerSize)
	for off := 0; off < len(v.Data); off += unit {
		if value, ok := v.Value(off, unit); ok {
			addrs = append(addrs, minidump.VA(value))
		}
	}
	return addrs
}

// ReadMemoryView reads memory for a format: length bytes, rounded up to whole
// values; 0 is as many as WinDbg shows, and a text up to its NUL. The error is
// about bytes that the file should have, and wraps [minidump.ErrNotCaptured] if
// the dump has none of them; there is a view in both cases.
func ReadMemoryView(m *minidump.Memory, format MemoryFormat, at minidump.VA, length uint64, pointer int) (*MemoryView, error) {
	v := &MemoryView{Format: format, Address: at, PointerSize: pointer}
	if format.Text() {
		return v, v.readText(m, length)
	}
	if length == 0 {
		length = format.length(pointer)
	}
	unit := uint64(format.Unit(pointer))
	length = min((length+unit-1)/unit*unit, MaxMemoryView)
	if at != 0 {
		length = min(length, -uint64(at)) // the address space ends
	}
	v.Data = make([]byte, length)
	var failed Failures
	for off := 0; off < len(v.Data); {
		n, err := m.ReadAt(v.Data[off:], at+minidump.VA(off))
		off += n
		if err == nil {
			break
		}
		if !errors.Is(err, minidump.ErrNotCaptured) {
			failed.Note(err)
		}
		next := nextCaptured(m, at+minidump.VA(off), len(v.Data)-off)
		v.Gaps = append(v.Gaps, MemoryHole{off, off + next})
		off += next
	}
	if v.Captured() == 0 && len(failed.list) == 0 {
		failed.Note(fmt.Errorf("%w: %s", minidump.ErrNotCaptured, at))
	}
	return v, failed.Err()
}

// nextCaptured is how many bytes from an address on, which was not captured or
// cannot be read, are to be left out; at most so many.
func nextCaptured(m *minidump.Memory, at minidump.VA, most int) int {
	if m.Contains(at) {
		const sector = 512
		return min(most, sector) // it cannot be read
	}
	ranges := m.Ranges()
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].Start > at })
	if i == len(ranges) {
		return most
	}
	return int(min(uint64(most), uint64(ranges[i].Start-at)))
}

// readText reads a text up to its NUL, to what was not captured, or to length
// bytes; 0 is no limit but that of all views.
func (v *MemoryView) readText(m *minidump.Memory, length uint64) error {
	const piece = 4 << 10
	unit := v.Format.Unit(v.PointerSize)
	if length == 0 {
		length = MaxMemoryView
	}
	for left := (int(min(length, MaxMemoryView)) + unit - 1) / unit * unit; left > 0; {
		part := make([]byte, min(piece, left))
		n, err := m.ReadAt(part, v.Address+minidump.VA(len(v.Data)))
		n -= n % unit
		for off := 0; off < n; off += unit {
			if part[off] == 0 && (unit == 1 || part[off+1] == 0) {
				v.Data, v.Ended = append(v.Data, part[:off]...), true
				return nil
			}
		}
		v.Data = append(v.Data, part[:n]...)
		left -= n
		if err != nil {
			if errors.Is(err, minidump.ErrNotCaptured) && len(v.Data) > 0 {
				return nil
			}
			return err
		}
	}
	return nil
}

// ParseAddress reads an address as WinDbg does: a hexadecimal number, the name
// of a module of the list, or a sum of such, "ntdll+0x1f000".
func ParseAddress(text string, modules []minidump.Module) (minidump.VA, error) {
	sum := minidump.VA(0)
	for term := range strings.SplitSeq(text, "+") {
		n, err := addressTerm(strings.TrimSpace(term), modules)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// addressTerm is a number or the base of a module. WinDbg, too, takes what can
// be both for a number.
func addressTerm(text string, modules []minidump.Module) (minidump.VA, error) {
	if n, err := ParseHex(text); err == nil {
		return minidump.VA(n), nil
	}
	if text == "" {
		return 0, errors.New("an address is missing")
	}
	if module, _, ok := strings.Cut(text, "!"); ok {
		return 0, fmt.Errorf("%q: the addresses of symbols are not looked up; write %s+OFFSET", text, module)
	}
	var bases []minidump.VA
	var full, names []string
	for i := range modules {
		m := &modules[i]
		withBase := fmt.Sprintf("%s_%x", m.Name(), uint64(m.BaseOfImage)) // WinDbg's name for a second one
		if strings.EqualFold(text, withBase) {
			return m.BaseOfImage, nil
		}
		names = append(names, m.Name())
		if strings.EqualFold(text, m.Name()) || strings.EqualFold(text, m.BaseName()) {
			bases, full = append(bases, m.BaseOfImage), append(full, withBase)
		}
	}
	switch {
	case len(bases) == 1:
		return bases[0], nil
	case len(bases) > 1:
		return 0, fmt.Errorf("%d modules are named %s; write %s", len(bases), text, words.Choice(full[:min(len(full), 8)]...))
	}
	if similar := words.Similar(text, names); similar != "" {
		return 0, fmt.Errorf("%q is neither a hexadecimal number nor a module; did you mean %s?", text, similar)
	}
	return 0, fmt.Errorf("%q is neither a hexadecimal number nor a module", text)
}
