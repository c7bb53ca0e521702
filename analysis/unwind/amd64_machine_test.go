package unwind

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// A machine runs code of AMD64, as far as the functions of testdata/unwind need it,
// and remembers what an unwinder has to find out: each call that has not returned.
type machine struct {
	t      testing.TB
	r      [32]uint64
	xmm    [16][2]uint64
	pc     uint64
	zf, sf bool
	cf, of bool
	image  region
	stack  region
	calls  []active // the innermost last
}

// A region is memory of the machine.
type region struct {
	start uint64
	data  []byte
}

// An active call, as its caller is to be found.
type active struct {
	pc, sp    uint64
	r         [32]uint64
	interrupt bool
}

const (
	machineStack     = 0x7000_0000
	machineStackSize = 4 << 20
)

// loadImage lays out an image as it is loaded and returns its exports.
func loadImage(t testing.TB, data []byte) (region, map[string]uint64) {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	header := f.OptionalHeader.(*pe.OptionalHeader64)
	image := region{header.ImageBase, make([]byte, header.SizeOfImage)}
	copy(image.data, data[:header.SizeOfHeaders])
	for _, s := range f.Sections {
		raw, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		copy(image.data[s.VirtualAddress:], raw[:min(s.Size, s.VirtualSize)])
	}
	le, exports := binary.LittleEndian, map[string]uint64{}
	dir := image.data[header.DataDirectory[0].VirtualAddress:]
	for i := range le.Uint32(dir[24:]) {
		name := image.data[le.Uint32(image.data[le.Uint32(dir[32:])+4*i:]):]
		name, _, _ = bytes.Cut(name, []byte{0})
		ordinal := uint32(le.Uint16(image.data[le.Uint32(dir[36:])+2*i:]))
		exports[string(name)] = image.start + uint64(le.Uint32(image.data[le.Uint32(dir[28:])+4*ordinal:]))
	}
	return image, exports
}

// newMachine is about to run the function at pc, which returns to address 0.
func newMachine(t testing.TB, image region, pc uint64) *machine {
	m := &machine{t: t, image: image, stack: region{machineStack, make([]byte, machineStackSize)}, pc: pc}
	for i := range m.r {
		m.r[i] = 0x1111_0000_0000 * uint64(i+1) // no value that is anything else
	}
	m.r[minidump.RegSP] = machineStack + machineStackSize - 0x1000
	m.push(0)
	return m
}

// ReadAt is that of a [CodeReader].
func (m *machine) ReadAt(p []byte, addr minidump.VA) (int, error) {
	for _, r := range []region{m.image, m.stack} {
		if skip := uint64(addr) - r.start; skip < uint64(len(r.data)) {
			n := copy(p, r.data[skip:])
			if n < len(p) {
				return n, minidump.ErrNotCaptured
			}
			return n, nil
		}
	}
	return 0, minidump.ErrNotCaptured
}

func (m *machine) at(addr uint64, n int) []byte {
	for _, r := range []region{m.image, m.stack} {
		if skip := addr - r.start; skip < uint64(len(r.data)) {
			return r.data[skip : skip+uint64(n)]
		}
	}
	m.t.Fatalf("at %#x: no memory at %#x", m.pc, addr)
	return nil
}

func (m *machine) load(addr uint64, n int) uint64 {
	var buf [8]byte
	copy(buf[:], m.at(addr, n))
	return binary.LittleEndian.Uint64(buf[:])
}

func (m *machine) store(addr uint64, n int, v uint64) {
	var buf [8]byte
	binary.LittleEndian.PutUint64(buf[:], v)
	copy(m.at(addr, n), buf[:n])
}

func (m *machine) push(v uint64) {
	m.r[minidump.RegSP] -= 8
	m.store(m.r[minidump.RegSP], 8, v)
}

func (m *machine) pop() uint64 {
	v := m.load(m.r[minidump.RegSP], 8)
	m.r[minidump.RegSP] += 8
	return v
}

