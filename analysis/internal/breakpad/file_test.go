package breakpad_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/breakpad"
)

var testApp = filepath.Join("..", "..", "..", "testdata", "symbols", "sym",
	"test_app.pdb", "5A9832E5287241C1838ED98914E9B7FF1", "test_app.sym")

func parse(t testing.TB, text string) *breakpad.File {
	t.Helper()
	f, err := breakpad.NewFile(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestHeader(t *testing.T) {
	f, err := breakpad.Open(testApp)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := []string{f.OS, f.CPU, f.ID, f.Name}
	want := []string{"windows", "x86", "5A9832E5287241C1838ED98914E9B7FF1", "test_app.pdb"}
	if diff := cmp.Diff(want, got); diff != "" || f.Skipped != 0 {
		t.Errorf("%d skipped; (-want +got):\n%s", f.Skipped, diff)
	}
}

const text = `MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 app name
FILE 0 a.c
FILE 1 dir/b c.h
FILE 1 ignored.h
INLINE_ORIGIN 7 Inner(int)
INLINE_ORIGIN 8 Middle
FUNC 1000 40 0 Outer(char const*, int)
INLINE 0 12 0 8 1010 20
INLINE 1 5 1 7 1018 8 1028 4
1000 10 11 0
1010 8 101 1
1018 8 201 1
1020 10 102 1
1030 10 13 0
FUNC m abc0 10 0 Shared
abc0 8 1 0
bad line
FUNC 2000 10 0 Old
INLINE 0 9 7 2004 4
2000 10 3 1
PUBLIC 900 0 first
PUBLIC m 1050 0 after outer
PUBLIC 1020 0 hidden
PUBLIC 3000 4 last
STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa -8 + ^
FUNC nonsense
FUNC ffffffffffffffff ffff 0 wraps
`

func TestLookup(t *testing.T) {
	f := parse(t, strings.ReplaceAll(text, "\n", "\r\n"))
	outer := breakpad.Symbol{Name: "Outer(char const*, int)", RVA: 0x1000, Size: 0x40}
	with := func(s breakpad.Symbol, file string, line int, inlined ...breakpad.Frame) breakpad.Symbol {
		s.File, s.Line, s.Inlined = file, line, inlined
		return s
	}
	tests := []struct {
		rva  uint64
		want breakpad.Symbol
	}{
		{0, breakpad.Symbol{}},
		{0x8ff, breakpad.Symbol{}},
		{0x900, breakpad.Symbol{Name: "first", Public: true, RVA: 0x900}},
		{0xfff, breakpad.Symbol{Name: "first", Public: true, RVA: 0x900}},
		{0x1000, with(outer, "a.c", 11)},
		{0x1010, with(outer, "a.c", 12, breakpad.Frame{Function: "Middle", File: "dir/b c.h", Line: 101})},
		{0x101f, with(outer, "a.c", 12,
			breakpad.Frame{Function: "Inner(int)", File: "dir/b c.h", Line: 201},
			breakpad.Frame{Function: "Middle", File: "dir/b c.h", Line: 5})},
		{0x1020, with(outer, "a.c", 12, breakpad.Frame{Function: "Middle", File: "dir/b c.h", Line: 102})},
		{0x102b, with(outer, "a.c", 12,
			breakpad.Frame{Function: "Inner(int)", File: "dir/b c.h", Line: 102},
			breakpad.Frame{Function: "Middle", File: "dir/b c.h", Line: 5})},
		{0x1030, with(outer, "a.c", 13)},
		{0x1040, breakpad.Symbol{Name: "hidden", Public: true, RVA: 0x1020}},
		{0x1050, breakpad.Symbol{Name: "after outer", Public: true, RVA: 0x1050}},
		{0x2000, breakpad.Symbol{Name: "Old", RVA: 0x2000, Size: 0x10, File: "dir/b c.h", Line: 3}},
		{0x2005, breakpad.Symbol{Name: "Old", RVA: 0x2000, Size: 0x10, Line: 9,
			Inlined: []breakpad.Frame{{Function: "Inner(int)", File: "dir/b c.h", Line: 3}}}},
		{0x2010, breakpad.Symbol{}},
		{0x2fff, breakpad.Symbol{}},
		{0x5000, breakpad.Symbol{Name: "last", Public: true, RVA: 0x3000}},
		{0xabc1, breakpad.Symbol{Name: "Shared", RVA: 0xabc0, Size: 0x10, File: "a.c", Line: 1}},
		{0xabc8, breakpad.Symbol{Name: "Shared", RVA: 0xabc0, Size: 0x10}},
		{^uint64(0), breakpad.Symbol{}},
	}
	for range 2 { // the second time from what is remembered
		for _, tt := range tests {
			got, ok, err := f.Lookup(tt.rva)
			if err != nil {
				t.Errorf("Lookup(%#x): %v", tt.rva, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want.Name != "") {
				t.Errorf("Lookup(%#x), %v (-want +got):\n%s", tt.rva, ok, diff)
			}
		}
	}
	if f.Skipped != 2 {
		t.Errorf("%d records skipped, want 2", f.Skipped)
	}
}

// TestWindows has lines that begin and end anywhere in the windows the file is
// read by.
func TestWindows(t *testing.T) {
	var b strings.Builder
	b.WriteString("MODULE windows x86_64 1 a.pdb\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "FUNC %x 10 0 f%d_%s\n%x 10 %d 0\n", 0x1000+16*i, i, strings.Repeat("x", i%700), 0x1000+16*i, i+1)
	}
	f := parse(t, b.String())
	for i := range 3000 {
		sym, ok, err := f.Lookup(uint64(0x1000 + 16*i + 3))
		want := fmt.Sprintf("f%d_%s", i, strings.Repeat("x", i%700))
		if err != nil || !ok || sym.Name != want || sym.Line != i+1 {
			t.Fatalf("function %d: %+v, %v, %v", i, sym, ok, err)
		}
	}
}

type failing struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("disk on fire")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		text string
		want error
	}{
		{"empty", "", breakpad.ErrNotSym},
		{"other file", "MZ\x90\x00", breakpad.ErrNotSym},
		{"no identity", "MODULE windows x86\n", breakpad.ErrNotSym},
	}
	for _, tt := range tests {
		if _, err := breakpad.NewFile(strings.NewReader(tt.text), int64(len(tt.text))); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	long := text + strings.Repeat("PUBLIC 9000 0 x\n", 10000)
	_, err := breakpad.NewFile(failing{strings.NewReader(long), 100000}, int64(len(long)))
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "offset 0x") {
		t.Errorf("failing reader: %v", err)
	}
}

func TestReadID(t *testing.T) {
	id, err := breakpad.ReadID(failing{strings.NewReader(text), 512}, int64(len(text)))
	if err != nil || id != "0123456789ABCDEF0123456789ABCDEF0" {
		t.Errorf("ReadID = %q, %v", id, err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(text, uint64(0x101f))
	f.Add(stackFile, uint64(0x1003))
	f.Add(stackFile, uint64(0x804c4b1))
	f.Add("MODULE a b c\nFUNC 0 1 0 f\nINLINE 0 1 2 3 0 1\n", uint64(0))
	f.Fuzz(func(t *testing.T, text string, rva uint64) {
		read := func() string {
			f, err := breakpad.NewFile(strings.NewReader(text), int64(len(text)))
			if err != nil {
				return err.Error()
			}
			out := fmt.Sprint(f.ID, f.Skipped)
			for _, a := range []uint64{rva, 0, 0x1018, ^uint64(0)} {
				sym, ok, err := f.Lookup(a)
				if err != nil || ok && (a < sym.RVA || !sym.Public && a-sym.RVA >= sym.Size) {
					t.Fatalf("Lookup(%#x) = %+v, %v, %v", a, sym, ok, err)
				}
				rules, err := f.CFI(a)
				win, found, winErr := f.Win(uint32(a))
				if err != nil || winErr != nil || !found && win != (breakpad.Win{}) || found && win.Program != "" && win.UsesBP {
					t.Fatalf("stack records of %#x: %q, %v, %+v, %v, %v", a, rules, err, win, found, winErr)
				}
				out += fmt.Sprintf("%+v %v %q %+v", sym, ok, rules, win)
			}
			return out
		}
		if a, b := read(), read(); a != b {
			t.Fatalf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

func BenchmarkNewFile(b *testing.B) {
	data := "MODULE windows x86_64 1 a.pdb\n" + strings.Repeat("FUNC 1000 10 0 f\n1000 8 1 0\n1008 8 2 0\nSTACK CFI 1000 .cfa: $rsp 8 +\n", 20000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for range b.N {
		parse(b, data)
	}
}

func ExampleFile_Lookup() {
	f, err := breakpad.Open(testApp)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	sym, ok, err := f.Lookup(0x429e)
	fmt.Printf("%s+%#x %s:%d %v %v\n", sym.Name, 0x429e-sym.RVA, sym.File, sym.Line, ok, err)
	// Output: `anonymous namespace'::CrashFunction()+0x2e c:\src\test_app.cc:58 true <nil>
}
