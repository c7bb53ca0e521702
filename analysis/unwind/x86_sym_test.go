package unwind

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// store writes a Breakpad symbol file for the module of a dump, as dump_syms would,
// and returns the folder.
func store(t *testing.T, f *minidump.File, records []string) string {
	t.Helper()
	modules, err := f.Modules()
	if err != nil {
		t.Fatal(err)
	}
	cv := modules[0].CvRecord
	name := strings.TrimSuffix(cv.PDBFile, ".pdb")
	dir := t.TempDir()
	folder := filepath.Join(dir, cv.PDBFile, cv.Key())
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("MODULE windows x86 %s %s\n%s\n", cv.Key(), cv.PDBFile, strings.Join(records, "\n"))
	if err := os.WriteFile(filepath.Join(folder, name+".sym"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stackWin writes the frame data of a PDB as STACK WIN records.
func stackWin(t *testing.T, name string) []string {
	t.Helper()
	p, err := pdb.Open(filepath.Join("testdata", "x86", name+".pdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	records := []string{"PUBLIC 1000 0 __chkstk"} // the first function in these images; it has no frame data
	seen := map[pdb.FrameData]bool{}
	for rva := uint32(0x1000); rva < 0x2000; rva++ {
		d, ok, err := p.FrameData(rva)
		if err != nil {
			t.Fatal(err)
		}
		if ok && !seen[d] {
			seen[d] = true
			if d.FunctionStart {
				records = append(records, fmt.Sprintf("PUBLIC %x 0 f%x", d.RVA, d.RVA))
			}
			records = append(records, fmt.Sprintf("STACK WIN 4 %x %x %x 0 %x %x %x 0 1 %s",
				d.RVA, d.Size, d.Prolog, d.Params, d.SavedRegs, d.Locals, d.Program))
		}
	}
	return records
}

var (
	atCFA     = regexp.MustCompile(`\[CFA([+-])(\d+)\]`)
	atFrame   = regexp.MustCompile(`\[?DW_OP_breg5 EBP([+-])(\d+)(\]|, DW_OP_deref)`)
	plusCFA   = regexp.MustCompile(`^CFA=(E..)([+-])(\d+)`)
	plainCFA  = regexp.MustCompile(`^CFA=(E..)`)
	registers = strings.NewReplacer("EAX", "$eax", "ECX", "$ecx", "EDX", "$edx", "EBX", "$ebx", "ESP", "$esp", "EBP", "$ebp", "ESI", "$esi", "EDI", "$edi", "EIP", ".ra", "CFA", ".cfa")
)

// stackCFI writes what llvm-dwarfdump says of frames-gcc as STACK CFI records.
func stackCFI(t *testing.T) []string {
	t.Helper()
	rows, err := os.ReadFile(filepath.Join("..", "internal", "cfi", "testdata", "x86.rows"))
	if err != nil {
		t.Fatal(err)
	}
	const base = 0x10000000
	var records []string
	var start, end uint32
	for line := range strings.Lines(string(rows)) {
		line = strings.TrimSpace(line)
		if n, _ := fmt.Sscanf(line, "function %x %x", &start, &end); n == 2 {
			continue
		}
		var at uint32
		address, row, _ := strings.Cut(line, ": ")
		fmt.Sscanf(address, "0x%x", &at)
		row = plusCFA.ReplaceAllString(row, "CFA=$1 $3 $2")
		row = plainCFA.ReplaceAllString(row, "CFA=$1")
		row = atFrame.ReplaceAllString(row, "EBP $2 $1 ^")
		row = atCFA.ReplaceAllString(row, ".cfa $2 $1 ^")
		frame, regs, _ := strings.Cut(row, ": ")
		rules := registers.Replace(strings.Replace(frame, "=", ": ", 1))
		for _, r := range strings.Split(regs, ", ") {
			rules += " " + registers.Replace(strings.Replace(r, "=", ": ", 1))
		}
		for _, reg := range []string{"$ebx", "$ebp", "$esi", "$edi"} { // those that are restored, in Breakpad's words
			if !strings.Contains(rules, reg+": ") {
				rules += " " + reg + ": " + reg
			}
		}
		if at == start {
			records = append(records, fmt.Sprintf("STACK CFI INIT %x %x %s", at-base, end-start, rules))
		} else {
			records = append(records, fmt.Sprintf("STACK CFI %x %s", at-base, rules))
		}
	}
	return records
}

// TestBreakpadFile unwinds at each instruction by the records of symbol files.
func TestBreakpadFile(t *testing.T) {
	for _, tt := range []struct {
		image   string
		records []string
	}{
		{"frames-fp", stackWin(t, "frames-fp")},
		{"frames-fpo", stackWin(t, "frames-fpo")},
		{"frames-gcc", stackCFI(t)},
	} {
		t.Run(tt.image, func(t *testing.T) {
			m, f := load86(t, tt.image)
			u := unwinder86(t, f, symbol.Options{SymbolPath: store(t, f, tt.records)})
			rule, _, err := u.session.FrameRule(t.Context(), minidump.VA(m.pc))
			if rule.Trust != symbol.TrustSym || err != nil {
				t.Errorf("the rule is of %q, %v", rule.Trust, err)
			}
			wrong, total, trusts := every(t, m, u)
			t.Logf("%d places, %d wrong; frames: %v", total, len(wrong), trusts)
			for w := range wrong {
				t.Error(w)
			}
			if trusts[TrustCFI] < trusts[TrustFP] || trusts[TrustScan] > 0 {
				t.Errorf("frames are found by %v", trusts)
			}
		})
	}
}
