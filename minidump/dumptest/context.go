package dumptest

import "encoding/binary"

// Registers are the registers of a thread. Each of the methods writes them as
// the CONTEXT of one processor, with what follows it; fields that it has no
// place for are left out.
type Registers struct {
	Flags uint32 // ContextFlags; 0 means those of the processor and of all parts
	PC    uint64

	// R are the general registers by the number that instructions give them: eax,
	// ecx, edx, ebx, esp, ebp, esi, edi, r8 to r15; r0 to r15 of ARM but for pc;
	// x0 to x30 and sp of ARM64.
	R        [32]uint64
	Status   uint32    // EFlags or Cpsr
	Segments [6]uint16 // cs, ds, es, fs, gs, ss
	Debug    [6]uint64 // dr0 to dr3, dr6, dr7
	Vector   [32][2]uint64
	// Trailer follows the CONTEXT: XSAVE data. Its writers leave it without
	// alignment; 175 bytes behind AMD64 and 431 behind x86 were seen.
	Trailer []byte
}

// contextBytes are a CONTEXT whose fields are put at their offsets.
type contextBytes []byte

func (b contextBytes) put16(at int, v uint16) { binary.LittleEndian.PutUint16(b[at:], v) }
func (b contextBytes) put32(at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
func (b contextBytes) put64(at int, v uint64) { binary.LittleEndian.PutUint64(b[at:], v) }

func (b contextBytes) vectors(at int, v [][2]uint64) {
	for i, half := range v {
		b.put64(at+16*i, half[0])
		b.put64(at+16*i+8, half[1])
	}
}

// X86 is an x86 CONTEXT of 716 bytes.
func (r Registers) X86() []byte {
	b := make(contextBytes, 716)
	b.put32(0, or(r.Flags, 0x1003f))
	for i, at := range []int{4, 8, 0xc, 0x10, 0x14, 0x18} {
		b.put32(at, uint32(r.Debug[i]))
	}
	for i, at := range []int{0xbc, 0x98, 0x94, 0x90, 0x8c, 0xc8} { // cs, ds, es, fs, gs, ss
		b.put32(at, uint32(r.Segments[i]))
	}
	for i, at := range []int{0xb0, 0xac, 0xa8, 0xa4, 0xc4, 0xb4, 0xa0, 0x9c} { // eax to edi
		b.put32(at, uint32(r.R[i]))
	}
	b.put32(0xb8, uint32(r.PC))
	b.put32(0xc0, r.Status)
	b.vectors(0xcc+160, r.Vector[:8])
	return append(b, r.Trailer...)
}

// AMD64 is an AMD64 CONTEXT of 1232 bytes.
func (r Registers) AMD64() []byte {
	b := make(contextBytes, 1232)
	b.put32(0x30, or(r.Flags, 0x10001f))
	for i, at := range []int{0x38, 0x3a, 0x3c, 0x3e, 0x40, 0x42} {
		b.put16(at, r.Segments[i])
	}
	b.put32(0x44, r.Status)
	for i := range r.Debug {
		b.put64(0x48+8*i, r.Debug[i])
	}
	for i := range 16 {
		b.put64(0x78+8*i, r.R[i])
	}
	b.put64(0xf8, r.PC)
	b.vectors(0x1a0, r.Vector[:16])
	return append(b, r.Trailer...)
}

// ARM is an ARM CONTEXT of 416 bytes, as Windows has it.
func (r Registers) ARM() []byte { return r.arm(416, 0x20000f) }

// BreakpadARM is the context of 368 bytes that Breakpad writes for ARM.
func (r Registers) BreakpadARM() []byte { return r.arm(368, 0x40000006) }

func (r Registers) arm(size int, flags uint32) []byte {
	b := make(contextBytes, size)
	b.put32(0, or(r.Flags, flags))
	for i := range 15 {
		b.put32(4+4*i, uint32(r.R[i]))
	}
	b.put32(0x40, uint32(r.PC))
	b.put32(0x44, r.Status)
	return append(b, r.Trailer...)
}

// ARM64 is an ARM64 CONTEXT of 912 bytes.
func (r Registers) ARM64() []byte {
	b := make(contextBytes, 912)
	b.put32(0, or(r.Flags, 0x40001f))
	b.put32(4, r.Status)
	for i, v := range r.R {
		b.put64(8+8*i, v)
	}
	b.put64(0x108, r.PC)
	b.vectors(0x110, r.Vector[:])
	return append(b, r.Trailer...)
}

// BreakpadARM64 is the context of 796 bytes that Breakpad calls its old one for
// ARM64. It goes with the architecture [ArchBreakpadARM64].
func (r Registers) BreakpadARM64() []byte {
	b := make(contextBytes, 796)
	b.put64(0, uint64(or(r.Flags, 0x80000006)))
	for i, v := range r.R {
		b.put64(8+8*i, v)
	}
	b.put64(0x108, r.PC)
	b.put32(0x110, r.Status)
	b.vectors(0x11c, r.Vector[:])
	return append(b, r.Trailer...)
}

// ContextX86 is [Registers.X86] with the registers that a stack walk starts
// from.
func ContextX86(eip, esp, ebp uint32) []byte {
	return Registers{PC: uint64(eip), R: [32]uint64{4: uint64(esp), 5: uint64(ebp)}}.X86()
}

// ContextAMD64 is the same for AMD64.
func ContextAMD64(rip, rsp, rbp uint64) []byte {
	return Registers{PC: rip, R: [32]uint64{4: rsp, 5: rbp}}.AMD64()
}

// ContextARM64 is the same for ARM64.
func ContextARM64(pc, sp, fp, lr uint64) []byte {
	return Registers{PC: pc, R: [32]uint64{29: fp, 30: lr, 31: sp}}.ARM64()
}
