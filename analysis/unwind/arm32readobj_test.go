package unwind

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// arm32Words says what codes do.
func arm32Words(ops []arm32Op) []string {
	words := []string{}
	for _, op := range ops {
		switch op.kind {
		case arm32MoveSP:
			words = append(words, fmt.Sprintf("sp = r%d", op.regs))
		case arm32MachineFrame:
			words = append(words, "machine frame")
		case arm32Context:
			words = append(words, "context")
		default:
			words = append(words, arm32Restored(uint32(op.regs), op.grow))
		}
	}
	return words
}

// arm32Restored names what is taken from the stack. Whether somebody needs r0 to r3
// makes no difference.
func arm32Restored(regs, grow uint32) string {
	if regs == 0xf {
		regs, grow = 0, grow+16
	}
	if regs == 0 {
		return fmt.Sprintf("sp + %d", grow)
	}
	return fmt.Sprintf("pop %#x, sp + %d", regs, grow)
}

var (
	thumbList  = regexp.MustCompile(`^v?(?:push|pop)(?:\.w)? \{(.*)\}$`)
	thumbAlloc = regexp.MustCompile(`^(?:add|sub)(?:\.w)? sp, (?:sp, )?#\(?(\d+)(?: \* (\d+)\))?$`)
	thumbMove  = regexp.MustCompile(`^mov (?:sp, r(\d+)|r(\d+), sp)$`)
	thumbLoad  = regexp.MustCompile(`^ldr(?:\.w)? (?:lr|pc), \[sp\], #(\d+)$`)
)

// thumbWords says the same of a line of llvm-readobj.
func thumbWords(line string) string {
	if m := thumbList.FindStringSubmatch(line); m != nil {
		regs := uint32(0)
		for r := range strings.SplitSeq(m[1], ", ") {
			first, last, _ := strings.Cut(strings.NewReplacer("lr", "r14", "pc", "r14", "d", "r").Replace(r), "-")
			if last == "" {
				last = first
			}
			from, _ := strconv.Atoi(first[1:])
			to, _ := strconv.Atoi(last[1:])
			for ; from <= to; from++ {
				regs |= 1 << from
			}
		}
		if line[0] == 'v' {
			return fmt.Sprintf("sp + %d", 8*bits.OnesCount32(regs))
		}
		return arm32Restored(regs, 0)
	}
	if m := thumbAlloc.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		if m[2] != "" {
			k, _ := strconv.Atoi(m[2])
			n *= k
		}
		return fmt.Sprintf("sp + %d", n)
	}
	if m := thumbMove.FindStringSubmatch(line); m != nil && m[1]+m[2] != "11" {
		return "sp = r" + m[1] + m[2]
	}
	if m := thumbLoad.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		return arm32Restored(arm32LR, uint32(n-4))
	}
	switch {
	case line == "nop", line == "nop.w", strings.HasPrefix(line, "mov r11, sp"), strings.HasPrefix(line, "add.w r11, sp, "):
		return "sp + 0"
	case line == "bx <reg>", line == "b.w <target>":
		return "end"
	}
	if kind, ok := strings.CutPrefix(line, "microsoft-specific (type: "); ok {
		return map[string]string{"1)": "machine frame", "2)": "context"}[kind]
	}
	return line
}

// TestARM32Readobj compares all unwind data of the program with the listing that
// llvm-readobj makes of them.
func TestARM32Readobj(t *testing.T) {
	mem, _ := arm32Program(t)
	u := arm32Unwinder(mem)
	table := (&exceptionTables{code: mem}).of(&u.modules.List()[0], armEntrySize)
	img := armImage{mem, table}
	functions := readReadobj(t, arm32Dir, thumbWords)
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
			p := arm32Packed(data)
			prolog, epilog := p.codes()
			got.length = 2 * p.bits(2, 11)
			got.lists = [][]string{arm32Words(prolog.ops), arm32Words(epilog.ops)}
		} else {
			r, err := img.arm32Record(data)
			if err != nil {
				t.Errorf("%s: %v", want.begin, err)
			}
			got.length = r.length
			for i := range want.lists {
				s := arm32Codes(r.codes, want.indices[i])
				if s.err != nil {
					t.Errorf("%s: %v", want.begin, s.err)
				}
				got.lists = append(got.lists, arm32Words(s.ops))
			}
			if !r.inHeader {
				for i := range r.epilogs {
					var word [4]byte
					if err := img.read(word[:], r.scopes+4*uint32(i)); err != nil {
						t.Error(err)
					}
					start, index := arm32Scope(binary.LittleEndian.Uint32(word[:]))
					got.starts = append(got.starts, start/2)
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
