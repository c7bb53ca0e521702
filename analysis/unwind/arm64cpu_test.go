package unwind

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"golang.org/x/arch/arm64/arm64asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// An arm64CPU interprets the instructions of testdata/unwind/ARM64, and no others.
type arm64CPU struct {
	x          [32]uint64 // 31 is sp
	v          [32][2]uint64
	pc         uint64
	n, z, c, o bool // the flags; o is V
	mem        *arm64Memory
	halted     bool // at a breakpoint
}

// arm64Memory is the memory of a process that has an image and a stack.
type arm64Memory struct {
	base, stack uint64
	image       []byte
	words       []byte // of the stack
}

func (m *arm64Memory) at(addr, n uint64) []byte {
	for _, r := range []struct {
		start uint64
		data  []byte
	}{{m.base, m.image}, {m.stack, m.words}} {
		if size := uint64(len(r.data)); addr >= r.start && addr-r.start < size {
			return r.data[addr-r.start : min(size, addr-r.start+n)]
		}
	}
	return nil
}

func (m *arm64Memory) ReadAt(p []byte, addr minidump.VA) (int, error) {
	n := copy(p, m.at(uint64(addr), uint64(len(p))))
	if n < len(p) {
		return n, minidump.ErrNotCaptured
	}
	return n, nil
}

func (m *arm64Memory) u64(addr uint64) uint64 { return binary.LittleEndian.Uint64(m.at(addr, 8)) }

func (m *arm64Memory) put(addr, v uint64) { binary.LittleEndian.PutUint64(m.at(addr, 8), v) }

// arm64Signature is what signing puts into the upper bits of a pointer.
const arm64Signature = 0x9c2a << 48

// reg reads a register of which 31 is zero.
func (c *arm64CPU) reg(n uint32) uint64 {
	if n == 31 {
		return 0
	}
	return c.x[n]
}

func (c *arm64CPU) set(n uint32, v uint64) {
	if n != 31 {
		c.x[n] = v
	}
}

// step executes the instruction at pc.
func (c *arm64CPU) step() error {
	i := binary.LittleEndian.Uint32(c.mem.at(c.pc, 4))
	if !c.branch(i) && !c.loadStore(i) && !c.compute(i) {
		inst, _ := arm64asm.Decode(c.mem.at(c.pc, 4))
		return fmt.Errorf("%#x: no way to execute %08x, %s", c.pc, i, inst)
	}
	return nil
}

func signed(v uint32, n int) uint64 { return uint64(int64(v) << (64 - n) >> (64 - n)) }

func (c *arm64CPU) branch(i uint32) bool {
	next := c.pc + 4
	to := c.pc + 4*signed(i>>5&(1<<19-1), 19)
	switch {
	case i>>26 == 0x05: // b
		next = c.pc + 4*signed(i&(1<<26-1), 26)
	case i>>26 == 0x25: // bl
		c.x[30], next = next, c.pc+4*signed(i&(1<<26-1), 26)
	case i&0xfffffc1f == 0xd63f0000: // blr
		next, c.x[30] = c.reg(i>>5&31), next
	case i&0xfffffc1f == 0xd65f0000: // ret
		next = c.reg(i >> 5 & 31)
	case i>>24 == 0x54: // b.cond
		if c.holds(i & 15) {
			next = to
		}
	case i>>24 == 0xb4, i>>24 == 0xb5: // cbz, cbnz
		if (c.reg(i&31) == 0) == (i>>24 == 0xb4) {
			next = to
		}
	case i>>21 == 0x6a1: // brk
		c.halted, next = true, c.pc
	default:
		return false
	}
	c.pc = next
	return true
}

func (c *arm64CPU) holds(cond uint32) bool {
	r := [...]bool{c.z, c.c, c.n, c.o, c.c && !c.z, c.n == c.o, c.n == c.o && !c.z, true}[cond>>1]
	return r != (cond&1 != 0 && cond != 15)
}

