package unwind

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// An arm32Op is what one unwind code of 32-bit ARM undoes.
type arm32Op struct {
	kind arm32Kind
	size uint8  // of the instruction, in bytes
	regs uint16 // of arm32Pop: a bit for each register; of arm32MoveSP: the number of one
	grow uint32 // bytes that sp goes up afterwards, beside the registers
}

type arm32Kind uint8

const (
	arm32Pop          arm32Kind = iota // registers from the stack, or no more than an allocation
	arm32MoveSP                        // sp from another register
	arm32MachineFrame                  // sp and pc as the processor was interrupted
	arm32Context                       // a CONTEXT
)

const arm32LR = 1 << minidump.RegArmLR // in arm32Op.regs

// An arm32Sequence is decoded unwind codes up to an end.
type arm32Sequence struct {
	ops []arm32Op
	end int   // size of the instruction behind an epilog, in bytes; 0 if there is none
	err error // about the code behind ops
}

// arm32Codes decodes the codes from an index on.
func arm32Codes(codes []byte, from int) (s arm32Sequence) {
	for from < len(codes) {
		p := codes[from:]
		if p[0] >= 0xfd {
			s.end = map[byte]int{0xfd: 2, 0xfe: 4}[p[0]]
			return s
		}
		n := arm32CodeSize(p[0])
		if n > len(p) {
			s.err = fmt.Errorf(".xdata: unwind code %#x ends behind the record", p[0])
			return s
		}
		op, ok := arm32Code(p)
		if !ok {
			s.err = fmt.Errorf(".xdata: unwind code %#x is not documented", p[:n])
			return s
		}
		s.ops = append(s.ops, op)
		from += n
	}
	return s
}

// length returns the size in bytes of the instructions that the codes stand for.
func (s arm32Sequence) length() int {
	n := 0
	for _, op := range s.ops {
		n += int(op.size)
	}
	return n
}

// skip leaves out the codes of the first n bytes of instructions.
func (s arm32Sequence) skip(n int) []arm32Op {
	for i, op := range s.ops {
		if n <= 0 {
			return s.ops[i:]
		}
		n -= int(op.size)
	}
	return nil
}

func arm32CodeSize(first byte) int {
	switch {
	case first >= 0x80 && first < 0xc0, first >= 0xe8 && first <= 0xf6 && (first < 0xf0 || first > 0xf4):
		return 2
	case first == 0xf7, first == 0xf9:
		return 3
	case first == 0xf8, first == 0xfa:
		return 4
	}
	return 1
}

// arm32Code decodes an unwind code. p has all its bytes.
func arm32Code(p []byte) (op arm32Op, ok bool) {
	b := p[0]
	var v uint32
	for _, b := range p[:arm32CodeSize(b)] {
		v = v<<8 | uint32(b)
	}
	floats := func(n uint32) arm32Op { return arm32Op{size: 4, grow: 8 * n} }
	switch {
	case b < 0x80: // add sp, sp, #n
		return arm32Op{size: 2, grow: 4 * v}, true
	case b < 0xc0: // pop {r0-r12, lr}
		return arm32Op{size: 4, regs: uint16(v&0x1fff | v>>13&1<<14)}, true
	case b < 0xd0: // mov sp, rn
		n := uint16(b & 15)
		return arm32Op{kind: arm32MoveSP, size: 2, regs: n}, n != minidump.RegArmSP && n != 15
	case b < 0xe0: // pop {r4-rn, lr}
		op = arm32Op{size: 2, regs: arm32From4(int(b & 3))}
		if b >= 0xd8 {
			op = arm32Op{size: 4, regs: arm32From4(int(b&3) + 4)}
		}
		if b&4 != 0 {
			op.regs |= arm32LR
		}
		return op, true
	case b < 0xe8: // vpop {d8-dn}
		return floats(v&7 + 1), true
	case b < 0xec: // addw sp, sp, #n
		return arm32Op{size: 4, grow: 4 * (v & 0x3ff)}, true
	case b < 0xee: // pop {r0-r7, lr}
		return arm32Op{size: 2, regs: uint16(v&0xff | v>>8&1<<14)}, true
	case v == 0xee01:
		return arm32Op{kind: arm32MachineFrame}, true
	case v == 0xee02:
		return arm32Op{kind: arm32Context}, true
	case b == 0xef: // ldr lr, [sp], #n
		return arm32Op{size: 4, regs: arm32LR, grow: 4*(v&15) - 4}, v < 0xef10
	case b == 0xf5, b == 0xf6: // vpop {dm-dn}
		first, last := v>>4&15, v&15
		return floats(last - first + 1), first <= last
	case b == 0xf7, b == 0xf8, b == 0xf9, b == 0xfa: // add sp, sp, #n
		op = arm32Op{size: 2, grow: 4 * (v & 0xffff)}
		if b >= 0xf9 {
			op.size = 4
		}
		if b == 0xf8 || b == 0xfa {
			op.grow = 4 * (v & 0xffffff)
		}
		return op, true
	case b == 0xfb, b == 0xfc: // nop
		return arm32Op{size: 2 * (b - 0xfa)}, true
	}
	return op, false
}

// arm32From4 has the registers from r4 to r4+n.
func arm32From4(n int) uint16 { return (1<<(n+1) - 1) << 4 }
