package minidump

import (
	"errors"
	"fmt"
)

// ErrNoContext is wrapped where the dump holds no registers: it has no bytes
// for them, or they were saved without the instruction and stack pointer.
var ErrNoContext = errors.New("no registers")

// A Context is the registers of a thread (CONTEXT of winnt.h, whose layout
// differs for each processor; Breakpad has own ones for ARM).
type Context struct {
	Arch  ProcessorArchitecture // [ProcessorX86], [ProcessorAMD64], [ProcessorARM] or [ProcessorARM64]
	Flags ContextFlags
	PC    VA // Eip, Rip or Pc

	// R are the general registers by the number that instructions give them:
	// eax, ecx, edx, ebx, esp, ebp, esi, edi and from 8 on r8 to r15 for x86 and
	// AMD64, r0 to r15 for ARM, x0 to x30 and sp as 31 for ARM64. Unless Flags has
	// [ContextInteger] they are zero but for those that belong to
	// [ContextControl]: the stack pointer, ebp, and on ARM lr, pc and fp of 64 bits.
	R [32]uint64

	Status   uint32    // EFlags or Cpsr
	Segments [6]uint16 // cs, ds, es, fs, gs, ss; x86 and AMD64
	Debug    [6]uint64 // dr0 to dr3, dr6, dr7; x86 and AMD64; zero if they were not saved

	// Vector are xmm0 to xmm15 (to xmm7 on x86), or v0 to v31, the low half
	// first. Those of 32-bit ARM are not read. Zero if they were not saved.
	Vector [32][2]uint64

	// XState is what follows the CONTEXT: the extended state that XSAVE wrote
	// (CONTEXT_EX and XSAVE area), as it stands in the file. Its layout
	// is described by the XSTATE_CONFIG_FEATURE_MSC_INFO of MiscInfo.
	XState []byte
}

// The numbers of the registers with a purpose, in [Context.R].
const (
	RegSP    = 4  // esp, rsp
	RegFP    = 5  // ebp, rbp
	RegArmFP = 11 // r11 of 32-bit ARM, the frame pointer of Windows
	RegArmSP = 13 // of 32-bit ARM
	RegArmLR = 14 // of 32-bit ARM
	RegFP64  = 29 // fp of ARM64
	RegLR64  = 30 // lr of ARM64
	RegSP64  = 31 // sp of ARM64
)

// SP returns the stack pointer.
func (c *Context) SP() VA {
	switch c.Arch {
	case ProcessorARM64:
		return VA(c.R[RegSP64])
	case ProcessorARM:
		return VA(c.R[RegArmSP])
	}
	return VA(c.R[RegSP])
}

// FP returns the register that functions use for a frame pointer, if they have
// one: ebp, rbp, r11 or fp.
func (c *Context) FP() VA {
	switch c.Arch {
	case ProcessorARM64:
		return VA(c.R[RegFP64])
	case ProcessorARM:
		return VA(c.R[RegArmFP])
	}
	return VA(c.R[RegFP])
}

// maxContext bounds what is read of a context: the largest CONTEXT with the
// extended state of every feature that processors have today is below 16 KiB.
const maxContext = 1 << 16

// Context decodes the registers at a location: the ThreadContext of a [Thread]
// or an [Exception]. The error wraps [ErrNoContext] if there are none, and is a
// [*FormatError] if the bytes are no context of the dump's processor.
func (f *File) Context(l Location) (*Context, error) {
	if l.DataSize == 0 {
		return nil, ErrNoContext
	}
	if f.arch == ProcessorUnknown {
		if system, err := f.SystemInfo(); system == nil {
			return nil, err
		}
	}
	c := f.load(ThreadListStream, int64(l.RVA), int(min(l.DataSize, maxContext)))
	if c.err != nil {
		return nil, c.err
	}
	return decodeContext(f.arch, c)
}

// DecodeContext is [File.Context] for bytes from elsewhere, such as the memory
// of the process. An error's offset counts from the start of p.
func DecodeContext(arch ProcessorArchitecture, p []byte) (*Context, error) {
	return decodeContext(arch, &cursor{buf: p})
}

func decodeContext(arch ProcessorArchitecture, c *cursor) (*Context, error) {
	x := &Context{Arch: arch}
	switch arch {
	case ProcessorX86, 10:
		x.Arch = ProcessorX86
		c.contextX86(x)
	case ProcessorAMD64:
		c.contextAMD64(x)
	case ProcessorARM:
		c.contextARM(x)
	case ProcessorARM64, 0x8003:
		x.Arch = ProcessorARM64
		c.contextARM64(x)
	default:
		return nil, fmt.Errorf("%w: those of %s are not known", ErrNoContext, arch)
	}
	if c.err != nil {
		return nil, c.err
	}
	if x.Flags&ContextControl == 0 {
		return nil, fmt.Errorf("%w: they were saved without the instruction pointer (flags %#x)", ErrNoContext, uint32(x.Flags))
	}
	x.dropUnsaved()
	if c.left() > 0 {
		x.XState = c.rest()
	}
	return x, nil
}

