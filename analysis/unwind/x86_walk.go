package unwind

import (
	"context"

	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// A codeWalk is what following the instructions of a function from its start has
// shown of its stack.
type codeWalk struct {
	before map[minidump.VA]codeState // before the instruction at an address
	calls  map[minidump.VA]codeState // before the call that ends at an address
}

// A codeState is where things of a function's frame are. Distances are bytes below
// the stack pointer that the caller has after the return: the return
// address is at 4.
type codeState struct {
	depth int32 // of the stack pointer; -1 if it is not known, as behind an alloca
	frame int32 // of the place that ebp points to; -1 if it is no frame pointer
	// saved are the places where registers that the function has to keep are, 0 for
	// those that it has not saved; of those in changed the values are the function's.
	saved   [8]int32
	changed uint8
	eax     int64 // value of eax if that is a constant; -1 if not
	swapped int32 // of the place that eax points to, once it was exchanged with the stack pointer; -1 if not
}

const (
	maxWalk      = 4096    // instructions of one function that are followed
	maxStates    = 1 << 16 // instructions of all functions that are kept
	maxPops      = 1 << 12
	maxPopSearch = 512 // instructions
)

// fromStart finds the caller by following the code from the function's start, which
// symbols know. That an export begins nearest below is proof of nothing; that
// its code leads to the place is.
func (x *x86) fromStart(ctx context.Context, f Frame, r *Registers) (step, bool) {
	if _, ok := x.instruction(f.Lookup()); !ok {
		return step{}, false // without the code there is no need for a name
	}
	names, err := x.u.session.Resolve(ctx, []minidump.VA{f.Lookup()})
	at := names.At(f.Lookup())
	if err != nil || at.Function == "" {
		return step{}, false
	}
	w := x.walk(f.Lookup() - minidump.VA(at.Displacement))
	state, ok := w.before[f.PC]
	if f.Return {
		state, ok = w.calls[f.PC]
	}
	if !ok {
		return step{}, false
	}
	return x.fromState(f, r, state)
}

// maxCandidates is how many words of the stack are looked at as the return address
// of a call to the function, and how many of them may be.
const (
	maxCandidates = 8
	callerWords   = 512
)

// fromCaller finds the caller of a function that symbols do not know: the call
// before a return address on the stack says where the function begins, and its code
// from there on must lead to the place and have the return address where it is.
func (x *x86) fromCaller(ctx context.Context, f Frame, r *Registers) (step, bool) {
	if _, ok := x.instruction(f.Lookup()); !ok || ctx.Err() != nil {
		return step{}, false
	}
	candidates := 0
	for at := uint64(f.SP+3) &^ 3; at < uint64(f.SP)+4*callerWords && candidates < maxCandidates; at += 4 {
		word, ok := x.word(at)
		if !ok {
			break
		}
		if !x.returns(word, false) {
			continue
		}
		site, err := x.calls.Decode(minidump.VA(word))
		if err != nil || site.Target == 0 || site.Target > f.Lookup() || f.Lookup()-site.Target > maxFunction {
			continue
		}
		candidates++
		w := x.walk(site.Target)
		state, ok := w.before[f.PC]
		if f.Return {
			state, ok = w.calls[f.PC]
		}
		if !ok {
			continue
		}
		next, ok := x.fromState(f, r, state)
		if ok && next.regs.PC == minidump.VA(word) && next.regs.R[esp] == at+4 {
			return next, true
		}
	}
	return step{}, false
}

// maxFunction is how long a function may be to be followed from its start, in bytes.
const maxFunction = 1 << 16

// fromState finds the caller of a function whose frame is laid out like this.
func (x *x86) fromState(f Frame, r *Registers, s codeState) (step, bool) {
	var cfa uint64
	switch {
	case s.depth >= 0 && r.knows(esp):
		cfa = r.R[esp] + uint64(s.depth)
	case s.frame >= 0 && r.knows(ebp):
		cfa = r.R[ebp] + uint64(s.frame)
	case s.swapped >= 0 && r.knows(eax):
		cfa = r.R[eax] + uint64(s.swapped)
	default:
		return step{}, false
	}
	ret, ok := x.word(cfa - 4)
	if !ok || ret != 0 && !x.returns(ret, true) {
		return step{}, false
	}
	next := step{regs: *r, trust: TrustFP}
	next.regs.PC = minidump.VA(ret)
	next.regs.Known &= kept[minidump.ProcessorX86]
	for n := range s.saved {
		if s.saved[n] > 0 {
			v, ok := x.word(cfa - uint64(s.saved[n]))
			if next.regs.set(n, v); !ok {
				next.regs.Known &^= 1 << n
			}
		} else if s.changed&(1<<n) != 0 {
			next.regs.Known &^= 1 << n
		}
	}
	next.regs.set(esp, cfa&0xffffffff)
	return next, true
}

// walk follows the instructions of a function from its start on.
func (x *x86) walk(start minidump.VA) *codeWalk {
	if w, ok := x.walks[start]; ok {
		return w
	}
	w := &codeWalk{before: map[minidump.VA]codeState{}, calls: map[minidump.VA]codeState{}}
	type place struct {
		at    minidump.VA
		state codeState
	}
	open := []place{{start, codeState{depth: 4, frame: -1, eax: -1, swapped: -1}}}
	steps := 0
	for len(open) > 0 {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		for ; steps < 4*maxWalk && len(w.before) < maxWalk && x.effort > 0; steps++ {
			x.effort--
			// Where ways meet that differ, as behind a call that never returns, what
			// they differ in is not known. States only lose by that, so this ends.
			if seen, ok := w.before[p.at]; ok {
				merged := seen.merge(p.state)
				if merged == seen {
					break
				}
				p.state = merged
			}
			inst, ok := x.instruction(p.at)
			if !ok {
				break
			}
			w.before[p.at] = p.state
			next := (p.at + minidump.VA(inst.Len)) & 0xffffffff
			if rel, ok := inst.Args[0].(x86asm.Rel); ok && inst.Op != x86asm.CALL && inst.Op != x86asm.XBEGIN {
				target := (next + minidump.VA(int64(rel))) & 0xffffffff
				if inst.Op == x86asm.JMP {
					p.at = target
					continue
				}
				open = append(open, place{target, p.state})
				p.at = next
				continue
			}
			if inst.Op == x86asm.CALL {
				w.calls[next] = p.state
				x.called(inst, next, &p.state)
			} else if !p.state.follow(inst) {
				break
			}
			p.at = next
		}
	}
	if x.states += len(w.before); x.states > maxStates {
		clear(x.walks)
		x.states = len(w.before)
	}
	x.walks[start] = w
	return w
}

// merge returns what two states have in common.
func (s codeState) merge(o codeState) codeState {
	if s.depth != o.depth {
		s.depth = -1
	}
	if s.frame != o.frame {
		s.frame = -1
	}
	if s.eax != o.eax {
		s.eax = -1
	}
	if s.swapped != o.swapped {
		s.swapped = -1
	}
	for n := range s.saved {
		if s.saved[n] != o.saved[n] {
			s.saved[n] = 0
			s.changed |= 1 << n // and so lost
		}
	}
	s.changed |= o.changed
	return s
}

// follow notes what an instruction does to the frame; false if the function does not
// go on behind it.
func (s *codeState) follow(inst x86asm.Inst) bool {
	reg, isReg := register32(inst.Args[0])
	imm, isImm := inst.Args[1].(x86asm.Imm)
	from, fromReg := register32(inst.Args[1])
	switch inst.Op {
	case x86asm.RET, x86asm.LRET, x86asm.IRET, x86asm.JMP, x86asm.LJMP, x86asm.UD2, x86asm.INT, x86asm.HLT:
		return false
	case x86asm.PUSH:
		s.push(4)
		if isReg && s.depth > 0 && s.saved[reg] == 0 && s.changed&(1<<reg) == 0 {
			s.saved[reg] = s.depth
		}
		return true
	case x86asm.PUSHF, x86asm.PUSHFD:
		s.push(4)
		return true
	case x86asm.POP, x86asm.POPF, x86asm.POPFD:
		if isReg {
			s.pop(reg)
		} else {
			s.push(-4)
		}
		return true
	case x86asm.LEAVE:
		s.move(s.frame)
		s.pop(ebp)
		return true
	case x86asm.XCHG:
		depth := s.depth
		if !isReg || !fromReg {
			return true
		}
		s.write(reg)
		s.write(from)
		if reg == esp || from == esp {
			s.depth = -1
			if reg == eax || from == eax {
				s.swapped = depth
			}
		}
		return true
	case x86asm.ENTER, x86asm.PUSHA, x86asm.PUSHAD, x86asm.POPA, x86asm.POPAD:
		s.depth = -1
		return true
	}
	if inst.Op == x86asm.CMP || inst.Op == x86asm.TEST {
		return true
	}
	if !isReg {
		if n, ok := writes(inst); ok {
			s.write(n)
		}
		return true
	}
	base, disp, isBased := based(inst.Args[1])
	switch {
	case reg == esp && isImm && (inst.Op == x86asm.SUB || inst.Op == x86asm.ADD):
		by := int64(imm)
		if inst.Op == x86asm.ADD {
			by = -by
		}
		s.push(int32(by))
	case reg == esp && inst.Op == x86asm.SUB && fromReg && from == eax && s.eax >= 0:
		s.push(int32(s.eax))
	case reg == esp && inst.Op == x86asm.MOV && fromReg && from == ebp:
		s.move(s.frame)
	case reg == esp && inst.Op == x86asm.LEA && isBased && base == ebp:
		s.move(depthOf(s.frame, disp))
	case reg == esp && inst.Op == x86asm.LEA && isBased && base == esp:
		s.move(depthOf(s.depth, disp))
	case reg == esp:
		s.depth = -1
	case reg == ebp && inst.Op == x86asm.MOV && fromReg && from == esp:
		s.write(ebp)
		s.frame = s.depth
	case reg == ebp && inst.Op == x86asm.LEA && isBased && base == esp:
		s.write(ebp)
		s.frame = depthOf(s.depth, disp)
	default:
		s.write(reg)
		if reg == eax && inst.Op == x86asm.MOV && isImm && imm >= 0 {
			s.eax = int64(imm)
		}
	}
	return true
}

// depthOf returns the depth of what is disp above a place.
func depthOf(depth int32, disp int64) int32 {
	if depth < 0 || disp > int64(depth) || disp < -1<<24 {
		return -1
	}
	return depth - int32(disp)
}

// push lowers the stack pointer.
func (s *codeState) push(n int32) { s.move(depthOf(s.depth, -int64(n))) }

// move sets the stack pointer. What was saved below it is there no longer.
func (s *codeState) move(depth int32) {
	s.depth = depth
	for n := range s.saved {
		if depth >= 0 && s.saved[n] > depth {
			s.saved[n] = 0
		}
	}
}

// pop takes a register off the stack: its value is the caller's again if that is
// where it was saved.
func (s *codeState) pop(reg int) {
	restored := s.depth > 0 && s.saved[reg] == s.depth
	s.push(-4)
	s.write(reg)
	if restored {
		s.saved[reg] = 0
		s.changed &^= 1 << reg
	}
}

// write notes that a register has a value of the function's.
func (s *codeState) write(n int) {
	s.changed |= 1 << n
	switch n {
	case ebp:
		s.frame = -1
	case eax:
		s.eax, s.swapped = -1, -1
	}
}

// called notes what a call does to the frame: the callee may take its arguments
// off, and the one that makes room for large frames moves the stack pointer by
// eax.
func (x *x86) called(inst x86asm.Inst, next minidump.VA, s *codeState) {
	size := s.eax
	for _, n := range [...]int{eax, 1, 2} {
		s.write(n)
	}
	pops := int32(unknownPops)
	if site := x.calls.callX86(next, inst); site.Target != 0 {
		pops = x.takesOff(site.Target)
	}
	switch pops {
	case unknownPops:
		// The caller takes the arguments off, or nobody knows who.
		after, ok := x.instruction(next)
		reg, isReg := register32(after.Args[0])
		if _, isImm := after.Args[1].(x86asm.Imm); !ok || !isReg || reg != esp || after.Op != x86asm.ADD || !isImm {
			s.depth = -1
		}
	case probesStack:
		if size < 0 || size > 1<<24 {
			s.depth = -1
			return
		}
		s.push(int32(size))
	default:
		s.push(-pops)
	}
}

const (
	unknownPops = -1
	probesStack = -2
)

// takesOff returns how many bytes of arguments a function takes off the stack when
// it returns, by its first return instruction.
func (x *x86) takesOff(start minidump.VA) int32 {
	if n, ok := x.pops[start]; ok {
		return n
	}
	n := x.searchReturn(start)
	if len(x.pops) >= maxPops {
		clear(x.pops)
	}
	x.pops[start] = n
	return n
}

func (x *x86) searchReturn(start minidump.VA) int32 {
	at := start
	probes := false // it touches page after page, and is no function with a frame
	for i := range maxPopSearch {
		inst, ok := x.instruction(at)
		if !ok {
			return unknownPops
		}
		if imm, ok := inst.Args[1].(x86asm.Imm); ok && i < 16 && (imm == 0x1000 || imm == -0x1000 || imm == 0xfffff000) {
			probes = true
		}
		at = (at + minidump.VA(inst.Len)) & 0xffffffff
		switch inst.Op {
		case x86asm.RET:
			imm, _ := inst.Args[0].(x86asm.Imm)
			return int32(imm)
		case x86asm.XCHG, x86asm.MOV:
			first, ok1 := register32(inst.Args[0])
			second, ok2 := register32(inst.Args[1])
			if probes && ok1 && ok2 && (first == esp && second != ebp || second == esp && inst.Op == x86asm.XCHG) {
				return probesStack
			}
		case x86asm.JMP:
			rel, ok := inst.Args[0].(x86asm.Rel)
			if m, isMem := inst.Args[0].(x86asm.Mem); isMem && m.Index != 0 {
				continue // the table of a switch, whose first case follows
			}
			if !ok {
				return unknownPops
			}
			if rel > 0 || inst.Len == 5 { // forward, or to another function that returns in place of this one
				at = (at + minidump.VA(int64(rel))) & 0xffffffff
			}
		case x86asm.INT, x86asm.UD2:
			return unknownPops
		}
	}
	return unknownPops
}