func (c *arm64CPU) loadStore(i uint32) bool {
	rt, rn, rt2 := i&31, i>>5&31, i>>10&31
	float := i>>26&1 != 0
	size := uint64(8)
	pair, load, off, mode := false, i>>22&1 != 0, uint64(0), i>>10&3
	switch {
	case i>>25&0x1f == 0x14 || i>>25&0x1f == 0x16: // ldp, stp
		pair, mode = true, i>>23&3
		switch {
		case float && i>>30 == 2:
			size = 16
		case float && i>>30 == 1, !float && i>>30 == 2:
		default:
			return false
		}
		off = signed(i>>15&127, 7) * size
	case i>>30 == 3 && i>>27&7 == 7 && i>>23&1 == 0: // ldr, str of 8 bytes
	case i>>30 == 0 && i>>27&7 == 7 && float && i>>23&1 == 1: // of q
		size = 16
	case i>>22 == 0x0e4, i>>22 == 0x0e6: // strb, ldrsb
		size, load = 1, i>>23&1 != 0
	default:
		return false
	}
	switch {
	case pair:
	case i>>24&3 == 1: // an unsigned offset
		off, mode = uint64(i>>10&0xfff)*size, 2
	case mode == 2 || i>>21&1 != 0:
		return false // an index in a register
	default:
		off = signed(i>>12&0x1ff, 9)
		if mode == 0 {
			mode = 2
		}
	}
	// mode is 1 for an index afterwards, 3 for one before, 2 for none
	base := c.x[rn]
	addr := base + off
	if mode == 1 {
		addr = base
	}
	if mode != 2 {
		c.x[rn] = base + off
	}
	c.move(rt, addr, size, float, load)
	if pair {
		c.move(rt2, addr+size, size, float, load)
	}
	c.pc += 4
	return true
}

func (c *arm64CPU) move(rt uint32, addr, size uint64, float, load bool) {
	switch {
	case size == 1 && load:
		c.set(rt, uint64(int64(int8(c.mem.at(addr, 1)[0]))))
	case size == 1:
		c.mem.at(addr, 1)[0] = byte(c.reg(rt))
	case float && load:
		c.v[rt] = [2]uint64{c.mem.u64(addr)}
		if size == 16 {
			c.v[rt][1] = c.mem.u64(addr + 8)
		}
	case float:
		c.mem.put(addr, c.v[rt][0])
		if size == 16 {
			c.mem.put(addr+8, c.v[rt][1])
		}
	case load:
		c.set(rt, c.mem.u64(addr))
	default:
		c.mem.put(addr, c.reg(rt))
	}
}

