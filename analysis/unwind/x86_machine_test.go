package unwind

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// A machine86 runs the instructions of 32-bit x86 that compilers make of plain C. It
// keeps the calls, so that the frames of its stack are known without unwinding.
type machine86 struct {
	code, stack []byte
	base        uint32 // of code
	low         uint32 // address of stack
	r           [8]uint32
	pc          uint32
	zf, sf, cf  bool
	of          bool
	frames      []frame86 // the innermost last
	helpers     [2]uint32
	moved       bool // the function has exchanged the stack pointer, and its caller gets the new one
}

// A frame86 is a call: where it returns to, and the stack pointer that the
// unwinder has to give for that: of what was pushed before the return address.
type frame86 struct{ ret, sp uint32 }

// ReadAt reads the memory of the machine.
func (m *machine86) ReadAt(p []byte, addr minidump.VA) (int, error) {
	for _, part := range []struct {
		base uint32
		data []byte
	}{{m.base, m.code}, {m.low, m.stack}} {
		if off := uint64(addr) - uint64(part.base); off < uint64(len(part.data)) {
			n := copy(p, part.data[off:])
			if n < len(p) {
				return n, minidump.ErrNotCaptured
			}
			return n, nil
		}
	}
	return 0, minidump.ErrNotCaptured
}

type fault string

func (m *machine86) at(addr uint32, n int) []byte {
	switch {
	case addr >= m.base && int(addr-m.base)+n <= len(m.code):
		return m.code[addr-m.base:][:n]
	case addr >= m.low && int(addr-m.low)+n <= len(m.stack):
		return m.stack[addr-m.low:][:n]
	}
	panic(fault(fmt.Sprintf("access to 0x%x by 0x%x", addr, m.pc)))
}

func (m *machine86) push(v uint32) {
	m.r[esp] -= 4
	binary.LittleEndian.PutUint32(m.at(m.r[esp], 4), v)
}

func (m *machine86) pop() uint32 {
	v := binary.LittleEndian.Uint32(m.at(m.r[esp], 4))
	m.r[esp] += 4
	return v
}

func (m *machine86) address(a x86asm.Mem) uint32 {
	addr := uint32(a.Disp)
	if a.Base != 0 {
		addr += m.r[a.Base-x86asm.EAX]
	}
	if a.Index != 0 {
		addr += m.r[a.Index-x86asm.EAX] * uint32(a.Scale)
	}
	return addr
}

// get reads an operand of size bytes.
func (m *machine86) get(a x86asm.Arg, size int) uint32 {
	switch a := a.(type) {
	case x86asm.Imm:
		return uint32(a)
	case x86asm.Mem:
		var b [4]byte
		copy(b[:], m.at(m.address(a), size))
		return binary.LittleEndian.Uint32(b[:])
	case x86asm.Reg:
		switch {
		case a >= x86asm.EAX && a <= x86asm.EDI:
			return m.r[a-x86asm.EAX]
		case a >= x86asm.AX && a <= x86asm.DI:
			return m.r[a-x86asm.AX] & 0xffff
		case a >= x86asm.AL && a <= x86asm.BL:
			return m.r[a-x86asm.AL] & 0xff
		case a >= x86asm.AH && a <= x86asm.BH:
			return m.r[a-x86asm.AH] >> 8 & 0xff
		}
	}
	panic(fault(fmt.Sprintf("operand %v at 0x%x", a, m.pc)))
}

func (m *machine86) put(a x86asm.Arg, size int, v uint32) {
	switch a := a.(type) {
	case x86asm.Mem:
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], v)
		copy(m.at(m.address(a), size), b[:size])
		return
	case x86asm.Reg:
		switch {
		case a >= x86asm.EAX && a <= x86asm.EDI:
			m.r[a-x86asm.EAX] = v
			return
		case a >= x86asm.AX && a <= x86asm.DI:
			m.r[a-x86asm.AX] = m.r[a-x86asm.AX]&^0xffff | v&0xffff
			return
		case a >= x86asm.AL && a <= x86asm.BL:
			m.r[a-x86asm.AL] = m.r[a-x86asm.AL]&^0xff | v&0xff
			return
		}
	}
	panic(fault(fmt.Sprintf("operand %v at 0x%x", a, m.pc)))
}

// size returns the bytes of an instruction's operands.
func size86(inst x86asm.Inst) int {
	if inst.MemBytes != 0 {
		return inst.MemBytes
	}
	if r, ok := inst.Args[0].(x86asm.Reg); ok && r < x86asm.AX {
		return 1
	} else if ok && r < x86asm.EAX {
		return 2
	}
	return 4
}

func (m *machine86) flags(v uint32, size int) {
	v <<= 32 - 8*size
	m.zf, m.sf = v == 0, v>>31 != 0
}

func (m *machine86) subtract(a, b uint32, size int) uint32 {
	shift := 32 - 8*size
	x, y := a<<shift, b<<shift
	m.cf, m.of = x < y, (x^y)&(x^(x-y))>>31 != 0
	m.flags(a-b, size)
	return a - b
}

func (m *machine86) add(a, b uint32, size int) uint32 {
	shift := 32 - 8*size
	x, y := a<<shift, b<<shift
	m.cf, m.of = x+y < x, ^(x^y)&(x^(x+y))>>31 != 0
	m.flags(a+b, size)
	return a + b
}

