package unwind

import (
	"context"
	"encoding/binary"

	"github.com/dumpscan/dumpscan/minidump"
)

func init() { steppers[minidump.ProcessorARM] = stepARM }

// stepARM finds the caller on 32-bit ARM by call frame information, and else by
// r11, which functions of Windows have for their frame pointer, with the
// caller's r11 there and the return address above.
func stepARM(ctx context.Context, u *Unwinder, f Frame, r *Registers) (step, Stop) {
	if u.armStack == nil {
		u.armStack = &window{r: u.memory}
	}
	next, stop, ok := u.callFrame(ctx, f, r, u.armStack)
	if !ok {
		if next, ok = u.frameARM(f, r); !ok {
			return step{}, StopNoUnwind
		}
	}
	next.regs.PC &^= 1 // the bit that says Thumb
	return next, stop
}

func (u *Unwinder) frameARM(f Frame, r *Registers) (step, bool) {
	fp := r.R[minidump.RegArmFP]
	next := step{trust: TrustFP}
	if p, ok := u.armStack.at(minidump.VA(fp), 8); ok && r.knows(minidump.RegArmFP) && fp >= uint64(f.SP) {
		saved, ret := uint64(binary.LittleEndian.Uint32(p)), minidump.VA(binary.LittleEndian.Uint32(p[4:]))
		if _, ok := u.modules.Find(ret); ok && (saved == 0 || saved > fp) {
			next.regs.PC = ret
			next.regs.set(minidump.RegArmFP, saved)
			next.regs.set(minidump.RegArmSP, fp+8)
			return next, true
		}
	}
	// A function that has called nothing has its return address in lr.
	lr := minidump.VA(r.R[minidump.RegArmLR])
	if _, ok := u.modules.Find(lr); !ok || f.Return || !r.knows(minidump.RegArmLR) || lr&^1 == f.PC {
		return step{}, false
	}
	next.regs = *r
	next.regs.PC = lr
	next.regs.Known &= kept[minidump.ProcessorARM]
	return next, true
}