func (c *arm64CPU) compute(i uint32) bool {
	rd, rn, rm := i&31, i>>5&31, i>>16&31
	wide := i>>31 != 0
	switch {
	case i == 0xd503233f || i == 0xd503237f: // paciasp, pacibsp
		c.x[30] |= arm64Signature
	case i == 0xd50323bf || i == 0xd50323ff: // autiasp, autibsp
		c.x[30] &= 1<<48 - 1
	case i>>12 == 0xd5032: // other hints
	case i>>24&0x1f == 0x11: // add, sub of a constant
		imm := uint64(i>>10&0xfff) << (12 * (i >> 22 & 1))
		c.add(rd, c.x[rn], imm, i, wide, i>>29&1 == 0)
	case i>>21 == 0x659: // sub of a shifted register, from sp
		c.x[rd] = c.x[rn] - c.reg(rm)<<(i>>10&7)
	case i>>24&0x1f == 0x0b && i>>21&1 == 0 && i>>22&3 == 0: // add, sub of registers
		c.add(rd, c.reg(rn), c.reg(rm)<<(i>>10&63), i, wide, false)
	case i>>24&0x1f == 0x0a && i>>21&7 == 0: // and, orr, eor
		c.logic(rd, c.reg(rn), c.reg(rm)<<(i>>10&63), i, wide)
	case i>>23&0x3f == 0x24:
		c.logic(rd, c.reg(rn), logicMask(i), i, wide)
	case i>>23&0xff == 0xa5: // movz
		c.set(rd, uint64(i>>5&0xffff)<<(16*(i>>21&3)))
	case i>>23&0xff == 0x25: // movn
		c.set(rd, cut(^(uint64(i>>5&0xffff)<<(16*(i>>21&3))), wide))
	case i>>23&0xff == 0xa6: // ubfm
		c.set(rd, bitfield(c.reg(rn), i>>16&63, i>>10&63, wide))
	case i>>24&0x9f == 0x90: // adrp
		c.set(rd, c.pc&^0xfff+signed(i>>5&(1<<19-1)<<2|i>>29&3, 21)<<12)
	case i>>21&0x3ff == 0xd4 && i>>10&3 == 0: // csel
		if !c.holds(i >> 12 & 15) {
			rn = rm
		}
		c.set(rd, cut(c.reg(rn), wide))
	case i>>21 == 0x0f3 && i>>10&63 == 0x0a: // fadd
		sum := math.Float64frombits(c.v[rn][0]) + math.Float64frombits(c.v[rm][0])
		c.v[rd] = [2]uint64{math.Float64bits(sum)}
	case i>>21 == 0x0f3 && i>>10&7 == 4: // fmov of a constant
		c.v[rd] = [2]uint64{math.Float64bits(float64(i >> 13 & 255))}
	case i>>10 == 0x0f3<<11|0x10: // fmov
		c.v[rd] = [2]uint64{c.v[rn][0]}
	default:
		return false
	}
	c.pc += 4
	return true
}

func cut(v uint64, wide bool) uint64 {
	if !wide {
		v = uint64(uint32(v))
	}
	return v
}

// add adds or subtracts. toSP says that the register 31 is sp.
func (c *arm64CPU) add(rd uint32, a, b uint64, i uint32, wide, toSP bool) {
	if i>>30&1 != 0 {
		b = -b
	}
	a, b = cut(a, wide), cut(b, wide)
	sum := cut(a+b, wide)
	if i>>29&1 != 0 { // subs: the only one with flags that is needed
		top := uint64(1) << 63
		if !wide {
			top = 1 << 31
		}
		b = -b
		b = cut(b, wide)
		c.n, c.z, c.c, c.o = sum&top != 0, sum == 0, a >= b, (a^b)&(a^sum)&top != 0
	}
	if toSP {
		c.x[rd] = sum
	} else {
		c.set(rd, sum)
	}
}

func (c *arm64CPU) logic(rd uint32, a, b uint64, i uint32, wide bool) {
	v := [...]uint64{a & b, a | b, a ^ b, a & b}[i>>29&3]
	v = cut(v, wide)
	if i>>29&3 == 3 {
		c.n, c.z, c.c, c.o = int64(v) < 0 || !wide && int32(v) < 0, v == 0, false, false
	}
	c.set(rd, v)
}

// logicMask decodes the constant of and, orr and eor.
func logicMask(i uint32) uint64 {
	n, r, s := i>>22&1, i>>16&63, i>>10&63
	size := uint32(64)
	if n == 0 {
		size = 1 << (31 - uint32(bits.LeadingZeros32(^s&63)))
	}
	s, r = s&(size-1), r&(size-1)
	v := uint64(1)<<(s+1) - 1
	v = v>>r | v<<(size-r)
	if size < 64 {
		v &= 1<<size - 1
	}
	for ; size < 64; size *= 2 {
		v |= v << size
	}
	return v
}

// bitfield is ubfm: a shift to the right or left of some bits.
func bitfield(v uint64, r, s uint32, wide bool) uint64 {
	width := uint32(64)
	if !wide {
		width = 32
	}
	if s >= r {
		return v >> r & (1<<(s-r+1) - 1)
	}
	return cut(v&(1<<(s+1)-1)<<(width-r), wide)
}
