package minidump

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Reader reads the n bytes of the process at va, one after the other or
// anywhere among them; offsets count from va. A read that meets a byte which was
// not captured returns what is before it, with an error that wraps
// [ErrNotCaptured] and says the address. The bytes end with the address space
// if that is before n.
func (m *Memory) Reader(va VA, n uint64) *io.SectionReader {
	if left := -uint64(va); va != 0 {
		n = min(n, left)
	}
	return io.NewSectionReader(memoryAt{m, va}, 0, int64(min(n, math.MaxInt64)))
}

// memoryAt is captured memory from an address on.
type memoryAt struct {
	m  *Memory
	va VA
}

func (r memoryAt) ReadAt(p []byte, off int64) (int, error) { return r.m.ReadAt(p, r.va+VA(off)) }

// ErrNoModule is wrapped by the error of [File.ModuleAt] for an address that is
// in no module.
var ErrNoModule = errors.New("no module at this address")

// ModuleAt returns the module that holds an address, the first in the order of
// the file. It reads the list, but of the names only that of the module. Whoever
// has many addresses calls [File.Modules] once. An error with a module says that
// its name or its CodeView record could not be read.
func (f *File) ModuleAt(va VA) (*Module, error) {
	t, err := f.listTable(ModuleListStream, moduleSize, "modules")
	if err != nil {
		return nil, err
	}
	var found *Module
	var first error
	f.blocks(t, func(block []byte, size int, lost error) bool {
		if lost != nil {
			first = lost
			return true
		}
		for ; len(block) > 0; block = block[size:] {
			c := &cursor{buf: block[:size]}
			if base, n := c.va(), c.u32(); va-base >= VA(n) { // which is the case below base, too
				continue
			}
			c.pos = 0
			m, err := (&nameReader{f: f, stream: ModuleListStream}).module(c)
			found, first = &m, err
			return false
		}
		return true
	})
	switch {
	case found != nil:
		return found, first
	case first == nil:
		_, first = t.count(f.size)
	}
	return nil, JoinErrors(fmt.Errorf("%w: %s", ErrNoModule, va), first)
}
