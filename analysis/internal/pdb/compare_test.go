package pdb

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	pdbsFlag       = flag.String("pdbs", "", "folder of PDBs to compare with LLVM's symbolizer")
	symbolizerFlag = flag.String("symbolizer", "llvm-symbolizer", "LLVM's symbolizer; 19 or newer, older ones give wrong lines for nested inlined calls")
	addressesFlag  = flag.Int("addresses", 2000, "addresses to look up in each PDB of -pdbs")
	differFlag     = flag.Int("differ", 3, "differences of each kind to show for each PDB of -pdbs")
)

// TestFolderAgainstLLVM looks up addresses, evenly spaced over the code, in every PDB of a folder of your own, and
// prints how often LLVM's symbolizer says the same. No image is needed: LLVM gets one made of the PDB's section headers.
//
//	go test ./analysis/internal/pdb -run TestFolderAgainstLLVM -v -pdbs DIR [-symbolizer llvm-symbolizer-19]
//
// It fails only if a lookup returns an error: two readers may differ, and either may be wrong. Seen to be LLVM's doing: it
// carries a public symbol over the end of its code (only LLVM), does not follow the OMAP of an image that was rearranged
// after linking (other name, other line), has no names for the jumps of incremental linking (only here), names folded
// functions by one and their lines by another, may take a line of another file in a function with lines of several,
// loses inlined calls, or gives another line of them, where their code lies in several pieces, lacks the class of a
// method where Visual C++ 2019 wrote it, and crashes on modules that inline functions of others. LLVM's time has that of
// starting it.
func TestFolderAgainstLLVM(t *testing.T) {
	if *pdbsFlag == "" {
		t.Skip("no folder given with -pdbs")
	}
	symbolizer, err := exec.LookPath(*symbolizerFlag)
	if err != nil {
		t.Skip(err)
	}
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "file\tmachine\taddresses\tsame name\tother name\tonly here\tonly LLVM\tsame line\tother line\tsame inlined\tother inlined\there\tLLVM\t")
	var sum tally
	err = filepath.WalkDir(*pdbsFlag, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdb") {
			return err
		}
		name, _ := filepath.Rel(*pdbsFlag, path)
		f, err := Open(path)
		if err != nil {
			fmt.Fprintf(table, "%s\t%v\t\n", name, err)
			return nil
		}
		defer f.Close()
		row, err := compareWithLLVM(t, f, path, symbolizer)
		if err != nil { // it crashes on some
			fmt.Fprintf(table, "%s\t%#x\tLLVM: %v\t\n", name, f.Machine, err)
			return nil
		}
		fmt.Fprintf(table, "%s\t%#x\t%s\n", name, f.Machine, row)
		sum.add(row)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(table, "all\t\t%s\n", sum)
	table.Flush()
	t.Logf("\n%s", out.Bytes())
}

// tally counts where the two agree.
type tally struct {
	addresses, sameName, otherName, onlyHere, onlyLLVM int
	sameLine, otherLine, sameInlined, otherInlined     int
	here, llvm                                         time.Duration
}

func (c *tally) add(o tally) {
	c.addresses += o.addresses
	c.sameName += o.sameName
	c.otherName += o.otherName
	c.onlyHere += o.onlyHere
	c.onlyLLVM += o.onlyLLVM
	c.sameLine += o.sameLine
	c.otherLine += o.otherLine
	c.sameInlined += o.sameInlined
	c.otherInlined += o.otherInlined
	c.here += o.here
	c.llvm += o.llvm
}

func (c tally) String() string {
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f ms\t%.0f ms\t", c.addresses, c.sameName, c.otherName, c.onlyHere,
		c.onlyLLVM, c.sameLine, c.otherLine, c.sameInlined, c.otherInlined, 1e3*c.here.Seconds(), 1e3*c.llvm.Seconds())
}

// llvmFrame is a frame as llvm-symbolizer prints it.
type llvmFrame struct {
	FunctionName, FileName string
	Line                   int
}

