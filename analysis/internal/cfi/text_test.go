package cfi_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
)

// state is a machine whose registers and words of memory are written down.
type state struct {
	regs  map[int]uint64
	words map[uint64]uint64
}

func (s state) Register(n int) (uint64, bool) {
	v, ok := s.regs[n]
	return v, ok
}

func (s state) Read(addr uint64, size int) (uint64, bool) {
	v, ok := s.words[addr]
	return v & (1<<(8*size) - 1), ok
}

const (
	eax = 0
	ebx = 3
	esp = 4
	ebp = 5
	esi = 6
)

// known returns the registers that have a value.
func known(r cfi.Registers) map[int]uint64 {
	out := map[int]uint64{}
	for n := range r.R {
		if r.Known&(1<<n) != 0 {
			out[n] = r.R[n]
		}
	}
	return out
}

// TestBreakpadCFI evaluates the records of Breakpad's documentation of the format,
// and others.
func TestBreakpadCFI(t *testing.T) {
	// "The STACK CFI records" of docs/symbol_files.md.
	documented := []string{
		".cfa: $esp 4 + $eip: .cfa 4 - ^ .ra: .cfa 4 - ^",
		".cfa: $esp 16 +",
		"$ebx: .cfa 16 - ^",
		"$esi: .cfa 12 - ^",
		".cfa: $ebp 8 + $ebp: .cfa 8 - ^",
	}
	memory := map[uint64]uint64{0x100c: 0x401000, 0x1000: 0xb0, 0x1004: 0x51, 0x1008: 0x2000, 0x1ffc: 0x401111, 0xffffffff0: 5}
	tests := []struct {
		name  string
		arch  cfi.Arch
		rules []string
		regs  map[int]uint64
		want  map[int]uint64
		err   error
	}{
		{name: "first", arch: cfi.X86, rules: documented[:1], regs: map[int]uint64{esp: 0x100c}, want: map[int]uint64{esp: 0x1010, cfi.PC: 0x401000}},
		{name: "pushed", arch: cfi.X86, rules: documented[:4], regs: map[int]uint64{esp: 0x1000, ebp: 0x77},
			want: map[int]uint64{esp: 0x1010, cfi.PC: 0x401000, ebx: 0xb0, esi: 0x51}},
		{name: "frame pointer", arch: cfi.X86, rules: documented, regs: map[int]uint64{esp: 0, ebp: 0x1008},
			want: map[int]uint64{esp: 0x1010, cfi.PC: 0x401000, ebx: 0xb0, esi: 0x51, ebp: 0x2000}},
		{name: "a register that cannot be read is lost", arch: cfi.X86, rules: []string{documented[0] + " $ebx: .cfa 1000 + ^"},
			regs: map[int]uint64{esp: 0x100c}, want: map[int]uint64{esp: 0x1010, cfi.PC: 0x401000}},
		{name: "amd64", arch: cfi.AMD64, rules: []string{".cfa: $rsp 8 + .ra: .cfa 4 - ^ $r12: $rbp $rbx 2 * + $rip: 7"},
			regs: map[int]uint64{esp: 0x1008, ebp: 1 << 40, ebx: 3}, want: map[int]uint64{esp: 0x1010, cfi.PC: 7, 12: 1<<40 + 6}},
		{name: "arm", arch: cfi.ARM, rules: []string{".cfa: sp 16 + .ra: lr r4: .cfa 12 - ^ fp: r7 d8: .cfa"},
			regs: map[int]uint64{13: 0x1000, 14: 0x8123, 7: 9}, want: map[int]uint64{13: 0x1010, cfi.PC: 0x8123, 4: 0x51, 11: 9}},
		{name: "arm64", arch: cfi.ARM64, rules: []string{".cfa: x29 16 + .ra: x30", "x19: .cfa 8 - ^ x30: .undef"},
			regs: map[int]uint64{29: 0x1000, 30: 0x8123}, want: map[int]uint64{31: 0x1010, cfi.PC: 0x8123, 19: 0x2000}},
		{name: "all operators", arch: cfi.X86, rules: []string{".cfa: 7 3 - 5 * 3 / 4 % 4096 + .ra: $esp 16 @ 4 - ^ $ebx: -8 $ebp +"},
			regs: map[int]uint64{esp: 0x1017, ebp: 8}, want: map[int]uint64{esp: 4098, cfi.PC: 0x401000, ebx: 0}},
		{name: "32 bits", arch: cfi.X86, rules: []string{".cfa: $esp 4294967295 + 2 + .ra: 1"}, regs: map[int]uint64{esp: 0xffffffff},
			want: map[int]uint64{esp: 0, cfi.PC: 1}},

		{name: "no return address", arch: cfi.X86, rules: []string{".cfa: 4"}, err: cfi.ErrSyntax},
		{name: "no frame", arch: cfi.X86, rules: []string{".ra: 4"}, err: cfi.ErrUnknown},
		{name: "memory", arch: cfi.X86, rules: []string{".cfa: 4 .ra: .cfa ^"}, err: cfi.ErrMemory},
		{name: "unknown register", arch: cfi.X86, rules: []string{".cfa: $esp 4 + .ra: 1"}, err: cfi.ErrUnknown},
		{name: "no register", arch: cfi.X86, rules: []string{".cfa: $rsp 4 + .ra: 1"}, err: cfi.ErrSyntax},
		{name: "the frame of itself", arch: cfi.X86, rules: []string{".cfa: .cfa 4 + .ra: 1"}, err: cfi.ErrSyntax},
		{name: "two values", arch: cfi.X86, rules: []string{".cfa: 4 8 .ra: 1"}, err: cfi.ErrSyntax},
		{name: "no operand", arch: cfi.X86, rules: []string{".cfa: 4 + .ra: 1"}, err: cfi.ErrSyntax},
		{name: "divided by 0", arch: cfi.X86, rules: []string{".cfa: 4 0 / .ra: 1"}, err: cfi.ErrSyntax},
		{name: "remainder of 0", arch: cfi.X86, rules: []string{".cfa: 4 0 % .ra: 1"}, err: cfi.ErrSyntax},
		{name: "aligned to no power", arch: cfi.X86, rules: []string{".cfa: 4 3 @ .ra: 1"}, err: cfi.ErrSyntax},
		{name: "an assignment", arch: cfi.X86, rules: []string{".cfa: $T0 4 = .ra: 1"}, err: cfi.ErrSyntax},
		{name: "no name", arch: cfi.X86, rules: []string{": 4"}, err: cfi.ErrSyntax},
		{name: "no rule", arch: cfi.X86, rules: []string{"$esp 4 +"}, err: cfi.ErrSyntax},
		{name: "no expression", arch: cfi.X86, rules: []string{".cfa: .ra: 1"}, err: cfi.ErrSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, err := cfi.NewRules(tt.arch, tt.rules[0])
			for _, r := range tt.rules[1:] {
				if err == nil {
					err = rules.Add(r)
				}
			}
			var got cfi.Registers
			if err == nil {
				got, err = rules.Caller(state{tt.regs, memory})
			}
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if tt.err == nil {
				if diff := cmp.Diff(tt.want, known(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestProgram runs programs of frame data: that of Breakpad's documentation, those
// that clang writes, and those of Visual C++.
func TestProgram(t *testing.T) {
	memory := map[uint64]uint64{0x1000: 0x2000, 0x1004: 0x401000, 0x0ffc: 0xbb, 0x0ff8: 0xe51, 0x1008: 0x402000}
	values := map[string]uint64{".raSearch": 0x1004, ".raSearchStart": 0x1004, ".cbSavedRegs": 8, ".cbParams": 12, ".cbCalleeParams": 4, ".cbLocals": 16}
	tests := []struct {
		name, program string
		regs          map[int]uint64
		want          map[int]uint64
		err           error
	}{
		{name: "documented", program: "$T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + = $L $T0 .cbSavedRegs - = $P $T0 8 + .cbParams + =",
			regs: map[int]uint64{ebp: 0x1000}, want: map[int]uint64{cfi.PC: 0x401000, ebp: 0x2000, esp: 0x1008}},
		{name: "clang", program: "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = $ebp $T0 4 - ^ = $ebx $T0 8 - ^ = ",
			want: map[int]uint64{cfi.PC: 0x401000, esp: 0x1008, ebp: 0x2000, ebx: 0xbb}},
		{name: "aligned", program: "$T1 $ebp = $T0 $T1 8 + 16 @ = $eip $T1 4 + ^ = $ebp $T1 ^ = $esp $T1 8 + =",
			regs: map[int]uint64{ebp: 0x1000}, want: map[int]uint64{cfi.PC: 0x401000, ebp: 0x2000, esp: 0x1008}},
		{name: "a new value is read", program: "$esp .raSearch = $esp $esp 4 + = $eip $esp ^ =",
			want: map[int]uint64{cfi.PC: 0x402000, esp: 0x1008}},
		{name: "sizes", program: "$eip .raSearchStart ^ = $esp .raSearchStart 4 + = $ebp $esp .cbCalleeParams + .cbSavedRegs + 24 - ^ =",
			want: map[int]uint64{cfi.PC: 0x401000, esp: 0x1008, ebp: 0xbb}, regs: map[int]uint64{esp: 0x1008}},
		{name: "not assigned", program: "$T0 4 + = $eip 1 =", err: cfi.ErrSyntax},
		{name: "assigned to a number", program: "4 4 =", err: cfi.ErrSyntax},
		{name: "assigned to an input", program: ".raSearch 4 =", err: cfi.ErrSyntax},
		{name: "left over", program: "$T0 4 = 5", err: cfi.ErrSyntax},
		{name: "unknown variable", program: "$eip $T7 =", err: cfi.ErrSyntax},
		{name: "without an end", program: strings.Repeat("$T0 4 = ", 2000), err: cfi.ErrSteps},
		{name: "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := maps.Clone(values)
			got, err := cfi.Program(cfi.X86, state{tt.regs, memory}, tt.program, values)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			want := tt.want
			if tt.err != nil {
				want = known(got)
			} else if want == nil {
				want = map[int]uint64{}
			}
			if diff := cmp.Diff(want, known(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, values); diff != "" {
				t.Errorf("the values were changed:\n%s", diff)
			}
		})
	}
}

func ExampleRules_Caller() {
	rules, err := cfi.NewRules(cfi.X86, ".cfa: $esp 4 + .ra: .cfa 4 - ^")
	if err != nil {
		fmt.Println(err)
		return
	}
	rules.Add(".cfa: $esp 8 + $ebp: .cfa 8 - ^") // behind "push ebp"
	caller, err := rules.Caller(state{map[int]uint64{esp: 0x1000}, map[uint64]uint64{0x1000: 0x2000, 0x1004: 0x401000}})
	fmt.Printf("pc 0x%x, sp 0x%x, ebp 0x%x, %v\n", caller.R[cfi.PC], caller.R[esp], caller.R[ebp], err)
	// Output:
	// pc 0x401000, sp 0x1008, ebp 0x2000, <nil>
}