func (m *machine86) holds(op x86asm.Op) (cond, ok bool) {
	switch op {
	case x86asm.JE, x86asm.SETE:
		return m.zf, true
	case x86asm.JNE, x86asm.SETNE:
		return !m.zf, true
	case x86asm.JA:
		return !m.cf && !m.zf, true
	case x86asm.JAE:
		return !m.cf, true
	case x86asm.JB:
		return m.cf, true
	case x86asm.JBE:
		return m.cf || m.zf, true
	case x86asm.JS:
		return m.sf, true
	case x86asm.JNS:
		return !m.sf, true
	case x86asm.JG:
		return !m.zf && m.sf == m.of, true
	case x86asm.JGE:
		return m.sf == m.of, true
	case x86asm.JL:
		return m.sf != m.of, true
	case x86asm.JLE:
		return m.zf || m.sf != m.of, true
	}
	return false, false
}

// step runs one instruction.
func (m *machine86) step() (err error) {
	defer func() {
		if f, ok := recover().(fault); ok {
			err = fmt.Errorf("%s", string(f))
		}
	}()
	code := m.code[m.pc-m.base:]
	inst, ok := decodeX86(code[:min(15, len(code))])
	if !ok {
		return fmt.Errorf("no instruction at 0x%x", m.pc)
	}
	next := m.pc + uint32(inst.Len)
	a, b, size := inst.Args[0], inst.Args[1], size86(inst)
	if cond, ok := m.holds(inst.Op); ok {
		if rel, ok := a.(x86asm.Rel); ok && cond {
			next += uint32(rel)
		} else if !ok {
			m.put(a, 1, map[bool]uint32{true: 1}[cond])
		}
		m.pc = next
		return nil
	}
	switch inst.Op {
	case x86asm.NOP:
	case x86asm.MOV:
		m.put(a, size, m.get(b, size))
	case x86asm.MOVZX:
		m.put(a, 4, m.get(b, map[bool]int{true: inst.MemBytes, false: 1}[inst.MemBytes != 0]))
	case x86asm.LEA:
		m.put(a, 4, m.address(b.(x86asm.Mem)))
	case x86asm.XCHG:
		x, y := m.get(a, size), m.get(b, size)
		m.put(a, size, y)
		m.put(b, size, x)
		m.moved = true
	case x86asm.ADD:
		m.put(a, size, m.add(m.get(a, size), m.get(b, size), size))
	case x86asm.SUB:
		m.put(a, size, m.subtract(m.get(a, size), m.get(b, size), size))
	case x86asm.CMP:
		m.subtract(m.get(a, size), m.get(b, size), size)
	case x86asm.INC, x86asm.DEC:
		cf := m.cf
		v := m.add(m.get(a, size), map[x86asm.Op]uint32{x86asm.INC: 1, x86asm.DEC: 0xffffffff}[inst.Op], size)
		m.cf = cf
		m.put(a, size, v)
	case x86asm.AND, x86asm.OR, x86asm.XOR, x86asm.TEST:
		x, y := m.get(a, size), m.get(b, size)
		v := map[x86asm.Op]uint32{x86asm.AND: x & y, x86asm.TEST: x & y, x86asm.OR: x | y, x86asm.XOR: x ^ y}[inst.Op]
		m.flags(v, size)
		m.cf, m.of = false, false
		if inst.Op != x86asm.TEST {
			m.put(a, size, v)
		}
	case x86asm.SHL:
		m.put(a, size, m.get(a, size)<<(m.get(b, 1)&31))
	case x86asm.SHR:
		m.put(a, size, m.get(a, size)>>(m.get(b, 1)&31))
	case x86asm.IMUL:
		x, y := m.get(a, size), m.get(b, size)
		if inst.Args[2] != nil {
			x = m.get(inst.Args[2], size)
		}
		m.put(a, size, x*y)
	case x86asm.MOVSD:
		for inst.Prefix[0]&0xff == x86asm.PrefixREP && m.r[1] > 0 {
			copy(m.at(m.r[edi], 4), m.at(m.r[esi], 4))
			m.r[edi], m.r[esi], m.r[1] = m.r[edi]+4, m.r[esi]+4, m.r[1]-1
		}
	case x86asm.PUSH:
		m.push(m.get(a, 4))
	case x86asm.POP:
		m.put(a, 4, m.pop())
	case x86asm.LEAVE:
		m.r[esp] = m.r[ebp]
		m.r[ebp] = m.pop()
	case x86asm.CALL, x86asm.JMP:
		target := uint32(0)
		if rel, ok := a.(x86asm.Rel); ok {
			target = next + uint32(rel)
		} else {
			target = m.get(a, 4)
		}
		if inst.Op == x86asm.CALL {
			m.frames = append(m.frames, frame86{next, m.r[esp]})
			m.push(next)
		}
		next = target
	case x86asm.RET:
		next, m.moved = m.pop(), false
		if imm, ok := a.(x86asm.Imm); ok {
			m.r[esp] += uint32(imm)
		}
		if top := m.frames[len(m.frames)-1]; top.ret != next {
			return fmt.Errorf("return to 0x%x, not to 0x%x", next, top.ret)
		}
		m.frames = m.frames[:len(m.frames)-1]
	default:
		return fmt.Errorf("instruction %v at 0x%x", inst, m.pc)
	}
	m.pc = next
	return nil
}