// step runs one instruction. It returns io.EOF at an int3 and where the first
// function returns.
func (m *machine) step() error {
	code := m.at(m.pc, 16)
	if m.apx(code) {
		return nil
	}
	inst, err := x86asm.Decode(code, 64)
	if err != nil {
		return fmt.Errorf("%#x: % x: %w", m.pc, code, err)
	}
	if inst.Op == x86asm.INT {
		return io.EOF
	}
	next := m.pc + uint64(inst.Len)
	a := inst.Args
	size := inst.DataSize / 8
	if inst.MemBytes != 0 {
		size = inst.MemBytes
	}
	if reg, ok := a[0].(x86asm.Reg); ok {
		size = regSize(reg)
	}
	switch inst.Op {
	case x86asm.NOP:
	case x86asm.PUSH:
		m.push(m.read(a[0], 8, next))
	case x86asm.POP:
		m.write(a[0], 8, next, m.pop())
	case x86asm.PUSHFQ:
		m.push(0x202)
	case x86asm.CALL:
		target := m.read(a[0], 8, next)
		m.calls = append(m.calls, active{pc: next, sp: m.r[minidump.RegSP], r: m.r})
		m.push(next)
		next = target
	case x86asm.RET:
		if len(m.calls) == 0 {
			return io.EOF
		}
		next = m.pop()
		last := m.calls[len(m.calls)-1]
		m.calls = m.calls[:len(m.calls)-1]
		if next != last.pc || m.r[minidump.RegSP] != last.sp {
			return fmt.Errorf("%#x returns to %#x with the stack at %#x, want %#x, %#x", m.pc, next, m.r[minidump.RegSP], last.pc, last.sp)
		}
	case x86asm.JMP:
		next = m.read(a[0], 8, next)
	case x86asm.LEA:
		m.write(a[0], size, next, m.address(a[1].(x86asm.Mem), next))
	case x86asm.MOV:
		m.write(a[0], size, next, m.read(a[1], size, next))
	case x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD:
		from := inst.MemBytes
		if reg, ok := a[1].(x86asm.Reg); ok {
			from = regSize(reg)
		}
		v := m.read(a[1], from, next)
		if inst.Op != x86asm.MOVZX {
			v = signExtend(v, from)
		}
		m.write(a[0], size, next, v)
	case x86asm.CDQE:
		m.r[0] = signExtend(m.r[0], 4)
	case x86asm.MOVAPS, x86asm.MOVUPS:
		m.moveVector(a[0], a[1], next)
	case x86asm.XORPS:
		m.xmm[a[0].(x86asm.Reg)-x86asm.X0] = [2]uint64{}
	case x86asm.ADD, x86asm.SUB, x86asm.CMP, x86asm.AND, x86asm.TEST, x86asm.OR, x86asm.XOR, x86asm.INC, x86asm.DEC, x86asm.SHL, x86asm.SHR:
		m.arithmetic(inst, size, next)
	default:
		taken, ok := m.condition(inst.Op)
		if !ok {
			return fmt.Errorf("%#x: %s is not known", m.pc, inst)
		}
		if taken {
			next = m.read(a[0], 8, next)
		}
	}
	m.pc = next
	return nil
}

func (m *machine) arithmetic(inst x86asm.Inst, size int, next uint64) {
	mask := ^uint64(0) >> (64 - 8*size)
	x, y := m.read(inst.Args[0], size, next)&mask, uint64(1)
	if inst.Args[1] != nil {
		y = m.read(inst.Args[1], size, next) & mask
	}
	var v uint64
	m.cf, m.of = false, false
	switch inst.Op {
	case x86asm.ADD, x86asm.INC:
		v = (x + y) & mask
		m.of = (x^v)&(y^v)>>(8*size-1)&1 != 0
	case x86asm.SUB, x86asm.CMP, x86asm.DEC:
		v = (x - y) & mask
		m.cf, m.of = x < y, (x^y)&(x^v)>>(8*size-1)&1 != 0
	case x86asm.AND, x86asm.TEST:
		v = x & y
	case x86asm.OR:
		v = x | y
	case x86asm.XOR:
		v = x ^ y
	case x86asm.SHL:
		v = x << (y & 63) & mask
	case x86asm.SHR:
		v = x >> (y & 63)
	}
	m.zf, m.sf = v == 0, v>>(8*size-1)&1 != 0
	if inst.Op != x86asm.CMP && inst.Op != x86asm.TEST {
		m.write(inst.Args[0], size, next, v)
	}
}

func (m *machine) condition(op x86asm.Op) (taken, ok bool) {
	switch op {
	case x86asm.JE:
		return m.zf, true
	case x86asm.JNE:
		return !m.zf, true
	case x86asm.JL:
		return m.sf != m.of, true
	case x86asm.JGE:
		return m.sf == m.of, true
	case x86asm.JLE:
		return m.zf || m.sf != m.of, true
	case x86asm.JG:
		return !m.zf && m.sf == m.of, true
	}
	return false, false
}

