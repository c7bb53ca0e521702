package peimage_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

// testImage describes an image that build writes: .text at RVA 0x1000 and
// .edata at 0x2000, 0x1000 bytes each when loaded, 0x400 in the file.
type testImage struct {
	pe32      bool
	functions []uint32 // address table
	names     []exportName
	base      uint32 // ordinal base
	forward   int    // index of a function that becomes a forwarder, or -1
}

type exportName struct {
	name  string
	index uint16
}

const (
	edata   = 0x2000 // RVA of the export section
	rawSize = 0x400
)

// build returns the image as a file, or laid out as it is loaded.
func (ti testImage) build(mapped bool) []byte {
	le := binary.LittleEndian
	head := make([]byte, 0x400)
	copy(head, "MZ")
	le.PutUint32(head[0x3c:], 0x80)
	copy(head[0x80:], "PE\x00\x00")
	le.PutUint16(head[0x84:], 0x8664)
	le.PutUint16(head[0x86:], 2)
	le.PutUint32(head[0x88:], 0x5f3759df)
	opt := head[0x98:]
	optSize, dirs := 112+16*8, 112
	le.PutUint16(opt, 0x20b)
	le.PutUint64(opt[24:], 0x180000000)
	if ti.pe32 {
		optSize, dirs = 96+16*8, 96
		le.PutUint16(opt, 0x10b)
		le.PutUint32(opt[24:], 0)
		le.PutUint32(opt[28:], 0x10000000)
	}
	le.PutUint16(head[0x94:], uint16(optSize))
	le.PutUint32(opt[56:], 0x3000)
	le.PutUint32(opt[60:], 0x400)
	le.PutUint32(opt[dirs-4:], 16)
	sections := opt[optSize:]
	for i, name := range []string{".text", ".edata"} {
		s := sections[40*i:]
		copy(s, name)
		le.PutUint32(s[8:], 0x1000)
		le.PutUint32(s[12:], uint32(0x1000*(i+1)))
		le.PutUint32(s[16:], rawSize)
		le.PutUint32(s[20:], uint32(0x400+rawSize*i))
	}

	dir := make([]byte, rawSize)
	at := 40
	table := func(n int) (rva uint32, b []byte) {
		rva, b = edata+uint32(at), dir[at:]
		at += n
		return rva, b
	}
	le.PutUint32(dir[16:], ti.base)
	le.PutUint32(dir[20:], uint32(len(ti.functions)))
	le.PutUint32(dir[24:], uint32(len(ti.names)))
	rva, addresses := table(4 * len(ti.functions))
	le.PutUint32(dir[28:], rva)
	rva, names := table(4 * len(ti.names))
	le.PutUint32(dir[32:], rva)
	rva, ordinals := table(2 * len(ti.names))
	le.PutUint32(dir[36:], rva)
	for i, n := range ti.names {
		rva, text := table(len(n.name) + 1)
		copy(text, n.name)
		le.PutUint32(names[4*i:], rva)
		le.PutUint16(ordinals[2*i:], n.index)
	}
	for i, f := range ti.functions {
		if i == ti.forward {
			f = edata + 20 // inside the directory
		}
		le.PutUint32(addresses[4*i:], f)
	}
	if len(ti.functions) > 0 {
		le.PutUint32(opt[dirs:], edata)
		le.PutUint32(opt[dirs+4:], uint32(at))
	}
	if !mapped {
		return bytes.Join([][]byte{head, make([]byte, rawSize), dir}, nil)
	}
	loaded := make([]byte, 0x3000)
	copy(loaded, head)
	copy(loaded[edata:], dir)
	return loaded
}

func sample() testImage {
	return testImage{
		functions: []uint32{0x1100, 0x1200, 0x1100, 0, 0x1300, 0x1400, 0x2ff0},
		names:     []exportName{{"NtClose", 2}, {"Open", 1}, {"Skipped", 4}, {"ZwClose", 0}, {"table", 6}},
		base:      10,
		forward:   4,
	}
}

