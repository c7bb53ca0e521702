package unwind

import (
	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// called notes what a call does to the frame: the callee may take its arguments
// off, and the one that makes room for large frames moves the stack pointer by
// eax.
func (x *x86) called(inst x86asm.Inst, next minidump.VA, s *codeState) {
	size := s.eax
	for _, n := range [...]int{eax, 1, 2} {
		s.write(n)
	}
	pops := int32(unknownPops)
	if site := x.calls.callX86(next, inst); site.Target != 0 {
		pops = x.takesOff(site.Target)
	}
	switch pops {
	case unknownPops:
		// The caller takes the arguments off, or nobody knows who.
		after, ok := x.instruction(next)
		reg, isReg := register32(after.Args[0])
		if _, isImm := after.Args[1].(x86asm.Imm); !ok || !isReg || reg != esp || after.Op != x86asm.ADD || !isImm {
			s.depth = nowhere
		}
	case setsFrame:
		// The helper of functions with exception handlers: it has put ebp in the place
		// of the word that was pushed first, and ebp points there.
		*s = codeState{depth: nowhere, frame: 8, eax: -1, swapped: nowhere, changed: 1<<ebx | 1<<ebp | 1<<esi | 1<<edi}
		s.saved[ebp] = 8
	case dropsFrame:
		*s = codeState{depth: 4, frame: nowhere, eax: -1, swapped: nowhere}
	case probesStack:
		if size < 0 || size > 1<<24 {
			s.depth = nowhere
			return
		}
		s.push(int32(size))
	default:
		s.push(-pops)
	}
}

// What a function does to its caller's frame, other than to take so many bytes off.
const (
	unknownPops = -1 - iota
	probesStack
	setsFrame  // __SEH_prolog4, __EH_prolog3 and their like
	dropsFrame // __SEH_epilog4 and its like
)

// takesOff returns how many bytes of arguments a function takes off the stack when
// it returns, by its first return instruction.
func (x *x86) takesOff(start minidump.VA) int32 { return x.popsFrom(start, false) }

// popsOf returns how many bytes a callee takes off that is at pc and returns to ret, -1
// if that is not known.
func (x *x86) popsOf(pc, ret minidump.VA) int32 {
	n := int32(unknownPops)
	if to := x.target(ret); to != 0 {
		n = x.takesOff(to)
	}
	if n < 0 && pc != 0 {
		n = x.popsFrom(pc, true)
	}
	return max(n, unknownPops)
}

// popsFrom looks for the return instruction from the start of a function, or from
// within.
func (x *x86) popsFrom(start minidump.VA, within bool) int32 {
	if n, ok := x.pops[start]; ok {
		return n
	}
	n := x.searchReturn(start, within)
	if len(x.pops) >= maxPops {
		clear(x.pops)
	}
	x.pops[start] = n
	return n
}

// frameEffect returns what an instruction of a function that has not saved ebp does to
// its caller's frame, 0 for nothing.
func frameEffect(inst x86asm.Inst) int32 {
	first, ok1 := register32(inst.Args[0])
	second, ok2 := register32(inst.Args[1])
	base, _, isBased := based(inst.Args[1])
	switch {
	case inst.Op == x86asm.LEAVE, inst.Op == x86asm.MOV && ok1 && ok2 && first == esp && second == ebp:
		return dropsFrame
	case inst.Op == x86asm.LEA && ok1 && first == ebp && isBased && base == esp, inst.Op == x86asm.MOV && ok1 && ok2 && first == ebp && second == eax:
		return setsFrame
	}
	return 0
}

// popsAfter returns how many bytes of arguments the function of a frame takes off when it
// returns, by the first return instruction behind the place where it is; -1 if that is
// not known. All returns of a function take off the same.
func (x *x86) popsAfter(pc minidump.VA) int32 {
	n, ok := x.popsAt[pc]
	if !ok {
		n = max(x.searchReturn(pc, true), -1)
		if len(x.popsAt) >= maxPops {
			clear(x.popsAt)
		}
		x.popsAt[pc] = n
	}
	return n
}

// searchReturn goes from an address to the next return instruction. own says that the
// function has saved ebp, so that what it does to it is its own affair.
func (x *x86) searchReturn(start minidump.VA, own bool) int32 {
	at := start
	probes := false // it touches page after page, and is no function with a frame
	for i := range maxPopSearch {
		x.effort--
		inst, ok := x.instruction(at)
		if !ok || x.effort < 0 {
			return unknownPops
		}
		if imm, ok := inst.Args[1].(x86asm.Imm); ok && i < 16 && (imm == 0x1000 || imm == -0x1000 || imm == 0xfffff000) {
			probes = true
		}
		at = (at + minidump.VA(inst.Len)) & 0xffffffff
		if effect := frameEffect(inst); !own && effect != 0 {
			return effect
		}
		own = own || inst.Op == x86asm.PUSH && inst.Args[0] == x86asm.EBP
		switch inst.Op {
		case x86asm.RET:
			imm, _ := inst.Args[0].(x86asm.Imm)
			return int32(imm)
		case x86asm.XCHG, x86asm.MOV:
			first, ok1 := register32(inst.Args[0])
			second, ok2 := register32(inst.Args[1])
			if probes && ok1 && ok2 && (first == esp && second != ebp || second == esp && inst.Op == x86asm.XCHG) {
				return probesStack
			}
		case x86asm.JMP:
			rel, ok := inst.Args[0].(x86asm.Rel)
			if m, isMem := inst.Args[0].(x86asm.Mem); isMem && m.Index != 0 {
				continue // the table of a switch, whose first case follows
			}
			if !ok {
				return unknownPops
			}
			if rel > 0 || inst.Len == 5 { // forward, or to another function that returns in place of this one
				at = (at + minidump.VA(int64(rel))) & 0xffffffff
			}
		case x86asm.INT, x86asm.UD2:
			return unknownPops
		}
	}
	return unknownPops
}
