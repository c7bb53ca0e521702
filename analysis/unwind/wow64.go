package unwind

import "github.com/dumpscan/dumpscan/minidump"

// A half32 unwinds the 32-bit code of the threads of a WOW64 process.
type half32 struct {
	*Unwinder                  // of x86
	captured  *minidump.Memory // nil if there is no such code
}

func (u *Unwinder) half32(f *minidump.File) half32 {
	if !f.WOW64() || u.arch != minidump.ProcessorAMD64 {
		return half32{}
	}
	memory, _ := f.Memory()
	if memory == nil {
		return half32{}
	}
	calls := *u.calls
	calls.Arch = minidump.ProcessorX86
	return half32{
		captured: memory,
		Unwinder: &Unwinder{
			arch: minidump.ProcessorX86, memory: u.memory, code: u.code, modules: u.modules, session: u.session, runtime: u.runtime,
			calls: &calls, limit: u.limit, step: steppers[minidump.ProcessorX86],
		},
	}
}

// context returns the registers with which a thread left its 32-bit code.
func (h half32) context(t *minidump.Thread) (*minidump.Context, error) {
	if h.captured == nil {
		return nil, minidump.ErrNoContext
	}
	return h.captured.WOW64Context(t)
}
