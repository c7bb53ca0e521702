package cfi

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// A program runs the instructions of a function's rules up to an address.
type program struct {
	arch    Arch
	cie     *cie
	section *Section
	start   uint32 // RVA of the function
	stop    uint64 // bytes from the start of the function

	at      uint64
	now     Rules
	initial Rules
	kept    []Rules
}

// maxKept bounds the states that are remembered at once; compilers nest two.
const maxKept = 32

// Instructions (DWARF 5, section 7.24).
const (
	cfaAdvance = 0x40 // in the two high bits
	cfaOffset  = 0x80
	cfaRestore = 0xc0

	cfaNop            = 0x00
	cfaSetLoc         = 0x01
	cfaAdvance1       = 0x02
	cfaAdvance2       = 0x03
	cfaAdvance4       = 0x04
	cfaOffsetX        = 0x05
	cfaRestoreX       = 0x06
	cfaUndefined      = 0x07
	cfaSame           = 0x08
	cfaRegister       = 0x09
	cfaRemember       = 0x0a
	cfaRestoreState   = 0x0b
	cfaDefCFA         = 0x0c
	cfaDefCFARegister = 0x0d
	cfaDefCFAOffset   = 0x0e
	cfaDefCFAExpr     = 0x0f
	cfaExpr           = 0x10
	cfaOffsetSF       = 0x11
	cfaDefCFASF       = 0x12
	cfaDefCFAOffsetSF = 0x13
	cfaValOffset      = 0x14
	cfaValOffsetSF    = 0x15
	cfaValExpr        = 0x16
	cfaMIPSAdvance8   = 0x1d
	cfaWindowSave     = 0x2d // of ARM64: the return address is signed from here on, or no longer
	cfaArgsSize       = 0x2e
	cfaNegOffset      = 0x2f
)

// rules runs the common instructions and those of the function, c.
func (p *program) rules(c *bounded.Cursor) (*Rules, error) {
	p.now.arch, p.now.interrupted = p.arch, p.cie.signal
	common := *p.cie.program
	if err := p.run(&common); err != nil {
		return nil, err
	}
	p.initial = p.now
	if err := p.run(c); err != nil {
		return nil, err
	}
	if p.cie.ra != PC { // a register that the call puts the address into, as on ARM
		ra := &p.now.regs[p.cie.ra]
		p.now.regs[PC] = *ra
		if ra.kind == kindNone || ra.kind == kindSame {
			p.now.regs[PC] = rule{kind: kindReg, reg: p.cie.ra}
		}
	}
	return &p.now, nil
}

func (p *program) run(c *bounded.Cursor) error {
	for c.Left() > 0 && c.Err() == nil {
		if done, err := p.step(c); done || err != nil {
			return err
		}
	}
	return c.Err()
}

// advance moves on to the next row; true if that is behind the address.
func (p *program) advance(by uint64) bool {
	p.at += by * p.cie.codeAlign
	return p.at > p.stop
}

// step runs one instruction and reports whether the rows that follow are behind the
// address.
func (p *program) step(c *bounded.Cursor) (done bool, err error) {
	op := c.U8()
	switch low := uint64(op & 0x3f); op & 0xc0 {
	case cfaAdvance:
		return p.advance(low), nil
	case cfaOffset:
		p.set(low, rule{kind: kindAtCFA, off: int64(uleb(c)) * p.cie.dataAlign})
		return false, nil
	case cfaRestore:
		p.restore(low)
		return false, nil
	}
	switch op {
	case cfaNop, cfaWindowSave:
	case cfaSetLoc:
		to := p.section.Arch.mask(p.section.pointer(c, p.cie.encoding) - p.section.Base - uint64(p.start))
		p.at = max(p.at, to)
		return p.at > p.stop, nil
	case cfaAdvance1:
		return p.advance(uint64(c.U8())), nil
	case cfaAdvance2:
		return p.advance(uint64(c.U16())), nil
	case cfaAdvance4:
		return p.advance(uint64(c.U32())), nil
	case cfaMIPSAdvance8:
		return p.advance(c.U64()), nil
	case cfaRemember:
		if len(p.kept) == maxKept {
			return false, ErrSteps
		}
		p.kept = append(p.kept, p.now)
	case cfaRestoreState:
		if len(p.kept) == 0 {
			return false, fmt.Errorf("%w: no state to restore", ErrSyntax)
		}
		p.now, p.kept = p.kept[len(p.kept)-1], p.kept[:len(p.kept)-1]
	case cfaArgsSize:
		uleb(c)
	case cfaDefCFA, cfaDefCFASF, cfaDefCFARegister, cfaDefCFAOffset, cfaDefCFAOffsetSF, cfaDefCFAExpr:
		return false, p.frame(op, c)
	default:
		return false, p.register(op, c)
	}
	return false, nil
}

