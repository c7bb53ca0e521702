package unwind

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"

	"github.com/dumpscan/dumpscan/minidump"
)

// A CodeReader reads memory of the process, from the dump or from the image
// files of its modules. [minidump.Memory] is one.
type CodeReader interface {
	ReadAt(p []byte, addr minidump.VA) (n int, err error)
}

// A CallSite is the call before a return address.
type CallSite struct {
	Return minidump.VA
	// Target is where the call went; 0 if that is not known. Jumps of import
	// tables and incremental linking on the way there have been followed.
	Target minidump.VA
	// Slot is the address of the pointer through which the call went, as in
	// calls of imported functions; 0 for others.
	Slot minidump.VA
	// Instruction is the call in the assembler's words if its target cannot be
	// told from it: "call rax", "call qword ptr [rax+0x18]".
	Instruction string
}

// A CallDecoder finds the calls before return addresses.
type CallDecoder struct {
	Code CodeReader
	// Data reads the pointers that calls go through; nil means Code. It must not
	// read image files, whose import tables are not filled in.
	Data CodeReader
	Arch minidump.ProcessorArchitecture
	// Shift returns what to add to absolute addresses in the code at an address;
	// nil means 0.
	Shift func(minidump.VA) minidump.VA
	// Plausible tells whether an address may be a function, to choose between
	// the ways in which the bytes before a return address can be read; nil takes
	// any.
	Plausible func(minidump.VA) bool
}

// longestCall is the length of the longest call of x86 without useless
// prefixes: a REX prefix, the opcode, ModR/M, SIB and four bytes.
const longestCall = 8

// Decode finds the call that returns to an address. The error says that the
// code is not there, or that no call precedes the address.
func (d *CallDecoder) Decode(ret minidump.VA) (CallSite, error) {
	switch d.Arch {
	case minidump.ProcessorX86, minidump.ProcessorAMD64:
		return d.decodeX86(ret)
	case minidump.ProcessorARM64:
		return d.decodeARM64(ret)
	case minidump.ProcessorARM:
		return d.decodeARM(ret)
	}
	return CallSite{Return: ret}, fmt.Errorf("calls of %s are not decoded", d.Arch)
}

func (d *CallDecoder) pointerSize() int { return d.Arch.PointerSize() }

// decodeX86 tries the lengths that a call can have. Near calls and calls
// through an import slot come first: where the bytes allow several readings,
// these are nearly always the right ones.
func (d *CallDecoder) decodeX86(ret minidump.VA) (CallSite, error) {
	site := CallSite{Return: ret}
	var buf [longestCall]byte
	code := d.before(buf[:], ret)
	if len(code) == 0 {
		return site, fmt.Errorf("code before %s: %w", ret, minidump.ErrNotCaptured)
	}
	found := false
	for _, n := range [...]int{5, 6, 2, 3, 7, 4, 8} {
		if n > len(code) || !beginsCall(code[len(code)-n:]) {
			continue
		}
		inst, err := x86asm.Decode(code[len(code)-n:], 8*d.pointerSize())
		if err != nil || inst.Op != x86asm.CALL || inst.Len != n {
			continue
		}
		s := d.callX86(ret, inst)
		if s.Target != 0 && (d.Plausible == nil || d.Plausible(s.Target)) {
			return s, nil
		}
		if s.Target == 0 && !found {
			site, found = s, true
		}
	}
	if !found {
		return site, fmt.Errorf("no call before %s", ret)
	}
	return site, nil
}

// beginsCall reports whether the code may be that of a call: prefixes, and the
// opcode E8 or FF. The decoder gets nothing else, as it panics where some vector
// instructions are cut off.
func beginsCall(code []byte) bool {
	for _, b := range code {
		switch {
		case b == 0xe8 || b == 0xff:
			return true
		case b&0xf0 == 0x40, b == 0x66, b == 0x67, b == 0xf2, b == 0xf3, b == 0x2e, b == 0x36, b == 0x3e, b == 0x26, b == 0x64, b == 0x65:
			continue // a prefix; of 32-bit code 40 to 4f are instructions of their own
		}
		return false
	}
	return false
}

// before reads the bytes that end at addr, fewer if not all are there.
func (d *CallDecoder) before(buf []byte, addr minidump.VA) []byte {
	for n := len(buf); n > 1; n-- {
		if uint64(addr) < uint64(n) {
			continue
		}
		if got, err := d.Code.ReadAt(buf[:n], addr-minidump.VA(n)); err == nil && got == n {
			return buf[:n]
		}
	}
	return nil
}

func (d *CallDecoder) callX86(ret minidump.VA, inst x86asm.Inst) CallSite {
	s := CallSite{Return: ret}
	inst.Args[0] = signedDisp(inst.Args[0])
	switch arg := inst.Args[0].(type) {
	case x86asm.Rel:
		s.Target = d.follow(d.wrap(ret + minidump.VA(int64(arg))))
	case x86asm.Mem:
		slot, ok := d.slot(ret, arg)
		if !ok {
			break
		}
		s.Slot = slot
		if target, ok := d.pointer(slot); ok {
			s.Target = d.follow(target)
		}
	}
	if s.Target == 0 {
		s.Instruction = x86asm.IntelSyntax(inst, uint64(ret)-uint64(inst.Len), nil)
	}
	return s
}

