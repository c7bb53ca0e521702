package analysis

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Loader is the loader's list of the modules of a process (PEB_LDR_DATA of
// winternl.h).
type Loader struct {
	Address     minidump.VA
	Initialized bool
	// The heads of its three lists, which hold the same modules but for those
	// that have no initialisation.
	InLoadOrder, InMemoryOrder, InInitializationOrder ListEntry

	Modules []LoadedModule // in the order of loading
}

// A LoadedModule is an entry of a [Loader] (LDR_DATA_TABLE_ENTRY of winternl.h).
type LoadedModule struct {
	Address       minidump.VA // of the entry
	Base          minidump.VA
	EntryPoint    minidump.VA
	SizeOfImage   uint32  // bytes
	Path          *string // nil if it was not captured
	TimeDateStamp uint32  // of the linker: seconds since 1970 UTC, or a hash
}

// Where the structures have their fields: see winternl.h.
var (
	ldrInitialized = field{0x04, 0x04}
	ldrLoad        = field{0x0c, 0x10}
	ldrMemory      = field{0x14, 0x20}
	ldrInit        = field{0x1c, 0x30}
	ldrEnd         = field{0x24, 0x40}

	entryLinks     = field{0x00, 0x00}
	entryBase      = field{0x18, 0x30}
	entryPoint     = field{0x1c, 0x38}
	entrySize      = field{0x20, 0x40}
	entryPath      = field{0x24, 0x48}
	entryTimestamp = field{0x44, 0x80}
	entryEnd       = field{0x48, 0x84}
)

// readLoader reads the loader's list of modules.
func (m *processMemory) readLoader(p *PEB) {
	const what = "the loader's list of modules"
	if p.Ldr == 0 {
		return
	}
	s, err := m.structure("PEB_LDR_DATA", p.Ldr, p.PointerSize, ldrEnd)
	if err != nil {
		p.lose(what, err)
		return
	}
	l := &Loader{
		Address: p.Ldr, Initialized: s.bool8(ldrInitialized),
		InLoadOrder: s.list(ldrLoad), InMemoryOrder: s.list(ldrMemory), InInitializationOrder: s.list(ldrInit),
	}
	p.lose(what, s.err())
	p.Loader = l
	if s.lost {
		return
	}
	err = m.walkModules(l, p.PointerSize)
	if n := len(l.Modules); n > 0 {
		p.lose(what+" behind its first "+words.Plural(n, "entry"), err)
	} else {
		p.lose(what, err)
	}
}

// walkModules follows the list in load order from entry to entry until it is
// back at its head.
func (m *processMemory) walkModules(l *Loader, pointer int) error {
	head := l.Address + minidump.VA(ldrLoad.of(pointer))
	most := m.size / int64(entryEnd.of(pointer)) // entries do not overlap
	seen := map[minidump.VA]bool{}
	for at := l.InLoadOrder.Flink; at != head; {
		if at == 0 && len(l.Modules) == 0 {
			return nil // the loader has not begun
		}
		if seen[at] || int64(len(l.Modules)) >= most {
			return fmt.Errorf("it runs in a circle at %s", at)
		}
		seen[at] = true
		s, err := m.structure(fmt.Sprintf("the entry at %s", at), at, pointer, entryEnd)
		if err != nil {
			return err
		}
		path, err := m.unicode(s, entryPath, 0)
		if err != nil {
			return err
		}
		l.Modules = append(l.Modules, LoadedModule{
			Address: at, Base: s.va(entryBase), EntryPoint: s.va(entryPoint),
			SizeOfImage: s.u32(entrySize), Path: path, TimeDateStamp: s.u32(entryTimestamp),
		})
		if s.lost {
			return s.err()
		}
		at = s.list(entryLinks).Flink
	}
	return nil
}
