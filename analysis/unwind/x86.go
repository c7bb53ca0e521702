package unwind

import (
	"context"
	"encoding/binary"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

func init() { steppers[minidump.ProcessorX86] = stepX86 }

// The registers of x86 by their numbers.
const (
	eax = 0
	ebx = 3
	esp = minidump.RegSP
	ebp = minidump.RegFP
	esi = 6
	edi = 7
)

// An x86 goes from frame to frame on 32-bit x86, whose images have no unwind data.
// What there is instead: call frame information and frame data of symbols; the
// frame pointer, which most functions have; and the code itself, whose pushes and
// pops can be followed from a function's start or to its end.
type x86 struct {
	u       *Unwinder
	stack   window
	codes   window
	walks   map[minidump.VA]*codeWalk   // by the start of the function
	states  int                         // instructions in walks
	places  map[codePlace]placeState    // that were asked for
	targets map[minidump.VA]minidump.VA // of the calls before return addresses
	effort  int64                       // instructions that may yet be followed; a dump could be made up to have no end of them
	pops    map[minidump.VA]int32       // bytes that functions take off when they return
	popsAt  map[minidump.VA]int32       // the same by the place in the function where a frame is
	*codeMap

	// callee is what the last step found out of the frame that it left, and caller
	// the one it went to.
	callee calleeX86
	caller struct{ pc, sp minidump.VA }
}

// A calleeX86 is what a caller's frame has above its stack pointer because of the
// call. The numbers are -1 where they are not known.
type calleeX86 struct {
	args int32       // bytes of arguments
	pops int32       // bytes that the callee takes off when it returns
	pc   minidump.VA // where the callee is; 0 if that is not known
}

// maxEffort is how many instructions are followed for a dump: that takes seconds.
// The functions on the stacks of a large process have a tenth of them, and what was
// found of a place is kept.
const maxEffort = 1 << 23

func (u *Unwinder) x86() *x86 {
	if u.x86State == nil {
		u.x86State = &x86{
			u: u, stack: window{r: u.memory}, codes: window{r: u.code},
			walks: map[minidump.VA]*codeWalk{}, places: map[codePlace]placeState{}, targets: map[minidump.VA]minidump.VA{}, pops: map[minidump.VA]int32{}, popsAt: map[minidump.VA]int32{}, effort: maxEffort, codeMap: newCodeMap(u),
		}
	}
	return u.x86State
}

// stepX86 finds the caller by the first way that leads to one.
func stepX86(ctx context.Context, u *Unwinder, f Frame, r *Registers) (step, Stop) {
	x := u.x86()
	callee := calleeX86{args: -1, pops: -1}
	switch {
	case !f.Return:
		callee = calleeX86{} // the frame has called nothing
	case x.caller.pc == f.PC && x.caller.sp == f.SP:
		callee = x.callee
	}
	x.callee = calleeX86{args: -1, pops: -1, pc: f.PC} // until a way knows better
	next, stop := x.step(ctx, f, r, callee)
	// What an interrupted thread will go on with is no return address.
	if stop == "" && x.behindCall(next.regs.PC) == notBehindCall {
		next.interrupt = true
	}
	if stop == "" && x.callee.pops < 0 && !next.interrupt {
		x.callee.pops = x.popsAfter(f.PC)
	}
	x.caller.pc, x.caller.sp = next.regs.PC, minidump.VA(next.regs.R[esp])
	return next, stop
}

func (x *x86) step(ctx context.Context, f Frame, r *Registers, callee calleeX86) (step, Stop) {
	// Instructions that end the function say exactly what happens next, and frame
	// data does not describe them. Behind a call they are not as sure: it may never
	// return, and another function begin there.
	if !f.Return {
		if next, ok := x.toReturn(f, r, callee); ok {
			if !x.returnsAsCalled(ctx, f, r, &next) {
				next.interrupt = true // the caller goes on with what it gets now
			}
			return next, ""
		}
	}
	if !f.Return && !x.isCode(f.PC) {
		if next, ok := x.calledNothing(f, r); ok {
			return next, ""
		}
	}
	rule := x.u.rule(ctx, f.Lookup())
	if rule.CFI != nil {
		if next, stop, ok := x.u.applyRules(rule.CFI, r, &x.stack); ok {
			return next, stop
		}
	}
	if next, ok := x.dispatched(ctx, f, r); ok {
		return next, ""
	}
	if next, ok := x.described(ctx, f, r, rule.Frame, callee); ok {
		return next, ""
	}
	if next, ok := x.fromCaller(ctx, f, r); ok {
		return next, ""
	}
	if f.Return && callee.pops < 0 {
		callee.pops = x.popsOf(callee.pc, f.PC)
	}
	if f.Return && callee.pops >= 0 {
		if next, ok := x.toReturn(f, r, callee); ok {
			return next, ""
		}
	}
	if next, stop, ok := x.framePointer(f, r); ok {
		return next, stop
	}
	return x.scan(ctx, f, r)
}

// described finds the caller by the code from the function's start and by frame
// data, which may be nil. The code knows what has been pushed at each
// instruction; frame data says where the search for the return address begins, but
// needs no code.
func (x *x86) described(ctx context.Context, f Frame, r *Registers, d *symbol.FrameData, callee calleeX86) (step, bool) {
	byCode, ok := x.fromStart(ctx, f, r)
	if d == nil {
		return byCode, ok
	}
	byData, dataOK := x.frameData(ctx, f, r, d, callee)
	switch {
	case ok && dataOK && byData.regs.PC == byCode.regs.PC && byData.regs.R[esp] == byCode.regs.R[esp]:
		return byData, true
	case ok:
		return byCode, true
	}
	return byData, dataOK
}

// calledNothing finds the caller where a wrong pointer was called: there is no code at
// the frame, and so the return address is where the call has put it.
func (x *x86) calledNothing(f Frame, r *Registers) (step, bool) {
	ret, ok := x.word(uint64(f.SP))
	if !ok || !x.returns(ret, true) {
		return step{}, false
	}
	next := step{regs: *r, trust: TrustFP}
	next.regs.PC = minidump.VA(ret)
	next.regs.Known &= kept[minidump.ProcessorX86]
	next.regs.set(esp, uint64(f.SP)+4)
	return next, true
}

// returns reports whether an address is that behind a call, in a module or in code
// made at run time. unreadable is the answer where that code is not there.
func (x *x86) returns(addr uint64, unreadable bool) bool {
	const lowest = 0x10000 // Windows maps nothing below
	if addr < lowest || addr > 0xffffffff {
		return false
	}
	switch x.behindCall(minidump.VA(addr)) {
	case isBehindCall:
		return true
	case noCode:
		return unreadable && x.isCode(minidump.VA(addr))
	}
	return false
}

// word reads four bytes of the stack.
func (x *x86) word(addr uint64) (uint64, bool) {
	p, ok := x.stack.at(minidump.VA(addr&0xffffffff), 4)
	if !ok {
		return 0, false
	}
	return uint64(binary.LittleEndian.Uint32(p)), true
}

// framePointer takes ebp for the frame pointer: the caller's ebp is there, and the
// return address above.
func (x *x86) framePointer(f Frame, r *Registers) (step, Stop, bool) {
	fp := r.R[ebp]
	if !r.knows(ebp) || fp == 0 || fp < uint64(f.SP) {
		return step{}, "", false
	}
	saved, ok1 := x.word(fp)
	ret, ok2 := x.word(fp + 4)
	if !ok1 || !ok2 {
		return step{}, "", false
	}
	if ret == 0 && saved == 0 {
		return step{}, StopStart, true
	}
	// The outermost function's caller has none.
	if saved != 0 && (saved <= fp || !x.isStack(saved)) || !x.returns(ret, true) {
		return step{}, "", false
	}
	next := step{trust: TrustFP}
	next.regs.PC = minidump.VA(ret)
	next.regs.set(esp, x.aboveReturn(fp, ret))
	next.regs.set(ebp, saved)
	return next, "", true
}

// aboveReturn returns where the stack pointer is after a function with a frame pointer has
// returned. A function that aligns its stack copies its return address to where frame
// pointers have it, and keeps, among what it saves first, where the arguments are.
func (x *x86) aboveReturn(fp, ret uint64) uint64 {
	const (
		savedFirst  = 4  // words
		mostAligned = 64 // bytes; gcc aligns to 16, for vectors to 32 and 64
	)
	for i := uint64(1); i <= savedFirst; i++ {
		args, ok := x.word(fp - 4*i)
		if !ok || args <= fp+8 || args > fp+8+mostAligned || args&3 != 0 {
			continue
		}
		if original, ok := x.word(args - 4); ok && original == ret {
			return args
		}
	}
	return fp + 8
}

func (x *x86) isStack(addr uint64) bool {
	_, ok := x.word(addr)
	return ok && addr&3 == 0
}

// scanX86 is how far above the stack pointer a return address is searched, in
// words. See scanWords of AMD64.
const scanX86 = 2048

// scan takes the first word of the stack that is the return address of a call.
func (x *x86) scan(ctx context.Context, f Frame, r *Registers) (step, Stop) {
	at := uint64(f.SP+3) &^ 3
	if _, ok := x.word(at); !ok {
		if r.knows(ebp) && r.R[ebp] == 0 {
			return step{}, StopStart // the stack ends here
		}
		return step{}, StopNoStack
	}
	for range scanX86 {
		word, ok := x.word(at)
		if !ok || ctx.Err() != nil {
			break
		}
		at += 4
		if !x.returns(word, false) {
			continue
		}
		next := step{trust: TrustScan}
		next.regs.PC = minidump.VA(word)
		next.regs.set(esp, at)
		// The word below is the caller's ebp if this was the frame pointer's place;
		// otherwise the function has not changed it, if it still points above.
		if saved, ok := x.word(at - 8); ok && saved > at && saved < at+1<<16 && x.isStack(saved) {
			next.regs.set(ebp, saved)
		} else if r.knows(ebp) && r.R[ebp] >= at && x.isStack(r.R[ebp]) {
			next.regs.set(ebp, r.R[ebp])
		}
		return next, ""
	}
	// Every thread begins with 0 in ebp, and so a function that has no caller has it.
	if r.knows(ebp) && r.R[ebp] == 0 {
		return step{}, StopStart
	}
	return step{}, StopNoUnwind
}
