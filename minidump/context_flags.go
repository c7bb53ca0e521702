package minidump

import "fmt"

// ContextFlags say which parts of a [Context] its writer has filled in, and of
// which processor it is (CONTEXT_* of winnt.h). The low byte has the parts,
// whose order differs between processors.
type ContextFlags uint32

// The parts that all processors have, and the bits by which a context says what
// it is of.
const (
	ContextControl ContextFlags = 0x1 // PC, SP, and FP on x86
	ContextInteger ContextFlags = 0x2

	ContextX86         ContextFlags = 0x0001_0000
	ContextAMD64       ContextFlags = 0x0010_0000
	ContextARM         ContextFlags = 0x0020_0000
	ContextARM64       ContextFlags = 0x0040_0000
	ContextBreakpadARM ContextFlags = 0x4000_0000 // Breakpad's layout for 32-bit ARM
	contextBreakpad64  ContextFlags = 0x8000_0000 // Breakpad's former layout for ARM64
)

// contextParts are the names of the parts of each processor, by their bits.
var contextParts = map[ContextFlags][]string{
	ContextX86: {
		"CONTROL", "INTEGER", "SEGMENTS", "FLOATING_POINT", "DEBUG_REGISTERS", "EXTENDED_REGISTERS", "XSTATE",
		27: "EXCEPTION_ACTIVE", "SERVICE_ACTIVE", "", "EXCEPTION_REQUEST", "EXCEPTION_REPORTING",
	},
	ContextAMD64: {
		"CONTROL", "INTEGER", "SEGMENTS", "FLOATING_POINT", "DEBUG_REGISTERS", "", "XSTATE", "KERNEL_CET",
		27: "EXCEPTION_ACTIVE", "SERVICE_ACTIVE", "UNWOUND_TO_CALL", "EXCEPTION_REQUEST", "EXCEPTION_REPORTING",
	},
	ContextARM: {
		"CONTROL", "INTEGER", "FLOATING_POINT", "DEBUG_REGISTERS",
		27: "EXCEPTION_ACTIVE", "SERVICE_ACTIVE", "UNWOUND_TO_CALL", "EXCEPTION_REQUEST", "EXCEPTION_REPORTING",
	},
	ContextARM64: {
		"CONTROL", "INTEGER", "FLOATING_POINT", "DEBUG_REGISTERS", "X18",
		27: "EXCEPTION_ACTIVE", "SERVICE_ACTIVE", "UNWOUND_TO_CALL", "EXCEPTION_REQUEST", "EXCEPTION_REPORTING",
	},
	ContextBreakpadARM: {"CONTROL", "INTEGER", "FLOATING_POINT"},
	contextBreakpad64:  {"CONTROL", "INTEGER", "FLOATING_POINT"},
}

// String returns the processor and the names in winnt.h of the parts, without
// their prefix, for example "CONTEXT_AMD64: CONTROL|INTEGER". Bits without a name
// come last, as one hexadecimal number.
func (f ContextFlags) String() string {
	for _, p := range []struct {
		bit  ContextFlags
		name string
	}{
		{ContextAMD64, "CONTEXT_AMD64"}, {ContextX86, "CONTEXT_i386"}, {ContextARM64, "CONTEXT_ARM64"}, {ContextARM, "CONTEXT_ARM"},
		{contextBreakpad64, "MD_CONTEXT_ARM64_OLD"}, {ContextBreakpadARM, "MD_CONTEXT_ARM"},
	} {
		if f&p.bit != 0 {
			return p.name + ": " + bitString(uint64(f&^p.bit), contextParts[p.bit])
		}
	}
	return fmt.Sprintf("ContextFlags(%#x)", uint32(f))
}