func compareWithLLVM(t *testing.T, f *File, path, symbolizer string) (tally, error) {
	var c tally
	addresses, err := codeAddresses(f, *addressesFlag)
	if err != nil || len(addresses) == 0 {
		return c, err
	}
	stub := filepath.Join(t.TempDir(), "stub.dll")
	full, err := filepath.Abs(path)
	if err != nil {
		return c, err
	}
	image, err := stubImage(f, full)
	if err != nil {
		return c, err
	}
	if err := os.WriteFile(stub, image, 0o666); err != nil {
		return c, err
	}
	begin := time.Now()
	short, err := runSymbolizer(symbolizer, stub, "short", addresses)
	if err != nil {
		return c, err
	}
	c.llvm = time.Since(begin)
	linkage, err := runSymbolizer(symbolizer, stub, "linkage", addresses)
	if err != nil {
		return c, err
	}

	answers := make([]Symbol, len(addresses))
	begin = time.Now()
	fresh, err := Open(path)
	if err != nil {
		return c, err
	}
	defer fresh.Close()
	for i, rva := range addresses {
		if answers[i], _, err = fresh.Lookup(rva); err != nil {
			t.Errorf("%s: Lookup(%#x): %v", path, rva, err)
		}
	}
	c.here = time.Since(begin)

	shown := map[string]int{}
	for i, rva := range addresses {
		what := c.compare(answers[i], short[i], linkage[i])
		for _, kind := range what {
			if shown[kind]++; shown[kind] <= *differFlag {
				t.Logf("%s %#x: %s: here %+v, LLVM %+v %s", filepath.Base(path), rva, kind, answers[i], short[i], outermost(linkage[i]).FunctionName)
			}
		}
	}
	return c, nil
}

// compare counts one address, and returns in what the two differ.
func (c *tally) compare(here Symbol, short, linkage []llvmFrame) (differ []string) {
	count := func(same bool, yes, no *int, what string) {
		if same {
			*yes++
			return
		}
		*no++
		differ = append(differ, what)
	}
	c.addresses++
	outer := outermost(short)
	named := outer.FunctionName != "" || outermost(linkage).FunctionName != ""
	switch {
	case here.Name == "" && !named:
	case here.Name == "":
		count(false, nil, &c.onlyLLVM, "only LLVM")
	case !named:
		count(false, nil, &c.onlyHere, "only here")
	default:
		public := outermost(linkage).FunctionName
		same := here.Name == outer.FunctionName || here.Name == public || here.Kind == KindThunk && strings.Contains(public, here.Name)
		count(same, &c.sameName, &c.otherName, "other name")
	}
	if here.File == "" && outer.FileName == "" {
		return differ
	}
	count(here.File == outer.FileName && here.Line == outer.Line, &c.sameLine, &c.otherLine, "other line")
	inner := short[:len(short)-1]
	same := len(inner) == len(here.Inlined)
	for i := 0; same && i < len(inner); i++ {
		g := here.Inlined[i]
		same = inner[i] == llvmFrame{g.Function, g.File, g.Line}
	}
	if len(inner) > 0 || len(here.Inlined) > 0 {
		count(same, &c.sameInlined, &c.otherInlined, "other inlined")
	}
	return differ
}

func outermost(frames []llvmFrame) llvmFrame { return frames[len(frames)-1] }

func runSymbolizer(program, image, functions string, addresses []uint32) (answers [][]llvmFrame, err error) {
	var in bytes.Buffer
	for _, a := range addresses {
		fmt.Fprintf(&in, "%#x\n", a)
	}
	cmd := exec.Command(program, "--obj="+image, "--relative-address", "--functions="+functions, "--no-demangle", "--inlines", "--output-style=JSON")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var answer struct{ Symbol []llvmFrame }
		if err := d.Decode(&answer); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if len(answer.Symbol) == 0 {
			answer.Symbol = []llvmFrame{{}}
		}
		answers = append(answers, answer.Symbol)
	}
	if len(answers) != len(addresses) {
		return nil, fmt.Errorf("%d answers for %d addresses", len(answers), len(addresses))
	}
	return answers, nil
}

// imageHeaders returns the section headers of the image as it is.
func imageHeaders(f *File) ([]byte, error) {
	n := f.dbi.debugHeader[dbgSections]
	if n == noStream {
		return nil, nil
	}
	s, err := f.msf.stream(int(n), "section headers")
	if err != nil {
		return nil, err
	}
	b := make([]byte, s.size/40*40)
	return b, s.readAt(b, 0)
}

// codeAddresses returns at most so many addresses, evenly spaced over the sections that hold code.
func codeAddresses(f *File, most int) (out []uint32, err error) {
	const execute = 0x20000000 // IMAGE_SCN_MEM_EXECUTE
	headers, err := imageHeaders(f)
	le := binary.LittleEndian
	var code []section
	var total int64
	for ; len(headers) >= 40; headers = headers[40:] {
		if le.Uint32(headers[36:])&execute != 0 {
			code = append(code, section{le.Uint32(headers[12:]), le.Uint32(headers[8:])})
			total += int64(le.Uint32(headers[8:]))
		}
	}
	n := min(int64(most), total)
	for i := range n {
		at := total * i / n
		for _, s := range code {
			if at < int64(s.size) {
				out = append(out, s.start+uint32(at))
				break
			}
			at -= int64(s.size)
		}
	}
	return out, err
}
