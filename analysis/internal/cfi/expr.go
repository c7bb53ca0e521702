package cfi

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// maxSteps bounds how many operations an expression runs, of DWARF or in words. Those
// of DWARF may jump back, so their length is no bound; those of compilers have a
// dozen operations.
const maxSteps = 1 << 12

// Operations of expressions (DWARF 5, section 7.7.1).
const (
	opAddr     = 0x03
	opDeref    = 0x06
	opConst1u  = 0x08
	opConst1s  = 0x09
	opConst2u  = 0x0a
	opConst2s  = 0x0b
	opConst4u  = 0x0c
	opConst4s  = 0x0d
	opConst8u  = 0x0e
	opConst8s  = 0x0f
	opConstU   = 0x10
	opConstS   = 0x11
	opDup      = 0x12
	opDrop     = 0x13
	opOver     = 0x14
	opPick     = 0x15
	opSwap     = 0x16
	opRot      = 0x17
	opAbs      = 0x19
	opAnd      = 0x1a
	opDiv      = 0x1b
	opMinus    = 0x1c
	opMod      = 0x1d
	opMul      = 0x1e
	opNeg      = 0x1f
	opNot      = 0x20
	opOr       = 0x21
	opPlus     = 0x22
	opPlusU    = 0x23
	opShl      = 0x24
	opShr      = 0x25
	opShra     = 0x26
	opXor      = 0x27
	opBra      = 0x28
	opEq       = 0x29
	opNe       = 0x2e
	opSkip     = 0x2f
	opLit0     = 0x30
	opBreg0    = 0x70
	opBreg31   = 0x8f
	opBregX    = 0x92
	opDerefN   = 0x94
	opNop      = 0x96
	opFrameCFA = 0x9c
)

// evalDWARF evaluates an expression of DWARF. Those of call frame information begin
// with the CFA on the stack, but for that of the CFA itself.
func evalDWARF(arch Arch, m Machine, code []byte, cfa uint64, hasCFA bool) (uint64, error) {
	e := expression{stack: stack{arch: arch, m: m}, code: code, cfa: cfa, hasCFA: hasCFA}
	e.c = bounded.New("expression", 0, code)
	if hasCFA {
		e.vals = append(e.vals, cfa)
	}
	for steps := 0; e.c.Left() > 0; steps++ {
		if steps == maxSteps {
			return 0, ErrSteps
		}
		if err := e.step(); err != nil {
			return 0, err
		}
		if e.c.Err() != nil {
			return 0, e.c.Err()
		}
	}
	return e.pop()
}

// An expression is one that is being evaluated.
type expression struct {
	stack
	code   []byte
	c      *bounded.Cursor
	cfa    uint64
	hasCFA bool
}

func (e *expression) step() error {
	op := e.c.U8()
	switch {
	case op >= opLit0 && op < opBreg0:
		if op >= opLit0+32 {
			return fmt.Errorf("%w: operation 0x%x in an expression", ErrSyntax, op) // a location in a register
		}
		return e.push(uint64(op - opLit0))
	case op >= opBreg0 && op <= opBreg31:
		return e.base(uint64(op - opBreg0))
	case op >= opConst1u && op <= opConstS || op == opAddr:
		return e.constant(op)
	case op >= opDup && op <= opRot:
		return e.shuffle(op)
	case op >= opEq && op <= opNe:
		return e.compare(op)
	}
	switch op {
	case opDeref:
		return e.read(e.arch.pointer())
	case opDerefN:
		n := int(e.c.U8())
		if n == 0 || n > 8 {
			return fmt.Errorf("%w: %d bytes to read", ErrSyntax, n)
		}
		return e.read(n)
	case opBregX:
		return e.base(uleb(e.c))
	case opBra:
		to := int16(e.c.U16())
		v, err := e.pop()
		if err != nil || v == 0 {
			return err
		}
		return e.jump(to)
	case opSkip:
		return e.jump(int16(e.c.U16()))
	case opFrameCFA:
		if !e.hasCFA {
			return ErrUnknown
		}
		return e.push(e.cfa)
	case opNop:
		return nil
	}
	return e.compute(op)
}

// base pushes a register and the offset that follows.
func (e *expression) base(reg uint64) error {
	off := sleb(e.c)
	n, ok := e.arch.dwarf(reg)
	if !ok {
		return ErrUnknown
	}
	return e.register(n, off)
}

