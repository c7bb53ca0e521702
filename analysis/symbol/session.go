package symbol

import (
	"sync"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/minidump"
)

// Options tell [NewResolver] where to look for symbols. The zero value looks
// into the dump only.
type Options struct {
	Loose    bool // take a file by its name although its identity differs
	RawNames bool // leave decorated names as they are
}

// Session is the [Resolver] that uses every source of names there is. It loads
// the symbols of a module when the first address of that module is resolved.
// It is safe for concurrent use.
type Session struct {
	modules  *Modules
	options  Options
	memory   *minidump.Memory // nil if the dump has none
	symbols  []moduleSymbols  // of each module in modules.List
	exported atomic.Int64     // bytes of memory that export tables may still claim

	mu    sync.RWMutex
	cache map[minidump.VA]Location
}

// moduleSymbols holds the sources of one module, in the order of sourceKinds,
// each loaded on first use.
type moduleSymbols [numSources]struct {
	once   sync.Once
	source source // nil if there is none
	tries  []Try
}

// A source names the addresses of one module. lookup takes the RVA; its error
// means damage, for which the next source is asked.
type source interface {
	lookup(rva uint32) (name, bool, error)
	close() error
}

// A name is what a source tells of an address; the fields are those of
// Location.
type name struct {
	function     string
	displacement uint64
	file         string
	line         int
	inlined      []Inline
}

// A Try is one place that was searched for the names of a module.
type Try struct {
	Trust Trust  // what kind of names was searched
	Where string // path, URL, or "memory of the dump"
	Err   error  // why there are none; nil if there are
}

const numSources = 1

// sourceKinds are the sources in the order in which they are asked.
var sourceKinds = [numSources]struct {
	trust Trust
	load  func(*Session, *minidump.Module) (source, []Try)
}{
	{TrustExport, loadMemoryExports},
}

// NewResolver prepares to name the addresses of f. It reads the list of
// modules; an error of that list is returned together with a Session that knows
// the modules read before it.
func NewResolver(f *minidump.File, o Options) (*Session, error) {
	modules, err := f.Modules()
	s := &Session{
		modules: NewModules(modules),
		options: o,
		symbols: make([]moduleSymbols, len(modules)),
		cache:   make(map[minidump.VA]Location),
	}
	s.exported.Store(f.Size())
	s.memory, _ = f.Memory() // without memory there are no images to read
	return s, err
}

// Close closes the symbol files that were opened.
func (s *Session) Close() error {
	var first error
	for i := range s.symbols {
		for k := range s.symbols[i] {
			slot := &s.symbols[i][k]
			slot.once.Do(func() {})
			if slot.source == nil {
				continue
			}
			if err := slot.source.close(); first == nil {
				first = err
			}
		}
	}
	return first
}

// Modules returns the modules of the dump.
func (s *Session) Modules() *Modules { return s.modules }

// Resolve names addr. Of the sources that know the address the first in the
// order of the Trust constants wins.
func (s *Session) Resolve(addr minidump.VA) Location {
	s.mu.RLock()
	loc, ok := s.cache[addr]
	s.mu.RUnlock()
	if ok {
		return loc
	}
	loc = s.resolve(addr)
	s.mu.Lock()
	s.cache[addr] = loc
	s.mu.Unlock()
	return loc
}

func (s *Session) resolve(addr minidump.VA) Location {
	i := s.modules.index(addr)
	if i < 0 {
		return Location{Address: addr}
	}
	loc := s.modules.locate(i, addr)
	for k := range sourceKinds {
		src := s.source(i, k)
		if src == nil {
			continue
		}
		n, ok, err := src.lookup(uint32(loc.Offset))
		if err != nil || !ok {
			continue
		}
		loc.Function, loc.Displacement = n.function, n.displacement
		loc.File, loc.Line, loc.Inlined = n.file, n.line, n.inlined
		loc.Trust = sourceKinds[k].trust
		break
	}
	return loc
}

// source returns source k of module i, loading it on first use.
func (s *Session) source(i, k int) source {
	slot := &s.symbols[i][k]
	slot.once.Do(func() {
		slot.source, slot.tries = sourceKinds[k].load(s, &s.modules.modules[i])
	})
	return slot.source
}
