package unwind

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// An arm64Op is what one unwind code undoes.
type arm64Op struct {
	kind arm64Kind
	// reg and n are the general registers that arm64Save restores, from reg on;
	// n is 0 for those that Registers does not have.
	reg, n uint8
	lr     bool  // lr follows them
	pair   bool  // of arm64Save: arm64SaveNext makes more of it
	off    int32 // of arm64Save: bytes from sp to the first register; of arm64SetFP: from sp to fp
	grow   int32 // bytes that sp goes up afterwards
}

type arm64Kind uint8

const (
	arm64Nop      arm64Kind = iota
	arm64Save               // registers from the stack, or no more than an allocation
	arm64SaveNext           // the next save is that of one more pair
	arm64SetFP              // sp from fp
	arm64PAC                // lr was signed
	// What is not done by an instruction of the function:
	arm64EndC         // the prolog of this fragment ends, that of its parent follows
	arm64MachineFrame // sp and pc as the processor was interrupted
	arm64Context      // a CONTEXT
	arm64ECContext    // an AMD64 CONTEXT, written by ARM64EC code
	arm64Interrupted  // the caller was interrupted in lr, and has called nothing
)

// counts reports whether an instruction stands behind the code.
func (o arm64Op) counts() bool { return o.kind < arm64EndC }

// arm64VL is the length of a scalable vector in bytes. A context without its
// extended state does not say it. All processors with SVE that Windows runs on
// have 128 bits.
const arm64VL = 16

// An arm64Sequence is decoded unwind codes up to an end.
type arm64Sequence struct {
	ops []arm64Op
	err error // about the code behind ops
}

// arm64Codes decodes the codes from an index on.
func arm64Codes(codes []byte, from int) (s arm64Sequence) {
	for from < len(codes) {
		p := codes[from:]
		n := arm64CodeSize(p[0])
		if p[0] == 0xe4 { // end
			return s
		}
		if n > len(p) {
			s.err = fmt.Errorf(".xdata: unwind code %#x ends behind the record", p[0])
			return s
		}
		op, ok := arm64Code(p)
		if !ok {
			s.err = fmt.Errorf(".xdata: unwind code %#x is not documented", p[:n])
			return s
		}
		s.ops = append(s.ops, op)
		from += n
	}
	return s
}

// length returns how many instructions the codes of one prolog or epilog
// stand for; the return at the end of an epilog is not counted.
func (s arm64Sequence) length() int {
	n := 0
	for _, op := range s.ops {
		if op.kind == arm64EndC {
			break
		}
		if op.counts() {
			n++
		}
	}
	return n
}

// skip leaves out the codes of n instructions.
func (s arm64Sequence) skip(n int) []arm64Op {
	for i, op := range s.ops {
		if n <= 0 {
			return s.ops[i:]
		}
		if op.counts() {
			n--
		}
	}
	return nil
}

// arm64CodeSize returns the size of an unwind code in bytes, which its first
// byte gives for reserved ones too.
func arm64CodeSize(first byte) int {
	switch {
	case first >= 0xc0 && first <= 0xdf, first == 0xe2, first == 0xf8:
		return 2
	case first == 0xe7, first == 0xf9:
		return 3
	case first == 0xe0, first == 0xfa:
		return 4
	case first == 0xfb:
		return 5
	}
	return 1
}

