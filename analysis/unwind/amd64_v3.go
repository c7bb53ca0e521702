package unwind

// parseV3 reads the payload of version 3: how far into the prolog each operation
// stands, the epilogs, and the pool of operations that all of them share.
func (info *unwindInfo) parseV3(p []byte, flags, counts byte, size uint32) bool {
	r := v3Reader{p: p, ok: true}
	large := flags&unwindLarge != 0
	if large {
		info.prolog |= uint32(r.u8()) << 8
	}
	at := r.offsets(int(counts&31), large)
	type header struct {
		epilog
		at    []uint32
		first int
	}
	var epilogs []header
	place := int32(0)
	for i := range int(counts >> 5) {
		var e header
		head, delta := r.u8(), int32(int16(r.u16()))
		if place += delta; place < 0 {
			e.start = size - uint32(-place)
		} else {
			e.start = uint32(place)
		}
		switch n := int(head >> 3); {
		case n > 0:
			large := head&2 != 0
			e.toParent = head&1 != 0
			e.first = int(r.u16())
			e.end = r.offset(large)
			e.at = r.offsets(n, large)
		case i > 0: // like the one before
			last := &epilogs[i-1]
			e.toParent, e.first, e.end, e.at = last.toParent, last.first, last.end-last.start-1, last.at
		default:
			return false
		}
		e.end += e.start + 1
		epilogs = append(epilogs, e)
	}
	pool := r.p
	ok := r.ok
	if info.ops, ok = v3Ops(pool, at, ok); !ok {
		return false
	}
	for _, e := range epilogs {
		if e.first > len(pool) {
			return false
		}
		if e.ops, ok = v3Ops(pool[e.first:], e.at, ok); !ok {
			return false
		}
		info.epilogs = append(info.epilogs, e.epilog)
	}
	return true
}

// A v3Reader reads the payload. ok becomes false where it ends too early.
type v3Reader struct {
	p  []byte
	ok bool
}

func (r *v3Reader) u8() uint8 {
	if len(r.p) < 1 {
		r.ok = false
		return 0
	}
	v := r.p[0]
	r.p = r.p[1:]
	return v
}

func (r *v3Reader) u16() uint16 { return uint16(r.u8()) | uint16(r.u8())<<8 }

func (r *v3Reader) offset(large bool) uint32 {
	if large {
		return uint32(r.u16())
	}
	return uint32(r.u8())
}

func (r *v3Reader) offsets(n int, large bool) []uint32 {
	list := make([]uint32, n)
	for i := range list {
		list[i] = r.offset(large)
	}
	return list
}

// v3Ops reads one operation of the pool for each offset. The offset is that of
// the instruction, which is done where PC stands behind it.
func v3Ops(pool []byte, at []uint32, ok bool) ([]wind, bool) {
	r := v3Reader{p: pool, ok: ok}
	var ops []wind
	for _, off := range at {
		first := len(ops)
		ops = r.winds(ops)
		if !r.ok {
			return nil, false
		}
		for i := first; i < len(ops); i++ {
			ops[i].at = off + 1
		}
	}
	return ops, r.ok
}

// winds reads one winding operation descriptor (WOD), which is one operation, or
// two for an instruction that pushes two registers.
func (r *v3Reader) winds(ops []wind) []wind {
	b := r.u8()
	long := func() uint32 { return uint32(r.u16()) | uint32(r.u16())<<16 }
	reg := b >> 3
	switch b & 7 {
	case 4: // WOD_PUSH
		return append(ops, wind{op: windPush, reg: reg})
	case 5: // WOD_SAVE_NONVOL_FAR
		return append(ops, wind{op: windSave, reg: reg, n: long()})
	case 6: // WOD_SAVE_NONVOL
		return append(ops, wind{op: windSave, reg: reg, n: uint32(r.u16()) * 8})
	case 7: // WOD_PUSH_CONSECUTIVE_2
		if reg == 31 {
			r.ok = false
		}
		return append(ops, wind{op: windPush, reg: (reg + 1) & 31}, wind{op: windPush, reg: reg})
	}
	switch b & 15 {
	case 8: // WOD_ALLOC_SMALL
		return append(ops, wind{op: windAlloc, n: uint32(b>>4)*8 + 8})
	case 9: // WOD_SAVE_XMM128_FAR
		return append(ops, wind{op: windSaveXMM, reg: b >> 4, n: long()})
	case 10: // WOD_SAVE_XMM128
		return append(ops, wind{op: windSaveXMM, reg: b >> 4, n: uint32(r.u16()) * 16})
	}
	if b&63 == 32 { // WOD_PUSH2; the first register is pushed first
		c := r.u8()
		return append(ops, wind{op: windPush, reg: c >> 3}, wind{op: windPush, reg: b>>6 | c&7<<2})
	}
	switch b {
	case 0: // WOD_SET_FPREG
		c := r.u8()
		return append(ops, wind{op: windSetFrame, reg: c & 15, n: uint32(c>>4) * 16})
	case 1: // WOD_ALLOC_HUGE
		return append(ops, wind{op: windAlloc, n: long()})
	case 2: // WOD_ALLOC_LARGE
		return append(ops, wind{op: windAlloc, n: uint32(r.u16()) * 8})
	case 3: // WOD_PUSH_CANONICAL_FRAME; the other types are "defined by the OS" and not documented
		kind := r.u8()
		if kind > 1 {
			r.ok = false
		}
		return append(ops, wind{op: windMachineFrame, n: uint32(kind) * 8})
	}
	r.ok = false
	return ops
}
