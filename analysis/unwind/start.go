package unwind

import (
	"bytes"

	"github.com/dumpscan/dumpscan/minidump"
)

// start returns where the function of a frame begins, 0 if that is not known. The
// nearest export below an address is the name of its function only if that is
// where the function begins.
func (u *Unwinder) start(f Frame) minidump.VA {
	switch u.arch {
	case minidump.ProcessorAMD64:
		a := u.amd64()
		switch fn := a.function(f.Lookup()); fn.coverage {
		case hasEntry:
			if rva, ok := a.primary(fn.base, fn.entry); ok {
				return fn.base + minidump.VA(rva)
			}
		case noEntry:
			return u.systemCall(f.PC, amd64Stub)
		}
	case minidump.ProcessorX86:
		return u.systemCall(f.PC, x86Stub)
	case minidump.ProcessorARM64:
		return u.arm64().start(f)
	case minidump.ProcessorARM:
		return u.arm32().start(f)
	}
	return 0
}

// longestStub is how far behind the start of a system call's stub a thread stands
// that waits for the call, in bytes.
const longestStub = 0x28

// The first bytes of the stubs by which ntdll and win32u make system calls, as far
// as all have them: "mov r10, rcx; mov eax, N" and "mov eax, N; mov edx, ...". N
// is below 65536.
func amd64Stub(p []byte) bool {
	return len(p) > 8 && bytes.HasPrefix(p, []byte{0x4c, 0x8b, 0xd1, 0xb8}) && p[6] == 0 && p[7] == 0
}

func x86Stub(p []byte) bool {
	return len(p) > 8 && p[0] == 0xb8 && p[3] == 0 && p[4] == 0 && (p[5] == 0xba || p[5] == 0xe8)
}

// systemCall returns where the stub begins in which a thread waits for a system
// call to return; 0 if it is in none.
func (u *Unwinder) systemCall(pc minidump.VA, begins func([]byte) bool) minidump.VA {
	if _, ok := u.modules.Find(pc); !ok {
		return 0
	}
	code := make([]byte, longestStub)
	if !readFull(u.code, code, pc-longestStub) {
		return 0
	}
	for n := len(code) - 8; n > 0; n-- { // the nearest one
		if begins(code[n:]) {
			return pc - longestStub + minidump.VA(n)
		}
	}
	return 0
}