// arm64Code decodes an unwind code. p has all its bytes.
func arm64Code(p []byte) (op arm64Op, ok bool) {
	const fp, lr = minidump.RegFP64, minidump.RegLR64
	b := p[0]
	v := uint16(b) << 8 // the first two bytes
	if len(p) > 1 {
		v |= uint16(p[1])
	}
	z := int32(v & 0x3f)
	switch {
	case b < 0x20: // alloc_s
		return arm64Op{kind: arm64Save, grow: 16 * int32(b)}, true
	case b < 0x40: // save_r19r20_x
		return arm64SaveX(19, 2, 0, 8*int32(b&0x1f)), true
	case b < 0x80: // save_fplr
		return arm64Op{kind: arm64Save, reg: fp, n: 2, off: 8 * int32(b&0x3f)}, true
	case b < 0xc0: // save_fplr_x
		return arm64Op{kind: arm64Save, reg: fp, n: 2, grow: 8 * (int32(b&0x3f) + 1)}, true
	case b < 0xc8: // alloc_m
		return arm64Op{kind: arm64Save, grow: 16 * int32(v&0x7ff)}, true
	case b < 0xd0: // save_regp, save_regp_x
		reg := 19 + v>>6&0xf
		if b >= 0xcc {
			return arm64SaveX(reg, 2, 0, 8*(z+1)), reg < lr
		}
		return arm64SaveX(reg, 2, 8*z, 0), reg < lr
	case b < 0xd4: // save_reg
		reg := 19 + v>>6&0xf
		return arm64SaveX(reg, 1, 8*z, 0), reg <= lr
	case b < 0xd6: // save_reg_x
		reg := 19 + v>>5&0xf
		return arm64SaveX(reg, 1, 0, 8*(int32(v&0x1f)+1)), reg <= lr
	case b < 0xd8: // save_lrpair
		op = arm64SaveX(19+2*(v>>6&7), 1, 8*z, 0)
		op.lr = true
		return op, op.reg < fp
	case b < 0xda, b == 0xdc, b == 0xdd: // save_fregp, save_freg
		return arm64Op{kind: arm64Save, pair: b < 0xda}, true
	case b < 0xdc: // save_fregp_x
		return arm64Op{kind: arm64Save, pair: true, grow: 8 * (z + 1)}, true
	case b == 0xde: // save_freg_x
		return arm64Op{kind: arm64Save, grow: 8 * (int32(v&0x1f) + 1)}, true
	case b == 0xdf: // alloc_z
		return arm64Op{kind: arm64Save, grow: arm64VL * int32(p[1])}, true
	case b == 0xe0: // alloc_l
		return arm64Op{kind: arm64Save, grow: 16 * (int32(p[1])<<16 | int32(p[2])<<8 | int32(p[3]))}, true
	case b == 0xe2: // add_fp
		return arm64Op{kind: arm64SetFP, off: 8 * int32(p[1])}, true
	case b == 0xe7:
		return arm64AnyReg(p[1], p[2])
	}
	kind, ok := map[byte]arm64Kind{
		0xe1: arm64SetFP, 0xe3: arm64Nop, 0xe5: arm64EndC, 0xe6: arm64SaveNext, 0xe9: arm64MachineFrame,
		0xea: arm64Context, 0xeb: arm64ECContext, 0xec: arm64Interrupted, 0xfc: arm64PAC,
	}[b]
	return arm64Op{kind: kind}, ok
}

// arm64SaveX is a save of one or two general registers.
func arm64SaveX(reg uint16, n uint8, off, grow int32) arm64Op {
	return arm64Op{kind: arm64Save, reg: uint8(reg), n: n, pair: n == 2, off: off, grow: grow}
}

// arm64AnyReg decodes save_any_reg, save_zreg and save_preg. Their bits are those
// that llvm-readobj reads.
func arm64AnyReg(b1, b2 byte) (op arm64Op, ok bool) {
	const x, q, scalable = 0, 2, 3
	file, reg, pair, writeback := b2>>6, b1&0x1f, b1&0x40 != 0, b1&0x20 != 0
	switch {
	case b1&0x80 != 0:
		return op, false
	case file == scalable:
		return arm64Op{kind: arm64Save}, true
	}
	op = arm64Op{kind: arm64Save, pair: pair}
	scale := int32(8)
	if pair || writeback || file == q {
		scale = 16
	}
	if writeback {
		op.grow = scale * (int32(b2&0x3f) + 1)
	} else {
		op.off = scale * int32(b2&0x3f)
	}
	last := reg
	if pair {
		last++
	}
	if file == x {
		op.reg, op.n = reg, last-reg+1
		return op, last <= minidump.RegLR64
	}
	return op, last < 32
}
