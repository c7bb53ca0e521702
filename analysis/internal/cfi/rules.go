package cfi

import (
	"fmt"
	"strings"
)

// Registers are those that rules give a value, or take it from.
type Registers struct {
	R     [numRegister]uint64
	Known uint64 // has a bit for each register with a value
	Lost  uint64 // likewise for those that the function did not keep
}

func (r *Registers) set(n int, v uint64) {
	r.R[n] = v
	r.Known |= 1 << n
}

// Rules compute the registers of the caller of a function that is at one
// address. Registers without a rule keep their value, if they are of those that
// a function has to keep.
type Rules struct {
	arch Arch
	cfa  rule // the canonical frame address: the stack pointer of the caller
	regs [numRegister]rule

	interrupted bool
}

// A rule says where a register is.
type rule struct {
	kind rank
	reg  int
	off  int64
	text string // of kindText
	code []byte // of kindExpr and kindAtExpr
}

type rank uint8

const (
	kindNone   rank = iota
	kindLost        // nowhere
	kindSame        // the function has not changed it
	kindReg         // register reg, plus off
	kindCFA         // CFA plus off
	kindAtCFA       // in memory at CFA plus off
	kindText        // an expression of Breakpad
	kindExpr        // an expression of DWARF, its value
	kindAtExpr      // likewise, in memory at that
)

// Caller computes the caller's registers. The error says why that cannot be
// done; registers that cannot be found are merely lost, unless they are PC or
// stack pointer.
func (r *Rules) Caller(m Machine) (Registers, error) {
	var out Registers
	cfa, err := r.value(&r.cfa, m, 0, false)
	if err != nil {
		return out, fmt.Errorf("frame address: %w", err)
	}
	out.set(r.arch.sp(), cfa)
	for n := range r.regs {
		rule := &r.regs[n]
		switch rule.kind {
		case kindNone:
			continue
		case kindSame:
			if v, ok := m.Register(n); ok {
				out.set(n, r.arch.mask(v))
			}
			continue
		}
		v, err := r.value(rule, m, cfa, true)
		if err == nil {
			out.set(n, v)
		} else if n == PC {
			return out, fmt.Errorf("return address: %w", err)
		} else {
			out.Known &^= 1 << n
			out.Lost |= 1 << n
		}
	}
	if out.Known&(1<<PC) == 0 {
		return out, fmt.Errorf("%w: no return address", ErrSyntax)
	}
	return out, nil
}

// Outermost reports whether the rules say that the function has no caller: its
// return address is nowhere.
func (r *Rules) Outermost() bool { return r.regs[PC].kind == kindLost }

// Interrupted reports whether the caller was interrupted, by a signal or an
// exception, and has not called.
func (r *Rules) Interrupted() bool { return r.interrupted }

func (r *Rules) value(rule *rule, m Machine, cfa uint64, hasCFA bool) (uint64, error) {
	switch rule.kind {
	case kindReg:
		v, ok := m.Register(rule.reg)
		if !ok {
			return 0, ErrUnknown
		}
		return r.arch.mask(v + uint64(rule.off)), nil
	case kindCFA:
		return r.arch.mask(cfa + uint64(rule.off)), nil
	case kindAtCFA:
		addr := r.arch.mask(cfa + uint64(rule.off))
		v, ok := m.Read(addr, r.arch.pointer())
		if !ok {
			return 0, fmt.Errorf("%w at 0x%x", ErrMemory, addr)
		}
		return v, nil
	case kindText:
		return evalText(r.arch, m, rule.text, cfa, hasCFA)
	case kindExpr, kindAtExpr:
		v, err := evalDWARF(r.arch, m, rule.code, cfa, hasCFA)
		if err != nil || rule.kind == kindExpr {
			return v, err
		}
		v, ok := m.Read(v, r.arch.pointer())
		if !ok {
			return 0, ErrMemory
		}
		return v, nil
	}
	return 0, ErrUnknown
}

// NewRules begins with the rules of Breakpad's record STACK CFI INIT, whose text
// is that behind the address and size: ".cfa: $esp 4 + .ra: .cfa 4 - ^".
func NewRules(arch Arch, text string) (*Rules, error) {
	r := &Rules{arch: arch}
	return r, r.Add(text)
}

// Add takes in the text of a record STACK CFI, whose rules are in place of those
// before.
func (r *Rules) Add(text string) error {
	var target *rule
	start := 0 // of the expression of target
	set := func(end int) error {
		if target == nil {
			return nil
		}
		expr := strings.TrimSpace(text[start:end])
		switch expr {
		case "":
			return fmt.Errorf("%w: a rule without an expression", ErrSyntax)
		case ".undef":
			*target = rule{kind: kindLost}
		default:
			*target = rule{kind: kindText, text: expr}
		}
		return nil
	}
	for at := 0; at < len(text); {
		if text[at] == ' ' || text[at] == '\t' {
			at++
			continue
		}
		end := at + strings.IndexAny(text[at:]+" ", " \t")
		if name, ok := strings.CutSuffix(text[at:end], ":"); ok {
			if err := set(at); err != nil {
				return err
			}
			var err error
			if target, err = r.target(name); err != nil {
				return err
			}
			start = end
		} else if target == nil {
			return fmt.Errorf("%w: %.40q before the first rule", ErrSyntax, text[at:end])
		}
		at = end
	}
	return set(len(text))
}

// target returns the rule of a name. Registers that are not followed, such as
// those of vectors, have one that nobody asks for.
func (r *Rules) target(name string) (*rule, error) {
	switch name {
	case "":
		return nil, fmt.Errorf("%w: a rule without a name", ErrSyntax)
	case ".cfa":
		return &r.cfa, nil
	case ".ra":
		return &r.regs[PC], nil
	}
	if n, ok := r.arch.register(name); ok {
		return &r.regs[n], nil
	}
	return &rule{}, nil
}
