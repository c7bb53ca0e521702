package unwind

import (
	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// decodeX86 decodes an instruction of 32-bit code; false if it is none, or one
// that the decoder does not know.
func decodeX86(code []byte) (inst x86asm.Inst, ok bool) {
	defer func() {
		if recover() != nil { // some vector instructions that are cut off
			ok = false
		}
	}()
	inst, err := x86asm.Decode(code, 32)
	return inst, err == nil && inst.Len > 0
}

// instruction decodes what is at an address.
func (x *x86) instruction(at minidump.VA) (x86asm.Inst, bool) {
	const longest = 15
	for n := longest; n > 0; n-- { // at the end of a page that is there, fewer bytes are
		if p, ok := x.codes.at(at, n); ok {
			return decodeX86(p)
		}
		if n == longest {
			if _, ok := x.codes.at(at, 1); !ok {
				break
			}
		}
	}
	return x86asm.Inst{}, false
}

// register32 returns the number of a 32-bit register.
func register32(a x86asm.Arg) (int, bool) {
	r, ok := a.(x86asm.Reg)
	if !ok || r < x86asm.EAX || r > x86asm.EDI {
		return 0, false
	}
	return int(r - x86asm.EAX), true
}

// based returns register and displacement of an address without an index.
func based(a x86asm.Arg) (reg int, disp int64, ok bool) {
	m, ok := a.(x86asm.Mem)
	if !ok || m.Index != 0 || m.Segment != 0 {
		return 0, 0, false
	}
	reg, ok = register32(m.Base)
	return reg, m.Disp, ok
}

// writes reports whether an instruction that is none of the stack's changes a
// register in whole or in part.
func writes(inst x86asm.Inst) (reg int, ok bool) {
	r, isReg := inst.Args[0].(x86asm.Reg)
	if !isReg {
		return 0, false
	}
	switch {
	case r >= x86asm.EAX && r <= x86asm.EDI:
		return int(r - x86asm.EAX), true
	case r >= x86asm.AX && r <= x86asm.DI:
		return int(r - x86asm.AX), true
	case r >= x86asm.AL && r <= x86asm.BL:
		return int(r - x86asm.AL), true
	case r >= x86asm.AH && r <= x86asm.BH:
		return int(r - x86asm.AH), true
	}
	return 0, false
}

// plain reports whether an instruction goes on to the next, and does nothing to
// registers but to its first operand, eax and edx.
func plain(op x86asm.Op) bool {
	switch op {
	case x86asm.MOV, x86asm.MOVZX, x86asm.MOVSX, x86asm.LEA, x86asm.XOR, x86asm.OR, x86asm.AND, x86asm.ADD, x86asm.SUB,
		x86asm.ADC, x86asm.SBB, x86asm.CMP, x86asm.TEST, x86asm.INC, x86asm.DEC, x86asm.NEG, x86asm.NOT, x86asm.SHL,
		x86asm.SHR, x86asm.SAR, x86asm.ROL, x86asm.ROR, x86asm.IMUL, x86asm.NOP, x86asm.CDQ, x86asm.CWDE, x86asm.SETE,
		x86asm.SETNE, x86asm.SETA, x86asm.SETAE, x86asm.SETB, x86asm.SETBE, x86asm.SETG, x86asm.SETGE, x86asm.SETL,
		x86asm.SETLE, x86asm.SETS, x86asm.SETNS, x86asm.FLD, x86asm.FSTP, x86asm.FLDZ, x86asm.FLD1, x86asm.FWAIT,
		x86asm.MOVUPS, x86asm.MOVAPS, x86asm.MOVUPD, x86asm.MOVAPD, x86asm.MOVSD_XMM, x86asm.MOVSS, x86asm.MOVQ, x86asm.MOVD,
		x86asm.MOVDQA, x86asm.MOVDQU, x86asm.PXOR, x86asm.XORPS, x86asm.CLD, x86asm.STD:
		return true
	}
	return false
}

// puttingReturn reports whether the instruction before a return puts the return
// address on the stack: "mov [esp], eax" or a push of a register.
func (x *x86) puttingReturn(at minidump.VA) bool {
	p, ok := x.codes.at(at-3, 4)
	return ok && p[3] == 0xc3 && (p[2]&0xf8 == 0x50 || [3]byte(p) == [3]byte{0x89, 0x04, 0x24})
}

// toReturn runs the instructions from here on, if they lead straight to the
// function's return: what is left of an epilog, or of a system call.
func (x *x86) toReturn(f Frame, r *Registers, callee calleeX86) (step, bool) {
	regs := *r
	if f.Return { // behind a call these have its results
		regs.Known &= kept[minidump.ProcessorX86]
		regs.R[esp] += uint64(callee.pops)
	}
	const most = 48 // instructions; an epilog that restores all there is has a dozen
	at := f.PC
	// Helpers put the return address where the stack pointer has got to meanwhile: their
	// caller goes on with that.
	put := map[uint64]uint64{}
	moved := false
	for range most {
		inst, ok := x.instruction(at)
		if !ok {
			return step{}, false
		}
		next := at + minidump.VA(inst.Len)
		reg, isReg := register32(inst.Args[0])
		base, disp, isBased := based(inst.Args[0])
		switch {
		case inst.Op == x86asm.RET:
			ret, ok := put[regs.R[esp]]
			if ok {
				moved = true
			} else {
				ret, ok = x.word(regs.R[esp])
				moved = x.puttingReturn(at)
			}
			if !ok || !regs.knows(esp) || !x.returns(ret, true) {
				return step{}, false
			}
			pops, _ := inst.Args[0].(x86asm.Imm)
			regs.PC = minidump.VA(ret)
			regs.set(esp, regs.R[esp]+4)
			regs.Known &= kept[minidump.ProcessorX86]
			x.callee = calleeX86{args: -1, pops: int32(pops)}
			if pops > 0 {
				x.callee.args = int32(pops)
			}
			return step{regs: regs, trust: TrustFP, interrupt: moved}, true
		case inst.Op == x86asm.JMP:
			rel, ok := inst.Args[0].(x86asm.Rel)
			if !ok {
				return step{}, false
			}
			next = (next + minidump.VA(int64(rel))) & 0xffffffff
		case f.Return && isConditional(inst.Op):
			// Both ways come to a return with the stack pointer at the same place.
		case f.Return && inst.Op == x86asm.CALL:
			site := x.calls.callX86(next, inst)
			if site.Target == 0 {
				return step{}, false
			}
			pops := x.takesOff(site.Target)
			if pops < 0 {
				return step{}, false
			}
			regs.R[esp] += uint64(pops)
			regs.Known &= kept[minidump.ProcessorX86]
		case f.Return && isFloat(inst.Op):
		case inst.Op == x86asm.PUSH && isReg && regs.knows(reg) && regs.knows(esp):
			regs.set(esp, regs.R[esp]-4)
			put[regs.R[esp]] = regs.R[reg]
		case inst.Op == x86asm.MOV && isBased && base == esp && inst.Args[1] == x86asm.EAX && regs.knows(eax) && regs.knows(esp):
			put[regs.R[esp]+uint64(disp)] = regs.R[eax]
		default:
			if !x.run(inst, &regs, put) {
				return step{}, false
			}
		}
		at = next
	}
	return step{}, false
}

// run does what an instruction of an epilog does to the registers; false if it is
// none that is followed. put is what others have put on the stack.
func (x *x86) run(inst x86asm.Inst, r *Registers, put map[uint64]uint64) bool {
	reg, isReg := register32(inst.Args[0])
	load := func(n int) bool { // pops register n
		v, ok := put[r.R[esp]]
		if !ok {
			v, ok = x.word(r.R[esp])
		}
		if !ok || !r.knows(esp) {
			return false
		}
		r.set(esp, (r.R[esp]+4)&0xffffffff)
		r.set(n, v)
		return true
	}
	switch inst.Op {
	case x86asm.POP:
		if !isReg {
			return false
		}
		return load(reg)
	case x86asm.LEAVE:
		if !r.knows(ebp) {
			return false
		}
		r.set(esp, r.R[ebp])
		return load(ebp)
	}
	if !plain(inst.Op) {
		return false
	}
	if isReg {
		if v, ok := result(inst, reg, r); ok {
			r.set(reg, v&0xffffffff)
			return true
		}
	}
	if inst.Op == x86asm.CMP || inst.Op == x86asm.TEST {
		return true
	}
	if n, ok := writes(inst); ok {
		r.Known &^= 1 << n
		return n != esp
	}
	if inst.Op == x86asm.CDQ || inst.Op == x86asm.IMUL || inst.Op == x86asm.CWDE {
		r.Known &^= 1<<eax | 1<<2
	}
	return true
}

// result returns the value that an instruction gives to its first operand, a
// register, if it follows from the registers.
func result(inst x86asm.Inst, reg int, r *Registers) (uint64, bool) {
	imm, isImm := inst.Args[1].(x86asm.Imm)
	from, isReg := register32(inst.Args[1])
	switch inst.Op {
	case x86asm.MOV:
		if isImm {
			return uint64(imm), true
		}
		if isReg {
			return r.R[from], r.knows(from)
		}
	case x86asm.LEA:
		base, disp, ok := based(inst.Args[1])
		if ok {
			return r.R[base] + uint64(disp), r.knows(base)
		}
	case x86asm.ADD:
		return r.R[reg] + uint64(imm), isImm && r.knows(reg)
	case x86asm.SUB:
		return r.R[reg] - uint64(imm), isImm && r.knows(reg)
	case x86asm.XOR:
		return 0, isReg && from == reg
	}
	return 0, false
}

// isConditional reports whether an instruction may jump or not.
func isConditional(op x86asm.Op) bool {
	name := op.String()
	return name[0] == 'J' && op != x86asm.JMP
}

// isFloat reports whether an instruction works on the stack of the floating-point
// unit. FSTSW, which has a result in eax, does not.
func isFloat(op x86asm.Op) bool {
	name := op.String()
	return name[0] == 'F' && op != x86asm.FNSTSW
}
