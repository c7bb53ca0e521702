package unwind

import (
	"context"

	"github.com/dumpscan/dumpscan/minidump"
)

// scanWords is how far above the stack pointer a return address is searched, in
// words of eight bytes. Frames of more than 8 KiB are rare, and what
// lies farther up is more likely to belong to a caller of the caller.
const scanWords = 1024

// framePointer takes rbp for the frame pointer, as compilers at run time set it up:
// the caller's rbp is there, and the return address above. Other code on AMD64
// need not do so, and so the return address must be that of a call. Code of
// images has unwind data, and where that is missing rbp is often something else:
// there the caller's rbp must point farther up the stack, too.
func (a *amd64) framePointer(f Frame, r *Registers, fn amd64Function) (step, bool) {
	fp := r.R[minidump.RegFP]
	if !r.knows(minidump.RegFP) || fp < uint64(f.SP) || fp&7 != 0 {
		return step{}, false
	}
	saved, ok1 := a.stack.u64(minidump.VA(fp))
	ret, ok2 := a.stack.u64(minidump.VA(fp + 8))
	if !ok1 || !ok2 || a.behindCall(minidump.VA(ret)) != isBehindCall {
		return step{}, false
	}
	if !a.isJIT(f.PC) {
		if _, ok := a.stack.u64(minidump.VA(saved)); !ok || saved <= fp {
			return step{}, false
		}
	}
	next := step{trust: TrustFP}
	next.regs.PC = minidump.VA(ret)
	next.regs.set(minidump.RegSP, fp+16)
	next.regs.set(minidump.RegFP, saved)
	return next, true
}

// scan takes the first word of the stack that is the return address of a call into
// the function of the frame. Nothing but the stack pointer is known of the
// caller.
func (a *amd64) scan(ctx context.Context, f Frame) (step, Stop) {
	at := (f.SP + 7) &^ 7
	for range scanWords {
		word, ok := a.stack.u64(at)
		if !ok || ctx.Err() != nil {
			break
		}
		at += 8
		if a.behindCall(minidump.VA(word)) == isBehindCall && a.ledTo(minidump.VA(word), f) {
			next := step{trust: TrustScan}
			next.regs.PC = minidump.VA(word)
			next.regs.set(minidump.RegSP, uint64(at))
			return next, ""
		}
	}
	return step{}, StopNoUnwind
}

// farthest is how far into a function a frame may be, in bytes, where no unwind data
// says where functions begin.
const farthest = 1 << 16

// ledTo reports whether the call before a return address may have led to a frame.
// Words that are left over from calls before are most often those of other
// functions. Into another module a call goes by way of a jump, whose code need
// not be there.
func (a *amd64) ledTo(ret minidump.VA, f Frame) bool {
	site, err := a.calls.Decode(ret)
	if err != nil || site.Target == 0 {
		return err == nil
	}
	to, _ := a.u.modules.Find(site.Target)
	in, _ := a.u.modules.Find(f.PC)
	if to != in {
		return true
	}
	callee, inside := a.function(site.Target), a.function(f.Lookup())
	if callee.coverage == hasEntry && inside.coverage == hasEntry {
		first, ok1 := a.primary(callee.base, callee.entry)
		second, ok2 := a.primary(inside.base, inside.entry)
		if ok1 && ok2 {
			return first == second
		}
	}
	return f.PC >= site.Target && f.PC-site.Target < farthest
}
