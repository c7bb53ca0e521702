package analysis

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// An AccessKind says what a program tried to do with memory.
type AccessKind string

// The kinds that the first parameter of STATUS_ACCESS_VIOLATION and
// STATUS_IN_PAGE_ERROR tells apart (EXCEPTION_RECORD, winnt.h).
const (
	AccessRead    AccessKind = "read"
	AccessWrite   AccessKind = "write"
	AccessExecute AccessKind = "execute"
)

// A MemoryAccess is the access to memory that failed.
type MemoryAccess struct {
	Kind    AccessKind
	Address minidump.VA
}

const statusInPageError minidump.ExceptionCode = 0xc0000006

// windows reports whether the code and its parameters are those of Windows.
func (e *ExceptionFact) windows() bool { return e.Platform == minidump.PlatformWindowsNT }

// Access returns the access to memory that the exception is about; ok is false if
// it is about something else.
func (e *ExceptionFact) Access() (a MemoryAccess, ok bool) {
	known := e.ExceptionCode == minidump.StatusAccessViolation || e.ExceptionCode == statusInPageError
	if !known || !e.windows() || len(e.ExceptionInformation) < 2 {
		return a, false
	}
	kinds := map[uint64]AccessKind{0: AccessRead, 1: AccessWrite, 8: AccessExecute}
	kind, ok := kinds[e.ExceptionInformation[0]]
	return MemoryAccess{kind, minidump.VA(e.ExceptionInformation[1])}, ok
}

// Meaning says in words what the parameters mean, as WinDbg does: "attempt to
// read from address 0x4". It is "" where that is not known.
func (e *ExceptionFact) Meaning() string {
	if !e.windows() {
		return ""
	}
	if a, ok := e.Access(); ok {
		return e.access(a)
	}
	if e.ExceptionCode == minidump.StatusStackBufferOverrun && len(e.ExceptionInformation) > 0 {
		code := e.ExceptionInformation[0]
		if name, ok := fastFail[code]; ok {
			return fmt.Sprintf("subcode %s (%s)", words.Hex(code), name)
		}
		return "subcode " + words.Hex(code)
	}
	return ""
}

func (e *ExceptionFact) access(a MemoryAccess) string {
	var s string
	switch a.Kind {
	case AccessRead:
		s = "attempt to read from address " + words.Hex(a.Address)
	case AccessWrite:
		s = "attempt to write to address " + words.Hex(a.Address)
	default:
		s = "attempt to execute non-executable address " + words.Hex(a.Address)
	}
	if e.ExceptionCode == statusInPageError && len(e.ExceptionInformation) > 2 {
		status := minidump.ExceptionCode(e.ExceptionInformation[2])
		s += fmt.Sprintf(", whose page could not be read: %s", status)
	}
	return s
}

