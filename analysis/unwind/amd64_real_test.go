package unwind

import (
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// TestAMD64RealCode goes through the functions of real images, along all their
// branches, and knows how far the stack pointer is from where it was at the
// function's start. The caller must be found at every instruction.
func TestAMD64RealCode(t *testing.T) {
	t.Parallel()
	f := testdump.Open(t, "../shared/dumps/fizzbuzz_wow64.dmp.gz")
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code := s.Code(t.Context())
	u, err := New(f, s, code)
	if err != nil {
		t.Fatal(err)
	}
	w := walker{t: t, u: u, a: u.amd64(), stack: make([]byte, 16<<20)}
	for i := range s.Modules().List() {
		w.module(&s.Modules().List()[i])
	}
	text := fmt.Sprintf("%d functions, %d instructions, %d of them in epilogs; %d left out", w.functions, w.checked, w.epilogs, w.skipped)
	if w.functions < 5000 || w.checked < 200_000 || w.epilogs < 9_000 || w.skipped > 1000 {
		t.Error(text)
	}
	t.Log(text)
}

// A walker follows the stack pointer through functions.
type walker struct {
	t     *testing.T
	u     *Unwinder
	a     *amd64
	stack []byte

	functions, checked, epilogs, skipped, failed int

	root    uint32 // of the function at hand
	base    minidump.VA
	visited map[minidump.VA]bool
	next    []visit
	later   []visit // behind calls, which may not return
}

// A visit is an instruction to go on with. The registers that hold an address of
// the stack are known.
type visit struct {
	pc    minidump.VA
	r     [16]uint64
	known uint16
}

const (
	walkStack  = 0x7000_0000
	walkEntry  = walkStack + 15<<20 // where the return address is
	walkReturn = 0x1234_5678_9abc
)

// ReadAt is the stack, which holds nothing but the return address.
func (w *walker) ReadAt(p []byte, addr minidump.VA) (int, error) {
	skip := uint64(addr) - walkStack
	if skip >= uint64(len(w.stack)) {
		return 0, minidump.ErrNotCaptured
	}
	return copy(p, w.stack[skip:]), nil
}

func (w *walker) module(m *minidump.Module) {
	table := w.a.tables.of(m, runtimeFunctionSize)
	w.base = table.base
	w.a.stack = window{r: w}
	binary.LittleEndian.PutUint64(w.stack[walkEntry-walkStack:], walkReturn)
	for i := range table.count {
		var buf [runtimeFunctionSize]byte
		if !readFull(w.u.code, buf[:], table.start+minidump.VA(i*runtimeFunctionSize)) {
			w.t.Fatalf("%s: entry %d cannot be read", m.Name(), i)
		}
		entry := decodeRuntimeFunction(buf[:])
		root, ok := w.a.primary(table.base, entry)
		if !ok {
			w.t.Errorf("%s: %+v has no unwind data", m.Name(), entry)
		}
		if root != entry.begin {
			continue
		}
		if info, _ := w.a.info(table.base, entry); len(info.ops) > 0 && info.ops[len(info.ops)-1].op == windMachineFrame {
			continue // no call enters it
		}
		w.functions++
		w.root, w.visited = root, map[minidump.VA]bool{}
		v := visit{pc: table.base + minidump.VA(root), known: 1 << minidump.RegSP}
		v.r[minidump.RegSP] = walkEntry
		w.next, w.later = append(w.next[:0], v), w.later[:0]
		w.function()
	}
}

func (w *walker) function() {
	for {
		var v visit
		switch {
		case len(w.next) > 0:
			v, w.next = w.next[len(w.next)-1], w.next[:len(w.next)-1]
		case len(w.later) > 0:
			v, w.later = w.later[0], w.later[1:]
		default:
			return
		}
		for !w.visited[v.pc] && w.inside(v.pc) {
			w.visited[v.pc] = true
			w.check(v)
			if !w.step(&v) {
				break
			}
		}
	}
}

// inside reports whether an address is of the function at hand.
func (w *walker) inside(pc minidump.VA) bool {
	fn := w.a.function(pc)
	if fn.coverage != hasEntry || fn.base != w.base {
		return false
	}
	root, ok := w.a.primary(fn.base, fn.entry)
	return ok && root == w.root
}

func (w *walker) check(v visit) {
	r := Registers{PC: v.pc, Known: uint32(v.known)}
	copy(r.R[:], v.r[:])
	f := Frame{PC: v.pc, SP: minidump.VA(v.r[minidump.RegSP])}
	fn := w.a.function(v.pc)
	info, entry := w.a.info(fn.base, fn.entry)
	w.a.collect(fn.base, info, uint32(v.pc-fn.base)-entry.begin, nil)
	if _, _, ok := w.a.frameBase(&r); !ok {
		w.skipped++
		return // set by what is not followed
	}
	if w.jumpsAway(v) {
		w.skipped++
		return
	}
	w.checked++
	if _, ok := w.a.epilog(f, &r, fn.base, fn.entry); ok {
		w.epilogs++
	}
	next, stop := w.a.unwind(f, &r, fn)
	if stop != "" || next.regs.PC != walkReturn || next.regs.R[minidump.RegSP] != walkEntry+8 {
		if w.failed++; w.failed < 20 {
			m, _ := w.u.modules.Find(v.pc)
			w.t.Errorf("%s+%#x in %#x: %q, to %s with the stack pointer at %#x, want %#x", m.Name(), uint64(v.pc-w.base), w.root, stop,
				next.regs.PC, next.regs.R[minidump.RegSP], walkEntry+8)
		}
	}
}

// jumpsAway reports whether the instruction leaves the function without its epilog,
// as that which goes on with the registers of a CONTEXT does.
func (w *walker) jumpsAway(v visit) bool {
	before := v
	var buf [16]byte
	n, _ := w.u.code.ReadAt(buf[:], v.pc)
	inst, err := x86asm.Decode(buf[:n], 64)
	return err == nil && inst.Op == x86asm.JMP && w.step(&before) && !w.inside(before.pc) && v.r[minidump.RegSP] != walkEntry
}

// step follows one instruction. It returns false where the path ends.
func (w *walker) step(v *visit) bool {
	var buf [16]byte
	n, _ := w.u.code.ReadAt(buf[:], v.pc)
	inst, err := x86asm.Decode(buf[:n], 64)
	if err != nil {
		return false
	}
	v.pc += minidump.VA(inst.Len)
	known := func(arg x86asm.Arg) (uint64, bool) {
		switch arg := arg.(type) {
		case x86asm.Reg:
			if arg >= x86asm.RAX && arg <= x86asm.R15 {
				n := regNumber(arg)
				return v.r[n], v.known>>n&1 != 0
			}
		case x86asm.Mem:
			if arg.Base >= x86asm.RAX && arg.Base <= x86asm.R15 && arg.Index == 0 {
				n := regNumber(arg.Base)
				return v.r[n] + uint64(signedDisp(arg).(x86asm.Mem).Disp), v.known>>n&1 != 0
			}
		}
		return 0, false
	}
	set := func(arg x86asm.Arg, value uint64, ok bool) {
		reg, isReg := arg.(x86asm.Reg)
		if !isReg || reg > x86asm.R15 || reg >= x86asm.AH && reg <= x86asm.BH {
			return
		}
		n := regNumber(reg)
		v.known &^= 1 << n
		if ok {
			v.r[n], v.known = value, v.known|1<<n
		}
	}
	sp := &v.r[minidump.RegSP]
	toSP := inst.Args[0] == x86asm.RSP
	switch inst.Op {
	case x86asm.PUSH, x86asm.PUSHFQ:
		*sp -= 8
	case x86asm.POP:
		set(inst.Args[0], 0, false)
		*sp += 8
	case x86asm.POPFQ:
		*sp += 8
	case x86asm.MOV:
		value, ok := known(inst.Args[1])
		if _, isReg := inst.Args[1].(x86asm.Reg); !isReg {
			ok = false
			if imm, isImm := inst.Args[1].(x86asm.Imm); isImm && inst.Args[0] == x86asm.EAX {
				value, ok = uint64(uint32(imm)), true // for the function that probes the stack
			}
		}
		set(inst.Args[0], value, ok)
	case x86asm.LEA:
		value, ok := known(inst.Args[1])
		set(inst.Args[0], value, ok)
	case x86asm.ADD, x86asm.SUB:
		delta, ok := uint64(0), false
		if imm, isImm := inst.Args[1].(x86asm.Imm); isImm {
			delta, ok = uint64(imm), true
		} else if reg, isReg := inst.Args[1].(x86asm.Reg); isReg && toSP {
			if delta, ok = known(reg); !ok || delta > 1<<22 {
				delta, ok = 0x100, true // as much as a variable array may have
			}
		}
		if inst.Op == x86asm.SUB {
			delta = -delta
		}
		value, was := known(inst.Args[0])
		set(inst.Args[0], value+delta, ok && was)
	case x86asm.AND:
		if toSP {
			*sp &^= 63
		} else {
			set(inst.Args[0], 0, false)
		}
	case x86asm.CMP, x86asm.TEST, x86asm.NOP:
	case x86asm.CALL:
		v.known &= amd64Kept&0xffff | 1 // the function that probes the stack keeps rax
		w.later = append(w.later, *v)
		return false
	case x86asm.JMP:
		if rel, ok := inst.Args[0].(x86asm.Rel); ok {
			v.pc += minidump.VA(int64(rel))
			return true
		}
		return false
	case x86asm.RET, x86asm.INT, x86asm.UD2, x86asm.HLT, x86asm.IRETQ, x86asm.SYSRET:
		return false
	default:
		if rel, ok := inst.Args[0].(x86asm.Rel); ok { // a conditional jump
			taken := *v
			taken.pc += minidump.VA(int64(rel))
			w.next = append(w.next, taken)
			return true
		}
		set(inst.Args[0], 0, false)
		switch inst.Op {
		case x86asm.XCHG, x86asm.XADD:
			set(inst.Args[1], 0, false)
		}
		const scratch = 1<<0 | 1<<1 | 1<<2 | 1<<6 | 1<<7 // that some write without naming them
		v.known &^= scratch
	}
	return v.known>>minidump.RegSP&1 != 0
}
