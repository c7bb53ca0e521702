package analysis

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// An ExceptionFact is the exception that a dump was written for, in words.
type ExceptionFact struct {
	minidump.Exception
	Platform minidump.PlatformID // whose codes these are
	Name     string              // of the code: "STATUS_ACCESS_VIOLATION", "SIGSEGV"; a number if it has none
	Module   string              // that ExceptionAddress lies in; "" if in none
	Offset   uint64              // from the base of the module
}

// ReadException returns the exception of a dump, or nil if it has none, as one
// that was taken of a running process. modules are those of the dump, as far as
// they could be read.
func ReadException(f *minidump.File, modules []minidump.Module) (*ExceptionFact, error) {
	e, err := f.Exception()
	if errors.Is(err, minidump.ErrNoStream) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	platform := minidump.PlatformWindowsNT
	if s, err := f.SystemInfo(); err == nil {
		platform = s.PlatformID
	}
	fact := &ExceptionFact{Exception: *e, Platform: platform, Name: e.ExceptionCode.Name(platform)}
	for i := range modules {
		if m := &modules[i]; e.ExceptionAddress >= m.BaseOfImage && e.ExceptionAddress < m.End() {
			fact.Module, fact.Offset = m.Name(), uint64(e.ExceptionAddress-m.BaseOfImage)
			break
		}
	}
	return fact, nil
}

// Place names the address: "ntdll+0x1f", or the address alone outside all
// modules.
func (e *ExceptionFact) Place() string {
	return cmp.Or(e.inModule(), words.Hex(e.ExceptionAddress))
}

func (e *ExceptionFact) inModule() string {
	if e.Module == "" {
		return ""
	}
	return words.InModule(e.Module, e.Offset)
}

// String returns "STATUS_INVALID_HANDLE (0xc0000008) in thread 0x1a2b at
// ntdll+0x1f (0x7ff812340000)".
func (e *ExceptionFact) String() string {
	s := e.Name
	if code := words.Hex(e.ExceptionCode); code != e.Name {
		s += " (" + code + ")"
	}
	s += fmt.Sprintf(" in thread %d (%s) at %s", e.ThreadID, words.Hex(e.ThreadID), e.Place())
	if e.Module != "" {
		s += " (" + words.Hex(e.ExceptionAddress) + ")"
	}
	return s
}
