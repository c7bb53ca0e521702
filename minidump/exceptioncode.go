package minidump

import "fmt"

// An ExceptionCode says what kind of exception it was: an NTSTATUS on Windows,
// elsewhere what the writer of the dump put there, such as the number of a
// signal. [ExceptionCode.Name] knows the difference.
type ExceptionCode uint32

// The codes that say something about handles, and those met most.
const (
	StatusBreakpoint         ExceptionCode = 0x80000003 // also what a dump on demand has
	StatusAccessViolation    ExceptionCode = 0xc0000005
	StatusInvalidHandle      ExceptionCode = 0xc0000008 // a handle that is not open was closed or used, under a debugger or with strict checks
	StatusNoMemory           ExceptionCode = 0xc0000017
	StatusStackOverflow      ExceptionCode = 0xc00000fd
	StatusHandleNotClosable  ExceptionCode = 0xc0000235 // a protected handle was closed
	StatusHeapCorruption     ExceptionCode = 0xc0000374
	StatusStackBufferOverrun ExceptionCode = 0xc0000409 // also every __fastfail
)

// ntstatus are the names of codes that occur as exceptions, as ntstatus.h and
// winnt.h spell them, and in words those that compilers and run-time systems
// have made up. None is below 0x10000, where the signals of other systems are.
var ntstatus = map[ExceptionCode]string{
	0x40000005: "STATUS_SEGMENT_NOTIFICATION",
	0x40000015: "STATUS_FATAL_APP_EXIT",
	0x4000001e: "STATUS_WX86_SINGLE_STEP",
	0x4000001f: "STATUS_WX86_BREAKPOINT",
	0x40010003: "DBG_TERMINATE_THREAD",
	0x40010004: "DBG_TERMINATE_PROCESS",
	0x40010005: "DBG_CONTROL_C",
	0x40010006: "DBG_PRINTEXCEPTION_C",
	0x40010007: "DBG_RIPEXCEPTION",
	0x40010008: "DBG_CONTROL_BREAK",
	0x40010009: "DBG_COMMAND_EXCEPTION",
	0x4001000a: "DBG_PRINTEXCEPTION_WIDE_C",
	0x80000001: "STATUS_GUARD_PAGE_VIOLATION",
	0x80000002: "STATUS_DATATYPE_MISALIGNMENT",
	0x80000003: "STATUS_BREAKPOINT",
	0x80000004: "STATUS_SINGLE_STEP",
	0x80000007: "STATUS_WAKE_SYSTEM_DEBUGGER",
	0x80000026: "STATUS_LONGJUMP",
	0x80000029: "STATUS_UNWIND_CONSOLIDATE",
	0x80010001: "DBG_EXCEPTION_NOT_HANDLED",
	0xc0000005: "STATUS_ACCESS_VIOLATION",
	0xc0000006: "STATUS_IN_PAGE_ERROR",
	0xc0000008: "STATUS_INVALID_HANDLE",
	0xc000000d: "STATUS_INVALID_PARAMETER",
	0xc0000017: "STATUS_NO_MEMORY",
	0xc000001d: "STATUS_ILLEGAL_INSTRUCTION",
	0xc0000022: "STATUS_ACCESS_DENIED",
	0xc0000025: "STATUS_NONCONTINUABLE_EXCEPTION",
	0xc0000026: "STATUS_INVALID_DISPOSITION",
	0xc0000027: "STATUS_UNWIND",
	0xc0000028: "STATUS_BAD_STACK",
	0xc0000029: "STATUS_INVALID_UNWIND_TARGET",
	0xc000008c: "STATUS_ARRAY_BOUNDS_EXCEEDED",
	0xc000008d: "STATUS_FLOAT_DENORMAL_OPERAND",
	0xc000008e: "STATUS_FLOAT_DIVIDE_BY_ZERO",
	0xc000008f: "STATUS_FLOAT_INEXACT_RESULT",
	0xc0000090: "STATUS_FLOAT_INVALID_OPERATION",
	0xc0000091: "STATUS_FLOAT_OVERFLOW",
	0xc0000092: "STATUS_FLOAT_STACK_CHECK",
	0xc0000093: "STATUS_FLOAT_UNDERFLOW",
	0xc0000094: "STATUS_INTEGER_DIVIDE_BY_ZERO",
	0xc0000095: "STATUS_INTEGER_OVERFLOW",
	0xc0000096: "STATUS_PRIVILEGED_INSTRUCTION",
	0xc000009a: "STATUS_INSUFFICIENT_RESOURCES",
	0xc00000aa: "STATUS_INSTRUCTION_MISALIGNMENT",
	0xc00000fd: "STATUS_STACK_OVERFLOW",
	0xc0000135: "STATUS_DLL_NOT_FOUND",
	0xc0000138: "STATUS_ORDINAL_NOT_FOUND",
	0xc0000139: "STATUS_ENTRYPOINT_NOT_FOUND",
	0xc000013a: "STATUS_CONTROL_C_EXIT",
	0xc0000142: "STATUS_DLL_INIT_FAILED",
	0xc0000144: "STATUS_UNHANDLED_EXCEPTION",
	0xc0000194: "STATUS_POSSIBLE_DEADLOCK",
	0xc0000235: "STATUS_HANDLE_NOT_CLOSABLE",
	0xc00002b4: "STATUS_FLOAT_MULTIPLE_FAULTS",
	0xc00002b5: "STATUS_FLOAT_MULTIPLE_TRAPS",
	0xc00002c9: "STATUS_REG_NAT_CONSUMPTION",
	0xc0000374: "STATUS_HEAP_CORRUPTION",
	0xc0000409: "STATUS_STACK_BUFFER_OVERRUN",
	0xc0000417: "STATUS_INVALID_CRUNTIME_PARAMETER",
	0xc000041d: "STATUS_FATAL_USER_CALLBACK_EXCEPTION",
	0xc0000420: "STATUS_ASSERTION_FAILURE",
	0xc0000421: "STATUS_VERIFIER_STOP",
	0xc0000428: "STATUS_INVALID_IMAGE_HASH",
	0xc0000602: "STATUS_FAIL_FAST_EXCEPTION",
	0xc000070a: "STATUS_THREADPOOL_HANDLE_EXCEPTION",
	0xc000070b: "STATUS_THREADPOOL_SET_EVENT_ON_COMPLETION_FAILED",

	0x406d1388: "SetThreadName", // how Visual C++ gives a thread its name
	0xc06d007e: "delay load: module not found",
	0xc06d007f: "delay load: procedure not found",
	0xe0000008: "out of memory", // Chromium's allocators
	0xe0434352: "CLR exception", // "CCR"
	0xe0434f4d: "CLR exception", // "COM", before .NET 4
	0xe06d7363: "C++ exception", // "msc", of Visual C++
}

