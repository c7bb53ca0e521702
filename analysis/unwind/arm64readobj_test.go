package unwind

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// arm64Words says what codes do as far as a walk needs it.
func arm64Words(ops []arm64Op) []string {
	var words []string
	for _, op := range ops {
		word := map[arm64Kind]string{
			arm64Nop: "nop", arm64SaveNext: "next", arm64SetFP: "sp = fp - " + strconv.Itoa(int(op.off)), arm64PAC: "pac",
			arm64EndC: "end_c", arm64MachineFrame: "machine frame", arm64Context: "context", arm64ECContext: "EC context",
			arm64Interrupted: "clear unwound to call",
		}[op.kind]
		if op.kind == arm64Save {
			if op.n > 0 {
				word = fmt.Sprintf("x%d", op.reg)
				if op.n == 2 {
					word += fmt.Sprintf(" x%d", op.reg+1)
				}
				if op.lr {
					word += " x30"
				}
				word += fmt.Sprintf(" at %d ", op.off)
			}
			word += fmt.Sprintf("sp + %d", op.grow)
		}
		words = append(words, word)
	}
	return words
}

var (
	readobjAlloc = regexp.MustCompile(`^(?:sub|add) sp, (?:sp, )?#(\d+)$`)
	readobjFP    = regexp.MustCompile(`^(?:add fp, sp|sub sp, fp), #(\d+)$`)
	readobjSave  = regexp.MustCompile(`^(?:st|ld)[pr] ([xdql]\w+)(?:, ([xdql]\w+))?, \[sp(?:, #(-?\d+))?\](!)?(?:, #(\d+))?$`)
)

// readobjWords says the same of a line of llvm-readobj.
func readobjWords(line string) string {
	if word, ok := map[string]string{
		"mov fp, sp": "sp = fp - 0", "mov sp, fp": "sp = fp - 0", "mov x29, sp": "sp = fp - 0", "pacibsp": "pac", "autibsp": "pac",
		"save next": "next", "restore next": "next",
	}[line]; ok {
		return word
	}
	if m := readobjAlloc.FindStringSubmatch(line); m != nil {
		return "sp + " + m[1]
	}
	if m := readobjFP.FindStringSubmatch(line); m != nil {
		return "sp = fp - " + m[1]
	}
	m := readobjSave.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	off, _ := strconv.Atoi(m[3])
	grow, _ := strconv.Atoi(m[5])
	if m[4] != "" {
		off, grow = 0, -off
	}
	regs := strings.TrimSpace(strings.NewReplacer("lr", "x30").Replace(m[1] + " " + m[2]))
	switch {
	case len(regs) > 1 && regs[0] == 'x' && regs[1] < '8' && len(strings.Fields(regs)[0]) == 2:
		return "nop" // parameters
	case regs[0] == 'x':
		return fmt.Sprintf("%s at %d sp + %d", regs, off, grow)
	}
	return fmt.Sprintf("sp + %d", grow)
}

// A readobjFunction is what llvm-readobj --unwind says of a function.
type readobjFunction struct {
	begin   minidump.VA
	length  int // in bytes
	lists   [][]string
	indices []int // of the codes of the lists in the record
	starts  []int // of the epilogs, in instructions
}

// readReadobj reads a listing; words puts its lines into our words.
func readReadobj(t *testing.T, dir string, words func(line string) string) (all []readobjFunction) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "unwind.txt"))
	if err != nil {
		t.Fatal(err)
	}
	in := false // a list of codes
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, ": ")
		n, _ := strconv.ParseUint(value, 0, 64)
		f := &readobjFunction{}
		if len(all) > 0 {
			f = &all[len(all)-1]
		}
		switch {
		case name == "Function":
			all = append(all, readobjFunction{begin: minidump.VA(n)})
		case name == "FunctionLength":
			f.length = int(n)
		case name == "EpilogueStartIndex", name == "EpilogueOffset":
			f.indices = append(f.indices, int(n))
		case name == "StartOffset":
			f.starts = append(f.starts, int(n))
		case line == "Prologue [" || line == "Epilogue [" || line == "Opcodes [":
			if line == "Prologue [" {
				f.indices = append([]int{0}, f.indices...)
			}
			f.lists = append(f.lists, []string{})
			in = true
		case line == "]":
			in = false
		case in:
			if _, code, ok := strings.Cut(line, "; "); ok {
				line = code
			}
			if word := words(line); word != "end" {
				last := &f.lists[len(f.lists)-1]
				*last = append(*last, word)
			}
		}
	}
	return all
}

// TestARM64Readobj compares all unwind data of the program with the listing that
// llvm-readobj makes of them.
func TestARM64Readobj(t *testing.T) {
	mem, _ := arm64Program(t)
	u := arm64Unwinder(mem)
	table := (&exceptionTables{code: mem}).of(&u.modules.List()[0], armEntrySize)
	img := armImage{mem, table}
	functions := readReadobj(t, arm64Dir, readobjWords)
	if len(functions) != table.count {
		t.Fatalf("%d functions, the listing has %d", table.count, len(functions))
	}
	for _, want := range functions {
		e, ok, err := img.entry(uint32(want.begin - table.base))
		begin, data := e.begin, e.data
		if err != nil || !ok || minidump.VA(begin) != want.begin-table.base {
			t.Fatalf("entry of %s: %#x, %t, %v", want.begin, begin, ok, err)
		}
		got := readobjFunction{begin: want.begin, indices: want.indices}
		if data&3 != 0 {
			p := arm64Packed(data)
			prolog, _ := p.codes()
			got.length = p.bits(2, 11) * arm64Instr
			got.lists = [][]string{arm64Words(prolog.ops)}
		} else {
			r, err := img.arm64Record(data)
			if err != nil {
				t.Errorf("%s: %v", want.begin, err)
			}
			got.length = r.length * arm64Instr
			for i := range want.lists {
				s := arm64Codes(r.codes, want.indices[i])
				if s.err != nil {
					t.Errorf("%s: %v", want.begin, s.err)
				}
				got.lists = append(got.lists, append([]string{}, arm64Words(s.ops)...))
			}
			if !r.inHeader {
				for i := range r.epilogs {
					var word [4]byte
					if err := img.read(word[:], r.scopes+4*uint32(i)); err != nil {
						t.Error(err)
					}
					start, index := arm64Scope(binary.LittleEndian.Uint32(word[:]))
					got.starts = append(got.starts, start)
					if index != want.indices[1+i] {
						t.Errorf("%s: codes of epilog %d from %d on, want %d", want.begin, i, index, want.indices[1+i])
					}
				}
			}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(readobjFunction{})); diff != "" {
			t.Errorf("%s (-listing +got):\n%s", want.begin, diff)
		}
	}
}
