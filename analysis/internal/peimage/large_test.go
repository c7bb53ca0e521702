package peimage_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

// fileSection is a section of an image file and its bytes.
type fileSection struct {
	name        string
	rva, loaded uint32 // bytes when loaded
	data        []byte // in the file
}

// coff is a symbol for the COFF table.
type coff struct {
	name    string
	value   uint32
	section int16
	kind    uint16
	aux     int // records behind it, which look like a function
}

const function = 0x20 // IMAGE_SYM_DTYPE_FUNCTION

// file writes an image file: headers of 0x1000 bytes, sections, COFF symbols
// and their strings. The export directory is at exports, of size bytes.
func file(sections []fileSection, exports, size uint32, symbols []coff) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0x1000)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	copy(b[0x40:], "PE\x00\x00\x64\x86")
	le.PutUint16(b[0x46:], uint16(len(sections)))
	le.PutUint16(b[0x54:], 112+8)
	opt := b[0x58:]
	le.PutUint16(opt, 0x20b)
	le.PutUint32(opt[56:], 0x100000)
	le.PutUint32(opt[60:], 0x1000)
	le.PutUint32(opt[108:], 1)
	le.PutUint32(opt[112:], exports)
	le.PutUint32(opt[116:], size)
	for i, s := range sections {
		h := b[0xd0+40*i:]
		copy(h[:8], s.name)
		le.PutUint32(h[8:], s.loaded)
		le.PutUint32(h[12:], s.rva)
		le.PutUint32(h[16:], uint32(len(s.data)))
		le.PutUint32(h[20:], uint32(len(b)))
		b = append(b, s.data...)
	}
	if symbols == nil {
		return b
	}
	le.PutUint32(b[0x4c:], uint32(len(b)))
	strings := []byte("size")
	count := 0
	for _, s := range symbols {
		var name [8]byte
		if len(s.name) <= 8 {
			copy(name[:], s.name)
		} else {
			le.PutUint32(name[4:], uint32(len(strings)))
			strings = append(append(strings, s.name...), 0)
		}
		b = append(b, name[:]...)
		b = le.AppendUint32(b, s.value)
		b = le.AppendUint16(b, uint16(s.section))
		b = le.AppendUint16(b, s.kind)
		b = append(b, 2, byte(s.aux))
		b = append(b, bytes.Repeat([]byte("aux\x00\x00\x00\x00\x00\x08\x00\x00\x00\x01\x00\x20\x00\x02\x00"), s.aux)...)
		count += 1 + s.aux
	}
	le.PutUint32(b[0x50:], uint32(count))
	return append(b, strings...)
}

// near writes what an export or symbol table says of addresses.
func near(t *testing.T, lookup func(rva uint32) (string, uint32, bool, error), addresses ...uint32) []string {
	t.Helper()
	var out []string
	for _, rva := range addresses {
		name, at, ok, err := lookup(rva)
		if err != nil {
			t.Errorf("%#x: %v", rva, err)
		}
		text := "none"
		if ok {
			text = fmt.Sprintf("%s+%#x", name, rva-at)
		}
		out = append(out, text)
	}
	return out
}

func symbolAt(s *peimage.Symbols) func(uint32) (string, uint32, bool, error) {
	return func(rva uint32) (string, uint32, bool, error) {
		sym, ok, err := s.Lookup(rva)
		return sym.Name, sym.RVA, ok, err
	}
}

func exportAt(e *peimage.Exports) func(uint32) (string, uint32, bool, error) {
	return func(rva uint32) (string, uint32, bool, error) {
		x, ok, err := e.Lookup(rva)
		return x.Name, x.RVA, ok, err
	}
}