// String returns the name that the code has on Windows, as ntstatus.h spells
// it, such as "STATUS_ACCESS_VIOLATION", or a few words where only a run-time
// system knows the code ("C++ exception"); otherwise the code in hexadecimal,
// such as "0xdeadbea7". For dumps of other systems see [ExceptionCode.Name].
func (c ExceptionCode) String() string {
	if s, ok := ntstatus[c]; ok {
		return s
	}
	return fmt.Sprintf("%#x", uint32(c))
}

// Name is String for a dump of any system: the platform is that of its
// [SystemInfo]. Breakpad and Crashpad put the number of the signal there on
// Linux and Android, and the Mach exception on macOS and iOS: "SIGSEGV",
// "EXC_BAD_ACCESS". What is not known is in hexadecimal.
func (c ExceptionCode) Name(p PlatformID) string {
	var names []string
	switch p {
	case PlatformWindowsNT:
		return c.String()
	case PlatformLinux, PlatformAndroid:
		names = linuxSignals[:]
	case PlatformMacOS, PlatformIOS:
		names = machExceptions[:]
	}
	if uint64(c) < uint64(len(names)) && names[c] != "" {
		return names[c]
	}
	return fmt.Sprintf("%#x", uint32(c))
}

// linuxSignals are the signals of <signal.h> on x86 and ARM, by number.
var linuxSignals = [...]string{
	1: "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
	"SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
	"SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
}

// machExceptions are those of <mach/exception_types.h>, by number.
var machExceptions = [...]string{
	1: "EXC_BAD_ACCESS", "EXC_BAD_INSTRUCTION", "EXC_ARITHMETIC", "EXC_EMULATION", "EXC_SOFTWARE", "EXC_BREAKPOINT",
	"EXC_SYSCALL", "EXC_MACH_SYSCALL", "EXC_RPC_ALERT", "EXC_CRASH", "EXC_RESOURCE", "EXC_GUARD", "EXC_CORPSE_NOTIFY",
}
