package peimage_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

func leakDLL(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "symbols", "dwarf", "leak.dll"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func openFile(t *testing.T, data []byte) *peimage.Image {
	t.Helper()
	img, err := peimage.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSymbols reads the table that GNU ld wrote.
func TestSymbols(t *testing.T) {
	syms, err := openFile(t, leakDLL(t)).Symbols()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[uint32]string{
		0xfff: "", 0x1000: "open_key+0x0", 0x104f: "open_key+0x4f", 0x1050: "CreateSettings+0x0",
		0x10e5: "DllMainCRTStartup+0x45", 0x2000: "__data_start__+0x0", 0xffffffff: "",
	}
	for rva, want := range tests {
		sym, ok, err := syms.Lookup(rva)
		got := ""
		if ok {
			got = fmt.Sprintf("%s+%#x", sym.Name, rva-sym.RVA)
		}
		if got != want || err != nil {
			t.Errorf("Lookup(%#x) = %q, %v, want %q", rva, got, err, want)
		}
	}
	if syms.Len() != 5 {
		t.Errorf("%d functions and variables, want 5", syms.Len())
	}
}

func TestSectionNames(t *testing.T) {
	img := openFile(t, leakDLL(t))
	var names []string
	for _, s := range img.Sections {
		name, err := img.FullName(s)
		if err != nil {
			t.Fatal(err)
		}
		data, err := img.Data(s)
		if err != nil || s.VirtualSize != 0 && len(data) > int(s.VirtualSize) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
		names = append(names, name)
	}
	if got := strings.Join(names, " "); !strings.Contains(got, ".text") || !strings.Contains(got, ".debug_info") {
		t.Errorf("sections %s", got)
	}
}

func TestHostileSymbols(t *testing.T) {
	put := func(off int, v uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[off:], v) }
	}
	data := leakDLL(t)
	header := int(binary.LittleEndian.Uint32(data[0x3c:])) + 4
	tests := []struct {
		name   string
		change func([]byte)
		table  string // in the error of Symbols
		lookup string // in the error of Lookup(0x1050)
	}{
		{"more symbols than bytes", put(header+12, 0xffffffff), "symbol table at 0x", ""},
		{"table behind the end", put(header+8, 0xfffffff0), "symbol table at 0xfffffff0", ""},
		{"name nowhere", func(b []byte) {
			at := int(binary.LittleEndian.Uint32(b[header+8:]))
			for binary.LittleEndian.Uint32(b[at:]) != 0 || binary.LittleEndian.Uint32(b[at+8:]) != 0x50 {
				at += 18
			}
			put(at+4, 0xfffffff0)(b)
		}, "", "name in the string table"},
	}
	for _, tt := range tests {
		changed := bytes.Clone(data)
		tt.change(changed)
		syms, err := openFile(t, changed).Symbols()
		if tt.table != "" {
			if err == nil || !strings.Contains(err.Error(), tt.table) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.table)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, _, err := syms.Lookup(0x1050); err == nil || !strings.Contains(err.Error(), tt.lookup) {
			t.Errorf("%s: Lookup: %v, want %q", tt.name, err, tt.lookup)
		}
	}
}
