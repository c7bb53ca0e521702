package unwind

import (
	"context"
	"encoding/binary"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A frameState is the state of a processor in one frame, for the rules of call frame
// information.
type frameState struct {
	r     *Registers
	stack *window
}

// Register returns a register by the number that it has in [cfi.Registers].
func (m frameState) Register(n int) (uint64, bool) {
	if n == cfi.PC {
		return uint64(m.r.PC), true
	}
	return m.r.R[n], m.r.knows(n)
}

// Read returns a number of memory that the dump holds.
func (m frameState) Read(addr uint64, size int) (uint64, bool) {
	p, ok := m.stack.at(minidump.VA(addr), size)
	if !ok {
		return 0, false
	}
	var buf [8]byte
	copy(buf[:], p)
	return binary.LittleEndian.Uint64(buf[:]), true
}

// kept are the registers whose values a function has to keep, on Windows and, as
// far as these differ, on others.
var kept = map[minidump.ProcessorArchitecture]uint32{
	minidump.ProcessorX86:   1<<3 | 1<<minidump.RegSP | 1<<minidump.RegFP | 1<<6 | 1<<7, // ebx, esi, edi
	minidump.ProcessorAMD64: 1<<3 | 1<<minidump.RegSP | 1<<minidump.RegFP | 1<<6 | 1<<7 | 0xf<<12,
	minidump.ProcessorARM:   0xff<<4 | 1<<minidump.RegArmSP,          // r4 to r11
	minidump.ProcessorARM64: 0x7ff<<19 | 1<<18 | 1<<minidump.RegSP64, // x19 to x29, and x18 which nobody changes
}

// callFrame finds the caller of a frame by call frame information: STACK CFI of a
// Breakpad symbol file, or DWARF of the image. stack reads the memory of the
// dump. The boolean is false if there is none for the frame or it does not lead to a
// caller. The stop is StopStart where it says that there is no caller.
func (u *Unwinder) callFrame(ctx context.Context, f Frame, r *Registers, stack *window) (next step, stop Stop, ok bool) {
	rule := u.rule(ctx, f.Lookup())
	if rule.CFI == nil {
		return step{}, "", false
	}
	return u.applyRules(rule.CFI, r, stack)
}

// maxRules is how many rules are kept, of 3 KiB each. Many threads wait in the same
// places.
const maxRules = 1 << 10

// rule returns what symbols say of the frame of a function at an address; neither of
// its two parts is set if that is nothing, or if ctx has ended.
func (u *Unwinder) rule(ctx context.Context, addr minidump.VA) symbol.FrameRule {
	rule, ok := u.rules[addr]
	if ok || u.session == nil {
		return rule
	}
	rule, _, err := u.session.FrameRule(ctx, addr)
	if err != nil {
		return symbol.FrameRule{} // the Unwinder stops for it
	}
	if u.rules == nil || len(u.rules) >= maxRules {
		u.rules = map[minidump.VA]symbol.FrameRule{}
	}
	u.rules[addr] = rule
	return rule
}

func (u *Unwinder) applyRules(rules *cfi.Rules, r *Registers, stack *window) (next step, stop Stop, ok bool) {
	if rules.Outermost() {
		return step{}, StopStart, true
	}
	found, err := rules.Caller(frameState{r, stack})
	if err != nil {
		return step{}, "", false
	}
	return u.caller(r, found, TrustCFI, rules.Interrupted()), "", true
}

// caller makes a caller of the registers that rules found: those they say nothing
// about have the values of the callee if it had to keep them.
func (u *Unwinder) caller(r *Registers, found cfi.Registers, t Trust, interrupted bool) step {
	next := step{regs: Registers{PC: minidump.VA(found.R[cfi.PC]), R: r.R}, trust: t, interrupt: interrupted}
	next.regs.Known = r.Known & kept[u.arch] &^ uint32(found.Lost)
	for n := range next.regs.R {
		if found.Known&(1<<n) != 0 {
			next.regs.set(n, found.R[n])
		}
	}
	return next
}
