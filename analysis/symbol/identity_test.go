package symbol_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// loadedImage is an image file as Windows maps it.
func loadedImage(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := peimage.NewFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	memory := make([]byte, img.SizeOfImage)
	copy(memory, file[:0x400])
	for _, s := range img.Sections {
		copy(memory[s.VirtualAddress:], file[s.PointerToRawData:][:s.SizeOfRawData])
	}
	return memory
}

// A list of modules without identities, as some writers leave it: the dumped
// image has its PDB's.
func TestIdentityFromMemory(t *testing.T) {
	folder := filepath.Join("..", "..", "testdata", "symbols", "pdb")
	for _, name := range []string{"handles64", "handles32"} {
		path := filepath.Join(folder, name+".exe")
		if name == "handles32" {
			path = filepath.Join(folder, name+".dll")
		}
		memory := loadedImage(t, path)
		const base = 0x10000000
		d := dumptest.Dump{
			Modules: []dumptest.Module{{Base: base, Size: uint32(len(memory)), Name: `C:\app\` + filepath.Base(path)}},
			Memory:  []dumptest.MemoryRange{{Start: base, Data: memory}},
		}
		b := d.Bytes()
		f, err := minidump.NewFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := symbol.NewResolver(f, symbol.Options{SymbolPath: folder, Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list, err := s.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		file, err := pdb.Open(filepath.Join(folder, name+".pdb"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		want := minidump.CodeView{Kind: minidump.CodeViewRSDS, GUID: minidump.GUID(file.GUID), Age: file.Age}
		if got := list[0].Module.CvRecord; got.Key() != want.Key() || list[0].Trust != symbol.TrustPDB {
			t.Errorf("%s: %s by %s, want %s", name, got.Key(), list[0].Trust, want.Key())
		}
		if modules, _ := f.Modules(); modules[0].CvRecord.Key() != "" {
			t.Errorf("%s: the list of modules was changed", name)
		}
	}
}