func (m *machine) moveVector(to, from x86asm.Arg, next uint64) {
	if mem, ok := to.(x86asm.Mem); ok {
		v := m.xmm[from.(x86asm.Reg)-x86asm.X0]
		at := m.address(mem, next)
		m.store(at, 8, v[0])
		m.store(at+8, 8, v[1])
		return
	}
	reg := to.(x86asm.Reg) - x86asm.X0
	switch from := from.(type) {
	case x86asm.Reg:
		m.xmm[reg] = m.xmm[from-x86asm.X0]
	case x86asm.Mem:
		at := m.address(from, next)
		m.xmm[reg] = [2]uint64{m.load(at, 8), m.load(at+8, 8)}
	}
}

// apx runs the instructions of APX that the functions have, which x86asm does not
// know.
func (m *machine) apx(code []byte) bool {
	switch {
	case code[0] == 0xd5: // REX2: push, pop, mov of r16 to r31
		reg := int(code[1]&1)<<3 | int(code[1]>>4&1)<<4 | int(code[2]&7)
		switch {
		case code[2]&0xf8 == 0x50:
			m.push(m.r[reg])
			m.pc += 3
		case code[2]&0xf8 == 0x58:
			m.r[reg] = m.pop()
			m.pc += 3
		case code[2] == 0xc7:
			reg = reg&^7 | int(code[3]&7)
			m.r[reg] = signExtend(uint64(binary.LittleEndian.Uint32(code[4:])), 4)
			m.pc += 8
		default:
			m.t.Fatalf("%#x: % x", m.pc, code)
		}
		return true
	case code[0] == 0x62: // EVEX: push2 and pop2, the first register in vvvv
		first := int(^code[2]>>3&15) | int(^code[3]>>3&1)<<4
		second := int(code[5]&7) | int(^code[1]>>5&1)<<3 | int(code[1]>>3&1)<<4
		if code[4] == 0xff {
			m.push(m.r[first])
			m.push(m.r[second])
		} else {
			m.r[first] = m.pop()
			m.r[second] = m.pop()
		}
		m.pc += 6
		return true
	}
	return false
}

func signExtend(v uint64, size int) uint64 { return uint64(int64(v<<(64-8*size)) >> (64 - 8*size)) }

// regSize returns the bytes of a register.
func regSize(r x86asm.Reg) int {
	switch {
	case r <= x86asm.R15B:
		return 1
	case r <= x86asm.R15W:
		return 2
	case r <= x86asm.R15L:
		return 4
	}
	return 8
}

// regNumber returns the number of a general register.
func regNumber(r x86asm.Reg) int {
	switch {
	case r <= x86asm.BL:
		return int(r - x86asm.AL)
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return int(r-x86asm.SPB) + 4
	case r <= x86asm.R15W:
		return int(r - x86asm.AX)
	case r <= x86asm.R15L:
		return int(r - x86asm.EAX)
	}
	return int(r - x86asm.RAX)
}

func (m *machine) address(mem x86asm.Mem, next uint64) uint64 {
	addr := uint64(signedDisp(mem).(x86asm.Mem).Disp)
	if mem.Base == x86asm.RIP {
		addr += next
	} else if mem.Base != 0 {
		addr += m.r[regNumber(mem.Base)]
	}
	if mem.Index != 0 {
		addr += m.r[regNumber(mem.Index)] << (bits.Len8(mem.Scale) - 1)
	}
	return addr
}

func (m *machine) read(arg x86asm.Arg, size int, next uint64) uint64 {
	switch arg := arg.(type) {
	case x86asm.Reg:
		return m.r[regNumber(arg)] & (^uint64(0) >> (64 - 8*regSize(arg)))
	case x86asm.Imm:
		return uint64(arg)
	case x86asm.Rel:
		return next + uint64(int64(arg))
	case x86asm.Mem:
		return m.load(m.address(arg, next), size)
	}
	m.t.Fatalf("%#x: operand %v", m.pc, arg)
	return 0
}

func (m *machine) write(arg x86asm.Arg, size int, next, v uint64) {
	switch arg := arg.(type) {
	case x86asm.Reg:
		n := regNumber(arg)
		switch regSize(arg) {
		case 8:
			m.r[n] = v
		case 4:
			m.r[n] = v & 0xffffffff
		default:
			mask := ^uint64(0) >> (64 - 8*regSize(arg))
			m.r[n] = m.r[n]&^mask | v&mask
		}
	case x86asm.Mem:
		m.store(m.address(arg, next), size, v)
	default:
		m.t.Fatalf("%#x: destination %v", m.pc, arg)
	}
}
