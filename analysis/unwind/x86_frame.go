package unwind

import (
	"context"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// The programs of frame data that has none: the sizes say where the return address
// is, and ebp is below it if the function uses that register as it likes.
const (
	programFPO   = "$eip .raSearch ^ = $esp .raSearch 4 + ="
	programFPObp = "$ebp $esp .cbCalleeParams + .cbSavedRegs + 8 - ^ = " + programFPO
)

// frameData finds the caller by Microsoft's description of the frame.
func (x *x86) frameData(ctx context.Context, f Frame, r *Registers, d *symbol.FrameData, callee calleeX86) (step, bool) {
	params := uint64(max(callee.args, 0))
	at, exact := x.search(ctx, uint64(f.SP)+params+uint64(d.SavedRegs)+uint64(d.Locals), callee.args >= 0)
	values := map[string]uint64{
		".cbSavedRegs": uint64(d.SavedRegs), ".cbLocals": uint64(d.Locals), ".cbParams": uint64(d.Params),
		".cbCalleeParams": params, ".raSearch": at, ".raSearchStart": at,
	}
	program := d.Program
	switch {
	case program != "":
	case d.UsesBP:
		if !exact { // ebp would be looked for in the wrong place
			return step{}, false
		}
		program = programFPObp
	default:
		program = programFPO
	}
	found, err := cfi.Program(cfi.X86, frameState{r, &x.stack}, program, values)
	if err != nil || found.Known&(1<<cfi.PC) == 0 || found.Known&(1<<esp) == 0 {
		return step{}, false
	}
	ret := found.R[cfi.PC]
	start := ret == 0 && r.knows(ebp) && r.R[ebp] == 0 // as a thread begins
	if !start && !x.returns(ret, true) || found.R[esp] <= uint64(f.SP) {
		return step{}, false
	}
	x.callee = calleeX86{args: int32(min(d.Params, 1<<16)), pops: -1, pc: f.PC}
	return x.u.caller(r, found, TrustCFI, false), true
}

// search returns where a frame's return address is, which should be at an address
// but may be above it: the callee's arguments are not always known, and a function may
// have aligned its stack. exact is false if it was searched for.
func (x *x86) search(ctx context.Context, at uint64, known bool) (found uint64, exact bool) {
	words := 4
	if !known {
		words = 64
	}
	for i := range words {
		word, ok := x.word(at + 4*uint64(i))
		if !ok {
			break
		}
		if x.returns(word, i == 0 && known) || x.inFunction(ctx, word) {
			return at + 4*uint64(i), i == 0
		}
	}
	return at, true
}

// inFunction reports whether an address may be that behind a call although its code
// is not there: the symbols describe the frame of the function before it.
func (x *x86) inFunction(ctx context.Context, addr uint64) bool {
	if !x.returns(addr, true) {
		return false
	}
	return x.behindCall(minidump.VA(addr)) == noCode && x.u.rule(ctx, minidump.VA(addr-1)).Frame != nil
}

// dispatched steps over the frame in which Windows hands an exception to the
// handlers of a thread: the caller is what was interrupted by it, and its
// registers are in the CONTEXT whose address is an argument on the stack.
func (x *x86) dispatched(ctx context.Context, f Frame, r *Registers) (step, bool) {
	if !f.Return {
		return step{}, false
	}
	context, ok := x.word(uint64(f.SP) + 4)
	if !ok || context <= uint64(f.SP) || !x.isStack(context) {
		return step{}, false
	}
	const contextSize = 716
	var p [contextSize]byte
	if !readFull(x.u.memory, p[:], minidump.VA(context)) {
		return step{}, false
	}
	c, err := minidump.DecodeContext(minidump.ProcessorX86, p[:])
	const parts, notes = 0x7f, 0xf800_0000 // the kernel's own, such as that it was in a system call
	if err != nil || c.Flags&^(parts|notes) != minidump.ContextX86 || uint64(c.SP()) <= uint64(f.SP) || !x.isStack(uint64(c.SP())) {
		return step{}, false
	}
	// The stack looks right. Whether the function is the dispatcher the names say.
	names, err := x.u.session.Resolve(ctx, []minidump.VA{f.Lookup()})
	if err != nil || names.At(f.Lookup()).Function != "KiUserExceptionDispatcher" {
		return step{}, false
	}
	return step{regs: RegistersOf(c), trust: TrustContext, interrupt: true}, true
}
