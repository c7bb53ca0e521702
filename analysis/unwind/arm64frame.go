package unwind

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/dumpscan/dumpscan/minidump"
)

// stripPAC removes the signature of an address, the bits above those that
// addresses have (pointer authentication). How many these are depends on the
// system: 39 with Android, 47 with Windows and macOS, 48 or 52 with Linux. A
// dump of Crashpad says it; else the module that an address lies in decides,
// if it lies in any.
func (a *arm64) stripPAC(addr minidump.VA) minidump.VA {
	const kernel = 1 << 55 // chooses the half of the address space
	if addr>>39 == 0 || addr&kernel != 0 {
		return addr
	}
	if _, ok := a.modules.Find(addr); ok {
		return addr
	}
	if a.u.mask != 0 {
		return addr & a.u.mask
	}
	for _, bits := range [...]int{52, 48, 47, 42, 39} {
		short := addr & (1<<bits - 1)
		if _, ok := a.modules.Find(short); ok {
			return short
		}
	}
	return addr & (1<<48 - 1)
}

// convention goes to the caller as code is written by convention: lr holds
// the return address, until a function that calls others puts it on the stack
// behind the caller's fp, and has fp point there. ok is false where the stack
// does not look so.
func (a *arm64) convention(f Frame, r *Registers) (s step, ok bool) {
	if f.Trust != TrustContext {
		if s, ok := a.linuxSignal(f); ok {
			return s, true
		}
	}
	if !f.Return && r.knows(minidump.RegLR64) {
		if grown, ok := a.noRecord(f.PC, r); ok {
			m := arm64Machine{a: a, r: *r}
			m.r.set(minidump.RegSP64, uint64(f.SP)+uint64(grown))
			return m.caller(TrustFP), true
		}
	}
	fp := f.FP
	switch {
	case !r.knows(minidump.RegFP64):
		return s, false
	case fp == 0 && f.Return: // as threads begin
		m := arm64Machine{a: a, r: *r}
		m.r.set(minidump.RegLR64, 0)
		return m.caller(TrustFP), true
	case fp < f.SP || fp%8 != 0:
		return s, false
	}
	next, ok1 := a.stack.u64(fp)
	ret, ok2 := a.stack.u64(fp + 8)
	if !ok1 || !ok2 || !a.chain(fp, minidump.VA(next), a.stripPAC(minidump.VA(ret))) {
		return s, false
	}
	m := arm64Machine{a: a}
	m.r.set(minidump.RegFP64, next)
	m.r.set(minidump.RegLR64, ret)
	m.r.set(minidump.RegSP64, uint64(fp)+16)
	return m.caller(TrustFP), true
}

// chain reports whether what stands at fp may be a frame record: the next
// one lies above, and the return address is behind a call.
func (a *arm64) chain(fp, next, ret minidump.VA) bool {
	if ret == 0 {
		return next == 0
	}
	if next != 0 {
		if _, ok := a.stack.u64(next); !ok || next <= fp || next%8 != 0 {
			return false
		}
	}
	if ret%arm64Instr != 0 {
		return false
	}
	_, err := a.calls.Decode(ret)
	return err == nil || errors.Is(err, minidump.ErrNotCaptured) || a.linuxReturn(ret)
}

// instructions reads the instructions in [from, to). It returns nil if not
// all of them are there, or they are too many for the begin of a function.
func (a *arm64) instructions(from, to minidump.VA) []uint32 {
	const most = 4096
	if from > to || to-from > most {
		return nil
	}
	buf := make([]byte, to-from)
	if n, _ := a.u.code.ReadAt(buf, from); n < len(buf) {
		return nil
	}
	out := make([]uint32, len(buf)/arm64Instr)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(buf[arm64Instr*i:])
	}
	return out
}

const (
	arm64Ret    = 0xd65f03c0
	arm64Retaa  = 0xd65f0bff
	arm64Retab  = 0xd65f0fff
	arm64AutiSP = 0xd50323bf // autiasp; autibsp has the bit 0x40
)