// TestManySymbols has more symbols than are read at once, in no order, with
// auxiliary records where one piece ends and the next begins.
func TestManySymbols(t *testing.T) {
	t.Parallel()
	const n = 3500
	var symbols []coff
	for i := range uint32(n) {
		at := i * 1237 % n
		s := coff{name: fmt.Sprintf("f%05d", at), value: 16 * at, section: 1, kind: function}
		switch {
		case at%7 == 0:
			s.name = fmt.Sprintf("function_%05d", at)
		case at%11 == 0:
			s.name = fmt.Sprintf("eight%03d", at%1000)
		}
		switch { // the pieces end at 1000, 2000, …; 997 to 1000 are one symbol's
		case len(symbols) == 996:
			s.aux = 4
		case at%97 == 0:
			s.aux = 2
		}
		symbols = append(symbols, s)
	}
	data := file([]fileSection{{name: ".text", rva: 0x2000, loaded: 16 * n}}, 0, 0, symbols)
	syms, err := openFile(t, data).Symbols()
	if err != nil || syms.Len() != n {
		t.Fatalf("%d symbols, %v; want %d", syms.Len(), err, n)
	}
	for at := range uint32(n) {
		want := fmt.Sprintf("f%05d", at)
		switch {
		case at%7 == 0:
			want = fmt.Sprintf("function_%05d", at)
		case at%11 == 0:
			want = fmt.Sprintf("eight%03d", at%1000)
		}
		rva := 0x2000 + 16*at
		wanted := []string{want + "+0x0", want + "+0xf"}
		if diff := cmp.Diff(wanted, near(t, symbolAt(syms), rva, rva+15)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}

	// Cut off behind the 2500th record, which is no symbol's first by chance.
	cut := openFile(t, data[:0x1000+18*2500+17])
	syms, err = cut.Symbols()
	if err == nil || syms.Len() < 2000 || syms.Len() >= 2500 {
		t.Errorf("cut off: %d symbols, %v", syms.Len(), err)
	}
}

// TestWhichSymbols has what is not a function, what lies nowhere, and several
// names for one address.
func TestWhichSymbols(t *testing.T) {
	t.Parallel()
	symbols := []coff{
		{name: "late", value: 0x30, section: 1, kind: function},
		{name: "first", value: 0x10, section: 1, kind: function},
		{name: "alias", value: 0x10, section: 1, kind: function},
		{name: "label", value: 0x20, section: 1},
		{name: "pointer", value: 0x21, section: 1, kind: 0x10},
		{name: "array", value: 0x22, section: 1, kind: 0x30},
		{name: "undef", value: 0x23, section: 0, kind: function},
		{name: "absolute", value: 0x24, section: -1, kind: function},
		{name: "third", value: 0x25, section: 3, kind: function},
		{name: "behind", value: 0x40, section: 1, kind: function},
		{name: "edge", value: 0x3f, section: 1, kind: function | 4},
		{name: "data", value: 0, section: 2, kind: function},
	}
	data := file([]fileSection{{name: "a", rva: 0x2000, loaded: 0x40}, {name: "b", rva: 0x3000, loaded: 1}}, 0, 0, symbols)
	syms, err := openFile(t, data).Symbols()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"none", "none", "none", "first+0x0", "first+0x15", "first+0x1f", "late+0x0", "late+0xe", "edge+0x0", "none", "none", "data+0x0", "none", "none"}
	got := near(t, symbolAt(syms), 0, 0x1fff, 0x200f, 0x2010, 0x2025, 0x202f, 0x2030, 0x203e, 0x203f, 0x2040, 0x2fff, 0x3000, 0x3001, 0xffffffff)
	if diff := cmp.Diff(want, got); diff != "" || syms.Len() != 4 {
		t.Errorf("%d functions (-want +got):\n%s", syms.Len(), diff)
	}
}