// dropUnsaved clears what the flags do not claim: writers leave in it whatever
// was in their memory.
func (c *Context) dropUnsaved() {
	const (
		float, debug, extended = 0x8, 0x10, 0x20 // x86; AMD64 has no extended
		floatARM64             = 0x4
	)
	control := []int{RegSP}
	vector := ContextFlags(float)
	switch c.Arch {
	case ProcessorX86:
		control, vector = append(control, RegFP), extended
	case ProcessorARM:
		control = []int{RegArmSP, RegArmLR, 15}
	case ProcessorARM64:
		control, vector = []int{RegFP64, RegLR64, RegSP64}, floatARM64
	}
	if c.Flags&ContextInteger == 0 {
		all := c.R
		c.R = [32]uint64{}
		for _, n := range control {
			c.R[n] = all[n]
		}
	}
	if c.Flags&vector == 0 {
		c.Vector = [32][2]uint64{}
	}
	if c.Flags&debug == 0 {
		c.Debug = [6]uint64{}
	}
}

// kind checks that a context is what the processor of the dump has, and of no
// other processor too.
func (c *cursor) kind(flags, want ContextFlags, arch string) {
	const all = ContextX86 | ContextAMD64 | ContextARM | ContextARM64
	if c.err == nil && (flags&want == 0 || flags&all&^want != 0) {
		c.err = formatErrorf(c.stream, c.off, "registers that are none of %s: flags %#x", arch, uint32(flags))
	}
}

// contextX86 reads the CONTEXT of x86, 716 bytes.
func (c *cursor) contextX86(x *Context) {
	x.Flags = ContextFlags(c.u32())
	c.kind(x.Flags, ContextX86, "x86")
	for i := range x.Debug {
		x.Debug[i] = uint64(c.u32())
	}
	c.skip(112) // FloatSave
	const gs, fs, es, ds, ss = 4, 3, 2, 1, 5
	for _, i := range [...]int{gs, fs, es, ds} {
		x.Segments[i] = uint16(c.u32())
	}
	for _, i := range [...]int{7, 6, 3, 2, 1, 0, RegFP} {
		x.R[i] = uint64(c.u32())
	}
	x.PC = VA(c.u32())
	x.Segments[0] = uint16(c.u32())
	x.Status = c.u32()
	x.R[RegSP] = uint64(c.u32())
	x.Segments[ss] = uint16(c.u32())
	c.skip(160) // the head of FXSAVE
	for i := range 8 {
		x.Vector[i] = [2]uint64{c.u64(), c.u64()}
	}
	c.skip(512 - 160 - 8*16)
}

// contextAMD64 reads the CONTEXT of AMD64, 1232 bytes.
func (c *cursor) contextAMD64(x *Context) {
	c.skip(6 * 8) // P1Home to P6Home
	x.Flags = ContextFlags(c.u32())
	c.kind(x.Flags, ContextAMD64, "AMD64")
	c.skip(4) // MxCsr
	for i := range x.Segments {
		x.Segments[i] = c.u16()
	}
	x.Status = c.u32()
	for i := range x.Debug {
		x.Debug[i] = c.u64()
	}
	for i := range 16 {
		x.R[i] = c.u64()
	}
	x.PC = c.va()
	c.skip(160) // the head of FXSAVE
	for i := range 16 {
		x.Vector[i] = [2]uint64{c.u64(), c.u64()}
	}
	c.skip(512 - 160 - 16*16 + 26*16 + 6*8)
}

// contextARM reads the CONTEXT of ARM, 416 bytes, or Breakpad's of 368. Breakpad
// has no flag for pc and sp of their own: they are among the integers.
func (c *cursor) contextARM(x *Context) {
	x.Flags = ContextFlags(c.u32())
	c.kind(x.Flags, ContextARM|ContextBreakpadARM, "ARM")
	if x.Flags&(ContextARM|ContextInteger) == ContextInteger {
		x.Flags |= ContextControl
	}
	for i := range 16 {
		x.R[i] = uint64(c.u32())
	}
	x.PC = VA(x.R[15] &^ 1)
	x.Status = c.u32()
	if x.Flags&ContextARM != 0 {
		c.skip(416 - 72)
	} else {
		c.skip(368 - 72)
	}
}

// contextARM64 reads the CONTEXT of ARM64, 912 bytes, or Breakpad's former one
// of 796, which began with flags of 64 bits, for pc and sp none of their own.
func (c *cursor) contextARM64(x *Context) {
	x.Flags = ContextFlags(c.u32())
	c.kind(x.Flags, ContextARM64|contextBreakpad64, "ARM64")
	former := x.Flags&ContextARM64 == 0 // the high bits have other meanings in a CONTEXT
	if former {
		c.skip(4)
		if x.Flags&ContextInteger != 0 {
			x.Flags |= ContextControl
		}
	} else {
		x.Status = c.u32()
	}
	for i := range x.R {
		x.R[i] = c.u64()
	}
	x.PC = c.va()
	if former {
		x.Status = c.u32()
		c.skip(8)
	}
	for i := range x.Vector {
		x.Vector[i] = [2]uint64{c.u64(), c.u64()}
	}
	if !former {
		c.skip(912 - 0x310)
	}
}