func (e *expression) constant(op byte) error {
	switch op {
	case opConst1u:
		return e.push(uint64(e.c.U8()))
	case opConst1s:
		return e.push(uint64(int8(e.c.U8())))
	case opConst2u:
		return e.push(uint64(e.c.U16()))
	case opConst2s:
		return e.push(uint64(int16(e.c.U16())))
	case opConst4u:
		return e.push(uint64(e.c.U32()))
	case opConst4s:
		return e.push(uint64(int32(e.c.U32())))
	case opConst8u, opConst8s:
		return e.push(e.c.U64())
	case opConstU:
		return e.push(uleb(e.c))
	case opConstS:
		return e.push(uint64(sleb(e.c)))
	}
	if e.arch.pointer() == 4 {
		return e.push(uint64(e.c.U32()))
	}
	return e.push(e.c.U64())
}

func (e *expression) shuffle(op byte) error {
	need := map[byte]int{opDup: 1, opDrop: 1, opOver: 2, opSwap: 2, opRot: 3}[op]
	pick := 0
	if op == opPick {
		pick = int(e.c.U8())
		need = pick + 1
	}
	top := len(e.vals) - 1
	if top+1 < need {
		return fmt.Errorf("%w: an operand is missing", ErrSyntax)
	}
	switch op {
	case opDup, opPick:
		return e.push(e.vals[top-pick])
	case opOver:
		return e.push(e.vals[top-1])
	case opDrop:
		e.vals = e.vals[:top]
	case opSwap:
		e.vals[top], e.vals[top-1] = e.vals[top-1], e.vals[top]
	case opRot:
		e.vals[top], e.vals[top-1], e.vals[top-2] = e.vals[top-1], e.vals[top-2], e.vals[top]
	}
	return nil
}

// signed extends a value of the processor's size.
func (e *expression) signed(v uint64) int64 {
	if e.arch.pointer() == 4 {
		return int64(int32(v))
	}
	return int64(v)
}

func (e *expression) compare(op byte) error {
	l, r, err := e.pop2()
	if err != nil {
		return err
	}
	a, b := e.signed(l), e.signed(r)
	holds := [6]bool{a == b, a >= b, a > b, a <= b, a < b, a != b}[op-opEq]
	if holds {
		return e.push(1)
	}
	return e.push(0)
}

func (e *expression) compute(op byte) error {
	if op == opAbs || op == opNeg || op == opNot || op == opPlusU {
		v, err := e.pop()
		if err != nil {
			return err
		}
		switch {
		case op == opPlusU:
			v += uleb(e.c)
		case op == opNot:
			v = ^v
		case op == opNeg || e.signed(v) < 0:
			v = -v
		}
		return e.push(v)
	}
	a, b, err := e.pop2()
	if err != nil {
		return err
	}
	width := uint64(e.arch.pointer() * 8)
	switch op {
	case opAnd:
		return e.push(a & b)
	case opOr:
		return e.push(a | b)
	case opXor:
		return e.push(a ^ b)
	case opPlus:
		return e.push(a + b)
	case opMinus:
		return e.push(a - b)
	case opMul:
		return e.push(a * b)
	case opShl:
		return e.push(a << b)
	case opShr:
		return e.push(a >> b)
	case opShra:
		return e.push(uint64(e.signed(a) >> min(b, width-1)))
	case opDiv, opMod:
		if b == 0 {
			return fmt.Errorf("%w: divided by 0", ErrSyntax)
		}
		if op == opMod {
			return e.push(a % b)
		}
		return e.push(uint64(e.signed(a) / e.signed(b)))
	}
	return fmt.Errorf("%w: operation 0x%x in an expression", ErrSyntax, op)
}

// jump goes to a place relative to the next operation.
func (e *expression) jump(by int16) error {
	to := e.c.Off() + int64(by)
	if e.c.Err() != nil || to < 0 || to > int64(len(e.code)) {
		return fmt.Errorf("%w: a jump out of the expression", ErrSyntax)
	}
	e.c = bounded.New("expression", to, e.code[to:])
	return nil
}

// uleb reads a number in LEB128. Bits that do not fit are dropped.
func uleb(c *bounded.Cursor) uint64 {
	var v uint64
	for shift := uint(0); c.Err() == nil; shift += 7 {
		b := c.U8()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
	}
	return v
}

// sleb reads a number with sign.
func sleb(c *bounded.Cursor) int64 {
	var v int64
	for shift := uint(0); c.Err() == nil; {
		b := c.U8()
		v |= int64(b&0x7f) << shift
		shift += 7
		if b&0x80 == 0 {
			if shift < 64 && b&0x40 != 0 {
				v |= -1 << shift
			}
			break
		}
	}
	return v
}
