package pdb

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const testdata = "../../../testdata/symbols/pdb"

var goldens = []string{"handles64", "handles32", "publics64"}

func openTest(t testing.TB, name string) *File {
	t.Helper()
	f, err := Open(filepath.Join(testdata, name+".pdb"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// known lists the lines of goldens in which LLVM is wrong, by image and start of the function, with what is wrong.
var known = map[string]map[string]string{
	"handles64": {"0x1270": multiFile},
	"handles32": {"0x11a0": multiFile, "0x1280": folded},
}

const (
	// llvm-symbolizer puts the lines of each source file one after the other and then searches as if they were
	// sorted, so in a function with lines of two files it may miss an entry. llvm-pdbutil lists
	// handles.cpp:20 at the first address in question.
	multiFile = "lines of two files"
	// Of two functions that the linker folded, llvm-symbolizer gives the name of the first (same, line 27) and the
	// line of the second (alike, line 28). Here both are of the first.
	folded = "folded functions"
)

// TestAgainstLLVM holds the reader against what llvm-symbolizer and llvm-pdbutil say of every start and end of a
// function, every public symbol and a thousand random addresses. rebuild.go beside the PDBs makes the goldens.
func TestAgainstLLVM(t *testing.T) {
	for _, name := range goldens {
		t.Run(name, func(t *testing.T) {
			f := openTest(t, name)
			golden, err := os.Open(filepath.Join(testdata, name+".golden"))
			if err != nil {
				t.Fatal(err)
			}
			defer golden.Close()
			lines, different := 0, 0
			for s := bufio.NewScanner(golden); s.Scan(); {
				if strings.HasPrefix(s.Text(), "#") {
					continue
				}
				lines++
				fields := strings.Split(s.Text(), "\t")
				rva, err := strconv.ParseUint(fields[0], 0, 32)
				if err != nil {
					t.Fatal(err)
				}
				got := describe(t, f, uint32(rva))
				if why := known[name][fields[2]]; why != "" && got != s.Text() {
					different++
					got = sameLine(got, s.Text())
				}
				if got != s.Text() {
					t.Errorf("LLVM: %s\n  here: %s", s.Text(), got)
				}
			}
			if lines < 500 || different > 7 {
				t.Errorf("golden has %d addresses, %d with a known difference", lines, different)
			}
		})
	}
}

// sameLine returns a description with the source line of another.
func sameLine(s, other string) string {
	a, b := strings.Split(s, "\t"), strings.Split(other, "\t")
	a[5] = b[5]
	return strings.Join(a, "\t")
}

// describe writes a symbol in the golden's form.
func describe(t *testing.T, f *File, rva uint32) string {
	t.Helper()
	sym, ok, err := f.Lookup(rva)
	if err != nil {
		t.Fatalf("Lookup(%#x): %v", rva, err)
	}
	if !ok {
		return fmt.Sprintf("%#x\t-\t0x0\t0\t-\t-", rva)
	}
	if sym.RVA+sym.Displacement != rva {
		t.Errorf("%#x: start %#x and displacement %#x do not add up", rva, sym.RVA, sym.Displacement)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%#x\t%s\t%#x\t%d\t%s\t%s", rva, sym.Kind, sym.RVA, sym.Size, sym.Name, source(sym.File, sym.Line))
	for _, fr := range sym.Inlined {
		fmt.Fprintf(&b, "\t%s %s", fr.Function, source(fr.File, fr.Line))
	}
	return b.String()
}

func source(file string, line int) string {
	if file == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d", file, line)
}
