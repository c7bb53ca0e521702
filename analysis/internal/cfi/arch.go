package cfi

import (
	"strconv"
	"strings"
)

// An Arch is a processor, whose registers have numbers and names.
type Arch uint8

// The processors.
const (
	X86 Arch = iota + 1
	AMD64
	ARM
	ARM64
)

// Registers have the numbers that the processor's instructions give them: eax, ecx,
// edx, ebx, esp, ebp, esi, edi and so on; r0 to r15 for ARM; x0 to x30 and sp as
// 31 for ARM64. PC stands for the instruction pointer, which has none.
const (
	PC          = 32
	numRegister = 33
)

// pointer returns the size of an address in bytes.
func (a Arch) pointer() int {
	if a == X86 || a == ARM {
		return 4
	}
	return 8
}

// mask cuts a value to the size of an address.
func (a Arch) mask(v uint64) uint64 {
	if a.pointer() == 4 {
		return v & 0xffffffff
	}
	return v
}

// sp returns the number of the stack pointer.
func (a Arch) sp() int {
	switch a {
	case ARM:
		return 13
	case ARM64:
		return 31
	}
	return 4
}

// amd64Numbers are the registers of AMD64 in the order that DWARF has: rax, rdx,
// rcx, rbx, rsi, rdi, rbp, rsp.
var amd64Numbers = [8]int{0, 2, 1, 3, 6, 7, 5, 4}

// dwarf translates a register number of DWARF, and reports whether that is a
// register that is followed.
func (a Arch) dwarf(n uint64) (int, bool) {
	switch a {
	case X86:
		if n == 8 {
			return PC, true
		}
		return int(n), n < 8
	case AMD64:
		switch {
		case n < 8:
			return amd64Numbers[n], true
		case n == 16:
			return PC, true
		}
		return int(n), n < 16
	case ARM:
		return int(n), n < 16
	}
	if n == 32 {
		return PC, true
	}
	return int(n), n < 32
}

var names86 = []string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"}

// register returns the number of a register by the name that Breakpad gives it:
// "$eax", "$rsp", "$r12"; "r11", "sp", "x29".
func (a Arch) register(name string) (int, bool) {
	name = strings.TrimPrefix(name, "$")
	if a == X86 || a == AMD64 {
		prefix := "e"
		if a == AMD64 {
			prefix = "r"
		}
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return 0, false
		}
		if rest == "ip" {
			return PC, true
		}
		for i, n := range names86 {
			if rest == n {
				return i, true
			}
		}
		n, ok := number(rest)
		return n, ok && a == AMD64 && n >= 8 && n < 16
	}
	switch name {
	case "pc":
		return PC, true
	case "sp":
		return a.sp(), true
	case "lr":
		if a == ARM {
			return 14, true
		}
		return 30, true
	case "fp":
		if a == ARM {
			return 11, true
		}
		return 29, true
	}
	if a == ARM {
		n, ok := number(strings.TrimPrefix(name, "r"))
		if n == 15 {
			n = PC
		}
		return n, ok && name[0] == 'r' && (n < 15 || n == PC)
	}
	n, ok := number(strings.TrimPrefix(name, "x"))
	return n, ok && name[0] == 'x' && n < 31
}

// number reads a short decimal number without sign.
func number(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return int(n), err == nil
}