// frame runs an instruction that says where the CFA is.
func (p *program) frame(op byte, c *bounded.Cursor) error {
	cfa := &p.now.cfa
	switch op {
	case cfaDefCFAExpr:
		*cfa = rule{kind: kindExpr, code: c.Take(int(min(uleb(c), maxEntry)))}
		return nil
	case cfaDefCFA, cfaDefCFASF, cfaDefCFARegister:
		n, ok := p.arch.dwarf(uleb(c))
		if !ok {
			return fmt.Errorf("%w: a frame address in a register that is none", ErrSyntax)
		}
		cfa.kind, cfa.reg, cfa.code = kindReg, n, nil
	}
	switch op {
	case cfaDefCFA, cfaDefCFAOffset:
		cfa.off = int64(uleb(c))
	case cfaDefCFASF, cfaDefCFAOffsetSF:
		cfa.off = sleb(c) * p.cie.dataAlign
	}
	return nil
}

// register runs an instruction that says where a register is.
func (p *program) register(op byte, c *bounded.Cursor) error {
	n := uleb(c)
	switch op {
	case cfaOffsetX:
		p.set(n, rule{kind: kindAtCFA, off: int64(uleb(c)) * p.cie.dataAlign})
	case cfaOffsetSF:
		p.set(n, rule{kind: kindAtCFA, off: sleb(c) * p.cie.dataAlign})
	case cfaNegOffset:
		p.set(n, rule{kind: kindAtCFA, off: -int64(uleb(c)) * p.cie.dataAlign})
	case cfaValOffset:
		p.set(n, rule{kind: kindCFA, off: int64(uleb(c)) * p.cie.dataAlign})
	case cfaValOffsetSF:
		p.set(n, rule{kind: kindCFA, off: sleb(c) * p.cie.dataAlign})
	case cfaUndefined:
		p.set(n, rule{kind: kindLost})
	case cfaSame:
		p.set(n, rule{kind: kindSame})
	case cfaRestoreX:
		p.restore(n)
	case cfaRegister:
		from, ok := p.arch.dwarf(uleb(c))
		if !ok {
			p.set(n, rule{kind: kindLost})
			break
		}
		p.set(n, rule{kind: kindReg, reg: from})
	case cfaExpr:
		p.set(n, rule{kind: kindAtExpr, code: c.Take(int(min(uleb(c), maxEntry)))})
	case cfaValExpr:
		p.set(n, rule{kind: kindExpr, code: c.Take(int(min(uleb(c), maxEntry)))})
	default:
		return fmt.Errorf("%w: instruction 0x%x", ErrSyntax, op)
	}
	return nil
}

// set gives a register a rule, if it is one of those that are followed.
func (p *program) set(n uint64, r rule) {
	if reg, ok := p.arch.dwarf(n); ok {
		p.now.regs[reg] = r
	}
}

func (p *program) restore(n uint64) {
	if reg, ok := p.arch.dwarf(n); ok {
		p.now.regs[reg] = p.initial.regs[reg]
	}
}
