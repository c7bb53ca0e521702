package unwind

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// arm64Packed is the second word of an entry of .pdata with the flags 1 and 2:
// the function's prolog and epilog are the usual ones, which are built of few
// numbers. Those of flag 2 have neither; they are fragments of a function.
type arm64Packed uint32

func (p arm64Packed) bits(from, n int) int { return int(p >> from & (1<<n - 1)) }

// ops returns what undoes all that had been done before the instruction at.
func (p arm64Packed) ops(at int) ([]arm64Op, error) {
	if ints := p.bits(16, 4); ints > 10 {
		return nil, fmt.Errorf(".pdata: a function saves %d registers from x19 on", ints)
	}
	s, epilog := p.codes()
	if p.bits(0, 2) == 2 {
		return s.ops, nil
	}
	if n := s.length(); at < n {
		return s.skip(n - at), nil
	}
	if start := p.bits(2, 11) - epilog.length() - 1; at >= start {
		return epilog.skip(at - max(start, 0)), nil
	}
	return s.ops, nil
}

// codes returns the codes of the prolog, in the order in which they are undone,
// and those of the epilog: it neither sets fp nor stores parameters.
func (p arm64Packed) codes() (prolog, epilog arm64Sequence) {
	const fp, lr = minidump.RegFP64, minidump.RegLR64
	const saveLR, signed, chained = 1, 2, 3
	var (
		floats  = p.bits(13, 3)
		ints    = p.bits(16, 4)
		homes   = p.bits(20, 1) != 0
		cr      = p.bits(21, 2)
		frame   = 16 * int32(p.bits(23, 9))
		intSize = 8 * int32(ints)
	)
	if floats > 0 {
		floats++
	}
	if cr == saveLR {
		intSize += 8
	}
	saved := intSize + 8*int32(floats)
	if homes {
		saved += 64
	}
	saved = (saved + 15) &^ 15
	local := max(0, frame-saved)

	both := func(op arm64Op) {
		prolog.ops, epilog.ops = append(prolog.ops, op), append(epilog.ops, op)
	}
	alloc := func(n int32) {
		const most = 4080
		if n > most {
			both(arm64Op{kind: arm64Save, grow: n - most})
			n = most
		}
		if n > 0 {
			both(arm64Op{kind: arm64Save, grow: n})
		}
	}
	switch {
	case cr < signed:
		alloc(local)
	case local <= 512:
		prolog.ops = append(prolog.ops, arm64Op{kind: arm64SetFP})
		both(arm64Op{kind: arm64Save, reg: fp, n: 2, grow: local})
	default:
		prolog.ops = append(prolog.ops, arm64Op{kind: arm64SetFP})
		both(arm64Op{kind: arm64Save, reg: fp, n: 2})
		alloc(local)
	}

	// The first of the saves allocates the area, and is undone last.
	first := len(prolog.ops)
	firstEpilog := len(epilog.ops)
	if homes {
		for range 4 {
			prolog.ops = append(prolog.ops, arm64Op{kind: arm64Nop})
		}
	}
	for range (floats + 1) / 2 {
		both(arm64Op{kind: arm64Save})
	}
	odd := ints%2 != 0
	if cr == saveLR && !odd {
		both(arm64Op{kind: arm64Save, reg: lr, n: 1, off: intSize - 8})
	}
	for i := (ints+1)/2 - 1; i >= 0; i-- {
		op := arm64Op{kind: arm64Save, reg: uint8(19 + 2*i), n: 2, off: 16 * int32(i)}
		if odd && 2*i == ints-1 {
			op.n, op.lr = 1, cr == saveLR
		}
		both(op)
	}
	if n := len(prolog.ops); n > first {
		prolog.ops[n-1].grow, prolog.ops[n-1].kind = saved, arm64Save
	}
	if n := len(epilog.ops); n > firstEpilog {
		epilog.ops[n-1].grow = saved
	} else if saved > 0 {
		// Nothing but parameters is stored: the epilog has one instruction for all.
		epilog.ops = append(epilog.ops, arm64Op{kind: arm64Save, grow: saved})
	}
	if cr == signed {
		both(arm64Op{kind: arm64PAC})
	}
	return prolog, epilog
}