// noRecord reports whether the code before pc, or that at pc, shows that lr
// has the return address and fp is the caller's: pc is no code at all, the
// function is about to return, or it has not got so far as to set up fp. grown
// is how many bytes it has taken from the stack.
func (a *arm64) noRecord(pc minidump.VA, r *Registers) (grown int64, ok bool) {
	lr := a.stripPAC(minidump.VA(r.R[minidump.RegLR64]))
	call, err := a.calls.Decode(lr)
	here := a.instructions(pc, pc+arm64Instr)
	if !a.isCode(pc) && (here == nil || a.runtime.Known()) { // called where nothing is
		return 0, err == nil || errors.Is(err, minidump.ErrNotCaptured) && a.isCode(lr)
	}
	if err != nil || here == nil {
		return 0, false
	}
	if here[0]&^0x40 == arm64AutiSP {
		here = a.instructions(pc+arm64Instr, pc+2*arm64Instr)
	}
	if len(here) > 0 && (here[0] == arm64Ret || here[0] == arm64Retaa || here[0] == arm64Retab) {
		return 0, true
	}
	if call.Target == 0 || call.Target > pc {
		return 0, false
	}
	code := a.instructions(call.Target, pc)
	if code == nil && pc != call.Target {
		return 0, false
	}
	for _, inst := range code {
		n, ok := arm64Taken(inst)
		if !ok {
			return 0, false
		}
		grown += n
	}
	return grown, true
}

// arm64Taken returns how many bytes an instruction at the begin of a function
// takes from the stack. ok is false for one that leaves the function, and for
// one behind which lr and fp may be other than they were.
func arm64Taken(inst uint32) (n int64, ok bool) {
	const sp, fp, lr = minidump.RegSP64, minidump.RegFP64, minidump.RegLR64
	rd, rn, rt2 := inst&31, inst>>5&31, inst>>10&31
	switch top := inst >> 22; {
	case inst>>26 == 0x25, inst>>25 == 0x6b: // bl; br, blr, ret
		return 0, false
	case top == 0x2a3 && rt2 == lr, top == 0x2a5 && rt2 == lr: // ldp fp, lr
		return 0, false
	case top&^1 == 0x244 && rn == sp && rd == fp: // add fp, sp, #n
		return 0, false
	case inst>>21 == 0x659 && rd == sp: // sub sp, sp, x15, lsl #4
		return 0, false
	case (top == 0x2a6 || top == 0x1b6) && rn == sp: // stp, pre-indexed
		return -8 * int64(int32(inst<<10)>>25), true
	case (inst>>21 == 0x7c0 || inst>>21 == 0x7e0) && inst>>10&3 == 3 && rn == sp: // str, pre-indexed
		return -int64(int32(inst<<11) >> 23), true
	case (top&^1 == 0x344 || top&^1 == 0x244) && rn == sp && rd == sp: // sub sp, sp, #n; add
		n = int64(inst>>10&0xfff) << (12 * (top & 1))
		if top&^1 == 0x244 {
			n = -n
		}
		return n, true
	}
	return 0, true
}

// linuxReturn reports whether signal handlers of Linux return to an address.
func (a *arm64) linuxReturn(addr minidump.VA) bool {
	code := a.instructions(addr, addr+2*arm64Instr)
	return len(code) == 2 && code[0] == 0xd2801168 && code[1] == 0xd4000001 // mov x8, #139 (rt_sigreturn); svc #0
}

// linuxSignal goes to where a signal interrupted the thread. The kernel has
// stored the registers above sp (struct rt_sigframe): siginfo of 128 bytes,
// ucontext whose first 176 bytes are others, and then the sigcontext.
func (a *arm64) linuxSignal(f Frame) (s step, ok bool) {
	if !a.linuxReturn(f.PC) {
		return s, false
	}
	at := f.SP + 128 + 176 + 8 // behind fault_address
	for i := range 32 {
		v, ok := a.stack.u64(at + minidump.VA(8*i))
		if !ok {
			return s, false
		}
		s.regs.set(i, v)
	}
	pc, ok := a.stack.u64(at + 32*8)
	s.regs.PC, s.trust, s.interrupt = minidump.VA(pc), TrustCFI, true
	return s, ok
}

// scan takes the first return address on the stack. Where it was stored together
// with fp, that is known too.
func (a *arm64) scan(ctx context.Context, f Frame, r *Registers) (step, Stop) {
	sp := minidump.VA(r.R[minidump.RegSP64])
	if _, ok := a.stack.u64(sp); !ok || !r.knows(minidump.RegSP64) {
		return step{}, StopNoStack
	}
	at := (sp + 7) &^ 7
	for range scanWords {
		word, ok := a.stack.u64(at)
		if !ok || ctx.Err() != nil {
			break
		}
		pc := a.stripPAC(minidump.VA(word))
		if a.behindCall(pc) != isBehindCall || !a.leadsTo(pc, f.PC) {
			at += 8
			continue
		}
		s := step{regs: Registers{PC: pc}, trust: TrustScan}
		s.regs.set(minidump.RegSP64, uint64(at)+8)
		if fp, ok := a.stack.u64(at - 8); ok && at > sp && minidump.VA(fp) > at {
			if _, ok := a.stack.u64(minidump.VA(fp)); ok {
				s.regs.set(minidump.RegFP64, fp)
			}
		}
		return s, ""
	}
	return step{}, StopNoUnwind
}
