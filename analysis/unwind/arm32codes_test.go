package unwind

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestARM32Codes has every unwind code, with its smallest and largest numbers and the
// sizes of the instructions.
func TestARM32Codes(t *testing.T) {
	tests := []struct {
		name, codes, want string
		length, end       int
	}{
		{"add sp", "00 7f", "sp + 0, sp + 508", 4, 0},
		{"pop.w", "80 00  9f ff  bf ff  a0 10", "sp + 0, pop 0x1fff, sp + 0, pop 0x5fff, sp + 0, pop 0x4010, sp + 0", 16, 0},
		{"mov sp", "c0 cb", "sp = r0, sp = r11", 4, 0},
		{"mov sp, sp", "cd", "not documented", 0, 0},
		{"mov sp, pc", "cf", "not documented", 0, 0},
		{"pop r4 and on", "d0 d3 d4 d7", "pop 0x10, sp + 0, pop 0xf0, sp + 0, pop 0x4010, sp + 0, pop 0x40f0, sp + 0", 8, 0},
		{"pop.w r4 and on", "d8 df", "pop 0x1f0, sp + 0, pop 0x4ff0, sp + 0", 8, 0},
		{"vpop d8 and on", "e0 e7", "sp + 8, sp + 64", 8, 0},
		{"addw sp", "e8 00  eb ff", "sp + 0, sp + 4092", 8, 0},
		{"pop", "ec 81  ed 80", "pop 0x81, sp + 0, pop 0x4080, sp + 0", 4, 0},
		{"Microsoft's", "ee 01  ee 02", "machine frame, context", 0, 0},
		{"Microsoft's, not documented", "ee 03", "not documented", 0, 0},
		{"available", "ee 10", "not documented", 0, 0},
		{"ldr lr", "ef 00  ef 05  ef 0f", "pop 0x4000, sp + 4294967292, pop 0x4000, sp + 16, pop 0x4000, sp + 56", 12, 0},
		{"available", "ef 10", "not documented", 0, 0},
		{"available", "f0", "not documented", 0, 0},
		{"available", "f4", "not documented", 0, 0},
		{"vpop", "f5 ac  f6 0f", "sp + 24, sp + 128", 8, 0},
		{"vpop backwards", "f5 ca", "not documented", 0, 0},
		{"add sp of two bytes", "f7 ff ff  f9 00 01", "sp + 262140, sp + 4", 6, 0},
		{"add sp of three bytes", "f8 ff ff ff  fa 01 00 00", "sp + 67108860, sp + 262144", 6, 0},
		{"nop", "fb fc", "sp + 0, sp + 0", 6, 0},
		{"end", "fb ff fb", "sp + 0", 2, 0},
		{"end and an instruction of two bytes", "fb fd fb", "sp + 0", 2, 2},
		{"end and an instruction of four bytes", "fb fe fb", "sp + 0", 2, 4},
		{"cut off", "fb fa 00 00", "ends behind the record", 0, 0},
	}
	for _, tt := range tests {
		codes, err := hex.DecodeString(strings.ReplaceAll(tt.codes, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		s := arm32Codes(codes, 0)
		if s.err != nil {
			if !strings.Contains(s.err.Error(), tt.want) {
				t.Errorf("%s: %s: %v, want %s", tt.name, tt.codes, s.err, tt.want)
			}
			continue
		}
		got := strings.Join(arm32Words(s.ops), ", ")
		if got != tt.want || s.length() != tt.length || s.end != tt.end {
			t.Errorf("%s: %s: %s, %d bytes and %d, want %s, %d and %d", tt.name, tt.codes, got, s.length(), s.end, tt.want, tt.length, tt.end)
		}
	}
}

// TestARM32Packed has the documented examples, and what contradicts itself.
func TestARM32Packed(t *testing.T) {
	packed := func(length, ret, homes, reg, floats, link, chain, adjust uint32) arm32Packed {
		return arm32Packed(1 | length/2<<2 | ret<<13 | homes<<15 | reg<<16 | floats<<19 | link<<20 | chain<<21 | adjust<<22)
	}
	tests := []struct {
		name string
		p    arm32Packed
		want string // prolog; epilog, with the sizes
	}{
		{"example 1: a leaf", packed(0x62, 1, 0, 1, 0, 0, 0, 0), "pop 0x30, sp + 0 of 2; pop 0x30, sp + 0 of 2+2"},
		{"example 2: locals", packed(0x6a, 0, 0, 3, 0, 1, 0, 3), "sp + 12, pop 0x40f0, sp + 0 of 4; sp + 12, pop 0x40f0, sp + 0 of 4+0"},
		{"example 3: variadic", packed(0x54, 0, 1, 2, 0, 1, 0, 0), "pop 0x4070, sp + 0, sp + 16 of 4; pop 0x70, sp + 0, pop 0x4000, sp + 16 of 6+0"},
		{"example 7: a funclet", packed(0x16, 0, 0, 7, 1, 1, 0, 1), "sp + 4, pop 0x4000, sp + 0 of 4; sp + 4, pop 0x4000, sp + 0 of 4+0"},
		{"folded", packed(0x40, 0, 0, 1, 0, 1, 0, 0x3fd), "pop 0x403c, sp + 0 of 2; pop 0x403c, sp + 0 of 2+0"},
	}
	for _, tt := range tests {
		prolog, epilog := tt.p.codes()
		got := fmt.Sprintf("%s of %d; %s of %d+%d", strings.Join(arm32Words(prolog.ops), ", "), prolog.length(),
			strings.Join(arm32Words(epilog.ops), ", "), epilog.length(), epilog.end)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for name, p := range map[string]arm32Packed{
		"a chain without lr":  packed(0x40, 1, 0, 1, 0, 0, 1, 0),
		"pop pc without lr":   packed(0x40, 0, 0, 1, 0, 0, 0, 0),
		"neither, a fragment": packed(0x40, 0, 0, 1, 0, 0, 0, 0) + 1,
	} {
		if ops, err := p.ops(8); err == nil {
			t.Errorf("%s: %s", name, arm32Words(ops))
		}
	}
	// What is left to undo within a function of 20 bytes: push, sub; add, pop.
	p := packed(20, 0, 0, 3, 0, 1, 0, 3)
	for at, want := range map[int]int{0: 0, 2: 1, 4: 2, 10: 2, 16: 2, 18: 1} {
		if ops, err := p.ops(at); len(ops) != want || err != nil {
			t.Errorf("at %d: %s, %v, want %d codes", at, arm32Words(ops), err, want)
		}
		if want < 2 && at < 4 {
			want = 2
		}
		if ops, err := (p + 1).ops(at); len(ops) != want || err != nil {
			t.Errorf("fragment, at %d: %s, %v, want %d codes", at, arm32Words(ops), err, want)
		}
		if ops, err := (p | 3<<13).ops(at); at > 4 && (len(ops) != 2 || err != nil) {
			t.Errorf("without an epilog, at %d: %s, %v", at, arm32Words(ops), err)
		}
	}
}

// TestARM32Records has records that are wrong or at a border.
func TestARM32Records(t *testing.T) {
	const length, header, fragment = 20, 1 << 21, 1 << 22
	const codes = 0xfffdd402 // sub sp, #8; push {r4, lr}; end with bx lr
	tests := []struct {
		name  string
		words []uint32
		at    int
		want  string
	}{
		{"in the body", []uint32{length | 1<<28, codes}, 30, "sp + 8, pop 0x4010, sp + 0"},
		{"in the prolog", []uint32{length | 1<<28, codes}, 2, "pop 0x4010, sp + 0"},
		{"a fragment", []uint32{length | 1<<28 | fragment, codes}, 2, "sp + 8, pop 0x4010, sp + 0"},
		{"behind the function", []uint32{length | 1<<28, codes}, 40, ""},
		{"the epilog at the end", []uint32{length | 1<<28 | header, codes}, 36, "pop 0x4010, sp + 0"},
		{"its last instruction", []uint32{length | 1<<28 | header, codes}, 38, ""},
		{"before it", []uint32{length | 1<<28 | header, codes}, 34, "sp + 8, pop 0x4010, sp + 0"},
		{"an epilog of a list", []uint32{length | 1<<28 | 1<<23, 10 | 14<<20, codes}, 22, "pop 0x4010, sp + 0"},
		{"behind that", []uint32{length | 1<<28 | 1<<23, 10 | 14<<20, codes}, 26, "sp + 8, pop 0x4010, sp + 0"},
		{"the longer header", []uint32{length, 1 | 1<<16, 10 | 14<<20, codes}, 22, "pop 0x4010, sp + 0"},
		{"version", []uint32{length | 1<<28 | 2<<18, codes}, 30, "version 2 is not documented"},
		{"a code that is not known", []uint32{length | 1<<28, 0xfffff002}, 30, "0xf0 is not documented"},
		{"nothing", nil, 0, "not captured"},
		{"more codes than there are", []uint32{length | 15<<28, codes}, 30, "not captured"},
		{"more epilogs than there are", []uint32{length, 0xffff | 1<<16, 1}, 30, "not captured"},
	}
	for _, tt := range tests {
		mem := &arm64Memory{base: 0x1000, image: make([]byte, 0x100)}
		for _, word := range tt.words {
			mem.image = binary.LittleEndian.AppendUint32(mem.image, word)
		}
		r, err := armImage{mem, exceptionTable{base: 0x1000}}.arm32Record(0x100)
		var got string
		if err == nil {
			var ops []arm32Op
			ops, err = r.ops(tt.at)
			got = strings.Join(arm32Words(ops), ", ")
		}
		if err != nil {
			got = err.Error()
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