// TestManyExports has tables of more than 16 KiB, and names behind them.
func TestManyExports(t *testing.T) {
	t.Parallel()
	const n = 9000
	le := binary.LittleEndian
	const edata, code = 0x40000, 0x1000
	dir := make([]byte, 40+10*n)
	le.PutUint32(dir[20:], n)
	le.PutUint32(dir[24:], n)
	le.PutUint32(dir[28:], edata+40)
	le.PutUint32(dir[32:], edata+40+4*n)
	le.PutUint32(dir[36:], edata+40+8*n)
	for i := range n {
		at := i * 4001 % n // the function with the i-th name
		le.PutUint32(dir[40+4*i:], uint32(code+16*i))
		le.PutUint32(dir[40+4*n+4*i:], uint32(edata+len(dir)))
		le.PutUint16(dir[40+8*n+2*i:], uint16(at))
		dir = append(dir, fmt.Sprintf("f%05d\x00", at)...)
	}
	for _, mapped := range []bool{false, true} {
		data := file([]fileSection{{name: ".text", rva: code, loaded: 16 * n}, {name: ".edata", rva: edata, loaded: uint32(len(dir)), data: dir}}, edata, uint32(len(dir)), nil)
		newImage := peimage.NewFile
		if mapped {
			newImage = peimage.NewMapped
			data = slicesAt(data, edata, dir)
		}
		img, err := newImage(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		exports, err := img.Exports()
		if err != nil || exports.Len() != n {
			t.Fatalf("mapped %v: %d exports, %v", mapped, exports.Len(), err)
		}
		for i := range uint32(n) {
			rva := code + 16*i
			want := []string{fmt.Sprintf("f%05d+0x0", i), fmt.Sprintf("f%05d+0xf", i)}
			if diff := cmp.Diff(want, near(t, exportAt(exports), rva, rva+15)); diff != "" {
				t.Fatalf("mapped %v (-want +got):\n%s", mapped, diff)
			}
		}
	}
}

// slicesAt lays an image out as it is loaded: its headers, and data at an RVA.
func slicesAt(headers []byte, rva int, data []byte) []byte {
	b := make([]byte, rva, rva+len(data))
	copy(b, headers[:0x1000])
	return append(b, data...)
}

// TestMaxExports has as many functions as ordinals tell apart, and one more.
func TestMaxExports(t *testing.T) {
	t.Parallel()
	for _, declared := range []uint32{1<<16 - 1, 1 << 16, 1<<16 + 1} {
		const edata, code = 0x200000, 0x1000
		dir := make([]byte, 40)
		binary.LittleEndian.PutUint32(dir[20:], declared)
		binary.LittleEndian.PutUint32(dir[28:], edata+40)
		for i := range declared {
			dir = binary.LittleEndian.AppendUint32(dir, code+16*i)
		}
		data := file([]fileSection{{name: ".text", rva: code, loaded: 0x1ff000}, {name: ".edata", rva: edata, loaded: uint32(len(dir)), data: dir}}, edata, uint32(len(dir)), nil)
		exports, err := openFile(t, data).Exports()
		if want := min(declared, 1<<16); err != nil || exports.Len() != int(want) {
			t.Errorf("%d functions declared: %d, %v; want %d", declared, exports.Len(), err, want)
		}
	}
}

// TestLongNames are exported names at the edges of the pieces that they are
// read in, of their longest length, and longer.
func TestLongNames(t *testing.T) {
	t.Parallel()
	const edata = 0x2000
	for _, tt := range []struct {
		n, want int
	}{
		{0, 0}, {1, 1}, {63, 63}, {64, 64}, {65, 65}, {127, 127}, {128, 128}, {8<<10 - 1, 8<<10 - 1},
		{8 << 10, 8 << 10}, {64 << 10, 8 << 10},
	} {
		dir := make([]byte, 40)
		le := binary.LittleEndian
		le.PutUint32(dir[20:], 1)
		le.PutUint32(dir[24:], 1)
		le.PutUint32(dir[28:], edata+40)
		le.PutUint32(dir[32:], edata+44)
		le.PutUint32(dir[36:], edata+48)
		dir = le.AppendUint32(dir, 0x1000)
		dir = le.AppendUint32(dir, edata+50)
		dir = append(dir, 0, 0)
		name := string(bytes.Repeat([]byte{'n'}, tt.n))
		dir = append(append(dir, name...), 0)
		data := file([]fileSection{{name: ".text", rva: 0x1000, loaded: 0x10}, {name: ".edata", rva: edata, loaded: uint32(len(dir)), data: dir}}, edata, uint32(len(dir)), nil)
		exports, err := openFile(t, data).Exports()
		if err != nil {
			t.Fatal(err)
		}
		x, ok, err := exports.Lookup(0x1000)
		if x.Name != name[:tt.want] || !ok || err != nil {
			t.Errorf("%d bytes: %d, %v, %v", tt.n, len(x.Name), ok, err)
		}
	}
}

// TestReadRVA reads at the edges of what an image file has: headers, the bytes
// of a section in the file, and what is only loaded.
func TestReadRVA(t *testing.T) {
	t.Parallel()
	data := file([]fileSection{
		{name: "a", rva: 0x2000, loaded: 0x1000, data: bytes.Repeat([]byte{'a'}, 0x10)},
		{name: "b", rva: 0x3000, data: bytes.Repeat([]byte{'b'}, 0x20)}, // VirtualSize 0 means SizeOfRawData
	}, 0, 0, nil)
	img := openFile(t, data)
	for _, tt := range []struct {
		rva  uint32
		n    int
		want string
		end  bool
	}{
		{0, 2, "MZ", false}, {0x40, 2, "PE", false}, {0xfff, 1, "\x00", false}, {0xfff, 2, "\x00", true}, {0x1000, 1, "", true}, {0x1fff, 1, "", true},
		{0x2000, 2, "aa", false}, {0x200e, 2, "aa", false}, {0x200f, 1, "a", false}, {0x200f, 2, "a", true}, {0x2010, 1, "", true},
		{0x3000, 1, "b", false}, {0x301f, 1, "b", false}, {0x301f, 9, "b", true}, {0x3020, 1, "", true}, {0xffffffff, 4, "", true},
	} {
		p := make([]byte, tt.n)
		n, err := img.ReadRVA(p, tt.rva)
		if string(p[:n]) != tt.want || (err == io.EOF) != tt.end || !tt.end && err != nil {
			t.Errorf("%d bytes at %#x: %q, %v; want %q, end %v", tt.n, tt.rva, p[:n], err, tt.want, tt.end)
		}
	}
	for rva, want := range map[uint32][2]bool{0x1fff: {}, 0x2000: {true}, 0x2fff: {true}, 0x3000: {false, true}, 0x301f: {false, true}, 0x3020: {}} {
		if got := [2]bool{img.Sections[0].Contains(rva), img.Sections[1].Contains(rva)}; got != want {
			t.Errorf("sections that contain %#x: %v, want %v", rva, got, want)
		}
	}
}

// TestHeaderExports has an export in the headers, which belong to no section.
func TestHeaderExports(t *testing.T) {
	t.Parallel()
	ti := sample()
	ti.functions[1] = 0x800
	for _, mapped := range []bool{false, true} {
		exports, err := open(t, ti, mapped).Exports()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"none", "none", "none", "NtClose+0x0"}
		if diff := cmp.Diff(want, near(t, exportAt(exports), 0, 0x800, 0x1000, 0x1100)); diff != "" {
			t.Errorf("mapped %v (-want +got):\n%s", mapped, diff)
		}
	}
}

