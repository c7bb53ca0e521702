package symbol

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// Modules is the [Resolver] that needs nothing but the module list of the dump:
// it knows modules and offsets, and no functions.
type Modules struct {
	modules []minidump.Module
	names   []string // Name of each module, cut
	spans   []span   // disjoint, ascending
}

// A span is a piece of the address space and the module it belongs to.
type span struct {
	start, last minidump.VA // last is inclusive: a module may end with the address space
	module      int
}

// NewModules indexes a module list. Modules of a sound dump do not overlap; where
// those of a damaged one do, an address belongs to the module that starts last
// below it, and of those with the same base to the one listed first.
func NewModules(modules []minidump.Module) *Modules {
	m := &Modules{modules: modules, names: make([]string, len(modules))}
	pieces := make([]span, 0, len(modules))
	for i := range modules {
		mod := &modules[i]
		m.names[i] = ModuleName(mod)
		if mod.SizeOfImage == 0 {
			continue
		}
		last := mod.BaseOfImage + minidump.VA(mod.SizeOfImage-1)
		if last < mod.BaseOfImage {
			last = ^minidump.VA(0)
		}
		pieces = append(pieces, span{start: mod.BaseOfImage, last: last, module: i})
	}
	slices.SortFunc(pieces, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.module, a.module))
	})
	m.spans = flatten(pieces)
	return m
}

// maxModule is how many bytes of a module's name are in a [Location]. The name of a file
// has no more than 255 characters in Windows, of three bytes in UTF-8 at most.
const maxModule = 3 * 255

// ModuleName is how WinDbg writes a module. A name that no file can have is cut, and
// ends in "…": each address would have it again.
func ModuleName(m *minidump.Module) string { return strings.Clone(cut(m.Name(), maxModule)) }

// flatten cuts overlapping spans, sorted by start, into disjoint ones: the one
// that begins last wins. There are fewer than twice as many.
func flatten(sorted []span) []span {
	var out, open []span
	emit := func(until minidump.VA, bounded bool) {
		for len(open) > 0 {
			top := &open[len(open)-1]
			if bounded && top.start >= until {
				return
			}
			s := *top
			if bounded && s.last >= until {
				s.last = until - 1
				out = append(out, s)
				top.start = until
				return
			}
			out = append(out, s)
			open = open[:len(open)-1]
			// What the closed span covered is taken from those below it.
			for len(open) > 0 && open[len(open)-1].last <= s.last {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				open[len(open)-1].start = s.last + 1
			}
		}
	}
	for _, s := range sorted {
		emit(s.start, true)
		open = append(open, s)
	}
	emit(0, false)
	return out
}

// List returns the modules in the order they were given. The caller must not
// change them.
func (m *Modules) List() []minidump.Module { return m.modules }

// Find returns the module that addr lies in.
func (m *Modules) Find(addr minidump.VA) (*minidump.Module, bool) {
	i := m.index(addr)
	if i < 0 {
		return nil, false
	}
	return &m.modules[i], true
}

// index returns the index in List of the module at addr, or -1.
func (m *Modules) index(addr minidump.VA) int {
	i := sort.Search(len(m.spans), func(i int) bool { return m.spans[i].last >= addr })
	if i == len(m.spans) || m.spans[i].start > addr {
		return -1
	}
	return m.spans[i].module
}

// Resolve returns module and offset of each address. It reads nothing, and its
// only error is that of a context that has ended already.
func (m *Modules) Resolve(ctx context.Context, addrs []minidump.VA) (Names, error) {
	return resolve(ctx, addrs, func(addr minidump.VA) (Location, error) { return m.at(addr), nil })
}

func (m *Modules) at(addr minidump.VA) Location {
	i := m.index(addr)
	if i < 0 {
		return Location{Address: addr}
	}
	return m.locate(i, addr)
}

func (m *Modules) locate(i int, addr minidump.VA) Location {
	return Location{
		Address: addr,
		Module:  m.names[i],
		Offset:  uint64(addr - m.modules[i].BaseOfImage),
		Trust:   TrustModule,
	}
}