// fastFail are the codes of __fastfail (FAST_FAIL_* of winnt.h), the first
// parameter of STATUS_STACK_BUFFER_OVERRUN.
var fastFail = map[uint64]string{
	0: "FAST_FAIL_LEGACY_GS_VIOLATION", 1: "FAST_FAIL_VTGUARD_CHECK_FAILURE", 2: "FAST_FAIL_STACK_COOKIE_CHECK_FAILURE",
	3: "FAST_FAIL_CORRUPT_LIST_ENTRY", 4: "FAST_FAIL_INCORRECT_STACK", 5: "FAST_FAIL_INVALID_ARG",
	6: "FAST_FAIL_GS_COOKIE_INIT", 7: "FAST_FAIL_FATAL_APP_EXIT", 8: "FAST_FAIL_RANGE_CHECK_FAILURE",
	9: "FAST_FAIL_UNSAFE_REGISTRY_ACCESS", 10: "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE", 11: "FAST_FAIL_GUARD_WRITE_CHECK_FAILURE",
	12: "FAST_FAIL_INVALID_FIBER_SWITCH", 13: "FAST_FAIL_INVALID_SET_OF_CONTEXT", 14: "FAST_FAIL_INVALID_REFERENCE_COUNT",
	18: "FAST_FAIL_INVALID_JUMP_BUFFER", 19: "FAST_FAIL_MRDATA_MODIFIED", 20: "FAST_FAIL_CERTIFICATION_FAILURE",
	21: "FAST_FAIL_INVALID_EXCEPTION_CHAIN", 22: "FAST_FAIL_CRYPTO_LIBRARY", 23: "FAST_FAIL_INVALID_CALL_IN_DLL_CALLOUT",
	24: "FAST_FAIL_INVALID_IMAGE_BASE", 25: "FAST_FAIL_DLOAD_PROTECTION_FAILURE", 26: "FAST_FAIL_UNSAFE_EXTENSION_CALL",
	27: "FAST_FAIL_DEPRECATED_SERVICE_INVOKED", 28: "FAST_FAIL_INVALID_BUFFER_ACCESS", 29: "FAST_FAIL_INVALID_BALANCED_TREE",
	30: "FAST_FAIL_INVALID_NEXT_THREAD", 31: "FAST_FAIL_GUARD_ICALL_CHECK_SUPPRESSED", 32: "FAST_FAIL_APCS_DISABLED",
	33: "FAST_FAIL_INVALID_IDLE_STATE", 34: "FAST_FAIL_MRDATA_PROTECTION_FAILURE", 35: "FAST_FAIL_UNEXPECTED_HEAP_EXCEPTION",
	36: "FAST_FAIL_INVALID_LOCK_STATE", 37: "FAST_FAIL_GUARD_JUMPTABLE", 38: "FAST_FAIL_INVALID_LONGJUMP_TARGET",
	39: "FAST_FAIL_INVALID_DISPATCH_CONTEXT", 40: "FAST_FAIL_INVALID_THREAD", 41: "FAST_FAIL_INVALID_SYSCALL_NUMBER",
	42: "FAST_FAIL_INVALID_FILE_OPERATION", 43: "FAST_FAIL_LPAC_ACCESS_DENIED", 44: "FAST_FAIL_GUARD_SS_FAILURE",
	45: "FAST_FAIL_LOADER_CONTINUITY_FAILURE", 46: "FAST_FAIL_GUARD_EXPORT_SUPPRESSION_FAILURE", 47: "FAST_FAIL_INVALID_CONTROL_STACK",
	48: "FAST_FAIL_SET_CONTEXT_DENIED", 49: "FAST_FAIL_INVALID_IAT", 50: "FAST_FAIL_HEAP_METADATA_CORRUPTION",
	51: "FAST_FAIL_PAYLOAD_RESTRICTION_VIOLATION", 52: "FAST_FAIL_LOW_LABEL_ACCESS_DENIED", 53: "FAST_FAIL_ENCLAVE_CALL_FAILURE",
	54: "FAST_FAIL_UNHANDLED_LSS_EXCEPTON", 55: "FAST_FAIL_ADMINLESS_ACCESS_DENIED", 56: "FAST_FAIL_UNEXPECTED_CALL",
	57: "FAST_FAIL_CONTROL_INVALID_RETURN_ADDRESS", 58: "FAST_FAIL_UNEXPECTED_HOST_BEHAVIOR", 59: "FAST_FAIL_FLAGS_CORRUPTION",
	60: "FAST_FAIL_VEH_CORRUPTION", 61: "FAST_FAIL_ETW_CORRUPTION", 62: "FAST_FAIL_RIO_ABORT", 63: "FAST_FAIL_INVALID_PFN",
	64: "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE_XFG", 65: "FAST_FAIL_CAST_GUARD", 66: "FAST_FAIL_HOST_VISIBILITY_CHANGE",
	67: "FAST_FAIL_KERNEL_CET_SHADOW_STACK_ASSIST", 68: "FAST_FAIL_PATCH_CALLBACK_FAILED", 69: "FAST_FAIL_NTDLL_PATCH_FAILED",
	70: "FAST_FAIL_INVALID_FLS_DATA",
}
