package unwind

import (
	"math"

	"golang.org/x/arch/x86/x86asm"
)

// A codeState is where things of a function's frame are. Distances are bytes below
// the stack pointer that the caller had before the call: the return address is at 4.
// Helpers that set up the frame of their caller go above it: below 0.
type codeState struct {
	depth int32 // of the stack pointer; nowhere if it is not known, as behind an alloca
	frame int32 // of the place that ebp points to; nowhere if it is no frame pointer
	// saved are the places where registers that the function has to keep are, 0 for
	// those that it has not saved; of those in changed the values are the function's.
	saved   [8]int32
	changed uint8
	eax     int64 // value of eax if that is a constant; -1 if not
	swapped int32 // of the place that eax points to, once it was exchanged with the stack pointer; nowhere if not
}

// nowhere is a place that is not known.
const nowhere = math.MinInt32

// isSlot reports whether a register may be saved at a place: not where the return
// address is.
func isSlot(at int32) bool { return at != nowhere && (at > 4 || at < 0) }

// merge returns what two states have in common.
func (s codeState) merge(o codeState) codeState {
	if s.depth != o.depth {
		s.depth = nowhere
	}
	if s.frame != o.frame {
		s.frame = nowhere
	}
	if s.eax != o.eax {
		s.eax = -1
	}
	if s.swapped != o.swapped {
		s.swapped = nowhere
	}
	for n := range s.saved {
		if s.saved[n] != o.saved[n] {
			s.saved[n] = 0
			s.changed |= 1 << n // and so lost
		}
	}
	s.changed |= o.changed
	return s
}

// follow notes what an instruction does to the frame; false if the function does not
// go on behind it.
func (s *codeState) follow(inst x86asm.Inst) bool {
	reg, isReg := register32(inst.Args[0])
	imm, isImm := inst.Args[1].(x86asm.Imm)
	from, fromReg := register32(inst.Args[1])
	switch inst.Op {
	case x86asm.RET, x86asm.LRET, x86asm.IRET, x86asm.JMP, x86asm.LJMP, x86asm.UD2, x86asm.INT, x86asm.HLT:
		return false
	case x86asm.PUSH:
		s.push(4)
		if isReg && s.depth > 4 && s.saved[reg] == 0 && s.changed&(1<<reg) == 0 {
			s.saved[reg] = s.depth
		}
		return true
	case x86asm.PUSHF, x86asm.PUSHFD:
		s.push(4)
		return true
	case x86asm.POP, x86asm.POPF, x86asm.POPFD:
		if isReg {
			s.pop(reg)
		} else {
			s.push(-4)
		}
		return true
	case x86asm.LEAVE:
		s.move(s.frame)
		s.pop(ebp)
		return true
	case x86asm.XCHG:
		depth := s.depth
		if !isReg || !fromReg {
			return true
		}
		s.write(reg)
		s.write(from)
		if reg == esp || from == esp {
			s.depth = nowhere
			if reg == eax || from == eax {
				s.swapped = depth
			}
		}
		return true
	case x86asm.ENTER, x86asm.PUSHA, x86asm.PUSHAD, x86asm.POPA, x86asm.POPAD:
		s.depth = nowhere
		return true
	}
	if inst.Op == x86asm.CMP || inst.Op == x86asm.TEST {
		return true
	}
	if !isReg {
		if n, ok := writes(inst); ok {
			s.write(n)
		} else if fromReg && inst.Op == x86asm.MOV {
			s.store(inst.Args[0], from)
		}
		return true
	}
	base, disp, isBased := based(inst.Args[1])
	if inst.Op == x86asm.MOV && (fromReg && from == reg || isBased && s.load(base, disp, reg)) {
		return true // "mov edi, edi" begins functions that can be patched
	}
	switch {
	case reg == esp && isImm && (inst.Op == x86asm.SUB || inst.Op == x86asm.ADD):
		by := int64(imm)
		if inst.Op == x86asm.ADD {
			by = -by
		}
		s.push(int32(by))
	case reg == esp && inst.Op == x86asm.SUB && fromReg && from == eax && s.eax >= 0:
		s.push(int32(s.eax))
	case reg == esp && inst.Op == x86asm.MOV && fromReg && from == ebp:
		s.move(s.frame)
	case reg == esp && inst.Op == x86asm.LEA && isBased && base == ebp:
		s.move(depthOf(s.frame, disp))
	case reg == esp && inst.Op == x86asm.LEA && isBased && base == esp:
		s.move(depthOf(s.depth, disp))
	case reg == esp:
		s.depth = nowhere
	case reg == ebp && inst.Op == x86asm.MOV && fromReg && from == esp:
		s.write(ebp)
		s.frame = s.depth
	case reg == ebp && inst.Op == x86asm.LEA && isBased && base == esp:
		s.write(ebp)
		s.frame = depthOf(s.depth, disp)
	default:
		s.write(reg)
		if reg == eax && inst.Op == x86asm.MOV && isImm && imm >= 0 {
			s.eax = int64(imm)
		}
	}
	return true
}

// depthOf returns the depth of what is disp above a place.
func depthOf(depth int32, disp int64) int32 {
	const most = 1 << 24
	if depth == nowhere || disp > most || disp < -most || int64(depth)-disp > most || disp-int64(depth) > most {
		return nowhere
	}
	return depth - int32(disp)
}

// push lowers the stack pointer.
func (s *codeState) push(n int32) { s.move(depthOf(s.depth, -int64(n))) }

// move sets the stack pointer. What was saved below it is there no longer.
func (s *codeState) move(depth int32) {
	s.depth = depth
	for n := range s.saved {
		if depth != nowhere && s.saved[n] > depth {
			s.saved[n] = 0
		}
	}
}

// pop takes a register off the stack: its value is the caller's again if that is
// where it was saved.
func (s *codeState) pop(reg int) {
	restored := s.depth != 0 && s.saved[reg] == s.depth
	s.push(-4)
	s.write(reg)
	if restored {
		s.saved[reg] = 0
		s.changed &^= 1 << reg
	}
}

// place returns the depth of what is disp above the place that a register points to.
func (s *codeState) place(base int, disp int64) int32 {
	switch base {
	case esp:
		return depthOf(s.depth, disp)
	case ebp:
		return depthOf(s.frame, disp)
	}
	return nowhere
}

// store notes a register that is moved to the stack, as it may be saved so.
func (s *codeState) store(to x86asm.Arg, reg int) {
	base, disp, ok := based(to)
	if at := s.place(base, disp); ok && isSlot(at) && s.saved[reg] == 0 && s.changed&(1<<reg) == 0 {
		s.saved[reg] = at
	}
}

// load notes a register that is moved from the stack, and reports whether it has the
// caller's value again.
func (s *codeState) load(base int, disp int64, reg int) bool {
	at := s.place(base, disp)
	if !isSlot(at) || s.saved[reg] != at {
		return false
	}
	s.write(reg)
	s.saved[reg] = 0
	s.changed &^= 1 << reg
	return true
}

// write notes that a register has a value of the function's.
func (s *codeState) write(n int) {
	s.changed |= 1 << n
	switch n {
	case ebp:
		s.frame = nowhere
	case eax:
		s.eax, s.swapped = -1, nowhere
	}
}