func open(t *testing.T, ti testImage, mapped bool) *peimage.Image {
	t.Helper()
	data := ti.build(mapped)
	newImage := peimage.NewFile
	if mapped {
		newImage = peimage.NewMapped
	}
	img, err := newImage(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestHeaders(t *testing.T) {
	for _, pe32 := range []bool{false, true} {
		ti := sample()
		ti.pe32 = pe32
		img := open(t, ti, false)
		base := uint64(0x180000000)
		if pe32 {
			base = 0x10000000
		}
		if img.ImageBase != base || img.Machine != 0x8664 || img.Key() != "5F3759DF3000" {
			t.Errorf("PE32 %v: base %#x, machine %#x, key %s", pe32, img.ImageBase, img.Machine, img.Key())
		}
		want := []peimage.Section{
			{Name: ".text", VirtualSize: 0x1000, VirtualAddress: 0x1000, SizeOfRawData: 0x400, PointerToRawData: 0x400},
			{Name: ".edata", VirtualSize: 0x1000, VirtualAddress: 0x2000, SizeOfRawData: 0x400, PointerToRawData: 0x800},
		}
		if diff := cmp.Diff(want, img.Sections); diff != "" {
			t.Errorf("PE32 %v: sections (-want +got):\n%s", pe32, diff)
		}
	}
}

// TestExceptions finds the exception directory, if the header has one.
func TestExceptions(t *testing.T) {
	for _, tt := range []struct{ count, rva, size uint32 }{{16, 0x1234, 0x5678}, {4, 0x1234, 0x5678}, {3, 0, 0}, {0, 0, 0}} {
		data := sample().build(false)
		le := binary.LittleEndian
		le.PutUint32(data[0x98+108:], tt.count)
		le.PutUint32(data[0x98+112+3*8:], 0x1234)
		le.PutUint32(data[0x98+112+3*8+4:], 0x5678)
		if rva, size := openFile(t, data).Exceptions(); rva != tt.rva || size != tt.size {
			t.Errorf("%d directories: %#x, %#x, want %#x, %#x", tt.count, rva, size, tt.rva, tt.size)
		}
	}
}

func TestLookup(t *testing.T) {
	tests := []struct {
		rva  uint32
		want string
	}{
		{0x1000, ""}, {0x10ff, ""}, // before the first export
		{0x1100, "NtClose+0x0"}, {0x11ff, "NtClose+0xff"},
		{0x1200, "Open+0x0"}, {0x13ff, "Open+0x1ff"}, // 0x1300 forwards
		{0x1400, "Ordinal15+0x0"}, {0x1fff, "Ordinal15+0xbff"},
		{0x2000, ""}, {0x2fef, ""}, // not across the border of sections
		{0x2ff5, "table+0x5"}, {0x3000, ""}, {0xffffffff, ""},
	}
	for _, image := range []struct{ pe32, mapped bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		ti, mapped := sample(), image.mapped
		ti.pe32 = image.pe32
		exports, err := open(t, ti, mapped).Exports()
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range tests {
			x, ok, err := exports.Lookup(tt.rva)
			if err != nil {
				t.Errorf("%+v: Lookup(%#x): %v", image, tt.rva, err)
			}
			got := ""
			if ok {
				got = fmt.Sprintf("%s+%#x", x.Name, tt.rva-x.RVA)
			}
			if got != tt.want {
				t.Errorf("%+v: Lookup(%#x) = %q, want %q", image, tt.rva, got, tt.want)
			}
		}
		if exports.Len() != 4 {
			t.Errorf("%+v: %d exports, want 4", image, exports.Len())
		}
	}
}

// TestShortFiles are images of every length up to the whole: an error, or what
// the whole says.
func TestShortFiles(t *testing.T) {
	t.Parallel()
	for _, pe32 := range []bool{false, true} {
		ti := sample()
		ti.pe32 = pe32
		data := ti.build(false)
		opened := 0
		for n := range len(data) {
			img, err := peimage.NewFile(bytes.NewReader(data[:n]), int64(n))
			if err != nil || img == nil {
				if err == nil || n > 0x1ff {
					t.Errorf("%d bytes: %v, %v", n, img, err)
				}
				continue
			}
			opened++
			exports, err := img.Exports()
			for _, rva := range []uint32{0x1100, 0x1200, 0x1400, 0x2ff5} {
				x, ok, lookupErr := exports.Lookup(rva)
				if err == nil && lookupErr == nil && (!ok || x.RVA > rva) {
					t.Errorf("%d bytes: %#x is %v, %v, without an error", n, rva, x, ok)
				}
			}
			if n < 0x800+40+7*4+5*4+5*2 && err == nil {
				t.Errorf("%d bytes have whole tables of %d exports", n, exports.Len())
			}
		}
		if opened < 0x800 {
			t.Errorf("only %d of the images could be opened", opened)
		}
	}
}

// TestDirectory has a directory of exports in part.
func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		count, rva, size uint32
		want             int
	}{{16, edata, 0, 0}, {16, 0, 100, 0}, {0, edata, 100, 0}, {1, edata, 1, 5}} {
		data := sample().build(false)
		le := binary.LittleEndian
		le.PutUint32(data[0x98+108:], tt.count)
		le.PutUint32(data[0x98+112:], tt.rva)
		le.PutUint32(data[0x98+116:], tt.size)
		exports, err := openFile(t, data).Exports()
		if err != nil || exports.Len() != tt.want {
			t.Errorf("%+v: %d exports, %v", tt, exports.Len(), err)
		}
	}
}

