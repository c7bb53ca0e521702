package unwind

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// arm32Packed is the second word of an entry of .pdata with the flags 1 and 2: the
// function's prolog and epilog are the usual ones. Those of flag 2 have no
// prolog.
type arm32Packed uint32

func (p arm32Packed) bits(from, n int) int { return int(p >> from & (1<<n - 1)) }

const arm32R11 = 1 << minidump.RegArmFP // in arm32Op.regs

// ops returns what undoes all that had been done before the byte at.
func (p arm32Packed) ops(at int) ([]arm32Op, error) {
	prolog, epilog := p.codes()
	chain, link, ret := p.bits(21, 1), p.bits(20, 1), p.bits(13, 2)
	if link == 0 && (chain != 0 || ret == 0) {
		return nil, fmt.Errorf(".pdata: %#x keeps lr nowhere", uint32(p))
	}
	if n := prolog.length(); at < n && p.bits(0, 2) != 2 {
		return prolog.skip(n - at), nil
	}
	const none = 3
	if start := 2*p.bits(2, 11) - epilog.length() - epilog.end; at >= start && ret != none {
		return epilog.skip(at - max(start, 0)), nil
	}
	return prolog.ops, nil
}

// codes returns the codes of the prolog, in the order in which they are undone,
// and those of the epilog.
func (p arm32Packed) codes() (prolog, epilog arm32Sequence) {
	const pop = 0
	var (
		ret    = p.bits(13, 2)
		homes  = p.bits(15, 1) != 0
		reg    = p.bits(16, 3)
		floats = p.bits(19, 1) != 0
		link   = p.bits(20, 1) != 0
		chain  = p.bits(21, 1) != 0
		adjust = p.bits(22, 10)
		inPush = adjust >= 0x3f4 && adjust&4 != 0 // the stack is taken by storing registers that nobody needs
		inPop  = adjust >= 0x3f4 && adjust&8 != 0
		folded uint16
		saved  uint16
	)
	if adjust >= 0x3f4 {
		adjust = adjust&3 + 1
		folded = 0xf &^ (1<<(4-adjust) - 1)
	}
	if !floats {
		saved = arm32From4(reg)
	}
	if chain {
		saved |= arm32R11
	}
	if link {
		saved |= arm32LR
	}
	alloc := arm32Op{size: 2, grow: 4 * uint32(adjust)}
	if adjust > 0x7f {
		alloc.size = 4
	}

	// The prolog, from its end on.
	if adjust != 0 && !inPush {
		prolog.ops = append(prolog.ops, alloc)
	}
	vector := arm32Op{size: 4, grow: 8 * uint32(reg+1)}
	if floats && reg != 7 {
		prolog.ops = append(prolog.ops, vector)
	}
	push := arm32Op{regs: saved}
	if inPush {
		push.regs |= folded
	}
	if chain {
		setFP := arm32Op{size: 4} // add r11, sp, #n
		if push.regs&(arm32R11-1) == 0 {
			setFP.size = 2 // mov r11, sp
		}
		prolog.ops = append(prolog.ops, setFP)
	}
	if push.regs != 0 {
		push.size = 2
		if push.regs&^(0xff|arm32LR) != 0 {
			push.size = 4
		}
		prolog.ops = append(prolog.ops, push)
	}
	home := arm32Op{size: 2, grow: 16}
	if homes {
		prolog.ops = append(prolog.ops, home)
	}

	// The epilog.
	if adjust != 0 && !inPop {
		epilog.ops = append(epilog.ops, alloc)
	}
	if floats && reg != 7 {
		epilog.ops = append(epilog.ops, vector)
	}
	last := arm32Op{regs: saved}
	if inPop {
		last.regs |= folded
	}
	lrLater := homes && link && ret == pop // ldr pc, [sp], #20
	if lrLater {
		last.regs &^= arm32LR
	}
	if last.regs != 0 {
		last.size = 2
		if wide := last.regs &^ 0xff; wide != 0 && !(wide == arm32LR && ret == pop) {
			last.size = 4
		}
		epilog.ops = append(epilog.ops, last)
	}
	switch {
	case lrLater:
		epilog.ops = append(epilog.ops, arm32Op{size: 4, regs: arm32LR, grow: 16})
	case homes:
		epilog.ops = append(epilog.ops, home)
	}
	if ret != pop {
		epilog.end = 2 * ret // bx, b.w
	}
	return prolog, epilog
}
