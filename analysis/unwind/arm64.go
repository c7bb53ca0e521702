package unwind

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

func init() { steppers[minidump.ProcessorARM64] = stepARM64 }

// An arm64 goes from frame to frame on ARM64: by the unwind data of images; by
// the frame records that fp points to; and by the words of the stack.
type arm64 struct {
	u      *Unwinder
	stack  window
	tables exceptionTables
	rules  map[minidump.VA]arm64Rule // by place in code
	made   armDynamics
	*codeMap
}

func (u *Unwinder) arm64() *arm64 {
	if u.arm64State == nil {
		u.arm64State = &arm64{
			u: u, stack: window{r: u.memory}, tables: exceptionTables{code: u.code}, rules: map[minidump.VA]arm64Rule{},
			made: armDynamics{}, codeMap: newCodeMap(u),
		}
	}
	return u.arm64State
}

// addressMask returns the bits of a pointer that are an address, 0 if the dump does
// not say it.
func addressMask(f *minidump.File) minidump.VA {
	const least = 1<<32 - 1
	info, _ := f.CrashpadInfo()
	if info == nil || info.AddressMask&least != least {
		return 0
	}
	return minidump.VA(info.AddressMask)
}

const machineARM64 = 0xaa64 // IMAGE_FILE_MACHINE_ARM64

// arm64Kept has the registers that a function gives back to its caller as they
// were, but for the stack pointer.
const arm64Kept = (1<<30 - 1) &^ (1<<19 - 1)

// stepARM64 finds the caller by the first way that leads to one.
func stepARM64(ctx context.Context, u *Unwinder, f Frame, r *Registers) (step, Stop) {
	a := u.arm64()
	s, ok := a.unwind(f, r)
	if !ok {
		var stop Stop
		if s, stop, ok = u.callFrame(ctx, f, r, &a.stack); stop != "" {
			return s, stop
		}
		s.regs.PC = a.stripPAC(s.regs.PC)
	}
	if !ok {
		s, ok = a.convention(f, r)
	}
	if !ok {
		return a.scan(ctx, f, r)
	}
	// What an interrupted thread will go on with is no return address.
	s.interrupt = s.interrupt || a.behindCall(s.regs.PC) == notBehindCall
	return s, ""
}

// unwind follows the image's unwind data. ok is false if there are none, or they
// lead nowhere.
func (a *arm64) unwind(f Frame, r *Registers) (s step, ok bool) {
	rule := a.rule(arm64Place(f))
	if rule.err != nil {
		return s, false
	}
	m := arm64Machine{a: a, r: *r}
	m.r.Known &= arm64Kept | 1<<minidump.RegSP64 | 1<<minidump.RegLR64
	m.run(rule.ops)
	if m.lost || !m.interrupt && !m.r.knows(minidump.RegLR64) {
		return s, false
	}
	return m.caller(TrustCFI), true
}

// arm64Place is what decides where a frame is: the call, as what is returned to may
// be another function.
func arm64Place(f Frame) minidump.VA {
	if f.Return {
		return f.PC - arm64Instr
	}
	return f.PC
}

// start returns where the function of a frame begins, or the instruction that has
// made a system call; 0 if neither is known.
func (a *arm64) start(f Frame) minidump.VA {
	rule := a.rule(arm64Place(f))
	if rule.err == nil && !rule.frame && !f.Return {
		before := a.instructions(f.PC-arm64Instr, f.PC)
		if len(before) == 1 && before[0]&0xffe0001f == 0xd4000001 { // svc
			return f.PC - arm64Instr
		}
	}
	return rule.start
}

// rule returns what is to be undone at a place in code.
func (a *arm64) rule(pc minidump.VA) arm64Rule {
	rule, ok := a.rules[pc]
	if ok {
		return rule
	}
	if m, ok := a.modules.Find(pc); !ok {
		rule = a.dynamic(pc)
	} else if table := a.tables.of(m, armEntrySize); table.count == 0 {
		rule.err = fmt.Errorf("%s has no table of functions that can be read", m.Name())
	} else if table.machine != machineARM64 {
		rule.err = fmt.Errorf("%s is of another processor, %#x", m.Name(), table.machine)
	} else {
		rule = armImage{a.u.code, table}.arm64Rule(pc)
	}
	if len(a.rules) >= maxCached {
		clear(a.rules)
	}
	a.rules[pc] = rule
	return rule
}

// dynamic is rule for code that was made at run time.
func (a *arm64) dynamic(pc minidump.VA) arm64Rule {
	base, e, ok, known := a.made.find(a.runtime, pc)
	switch {
	case ok:
		return armImage{a.u.code, exceptionTable{base: base}}.arm64Entry(e, uint32(pc-base))
	case known:
		return arm64Rule{} // a leaf
	}
	return arm64Rule{err: fmt.Errorf("%s lies in no module", pc)}
}

