package unwind

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

func init() { steppers[minidump.ProcessorARM] = stepARM32 }

// An arm32 goes from frame to frame on 32-bit ARM, in the ways of [arm64].
type arm32 struct {
	u      *Unwinder
	stack  window
	tables exceptionTables
	rules  map[minidump.VA]arm32Rule // by place in code
	made   armDynamics
	*codeMap
}

func (u *Unwinder) arm32() *arm32 {
	if u.arm32State == nil {
		u.arm32State = &arm32{
			u: u, stack: window{r: u.memory}, tables: exceptionTables{code: u.code}, rules: map[minidump.VA]arm32Rule{},
			made: armDynamics{}, codeMap: newCodeMap(u),
		}
	}
	return u.arm32State
}

const machineARMNT = 0x1c4 // IMAGE_FILE_MACHINE_ARMNT, Thumb code

// arm32Kept has the registers that a function gives back to its caller as they
// were, but for the stack pointer.
const arm32Kept = 0xff0

// stepARM32 finds the caller by the first way that leads to one.
func stepARM32(ctx context.Context, u *Unwinder, f Frame, r *Registers) (step, Stop) {
	a := u.arm32()
	s, ok := a.unwind(f, r)
	if !ok {
		var stop Stop
		if s, stop, ok = u.callFrame(ctx, f, r, &a.stack); stop != "" {
			return s, stop
		}
		s.regs.PC &^= 1 // the bit that says Thumb
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
func (a *arm32) unwind(f Frame, r *Registers) (s step, ok bool) {
	rule := a.rule(arm32Place(f))
	if rule.err != nil {
		return s, false
	}
	m := arm32Machine{a: a, r: *r}
	m.r.Known &= arm32Kept | 1<<minidump.RegArmSP | 1<<minidump.RegArmLR
	m.run(rule.ops)
	if m.lost || !m.interrupt && !m.r.knows(minidump.RegArmLR) {
		return s, false
	}
	return m.caller(TrustCFI), true
}

// arm32Place is what decides where a frame is: within the call, as what is returned
// to may be another function.
func arm32Place(f Frame) minidump.VA {
	if f.Return {
		return f.PC - 2
	}
	return f.PC
}

// start returns where the function of a frame begins; 0 if that is not known.
func (a *arm32) start(f Frame) minidump.VA { return a.rule(arm32Place(f)).start }

// rule returns what is to be undone at a place in code.
func (a *arm32) rule(pc minidump.VA) arm32Rule {
	rule, ok := a.rules[pc]
	if ok {
		return rule
	}
	if m, ok := a.modules.Find(pc); !ok {
		rule = a.dynamic(pc)
	} else if table := a.tables.of(m, armEntrySize); table.count == 0 {
		rule.err = fmt.Errorf("%s has no table of functions that can be read", m.Name())
	} else if table.machine != machineARMNT {
		rule.err = fmt.Errorf("%s is of another processor, %#x", m.Name(), table.machine)
	} else {
		rule = armImage{a.u.code, table}.arm32Rule(pc)
	}
	if len(a.rules) >= maxCached {
		clear(a.rules)
	}
	a.rules[pc] = rule
	return rule
}

// dynamic is rule for code that was made at run time.
func (a *arm32) dynamic(pc minidump.VA) arm32Rule {
	base, e, ok, known := a.made.find(a.runtime, pc)
	switch {
	case ok:
		return armImage{a.u.code, exceptionTable{base: base}}.arm32Entry(e, uint32(pc-base))
	case known:
		return arm32Rule{} // a leaf
	}
	return arm32Rule{err: fmt.Errorf("%s lies in no module", pc)}
}

// An arm32Machine undoes unwind codes.
type arm32Machine struct {
	a         *arm32
	r         Registers
	interrupt bool // r is where the caller was interrupted, its PC is set
	lost      bool // something needed is not known
}

// run undoes the codes in turn.
func (m *arm32Machine) run(ops []arm32Op) {
	for _, op := range ops {
		switch op.kind {
		case arm32Pop:
			for reg := range 16 {
				if op.regs>>reg&1 != 0 {
					m.restore(reg)
				}
			}
			m.setSP(m.sp() + op.grow)
		case arm32MoveSP:
			if !m.r.knows(int(op.regs)) {
				m.lost = true
				return
			}
			m.setSP(uint32(m.r.R[op.regs]))
		case arm32MachineFrame:
			sp, ok1 := m.a.word(m.sp())
			pc, ok2 := m.a.word(m.sp() + 4)
			m.lost = m.lost || !ok1 || !ok2
			m.setSP(sp)
			m.r.PC, m.interrupt = minidump.VA(pc&^1), true
		case arm32Context:
			m.context()
		}
	}
}

func (m *arm32Machine) sp() uint32 { return uint32(m.r.R[minidump.RegArmSP]) }

func (m *arm32Machine) setSP(sp uint32) { m.r.set(minidump.RegArmSP, uint64(sp)) }

// restore takes a register from the stack. What is not captured is not known from
// there on.
func (m *arm32Machine) restore(reg int) {
	if v, ok := m.a.word(m.sp()); ok {
		m.r.set(reg, uint64(v))
	} else {
		m.r.Known &^= 1 << reg
	}
	m.setSP(m.sp() + 4)
}

// context takes all registers from a context at sp.
func (m *arm32Machine) context() {
	buf := make([]byte, 416)
	n, _ := m.a.u.memory.ReadAt(buf, minidump.VA(m.sp()))
	c, err := minidump.DecodeContext(minidump.ProcessorARM, buf[:n])
	if err != nil {
		m.lost = true
		return
	}
	m.r, m.interrupt = RegistersOf(c), true
}

// caller turns what is known at the end into the caller's registers.
func (m *arm32Machine) caller(trust Trust) step {
	r := m.r
	if !m.interrupt {
		r.PC = minidump.VA(r.R[minidump.RegArmLR] &^ 1) // the bit says Thumb
		r.Known &= arm32Kept | 1<<minidump.RegArmSP
	}
	for i := range r.R {
		if !r.knows(i) {
			r.R[i] = 0
		}
	}
	return step{regs: r, trust: trust, interrupt: m.interrupt}
}

func (a *arm32) word(addr uint32) (uint32, bool) {
	p, ok := a.stack.at(minidump.VA(addr), 4)
	if !ok {
		return 0, false
	}
	return binary.LittleEndian.Uint32(p), true
}

// convention goes to the caller by the frame record that r11 points to, or r7 in
// Thumb code of other systems: the caller's pointer, and the return address. Code
// that is about to return or is none at all has that in lr.
func (a *arm32) convention(f Frame, r *Registers) (s step, ok bool) {
	if !f.Return && r.knows(minidump.RegArmLR) && !a.isCode(f.PC) {
		if lr := minidump.VA(r.R[minidump.RegArmLR] &^ 1); a.behindCall(lr) == isBehindCall {
			return (&arm32Machine{a: a, r: *r}).caller(TrustFP), true
		}
	}
	if f.Return && r.knows(minidump.RegArmFP) && f.FP == 0 { // as threads begin
		m := arm32Machine{a: a, r: *r}
		m.r.set(minidump.RegArmLR, 0)
		return m.caller(TrustFP), true
	}
	for _, reg := range [...]int{minidump.RegArmFP, 7} {
		fp := uint32(r.R[reg])
		if !r.knows(reg) || minidump.VA(fp) < f.SP || fp%4 != 0 {
			continue
		}
		next, ok1 := a.word(fp)
		ret, ok2 := a.word(fp + 4)
		if !ok1 || !ok2 {
			continue
		}
		_, ok := a.word(next)
		if next != 0 && (!ok || next <= fp) || ret == 0 && next != 0 {
			continue
		}
		if ret != 0 && a.behindCall(minidump.VA(ret&^1)) == notBehindCall || ret != 0 && !a.isCode(minidump.VA(ret&^1)) {
			continue
		}
		m := arm32Machine{a: a}
		m.r.set(reg, uint64(next))
		m.r.set(minidump.RegArmLR, uint64(ret))
		m.setSP(fp + 8)
		return m.caller(TrustFP), true
	}
	return s, false
}

// scan takes the first return address on the stack.
func (a *arm32) scan(ctx context.Context, f Frame, r *Registers) (step, Stop) {
	at := uint32(r.R[minidump.RegArmSP])
	if _, ok := a.word(at); !ok || !r.knows(minidump.RegArmSP) {
		return step{}, StopNoStack
	}
	for range scanWords {
		word, ok := a.word(at)
		if !ok || ctx.Err() != nil {
			break
		}
		at += 4
		if pc := minidump.VA(word &^ 1); a.behindCall(pc) == isBehindCall && a.leadsTo(pc, f.PC) {
			s := step{regs: Registers{PC: pc}, trust: TrustScan}
			s.regs.set(minidump.RegArmSP, uint64(at))
			return s, ""
		}
	}
	return step{}, StopNoUnwind
}
