package dwarfsym_test

import (
	"bytes"
	"debug/dwarf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/dwarfsym"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

var folder = filepath.Join("..", "..", "..", "testdata", "symbols", "dwarf")

func open(t testing.TB, name string) (*peimage.Image, *dwarfsym.File) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	img, f, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return img, f
}

func parse(data []byte) (*peimage.Image, *dwarfsym.File, error) {
	img, err := peimage.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, err
	}
	f, err := dwarfsym.New(img)
	return img, f, err
}

// text writes an answer as the goldens do.
func text(sym dwarfsym.Symbol, ok bool) string {
	if !ok || sym.Line == 0 {
		return "-"
	}
	var frames []string
	for _, f := range append(sym.Inlined, dwarfsym.Frame{Function: sym.Name, File: sym.File, Line: sym.Line}) {
		frames = append(frames, fmt.Sprintf("%s|%s|%d", f.Function, f.File, f.Line))
	}
	return strings.Join(frames, " ")
}

// TestLikeLLVM compares every address of the code with what llvm-symbolizer
// says of it.
func TestLikeLLVM(t *testing.T) {
	for _, name := range []string{"leak", "leak32", "task"} {
		golden, err := os.ReadFile(filepath.Join(folder, name+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[uint32]string)
		for line := range strings.Lines(string(golden)) {
			rva, answer, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			at, err := strconv.ParseUint(rva, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			want[uint32(at)] = answer
		}
		img, f := open(t, name+".dll")
		checked := 0
		for _, s := range img.Sections {
			if s.Characteristics&0x20 == 0 {
				continue
			}
			answer := ""
			for rva := s.VirtualAddress; s.Contains(rva); rva++ {
				if a, ok := want[rva]; ok {
					answer = a
				}
				sym, ok, err := f.Lookup(rva)
				if err != nil {
					t.Fatalf("%s: Lookup(%#x): %v", name, rva, err)
				}
				if got := text(sym, ok); got != answer {
					t.Errorf("%s: %#x is %s, want %s", name, rva, got, answer)
				}
				checked++
			}
		}
		if checked < 200 {
			t.Errorf("%s: only %d addresses checked", name, checked)
		}
	}
}

func TestStart(t *testing.T) {
	_, f := open(t, "leak.dll")
	sym, ok, err := f.Lookup(0x1068)
	if err != nil || !ok || sym.Name != "CreateSettings" || sym.RVA != 0x1050 {
		t.Errorf("Lookup(0x1068) = %+v, %v, %v", sym, ok, err)
	}
	for _, rva := range []uint32{0, 0xfff, 0x2000, 0xffffffff} {
		if sym, ok, err := f.Lookup(rva); ok || err != nil {
			t.Errorf("Lookup(%#x) = %+v, %v, want nothing", rva, sym, err)
		}
	}
}

// TestDamage cuts and changes the debug sections: an answer may be missing or
// the error of debug/dwarf, but nothing panics.
func TestDamage(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(folder, "task.dll"))
	if err != nil {
		t.Fatal(err)
	}
	img, _ := open(t, "task.dll")
	failed := 0
	for _, s := range img.Sections {
		full, err := img.FullName(s)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(full, ".debug_") {
			continue
		}
		for off := uint32(0); off < s.SizeOfRawData; off += 3 {
			data := bytes.Clone(whole)
			data[s.PointerToRawData+off] ^= 0xff
			_, f, err := parse(data)
			for rva := uint32(0x1000); err == nil && rva < 0x1100; rva += 7 {
				_, _, err = f.Lookup(rva)
			}
			if err != nil {
				failed++
			}
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed")
	}
}

func TestNoDWARF(t *testing.T) {
	img := &peimage.Image{}
	if _, err := dwarfsym.New(img); !errors.Is(err, dwarfsym.ErrNoDWARF) {
		t.Errorf("New without sections: %v, want %v", err, dwarfsym.ErrNoDWARF)
	}
	data, err := os.ReadFile(filepath.Join(folder, "leak.dll"))
	if err != nil {
		t.Fatal(err)
	}
	img, _ = open(t, "leak.dll")
	for _, s := range img.Sections {
		if full, _ := img.FullName(s); full == ".debug_abbrev" {
			clear(data[s.PointerToRawData : s.PointerToRawData+s.SizeOfRawData])
		}
	}
	_, _, err = parse(data)
	var decode dwarf.DecodeError
	if err == nil || !errors.As(err, &decode) {
		t.Errorf("New without abbreviations: %v, want a decode error", err)
	}
}

func FuzzFile(f *testing.F) {
	for _, name := range []string{"leak.dll", "task.dll"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func() string {
			_, f, err := parse(data)
			if err != nil {
				return err.Error()
			}
			out := ""
			for rva := uint32(0x1000); rva < 0x1100; rva += 0x11 {
				sym, ok, err := f.Lookup(rva)
				if ok && err != nil {
					t.Fatalf("Lookup(%#x) = %+v with error %v", rva, sym, err)
				}
				out += fmt.Sprintf("%+v %v %v\n", sym, ok, err)
			}
			return out
		}
		if a, b := read(), read(); a != b {
			t.Fatalf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

func ExampleFile_Lookup() {
	img, err := peimage.Open(filepath.Join(folder, "leak.dll"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer img.Close()
	f, err := dwarfsym.New(img)
	if err != nil {
		fmt.Println(err)
		return
	}
	sym, _, err := f.Lookup(0x1028)
	fmt.Printf("%s %s:%d %v\n", sym.Name, sym.File, sym.Line, err)
	for _, call := range sym.Inlined {
		fmt.Printf("  %s %s:%d\n", call.Function, call.File, call.Line)
	}
	// Output:
	// open_key /build/src/leak.c:19 <nil>
	//   count /build/src/leak.c:7
	//   twice /build/src/leak.c:12
}
