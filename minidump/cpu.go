package minidump

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// CPUInformation is the union at the end of a [SystemInfo], whose meaning
// depends on the processor and on the writer (CPU_INFORMATION, 24 bytes).
// What a shorter stream does not have is zero.
type CPUInformation [24]byte

// An X86CPU describes a processor by what its CPUID instruction answers.
type X86CPU struct {
	VendorID               string // for example "GenuineIntel"
	VersionInformation     uint32 // EAX of leaf 1: stepping, model and family
	FeatureInformation     uint32 // EDX of leaf 1
	AMDExtendedCPUFeatures uint32 // EDX of leaf 0x80000001
}

// X86 decodes the form that all writers have for x86, and Breakpad on Linux for
// AMD64 too. ok is false if the bytes do not begin with the name of a vendor,
// which is text.
func (i CPUInformation) X86() (cpu X86CPU, ok bool) {
	vendor := i[:12]
	for _, c := range bytes.TrimRight(vendor, "\x00") {
		if c < ' ' || c > '~' {
			return cpu, false
		}
	}
	if vendor[0] == 0 {
		return cpu, false
	}
	return X86CPU{
		VendorID:               strings.TrimRight(string(vendor), "\x00"),
		VersionInformation:     binary.LittleEndian.Uint32(i[12:]),
		FeatureInformation:     binary.LittleEndian.Uint32(i[16:]),
		AMDExtendedCPUFeatures: binary.LittleEndian.Uint32(i[20:]),
	}, true
}

// ProcessorFeatures decodes the form for all other processors: a bit for each
// PF_* of winnt.h, by its number.
func (i CPUInformation) ProcessorFeatures() ProcessorFeatures {
	return ProcessorFeatures{binary.LittleEndian.Uint64(i[:]), binary.LittleEndian.Uint64(i[8:])}
}

// ProcessorFeatures are what a processor can do, as IsProcessorFeaturePresent
// of Windows says it: bit n of the first word is the feature n, the second word
// begins with 64.
type ProcessorFeatures [2]uint64

// Has reports whether a feature is present, by its number.
func (f ProcessorFeatures) Has(feature int) bool {
	return feature >= 0 && feature < 128 && f[feature/64]>>(feature%64)&1 != 0
}

// Names returns the names in winnt.h of the features that are present, in
// ascending order. Those without a name come last, as hexadecimal numbers.
func (f ProcessorFeatures) Names() []string {
	return append(bitNames(f[0], featureNames[:]), bitNames(f[1], nil)...)
}

var featureNames = [...]string{
	"PF_FLOATING_POINT_PRECISION_ERRATA", "PF_FLOATING_POINT_EMULATED", "PF_COMPARE_EXCHANGE_DOUBLE", "PF_MMX_INSTRUCTIONS_AVAILABLE",
	"PF_PPC_MOVEMEM_64BIT_OK", "PF_ALPHA_BYTE_INSTRUCTIONS", "PF_XMMI_INSTRUCTIONS_AVAILABLE", "PF_3DNOW_INSTRUCTIONS_AVAILABLE",
	"PF_RDTSC_INSTRUCTION_AVAILABLE", "PF_PAE_ENABLED", "PF_XMMI64_INSTRUCTIONS_AVAILABLE", "PF_SSE_DAZ_MODE_AVAILABLE",
	"PF_NX_ENABLED", "PF_SSE3_INSTRUCTIONS_AVAILABLE", "PF_COMPARE_EXCHANGE128", "PF_COMPARE64_EXCHANGE128",
	"PF_CHANNELS_ENABLED", "PF_XSAVE_ENABLED", "PF_ARM_VFP_32_REGISTERS_AVAILABLE", "PF_ARM_NEON_INSTRUCTIONS_AVAILABLE",
	"PF_SECOND_LEVEL_ADDRESS_TRANSLATION", "PF_VIRT_FIRMWARE_ENABLED", "PF_RDWRFSGSBASE_AVAILABLE", "PF_FASTFAIL_AVAILABLE",
	"PF_ARM_DIVIDE_INSTRUCTION_AVAILABLE", "PF_ARM_64BIT_LOADSTORE_ATOMIC", "PF_ARM_EXTERNAL_CACHE_AVAILABLE", "PF_ARM_FMAC_INSTRUCTIONS_AVAILABLE",
	"PF_RDRAND_INSTRUCTION_AVAILABLE", "PF_ARM_V8_INSTRUCTIONS_AVAILABLE", "PF_ARM_V8_CRYPTO_INSTRUCTIONS_AVAILABLE", "PF_ARM_V8_CRC32_INSTRUCTIONS_AVAILABLE",
	"PF_RDTSCP_INSTRUCTION_AVAILABLE", "PF_RDPID_INSTRUCTION_AVAILABLE", "PF_ARM_V81_ATOMIC_INSTRUCTIONS_AVAILABLE", "PF_MONITORX_INSTRUCTION_AVAILABLE",
	"PF_SSSE3_INSTRUCTIONS_AVAILABLE", "PF_SSE4_1_INSTRUCTIONS_AVAILABLE", "PF_SSE4_2_INSTRUCTIONS_AVAILABLE", "PF_AVX_INSTRUCTIONS_AVAILABLE",
	"PF_AVX2_INSTRUCTIONS_AVAILABLE", "PF_AVX512F_INSTRUCTIONS_AVAILABLE", "PF_ERMS_AVAILABLE", "PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE",
	"PF_ARM_V83_JSCVT_INSTRUCTIONS_AVAILABLE", "PF_ARM_V83_LRCPC_INSTRUCTIONS_AVAILABLE",
}

// A SuiteMask says which products of Windows are installed (VER_SUITE_* of
// winnt.h).
type SuiteMask uint16

var suiteNames = [...]string{
	"VER_SUITE_SMALLBUSINESS", "VER_SUITE_ENTERPRISE", "VER_SUITE_BACKOFFICE", "VER_SUITE_COMMUNICATIONS",
	"VER_SUITE_TERMINAL", "VER_SUITE_SMALLBUSINESS_RESTRICTED", "VER_SUITE_EMBEDDEDNT", "VER_SUITE_DATACENTER",
	"VER_SUITE_SINGLEUSERTS", "VER_SUITE_PERSONAL", "VER_SUITE_BLADE", "VER_SUITE_EMBEDDED_RESTRICTED",
	"VER_SUITE_SECURITY_APPLIANCE", "VER_SUITE_STORAGE_SERVER", "VER_SUITE_COMPUTE_SERVER", "VER_SUITE_WH_SERVER",
}

// The suites that the first lines of WinDbg name.
const (
	SuiteTerminal     SuiteMask = 0x10
	SuiteDataCenter   SuiteMask = 0x80
	SuiteSingleUserTS SuiteMask = 0x100
)

// String returns the names in winnt.h, joined by "|"; none is "0".
func (m SuiteMask) String() string { return bitString(uint64(m), suiteNames[:]) }
