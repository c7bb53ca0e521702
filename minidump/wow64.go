package minidump

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A 32-bit process of a 64-bit Windows that a 64-bit debugger has dumped is a
// process of AMD64 to the dump: the registers of its threads are those of the
// code that translates between the two. The 32-bit ones lie in its memory.

// Where WOW64 keeps the registers of a thread: slot WOW64_TLS_CPURESERVED of
// the TlsSlots of the 64-bit TEB leads to a WOW64_CPURESERVED, which is two
// numbers of 16 bits and the CONTEXT.
const (
	tebTLSSlots64       = 0x1480
	wow64TLSCPUReserved = 1
	cpuReservedHeader   = 4
	contextX86Size      = 716
)

// WOW64 reports whether the dump is of a 32-bit process of a 64-bit Windows as
// a 64-bit debugger sees it, by its architecture and its modules.
func (f *File) WOW64() bool {
	if f.PointerSize() != 8 {
		return false
	}
	modules, _ := f.Modules() // those that can be read
	for i := range modules {
		if strings.EqualFold(modules[i].BaseName(), "wow64.dll") {
			return true
		}
	}
	return false
}

func (f *File) hasX86() bool {
	system, _ := f.SystemInfo() // an error may only be about the name of the service pack
	return system != nil && system.ProcessorArchitecture == ProcessorAMD64 && f.WOW64()
}

// WOW64Context decodes the 32-bit registers of a thread of a [File.WOW64]
// process, as they were when the thread last left 32-bit code (the CONTEXT in
// WOW64_CPURESERVED, by way of the TlsSlots of the 64-bit TEB; both are in
// winternl.h). The processor must be an AMD64. The error wraps [ErrNoContext] if
// the process or the thread has no 32-bit half, and [ErrNotCaptured] if the dump
// does not hold the memory.
func (m *Memory) WOW64Context(t *Thread) (*Context, error) {
	if !m.hasX86() {
		return nil, fmt.Errorf("%w of x86: the process is none of WOW64 on AMD64", ErrNoContext)
	}
	var slot [8]byte
	if _, err := m.ReadAt(slot[:], t.Teb+tebTLSSlots64+8*wow64TLSCPUReserved); err != nil {
		return nil, fmt.Errorf("the TLS slots in the TEB at %s: %w", t.Teb, err)
	}
	at := VA(binary.LittleEndian.Uint64(slot[:]))
	if at == 0 {
		return nil, fmt.Errorf("%w of x86: the thread has not begun to run 32-bit code", ErrNoContext)
	}
	p := make([]byte, contextX86Size)
	if _, err := m.ReadAt(p, at+cpuReservedHeader); err != nil {
		return nil, fmt.Errorf("the 32-bit registers at %s: %w", at+cpuReservedHeader, err)
	}
	return DecodeContext(ProcessorX86, p)
}
