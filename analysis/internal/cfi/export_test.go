package cfi

import (
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

var printed = map[Arch][]string{
	X86:   {"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"},
	AMD64: {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"},
}

func (a Arch) print(n int) string {
	switch {
	case n == PC && a == X86:
		return "EIP"
	case n == PC && a == AMD64:
		return "RIP"
	case a == X86 || a == AMD64:
		return printed[a][n]
	case n == a.sp():
		return map[Arch]string{ARM: "SP", ARM64: "WSP"}[a]
	case a == ARM && n == 14:
		return "LR"
	case a == ARM:
		return fmt.Sprintf("R%d", n)
	}
	return fmt.Sprintf("W%d", n)
}

// String writes rules as llvm-dwarfdump does. The
// order of registers is that of DWARF.
func (r *Rules) String() string {
	s := "CFA=" + r.print(&r.cfa)
	var regs []string
	for d := uint64(0); d < 33; d++ {
		n, ok := r.arch.dwarf(d)
		if !ok || r.regs[n].kind == kindNone || n == PC && r.arch != X86 && r.arch != AMD64 {
			continue
		}
		regs = append(regs, r.arch.print(n)+"="+r.print(&r.regs[n]))
	}
	if len(regs) > 0 {
		s += ": " + strings.Join(regs, ", ")
	}
	return s
}

func (r *Rules) print(rule *rule) string {
	off := func(s string) string {
		if rule.off == 0 {
			return s
		}
		return fmt.Sprintf("%s%+d", s, rule.off)
	}
	switch rule.kind {
	case kindReg:
		return off(r.arch.print(rule.reg))
	case kindCFA:
		return off("CFA")
	case kindAtCFA:
		return "[" + off("CFA") + "]"
	case kindLost:
		return "undefined"
	case kindSame:
		return "same"
	case kindText:
		return rule.text
	case kindAtExpr:
		return "[" + r.expr(rule.code) + "]"
	}
	return r.expr(rule.code)
}

// expr writes the two operations that GCC uses.
func (r *Rules) expr(code []byte) string {
	c := bounded.New("", 0, code)
	var ops []string
	for c.Left() > 0 {
		switch op := c.U8(); {
		case op >= opBreg0 && op <= opBreg31:
			n, _ := r.arch.dwarf(uint64(op - opBreg0))
			ops = append(ops, fmt.Sprintf("DW_OP_breg%d %s%+d", op-opBreg0, r.arch.print(n), sleb(c)))
		case op == opDeref:
			ops = append(ops, "DW_OP_deref")
		default:
			ops = append(ops, fmt.Sprintf("0x%x", op))
		}
	}
	return strings.Join(ops, ", ")
}

// EvalDWARF is evalDWARF.
var EvalDWARF = evalDWARF
