package unwind

import (
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// unwind undoes what the function of a frame has done, by its unwind data. It
// stops with StopNoUnwind where that does not lead to a caller and another way
// may.
func (a *amd64) unwind(f Frame, r *Registers, fn amd64Function) (step, Stop) {
	info, entry := a.info(fn.base, fn.entry)
	if info == nil {
		return step{}, StopNoUnwind
	}
	offset := uint32(f.PC - fn.base - minidump.VA(entry.begin))
	var within *epilog
	// A return address is in no epilog: of one that begins there nothing is done
	// yet, and the operations of the prolog lead to the same place.
	if !f.Return {
		within = info.epilogAt(offset)
		// Version 1 has no epilogs in its data. Where there is nothing to undo
		// none is looked for, as in Windows since 2018.
		if info.version == 2 && within != nil || info.version == 1 && (len(info.ops) > 0 || info.chained) {
			if next, ok := a.epilog(f, r, fn.base, entry); ok {
				return next, ""
			}
		}
	}
	if !a.collect(fn.base, info, offset, within) {
		return step{}, StopNoUnwind
	}
	return a.undo(f, r, info.version)
}

// epilogAt returns the epilog that an offset into the fragment lies in, or nil.
func (info *unwindInfo) epilogAt(offset uint32) *epilog {
	i := slices.IndexFunc(info.epilogs, func(e epilog) bool { return e.start <= offset && offset < e.end })
	if i < 0 {
		return nil
	}
	return &info.epilogs[i]
}

// collect leaves in ops what is to be undone at an offset into a fragment, of that
// and of those before it, the last one first. within is the epilog at the offset,
// or nil.
func (a *amd64) collect(base minidump.VA, info *unwindInfo, offset uint32, within *epilog) bool {
	a.ops = a.ops[:0]
	switch {
	case within != nil && info.version == 3:
		for _, w := range within.ops {
			if offset-within.start < w.at {
				a.ops = append(a.ops, w)
			}
		}
		if !within.toParent {
			return true
		}
	case within != nil:
		a.ops = info.pushesLeft(a.ops, offset-within.start)
	default:
		for _, w := range info.ops {
			if offset >= info.prolog || w.at <= offset {
				a.ops = append(a.ops, w)
			}
		}
	}
	for n := 0; info.chained; n++ {
		if n == maxChain {
			return false
		}
		if info, _ = a.info(base, info.parent); info == nil {
			return false
		}
		if a.ops = append(a.ops, info.ops...); len(a.ops) > maxOps {
			return false
		}
	}
	return true
}

// maxOps is how many operations a function may have with all its fragments. A
// compiler has some thirty things to save.
const maxOps = 1024

// pushesLeft appends the pushes of the prolog that an epilog of version 2 has not
// undone so far into it: it is pops alone, of one byte, or two for r8 to r15.
func (info *unwindInfo) pushesLeft(ops []wind, offset uint32) []wind {
	for _, w := range info.ops {
		if w.op != windPush {
			continue
		}
		size := uint32(1)
		if w.reg >= 8 {
			size = 2
		}
		if offset < size {
			ops, offset = append(ops, w), 0
		} else {
			offset -= size
		}
	}
	return ops
}

// undo undoes what is in ops.
func (a *amd64) undo(f Frame, r *Registers, version uint8) (step, Stop) {
	next := step{regs: *r, trust: TrustCFI}
	regs := &next.regs
	regs.Known &= amd64Kept
	sp := uint64(f.SP)
	frame, hasFrame, ok := a.frameBase(r)
	switch {
	case !ok:
		return step{}, StopNoUnwind
	case hasFrame:
		// A function with a frame pointer may move the stack pointer as it likes.
		sp = frame - below(a.ops)
		if sp < uint64(f.SP) {
			return step{}, StopNoUnwind // that register holds something else
		}
	default:
		frame = sp
	}
	missing := StopNoStack
	if hasFrame {
		missing = StopNoUnwind
	}
	pop := func(at uint64) uint64 {
		v, there := a.stack.u64(minidump.VA(at))
		ok = ok && there
		return v
	}
	for _, w := range a.ops {
		switch w.op {
		case windPush:
			regs.set(int(w.reg), pop(sp))
			sp += 8
		case windAlloc:
			sp += uint64(w.n)
		case windSetFrame:
			sp = frame
		case windSave:
			base := frame
			if version == 3 {
				base = sp // as the instruction had it
			}
			regs.set(int(w.reg), pop(base+uint64(w.n)))
		case windMachineFrame:
			sp += uint64(w.n)
			regs.PC = minidump.VA(pop(sp)) // then CS, flags
			regs.set(minidump.RegSP, pop(sp+24))
			next.interrupt = true
		}
		if !ok {
			return step{}, missing
		}
		if next.interrupt {
			return next, ""
		}
	}
	regs.PC = minidump.VA(pop(sp))
	if !ok {
		return step{}, missing
	}
	regs.Known &= amd64Kept
	regs.set(minidump.RegSP, sp+8)
	return next, ""
}

// frameBase returns where the stack pointer was when the frame pointer was set,
// if that is among ops; ok is false if the register is not known.
func (a *amd64) frameBase(r *Registers) (base uint64, found, ok bool) {
	i := slices.IndexFunc(a.ops, func(w wind) bool { return w.op == windSetFrame })
	if i < 0 {
		return 0, false, true
	}
	w := a.ops[i]
	return r.R[w.reg] - uint64(w.n), true, r.knows(int(w.reg))
}

// below returns how many bytes the fixed part of the frame has below where the
// stack pointer was when the frame pointer was set.
func below(ops []wind) uint64 {
	n := uint64(0)
	for _, w := range ops {
		switch w.op {
		case windPush:
			n += 8
		case windAlloc:
			n += uint64(w.n)
		case windSetFrame:
			return n
		}
	}
	return n
}