// TestOpen opens a file, and closes it.
func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.dll")
	if err := os.WriteFile(path, sample().build(false), 0o666); err != nil {
		t.Fatal(err)
	}
	img, err := peimage.Open(path)
	if err != nil || img.Key() != "5F3759DF3000" {
		t.Fatalf("%v, %v", img, err)
	}
	if err := img.Close(); err != nil {
		t.Error(err)
	}
	if err := img.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if err := open(t, sample(), false).Close(); err != nil {
		t.Errorf("nothing to close: %v", err)
	}
	if err := os.WriteFile(path, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if img, err := peimage.Open(path); !errors.Is(err, peimage.ErrNotPE) || img != nil {
		t.Errorf("another file: %v, %v", img, err)
	}
	if _, err := peimage.Open(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestNoExports(t *testing.T) {
	exports, err := open(t, testImage{forward: -1}, false).Exports()
	if err != nil || exports.Len() != 0 {
		t.Errorf("Exports() = %d, %v, want none", exports.Len(), err)
	}
}

// A hostile image changes one thing of the sample.
func TestHostile(t *testing.T) {
	put := func(off int, v uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[off:], v) }
	}
	const raw = 0x800 // file offset of the export directory
	tests := []struct {
		name   string
		change func([]byte)
		open   string // in the error of NewFile
		table  string // in the error of Exports
		lookup string // in the error of Lookup(0x1100)
	}{
		{"no MZ", put(0, 0), "no MZ", "", ""},
		{"header behind the end", put(0x3c, 0xfffffff0), "no PE signature", "", ""},
		{"not PE", put(0x80, 0x454e), "no PE signature", "", ""},
		{"many sections", put(0x86, 0xffff), "section table at 0x", "", ""},
		{"long optional header", put(0x94, 0xffff), "section table at 0x", "", ""},
		{"no optional header", put(0x94, 0), "optional header at 0x98: 2 bytes wanted, 0 left", "", ""},
		{"short optional header", put(0x94, 111), "optional header at 0x104: 4 bytes wanted, 3 left", "", ""},
		{"optional header without its directory", put(0x94, 112+7), "optional header at 0x10c: 4 bytes wanted, 3 left", "", ""},
		{"other optional header", put(0x98, 0x107), "kind 0x107", "", ""},
		{"sections descend", put(0x98+240+12, 0x9000), "section table at 0x1b0: sections are not in ascending order", "", ""},
		{"directory nowhere", put(0x98+112, 0x7fffffff), "", "export directory at 0x7fffffff", ""},
		{"many functions", put(raw+20, 0xffffffff), "", "export address table", ""},
		{"many names", put(raw+24, 0xffffffff), "", "export name table", ""},
		{"names nowhere", put(raw+32, 0x5000), "", "export name table at 0x5000", ""},
		{"ordinals nowhere", put(raw+36, 0x5000), "", "export ordinal table at 0x5000", ""},
		{"name nowhere", put(raw+40+7*4, 0x5000), "", "", "export name at 0x5000"},
		{"name without end", func(b []byte) {
			put(raw+40+7*4, edata+0x300)(b)
			copy(b[raw+0x300:], bytes.Repeat([]byte{'x'}, 0x100))
		}, "", "", "has no end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := sample().build(false)
			tt.change(data)
			img, err := peimage.NewFile(bytes.NewReader(data), int64(len(data)))
			if wantError(t, err, tt.open) {
				return
			}
			exports, err := img.Exports()
			if wantError(t, err, tt.table) {
				return
			}
			_, _, err = exports.Lookup(0x1100)
			wantError(t, err, tt.lookup)
		})
	}
}

