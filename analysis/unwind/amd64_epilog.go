package unwind

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/minidump"
)

// maxEpilog is the most that is read of an epilog, in bytes: pops of all
// registers, and a jump.
const maxEpilog = 48

// epilog runs the rest of an epilog, if the code from PC on is one: pops, and a
// return or a jump out of the function ("x64 prolog and epilog" of Microsoft's
// documentation of C++). What stands before them, "add rsp" or "lea rsp", is of no
// interest: until it has run, what the prolog did is still to be undone. Functions
// whose parts were moved apart may jump to where the pops are.
func (a *amd64) epilog(f Frame, r *Registers, base minidump.VA, entry runtimeFunction) (step, bool) {
	next := step{regs: *r, trust: TrustCFI}
	regs := &next.regs
	sp, at := uint64(f.SP), f.PC
	for range maxJumps {
		var buf [maxEpilog]byte
		// The end of the code may be the end of what is there.
		n, _ := a.u.code.ReadAt(buf[:], at)
		code := buf[:max(n, 0)]
		for {
			length, reg := decodePop(code)
			if length == 0 {
				break
			}
			v, ok := a.stack.u64(minidump.VA(sp))
			if !ok {
				return step{}, false
			}
			regs.set(reg, v)
			sp += 8
			code = code[length:]
		}
		end, ok := decodeReturn(code)
		if !ok {
			return step{}, false
		}
		at += minidump.VA(n-len(code)) + minidump.VA(end.target)
		if end.direct && !a.leaves(base, entry, at) {
			continue
		}
		ret, ok := a.stack.u64(minidump.VA(sp))
		if !ok {
			return step{}, false
		}
		regs.PC = minidump.VA(ret)
		regs.Known &= amd64Kept
		regs.set(minidump.RegSP, sp+8+uint64(end.free))
		return next, true
	}
	return step{}, false
}

// maxJumps is how many jumps an epilog may consist of.
const maxJumps = 4

// decodePop returns the length of a pop of a register other than the stack
// pointer, and the register.
func decodePop(code []byte) (length, reg int) {
	if len(code) > 0 && code[0]&0xf0 == 0x40 { // REX
		reg = int(code[0]&1) << 3
		length, code = 1, code[1:]
	}
	if len(code) == 0 || code[0]&0xf8 != 0x58 {
		return 0, 0
	}
	if reg |= int(code[0] & 7); reg == minidump.RegSP {
		return 0, 0
	}
	return length + 1, reg
}

// A functionEnd is the last instruction of an epilog.
type functionEnd struct {
	free   uint16 // bytes that a return removes beside the return address
	direct bool   // it jumps to an address
	target int64  // which that is, from the start of the instruction
}

// decodeReturn decodes what ends an epilog: a return, a jump to an address, or one
// through a pointer whose form no other jump of a function has: relative to
// the instruction pointer, or with a REX.W prefix, which compilers put there for
// unwinders.
func decodeReturn(code []byte) (end functionEnd, ok bool) {
	var p [8]byte // zeros are no end
	copy(p[:], code)
	le := binary.LittleEndian
	switch {
	case p[0] == 0xc3, (p[0] == 0xf3 || p[0] == 0xf2) && p[1] == 0xc3: // ret, rep ret, bnd ret
		return end, true
	case p[0] == 0xc2 && len(code) >= 3:
		end.free = le.Uint16(p[1:])
		return end, true
	case p[0] == 0xeb && len(code) >= 2:
		return functionEnd{direct: true, target: 2 + int64(int8(p[1]))}, true
	case p[0] == 0xe9 && len(code) >= 5:
		return functionEnd{direct: true, target: 5 + int64(int32(le.Uint32(p[1:])))}, true
	case p[0] == 0xff && p[1] == 0x25, p[0]&0xf8 == 0x48 && p[1] == 0xff && p[2]&0x38 == 0x20:
		return end, true
	}
	return end, false
}

// leaves reports whether a jump from a fragment to an address is a tail call, and
// no jump within the function.
func (a *amd64) leaves(base minidump.VA, entry runtimeFunction, target minidump.VA) bool {
	root, ok := a.primary(base, entry)
	if target >= base+minidump.VA(entry.begin) && target < base+minidump.VA(entry.end) {
		return ok && root == entry.begin && target == base+minidump.VA(entry.begin) // it calls itself
	}
	fn := a.function(target)
	if fn.coverage != hasEntry || fn.base != base {
		return true
	}
	other, otherOK := a.primary(base, fn.entry)
	return !ok || !otherOK || other != root || target == base+minidump.VA(root)
}

// primary returns where the function of a fragment begins, an RVA.
func (a *amd64) primary(base minidump.VA, entry runtimeFunction) (uint32, bool) {
	for range maxChain {
		info, e := a.info(base, entry)
		if info == nil {
			return 0, false
		}
		if !info.chained {
			return e.begin, true
		}
		entry = info.parent
	}
	return 0, false
}
