package unwind

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/minidump"
)

// A windOp is what one instruction of a prolog does to the registers, and what an
// unwinder has to undo.
type windOp uint8

const (
	windPush         windOp = iota // reg is pushed
	windAlloc                      // n bytes are allocated
	windSetFrame                   // reg becomes the frame pointer: RSP and n bytes
	windSave                       // reg is stored n bytes above the frame's base
	windSaveXMM                    // an XMM register, the same; nothing is known of those
	windMachineFrame               // the processor or the kernel pushed a machine frame; n bytes of an error code before it
)

// A wind is one operation of a prolog, or what is left of it in an epilog.
type wind struct {
	op  windOp
	reg uint8
	at  uint32 // done in a prolog, and undone in an epilog, where the next instruction is this far from its start or farther
	n   uint32 // bytes
}

// An epilog is the end of a function as its unwind data gives it.
type epilog struct {
	start, end uint32 // from the start of the fragment; end is behind the last place where PC can be
	// ops are of version 3: what the epilog undoes, in its order. An epilog of
	// version 2 undoes the pushes of the prolog.
	ops []wind
	// toParent says that it ends in the function's main fragment, and not in a
	// return (version 3).
	toParent bool
}

// An unwindInfo is the unwind data of a function or of a fragment of one
// (UNWIND_INFO; "x64 exception handling" and "x64 unwind information v3" of
// Microsoft's documentation of C++; UWOP_EPILOG as in LLVM's MCWin64EH.cpp).
type unwindInfo struct {
	version  uint8
	prolog   uint32 // bytes
	ops      []wind // the last one done first
	epilogs  []epilog
	chained  bool
	parent   runtimeFunction // if chained: the fragment before it
	frameReg uint8           // versions 1 and 2
	frameOff uint32
}

const (
	unwindChained = 4 // UNW_FLAG_CHAININFO
	unwindLarge   = 8 // UNW_FLAG_LARGE of version 3
)

// readUnwindInfo reads the unwind data of a fragment of size bytes. ok is false if
// it is not there, or is none.
func readUnwindInfo(code CodeReader, addr minidump.VA, size uint32) (info *unwindInfo, ok bool) {
	var buf [4 + 2*255 + 2 + runtimeFunctionSize]byte
	if !readFull(code, buf[:4], addr) {
		return nil, false
	}
	version, flags, slots := buf[0]&7, buf[0]>>3, int(buf[2])
	n := 4 + 2*slots
	if flags&unwindChained != 0 {
		n = (n+3)&^3 + runtimeFunctionSize
	}
	if !readFull(code, buf[4:n], addr+4) {
		return nil, false
	}
	info = &unwindInfo{version: version, prolog: uint32(buf[1])}
	body := buf[4 : 4+2*slots]
	switch version {
	case 1, 2:
		info.frameReg, info.frameOff = buf[3]&15, uint32(buf[3]>>4)*16
		ok = info.parseCodes(body, size)
	case 3:
		ok = info.parseV3(body, flags, buf[3], size)
	}
	if flags&unwindChained != 0 {
		info.chained = true
		info.parent = decodeRuntimeFunction(buf[n-runtimeFunctionSize:])
	}
	return info, ok
}

// parseCodes reads the codes of version 1 and 2, slots of two bytes.
func (info *unwindInfo) parseCodes(p []byte, size uint32) bool {
	le := binary.LittleEndian
	var epilogs []byte
	for len(p) > 0 {
		at, code, arg := p[0], p[1]&15, p[1]>>4
		slots := 1
		switch code {
		case 1: // UWOP_ALLOC_LARGE
			slots = 2 + int(arg&1)
		case 4, 8, 7: // UWOP_SAVE_NONVOL, UWOP_SAVE_XMM128, UWOP_SPARE_CODE
			slots = 2
			if code == 7 {
				slots = 3
			}
		case 5, 9: // the FAR forms
			slots = 3
		case 6: // UWOP_EPILOG; in version 1 UWOP_SAVE_XMM, which no compiler has written for long
			if info.version == 1 {
				slots = 2
			}
		}
		if len(p) < 2*slots {
			return false
		}
		w := wind{reg: arg, at: uint32(at)}
		near := func(scale uint32) uint32 { return uint32(le.Uint16(p[2:])) * scale }
		switch code {
		case 0: // UWOP_PUSH_NONVOL
			w.op = windPush
		case 1:
			w.op = windAlloc
			switch arg {
			case 0:
				w.n = near(8)
			case 1:
				w.n = le.Uint32(p[2:])
			default:
				return false
			}
		case 2: // UWOP_ALLOC_SMALL
			w.op, w.n = windAlloc, uint32(arg)*8+8
		case 3: // UWOP_SET_FPREG
			w.op, w.reg, w.n = windSetFrame, info.frameReg, info.frameOff
		case 4:
			w.op, w.n = windSave, near(8)
		case 5:
			w.op, w.n = windSave, le.Uint32(p[2:])
		case 6:
			if info.version == 2 {
				epilogs = append(epilogs, p[0], arg)
				p = p[2*slots:]
				continue
			}
			w.op, w.n = windSaveXMM, near(8)
		case 7: // it has no meaning
			p = p[2*slots:]
			continue
		case 8:
			w.op, w.n = windSaveXMM, near(16)
		case 9:
			w.op, w.n = windSaveXMM, le.Uint32(p[2:])
		case 10: // UWOP_PUSH_MACHFRAME
			w.op, w.n = windMachineFrame, uint32(arg&1)*8
		default:
			return false
		}
		info.ops = append(info.ops, w)
		p = p[2*slots:]
	}
	info.addEpilogs(epilogs, size)
	return true
}

// addEpilogs takes the epilogs of version 2: the first code has their size, which
// all share, and a bit for one that ends the fragment; the others the distance of
// one from the end of the fragment, 0 for none. They begin behind the instruction
// that frees the stack, and end with the first byte of the last one.
func (info *unwindInfo) addEpilogs(codes []byte, size uint32) {
	for i := 0; i < len(codes); i += 2 {
		length := uint32(codes[0])
		back := uint32(codes[i]) | uint32(codes[i+1])<<8
		if i == 0 {
			if back = length; codes[1]&1 == 0 {
				continue
			}
		}
		if back > 0 && back <= size {
			info.epilogs = append(info.epilogs, epilog{start: size - back, end: size - back + length})
		}
	}
}