// wantError reports whether err was asked for.
func wantError(t *testing.T, err error, text string) bool {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Fatalf("unexpected error: %v", err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		t.Fatalf("error %v, want one with %q", err, text)
	}
	return text != ""
}

// broken fails every read behind its first bytes, as a dump with holes does.
type broken struct {
	data []byte
	ends int64
}

var errHole = errors.New("not captured")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.ends {
		return 0, errHole
	}
	n := copy(p, b.data[off:b.ends])
	if n < len(p) {
		return n, errHole
	}
	return n, nil
}

func TestHoles(t *testing.T) {
	data := sample().build(true)
	img, err := peimage.NewMapped(broken{data, 0x1000}, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := img.Exports(); !errors.Is(err, errHole) {
		t.Errorf("Exports() without its memory: %v, want %v", err, errHole)
	}
	// The directory and half of the address table.
	if img, err = peimage.NewMapped(broken{data, edata + 40 + 8}, int64(len(data))); err != nil {
		t.Fatal(err)
	}
	exports, err := img.Exports()
	if err == nil || exports.Len() != 2 {
		t.Errorf("Exports() of half a table: %d, %v, want 2 and an error", exports.Len(), err)
	}
}

func FuzzImage(f *testing.F) {
	ti := sample()
	f.Add(ti.build(false), false)
	f.Add(ti.build(true), true)
	ti.pe32 = true
	f.Add(ti.build(false), false)
	f.Add(leakDLL(f), false)
	f.Fuzz(func(t *testing.T, data []byte, mapped bool) {
		read := func() string {
			newImage := peimage.NewFile
			if mapped {
				newImage = peimage.NewMapped
			}
			img, err := newImage(io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), int64(len(data)))
			if err != nil {
				return err.Error()
			}
			exports, err := img.Exports()
			out := fmt.Sprint(img.Key(), exports.Len(), err)
			symbols, err := img.Symbols()
			out += fmt.Sprint(symbols.Len(), err)
			if 18*symbols.Len() > len(data) {
				t.Fatalf("%d symbols in %d bytes", symbols.Len(), len(data))
			}
			for _, s := range img.Sections {
				name, err := img.FullName(s)
				out += fmt.Sprint(name, err)
			}
			if 4*exports.Len() > len(data) {
				t.Fatalf("%d exports in %d bytes", exports.Len(), len(data))
			}
			for _, rva := range []uint32{0, 0x1000, 0x1150, 0x2ff5, 0xffffffff} {
				x, ok, err := exports.Lookup(rva)
				if ok && (err != nil || x.RVA > rva || x.Name == "" && err != nil) {
					t.Fatalf("Lookup(%#x) = %v, %v", rva, x, err)
				}
				sym, ok2, err2 := symbols.Lookup(rva)
				if ok2 && (err2 != nil || sym.RVA > rva) {
					t.Fatalf("symbol at %#x: %v, %v", rva, sym, err2)
				}
				out += fmt.Sprint(x, ok, err, sym, ok2, err2)
			}
			return out
		}
		if a, b := read(), read(); a != b {
			t.Fatalf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	data := sample().build(false)
	img, err := peimage.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	exports, err := img.Exports()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := range b.N {
		if _, _, err := exports.Lookup(uint32(0x1100 + i%0xf00)); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleImage_Exports() {
	data := sample().build(true) // as a full-memory dump holds it
	img, err := peimage.NewMapped(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	exports, err := img.Exports()
	if err != nil {
		fmt.Println(err)
		return
	}
	x, ok, _ := exports.Lookup(0x1234)
	fmt.Printf("%s+%#x %v\n", x.Name, 0x1234-x.RVA, ok)
	// Output: Open+0x34 true
}
