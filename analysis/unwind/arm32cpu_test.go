package unwind

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// An arm32CPU interprets the Thumb instructions of testdata/unwind/ARM, and no
// others.
type arm32CPU struct {
	r       [16]uint32 // 15 is pc
	d       [32]uint64
	n, z, c bool
	mem     *arm64Memory
	halted  bool // at an undefined instruction
}

func (c *arm32CPU) load(addr uint32) uint32 {
	return binary.LittleEndian.Uint32(c.mem.at(uint64(addr), 4))
}

func (c *arm32CPU) store(addr, v uint32) {
	binary.LittleEndian.PutUint32(c.mem.at(uint64(addr), 4), v)
}

// push stores registers below sp.
func (c *arm32CPU) push(mask uint32) {
	c.r[13] -= 4 * uint32(bits.OnesCount32(mask))
	at := c.r[13]
	for i := range c.r {
		if mask>>i&1 != 0 {
			c.store(at, c.r[i])
			at += 4
		}
	}
}

func (c *arm32CPU) pop(mask uint32) {
	for i := range c.r {
		if mask>>i&1 != 0 {
			c.r[i] = c.load(c.r[13])
			c.r[13] += 4
		}
	}
	c.r[15] &^= 1
}

// compare sets the flags as for a-b.
func (c *arm32CPU) compare(a, b uint32) {
	c.n, c.z, c.c = int32(a-b) < 0, a == b, a >= b
}

// step executes the instruction at pc.
func (c *arm32CPU) step() error {
	pc := c.r[15]
	i := uint32(binary.LittleEndian.Uint16(c.mem.at(uint64(pc), 2)))
	if i>>11 < 0x1d {
		c.r[15] = pc + 2
		if !c.short(i, pc) {
			return fmt.Errorf("%#x: no way to execute %04x", pc, i)
		}
		return nil
	}
	c.r[15] = pc + 4
	j := uint32(binary.LittleEndian.Uint16(c.mem.at(uint64(pc)+2, 2)))
	if !c.long(i, j, pc) {
		return fmt.Errorf("%#x: no way to execute %04x %04x", pc, i, j)
	}
	return nil
}

func (c *arm32CPU) short(i, pc uint32) bool {
	low, imm := i>>8&7, i&0xff
	switch {
	case i>>9 == 0x5a: // push
		c.push(imm | i>>8&1<<14)
	case i>>9 == 0x5e: // pop
		c.pop(imm | i>>8&1<<15)
	case i>>7 == 0x160: // add sp
		c.r[13] += 4 * (i & 127)
	case i>>7 == 0x161: // sub sp
		c.r[13] -= 4 * (i & 127)
	case i>>8 == 0x46: // mov
		c.r[i&7|i>>4&8] = c.r[i>>3&15]
	case i>>11 == 4: // movs
		c.r[low] = imm
	case i>>11 == 5: // cmp
		c.compare(c.r[low], imm)
	case i>>11 == 6: // adds
		c.r[low] += imm
	case i>>11 == 7: // subs
		c.r[low] -= imm
	case i>>11 == 0: // lsls
		c.r[i&7] = c.r[i>>3&7] << (i >> 6 & 31)
	case i == 0xbf00: // nop
	case i&0xff87 == 0x4700: // bx
		c.r[15] = c.r[i>>3&15] &^ 1
	case i>>11 == 0x1c: // b
		c.r[15] = pc + 4 + uint32(int32(i<<21)>>20)
	case i>>8 == 0xd0 && c.z, i>>8 == 0xd1 && !c.z: // beq, bne
		c.r[15] = pc + 4 + uint32(int32(i<<24)>>23)
	case i>>9 == 0x68: // not taken
	case i&0xf500 == 0xb100: // cbz, cbnz
		if (c.r[i&7] == 0) == (i>>11&1 == 0) {
			c.r[15] = pc + 4 + i>>9&1<<6 + i>>3&31<<1
		}
	case i>>11 == 0x12: // str
		c.store(c.r[13]+4*imm, c.r[low])
	case i>>11 == 0x13: // ldr
		c.r[low] = c.load(c.r[13] + 4*imm)
	case i>>8 == 0xde: // udf
		c.halted = true
	default:
		return false
	}
	return true
}

func (c *arm32CPU) long(i, j, pc uint32) bool {
	rn, rd := i&15, j>>8&15
	imm := i>>10&1<<11 | j>>12&7<<8 | j&0xff
	switch {
	case i == 0xe92d:
		c.push(j)
	case i == 0xe8bd:
		c.pop(j)
	case i == 0xf84d && j&0xfff == 0xd04: // push of one
		c.push(1 << (j >> 12))
	case i == 0xf85d && j>>8&15 == 0xb: // ldr rt, [sp], #n
		v := c.load(c.r[13])
		c.r[13] += j & 0xff
		c.r[j>>12] = v
		c.r[15] &^= 1
	case i&^0x40 == 0xed2d && j>>8&15 == 0xb: // vpush
		c.r[13] -= 4 * (j & 0xff)
		for k := range j & 0xff / 2 {
			binary.LittleEndian.PutUint64(c.mem.at(uint64(c.r[13]+8*k), 8), c.d[i>>6&1<<4+j>>12+k])
		}
	case i&^0x40 == 0xecbd && j>>8&15 == 0xb: // vpop
		for k := range j & 0xff / 2 {
			c.d[i>>6&1<<4+j>>12+k] = binary.LittleEndian.Uint64(c.mem.at(uint64(c.r[13]+8*k), 8))
		}
		c.r[13] += 4 * (j & 0xff)
	case i == 0xf3af: // nop.w
	case i>>11 == 0x1e && j>>14 == 3 && j>>12&1 == 1, i>>11 == 0x1e && j>>14 == 2 && j>>12&1 == 1: // bl, b.w
		s := i >> 10 & 1
		off := s<<24 | (^(j>>13^s)&1)<<23 | (^(j>>11^s)&1)<<22 | i&0x3ff<<12 | j&0x7ff<<1
		if j>>14 == 3 {
			c.r[14] = c.r[15] | 1
		}
		c.r[15] = pc + 4 + uint32(int32(off<<7)>>7)
	case i&^0x400 == 0xf04f: // mov.w
		c.r[rd] = expand(imm)
	case i&^0x40f == 0xf240: // movw
		c.r[rd] = i&15<<12 | imm
	case i&^0x40f == 0xf2c0: // movt
		c.r[rd] = (i&15<<12|imm)<<16 | c.r[rd]&0xffff
	case i&^0x40f == 0xf100: // add.w
		c.r[rd] = c.r[rn] + expand(imm)
	case i&^0x40f == 0xf200: // addw
		c.r[rd] = c.r[rn] + imm
	case i&^0x40f == 0xf2a0: // subw
		c.r[rd] = c.r[rn] - imm
	case i&^0xf == 0xeba0 && j&0x70f0 == 0: // sub.w
		c.r[rd] = c.r[rn] - c.r[j&15]
	default:
		return false
	}
	return true
}

// expand decodes the constant of an instruction; that of 8 bits repeated is not
// needed.
func expand(imm uint32) uint32 {
	if imm>>10 == 0 {
		return imm & 0xff
	}
	return bits.RotateLeft32(imm&0x7f|0x80, -int(imm>>7))
}