// TestData reads whole sections: no more than is loaded, and no more than is in
// the file.
func TestData(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("0123456789abcdef"), 2000)
	data := file([]fileSection{
		{name: "a", rva: 0x2000, loaded: 10, data: text[:0x20]},
		{name: "b", rva: 0x3000, loaded: 0x1000, data: text[:0x20]},
		{name: "c", rva: 0x4000, data: text},
	}, 0, 0, nil)
	img := openFile(t, data)
	for i, want := range [][]byte{text[:10], text[:0x20], text} {
		if got, err := img.Data(img.Sections[i]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("section %s: %d bytes, %v; want %d", img.Sections[i].Name, len(got), err, len(want))
		}
	}
	img = openFile(t, data[:len(data)-1])
	if got, err := img.Data(img.Sections[2]); err == nil || got != nil {
		t.Errorf("cut off: %d bytes, %v", len(got), err)
	}
	loaded := slicesAt(data, 0x2000, text[:0x3000])
	img, err := peimage.NewMapped(bytes.NewReader(loaded), int64(len(loaded)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]byte{text[:10], text[0x1000:0x1020]} {
		if got, err := img.Data(img.Sections[i]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("section %s in memory: %q, %v; want %q", img.Sections[i].Name, got, err, want)
		}
	}
}

// TestSameAddress has several exports of one address, with names and without: a
// name goes first, then the lowest ordinal.
func TestSameAddress(t *testing.T) {
	t.Parallel()
	ti := testImage{
		functions: []uint32{0x1300, 0x1100, 0x1300, 0x1200, 0x1100, 0x1300, 0x1200, 0x1100},
		names:     []exportName{{"alpha", 6}, {"beta", 3}, {"gamma", 7}},
		base:      1,
		forward:   -1,
	}
	exports, err := open(t, ti, false).Exports()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"gamma+0x0", "alpha+0x0", "Ordinal1+0x0"}
	if diff := cmp.Diff(want, near(t, exportAt(exports), 0x1100, 0x1200, 0x1300)); diff != "" || exports.Len() != 3 {
		t.Errorf("%d exports (-want +got):\n%s", exports.Len(), diff)
	}
}

// TestFullNames has names of sections that are in the string table, or only look
// so.
func TestFullNames(t *testing.T) {
	t.Parallel()
	names := []string{"/4", "/x", "short", "/9999999", ""}
	var sections []fileSection
	for i, name := range names {
		sections = append(sections, fileSection{name: name, rva: uint32(0x2000 + 0x1000*i), loaded: 0x1000})
	}
	symbols := []coff{{name: "a_long_function", section: 1, kind: function}}
	with, without := file(sections, 0, 0, symbols), file(sections, 0, 0, nil)
	mapped, err := peimage.NewMapped(bytes.NewReader(with), int64(len(with)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		img  *peimage.Image
		want []string // "?" for an error
	}{
		{"file", openFile(t, with), []string{"a_long_function", "/x", "short", "?", ""}},
		{"without symbols", openFile(t, without), names},
		{"memory", mapped, names},
	} {
		for i, s := range tt.img.Sections {
			got, err := tt.img.FullName(s)
			if failed := tt.want[i] == "?"; (err != nil) != failed || !failed && got != tt.want[i] {
				t.Errorf("%s: %s is %q, %v; want %q", tt.name, s.Name, got, err, tt.want[i])
			}
		}
	}
	if syms, err := mapped.Symbols(); syms.Len() != 0 || err != nil {
		t.Errorf("memory has %d symbols, %v", syms.Len(), err)
	}
}