// signedDisp gives the displacement of a memory operand the sign that the decoder
// leaves out where it has four bytes.
func signedDisp(arg x86asm.Arg) x86asm.Arg {
	if m, ok := arg.(x86asm.Mem); ok {
		m.Disp = int64(int32(m.Disp))
		return m
	}
	return arg
}

// slot returns the address of a memory operand that no register but the
// instruction pointer takes part in.
func (d *CallDecoder) slot(next minidump.VA, m x86asm.Mem) (minidump.VA, bool) {
	switch {
	case m.Segment != 0 || m.Index != 0:
		return 0, false
	case m.Base == x86asm.RIP:
		return d.wrap(next + minidump.VA(m.Disp)), true
	case m.Base == 0:
		slot := minidump.VA(m.Disp)
		if d.Shift != nil {
			slot += d.Shift(next)
		}
		return d.wrap(slot), true
	}
	return 0, false
}

// follow goes through the jumps that linkers put between a call and its
// function: "jmp [slot]" of an import, "jmp function" of incremental linking.
func (d *CallDecoder) follow(target minidump.VA) minidump.VA {
	var buf [6]byte
	for range 2 {
		n, _ := d.Code.ReadAt(buf[:], target)
		inst, err := x86asm.Decode(buf[:n], 8*d.pointerSize())
		if err != nil || inst.Op != x86asm.JMP {
			return target
		}
		next := target + minidump.VA(inst.Len)
		switch arg := signedDisp(inst.Args[0]).(type) {
		case x86asm.Rel:
			if inst.Len != 5 {
				return target // a short jump belongs to the function itself
			}
			target = d.wrap(next + minidump.VA(int64(arg)))
		case x86asm.Mem:
			slot, ok := d.slot(next, arg)
			if !ok {
				return target
			}
			to, ok := d.pointer(slot)
			if !ok {
				return target
			}
			target = to
		default:
			return target
		}
	}
	return target
}

// wrap cuts an address to the size of a pointer.
func (d *CallDecoder) wrap(addr minidump.VA) minidump.VA {
	if d.pointerSize() == 4 {
		return addr & 0xffffffff
	}
	return addr
}

func (d *CallDecoder) pointer(slot minidump.VA) (minidump.VA, bool) {
	var buf [8]byte
	p := buf[:d.pointerSize()]
	data := d.Data
	if data == nil {
		data = d.Code
	}
	if n, err := data.ReadAt(p, slot); err != nil || n < len(p) {
		return 0, false
	}
	return minidump.VA(binary.LittleEndian.Uint64(buf[:])), true
}

// decodeARM64 looks at the instruction before a return address, BL or BLR.
func (d *CallDecoder) decodeARM64(ret minidump.VA) (CallSite, error) {
	site := CallSite{Return: ret}
	var buf [4]byte
	if len(d.before(buf[:], ret)) < len(buf) {
		return site, fmt.Errorf("code before %s: %w", ret, minidump.ErrNotCaptured)
	}
	inst, err := arm64asm.Decode(buf[:])
	if err != nil || inst.Op != arm64asm.BL && inst.Op != arm64asm.BLR {
		return site, fmt.Errorf("no call before %s", ret)
	}
	if rel, ok := inst.Args[0].(arm64asm.PCRel); ok {
		site.Target = ret - 4 + minidump.VA(int64(rel))
		return site, nil
	}
	site.Instruction = inst.String()
	return site, nil
}

// decodeARM looks at the instruction before a return address, which is given
// without the bit that says Thumb: BL or BLX of Thumb code, or else of ARM code.
func (d *CallDecoder) decodeARM(ret minidump.VA) (CallSite, error) {
	site := CallSite{Return: ret}
	var buf [4]byte
	code := d.before(buf[:], ret)
	if len(code) < 2 {
		return site, fmt.Errorf("code before %s: %w", ret, minidump.ErrNotCaptured)
	}
	last := binary.LittleEndian.Uint16(code[len(code)-2:])
	var word, first uint32
	if len(code) == 4 {
		word, first = binary.LittleEndian.Uint32(code), uint32(binary.LittleEndian.Uint16(code))
	}
	switch {
	case first&0xf800 == 0xf000 && last&0xc000 == 0xc000 && last&0x1001 != 1: // bl, blx with bit 12 clear
		s := first >> 10 & 1
		offset := s<<24 | (^(uint32(last)>>13^s)&1)<<23 | (^(uint32(last)>>11^s)&1)<<22 | first&0x3ff<<12 | uint32(last)&0x7ff<<1
		from := ret
		if last&0x1000 == 0 {
			from &^= 3
		}
		site.Target = d.wrap(from + minidump.VA(int64(int32(offset<<7)>>7)))
	case last&0xff87 == 0x4780: // blx rn
		site.Instruction = fmt.Sprintf("blx r%d", last>>3&15)
	case ret&3 == 0 && (word>>24&15 == 11 && word>>28 != 15 || word>>25 == 0x7d): // bl, blx of ARM
		site.Target = d.wrap(ret + 4 + minidump.VA(int64(int32(word<<8)>>6)))
		if word>>28 == 15 {
			site.Target += minidump.VA(word >> 23 & 2)
		}
	case ret&3 == 0 && word&0x0ffffff0 == 0x012fff30 && word>>28 != 15: // blx rn
		site.Instruction = fmt.Sprintf("blx r%d", word&15)
	default:
		return site, fmt.Errorf("no call before %s", ret)
	}
	return site, nil
}