// An arm64Machine undoes unwind codes.
type arm64Machine struct {
	a         *arm64
	r         Registers
	next      int  // more pairs that the next save has
	interrupt bool // r is where the caller was interrupted, its PC is set
	lost      bool // something needed is not known
}

// run undoes the codes in turn.
func (m *arm64Machine) run(ops []arm64Op) {
	for _, op := range ops {
		sp := m.sp()
		switch op.kind {
		case arm64Save:
			m.save(op)
		case arm64SaveNext:
			m.next = min(m.next+1, 15) // there are no more pairs
			continue
		case arm64SetFP:
			if !m.r.knows(minidump.RegFP64) {
				m.lost = true
				return
			}
			m.r.set(minidump.RegSP64, m.r.R[minidump.RegFP64]-uint64(op.off))
		case arm64PAC:
			lr := &m.r.R[minidump.RegLR64]
			*lr = uint64(m.a.stripPAC(minidump.VA(*lr)))
		case arm64MachineFrame:
			newSP, ok1 := m.a.stack.u64(sp)
			newPC, ok2 := m.a.stack.u64(sp + 8)
			m.lost = m.lost || !ok1 || !ok2
			m.r.set(minidump.RegSP64, newSP)
			m.r.PC, m.interrupt = minidump.VA(newPC), true
		case arm64Context:
			m.context(minidump.ProcessorARM64, 912)
		case arm64ECContext:
			m.context(minidump.ProcessorAMD64, 1232)
		case arm64Interrupted:
			m.r.PC, m.interrupt = m.a.stripPAC(minidump.VA(m.r.R[minidump.RegLR64])), m.r.knows(minidump.RegLR64)
			m.r.Known &^= 1 << minidump.RegLR64 // it is pc, and what it was before is lost
		}
		m.next = 0
	}
}

func (m *arm64Machine) sp() minidump.VA { return minidump.VA(m.r.R[minidump.RegSP64]) }

func (m *arm64Machine) save(op arm64Op) {
	sp := m.sp()
	at := sp + minidump.VA(op.off)
	n := int(op.n)
	if op.pair && n > 0 {
		n += 2 * m.next
	}
	for i := range n {
		// Pairs behind the last of the general registers are of others.
		if reg := int(op.reg) + i; reg < minidump.RegFP64 || i < int(op.n) {
			m.restore(reg, at+minidump.VA(8*i))
		}
	}
	if op.lr {
		m.restore(minidump.RegLR64, at+minidump.VA(8*n))
	}
	m.r.set(minidump.RegSP64, uint64(sp)+uint64(op.grow))
}

// restore reads a register from the stack. What is not captured is not known
// from there on.
func (m *arm64Machine) restore(reg int, at minidump.VA) {
	if v, ok := m.a.stack.u64(at); ok {
		m.r.set(reg, v)
	} else {
		m.r.Known &^= 1 << reg
	}
}

// context takes all registers from a context at sp.
func (m *arm64Machine) context(arch minidump.ProcessorArchitecture, size int) {
	buf := make([]byte, size)
	if n, _ := m.a.u.memory.ReadAt(buf, m.sp()); n < size {
		m.lost = true
		return
	}
	c, err := minidump.DecodeContext(arch, buf)
	if err != nil {
		m.lost = true
		return
	}
	m.interrupt = true
	if arch == minidump.ProcessorARM64 {
		m.r = RegistersOf(c)
		return
	}
	// The places that ARM64EC gives the registers in a context of x64
	// (https://learn.microsoft.com/windows/arm/arm64ec-abi), but those that
	// functions do not keep. lr lies in the first x87 register.
	m.r = Registers{PC: c.PC}
	m.r.set(minidump.RegSP64, c.R[minidump.RegSP])
	m.r.set(minidump.RegFP64, c.R[minidump.RegFP])
	for reg, from := range map[int]int{19: 12, 20: 13, 21: 14, 22: 15, 25: 6, 26: 7, 27: 3} {
		m.r.set(reg, c.R[from])
	}
	m.r.set(minidump.RegLR64, binary.LittleEndian.Uint64(buf[0x120:]))
}

// caller turns what is known at the end into the caller's registers.
func (m *arm64Machine) caller(trust Trust) step {
	r := m.r
	if !m.interrupt {
		r.PC = m.a.stripPAC(minidump.VA(r.R[minidump.RegLR64]))
		r.Known &= arm64Kept | 1<<minidump.RegSP64
	}
	for i := range r.R {
		if !r.knows(i) {
			r.R[i] = 0
		}
	}
	return step{regs: r, trust: trust, interrupt: m.interrupt}
}
