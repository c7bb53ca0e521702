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

const (
	maxWalk      = 4096    // instructions of one function that are followed
	maxStates    = 1 << 15 // instructions of all functions that are kept
	maxPops      = 1 << 12
	maxPopSearch = 512 // instructions
)

// fromStart finds the caller by following the code from the function's start, which
// symbols know. That an export begins nearest below is proof of nothing; that
// its code leads to the place is.
func (x *x86) fromStart(ctx context.Context, f Frame, r *Registers) (step, bool) {
	state, ok := x.namedState(ctx, f)
	if !ok {
		return step{}, false
	}
	return x.fromState(f, r, state)
}

func (x *x86) namedState(ctx context.Context, f Frame) (codeState, bool) {
	if _, ok := x.instruction(f.Lookup()); !ok {
		return codeState{}, false // without the code there is no need for a name
	}
	names, err := x.u.session.Resolve(ctx, []minidump.VA{f.Lookup()})
	at := names.At(f.Lookup())
	if err != nil || at.Function == "" {
		return codeState{}, false
	}
	return x.stateAt(f, f.Lookup()-minidump.VA(at.Displacement))
}

// A codePlace is a frame's place in a function that begins at start.
type codePlace struct {
	start, pc minidump.VA
	ret       bool
}

// A placeState is what following the code has shown of a place.
type placeState struct {
	state codeState
	ok    bool // the code leads there
}

// stateAt follows the code from the start of a function to a frame's place in it.
func (x *x86) stateAt(f Frame, start minidump.VA) (codeState, bool) {
	at := codePlace{start, f.PC, f.Return}
	if p, ok := x.places[at]; ok {
		return p.state, p.ok
	}
	w := x.walk(start)
	var p placeState
	if f.Return {
		p.state, p.ok = w.calls[f.PC]
	} else {
		p.state, p.ok = w.before[f.PC]
	}
	if len(x.places) >= maxCached {
		clear(x.places)
	}
	x.places[at] = p
	return p.state, p.ok
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
		state, ok := x.calledState(f, minidump.VA(word), &candidates)
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

// calledState follows the code from where the call before a return address went to.
// candidates counts the calls that may be to the function.
func (x *x86) calledState(f Frame, ret minidump.VA, candidates *int) (codeState, bool) {
	target := x.target(ret)
	if target == 0 || target > f.Lookup() || f.Lookup()-target > maxFunction {
		return codeState{}, false
	}
	*candidates++
	return x.stateAt(f, target)
}

// target returns where the call before a return address went, 0 if that is not known.
func (x *x86) target(ret minidump.VA) minidump.VA {
	to, ok := x.targets[ret]
	if ok {
		return to
	}
	if site, err := x.calls.Decode(ret); err == nil {
		to = site.Target
	}
	if len(x.targets) >= maxCached {
		clear(x.targets)
	}
	x.targets[ret] = to
	return to
}

// returnsAsCalled reports whether the caller's stack pointer will be what it was at the
// call, as far as the code says. It is not where a helper changes it.
func (x *x86) returnsAsCalled(ctx context.Context, f Frame, r *Registers, next *step) bool {
	state, ok := x.namedState(ctx, f)
	if !ok {
		if state, ok = x.calledState(f, next.regs.PC, new(int)); !ok {
			return true
		}
	}
	cfa, ok := state.cfa(r)
	return !ok || cfa == next.regs.R[esp]
}

// maxFunction is how long a function may be to be followed from its start, in bytes.
const maxFunction = 1 << 16

// cfa returns the stack pointer that the caller had before the call.
func (s *codeState) cfa(r *Registers) (uint64, bool) {
	switch {
	case s.depth != nowhere && r.knows(esp):
		return (r.R[esp] + uint64(s.depth)) & 0xffffffff, true
	case s.frame != nowhere && r.knows(ebp):
		return (r.R[ebp] + uint64(s.frame)) & 0xffffffff, true
	case s.swapped != nowhere && r.knows(eax):
		return (r.R[eax] + uint64(s.swapped)) & 0xffffffff, true
	}
	return 0, false
}

// fromState finds the caller of a function whose frame is laid out like this.
func (x *x86) fromState(f Frame, r *Registers, s codeState) (step, bool) {
	cfa, ok := s.cfa(r)
	if !ok {
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
		if s.saved[n] != 0 {
			v, ok := x.word(cfa - uint64(s.saved[n]))
			if next.regs.set(n, v); !ok {
				next.regs.Known &^= 1 << n
			}
		} else if s.changed&(1<<n) != 0 {
			next.regs.Known &^= 1 << n
		}
	}
	next.regs.set(esp, cfa)
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
	open := []place{{start, codeState{depth: 4, frame: nowhere, eax: -1, swapped: nowhere}}}
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
