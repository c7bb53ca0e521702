package symbol

import (
	"cmp"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/minidump"
)

// Session is the [Resolver] that uses every source of names there is. It loads
// the symbols of a module when the first address of that module is resolved.
// It is safe for concurrent use.
type Session struct {
	modules  *Modules
	unloaded *Modules
	options  Options
	memory   *minidump.Memory // nil if the dump has none
	files    *store.Store     // symbol files
	images   *store.Store
	servers  serverList
	symbols  []moduleSymbols // of each module in modules.List
	exported atomic.Int64    // bytes of memory that export tables may still claim

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

// A source names the addresses of one module. lookup takes the RVA. Where a
// source is damaged it does not know the address, and the next one is asked.
type source interface {
	lookup(rva uint32) (name, bool)
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

// Why a [Try] may have found nothing where nothing is wrong.
var (
	ErrNotFound   = store.ErrNotFound
	ErrNotAsked   = store.ErrNotAsked
	ErrNoIdentity = errors.New("the dump does not tell which symbols belong to the module")
	ErrNoImage    = errors.New("the dump does not hold the image")
	ErrNoExports  = errors.New("the image exports nothing")
)

// A Try is one place that was searched for the names of a module.
type Try struct {
	Trust Trust  // what kind of names was searched
	Where string // path, URL, or "memory of the dump"
	Err   error  // why there are none; nil if there are
}

const numSources = 5

// sourceKinds are the sources in the order in which they are asked.
var sourceKinds = [numSources]struct {
	trust Trust
	load  func(*Session, *minidump.Module) (source, []Try)
}{
	{TrustPDB, loadPDB},
	{TrustSym, loadSym},
	{TrustDWARF, loadImageSymbols},
	{TrustExport, loadMemoryExports},
	{TrustExport, loadImageExports},
}

// NewResolver prepares to name the addresses of f. A symbol path that cannot be
// understood gives an error and no Session. The error of a damaged list of
// modules comes together with a Session that knows the modules before the
// damage.
func NewResolver(f *minidump.File, o Options) (*Session, error) {
	s := &Session{options: o, cache: make(map[minidump.VA]Location)}
	if err := s.openStores(); err != nil {
		return nil, err
	}
	modules, err := f.Modules()
	s.modules = NewModules(modules)
	s.symbols = make([]moduleSymbols, len(modules))
	// Without unloaded modules or memory there are fewer names, but the dump
	// is not damaged by that.
	unloaded, _ := f.UnloadedModules()
	s.unloaded = newUnloaded(unloaded)
	s.memory, _ = f.Memory()
	s.exported.Store(f.Size())
	return s, err
}

// Close closes the symbol files that were opened. Resolve must not be called
// any more.
func (s *Session) Close() error {
	var first error
	for i := range s.symbols {
		for k := range s.symbols[i] {
			slot := &s.symbols[i][k]
			slot.once.Do(func() {})
			if slot.source == nil {
				continue
			}
			first = cmp.Or(first, slot.source.close())
		}
	}
	return cmp.Or(first, s.files.Close(), s.images.Close())
}

// Modules returns the modules of the dump.
func (s *Session) Modules() *Modules { return s.modules }

// Resolve names addr. Of the sources that know the address the first in the
// order of the Trust constants wins. An address in a module that was unloaded
// gets "<Unloaded_name.dll>" for its module, as WinDbg writes it.
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
		return s.unloaded.Resolve(addr)
	}
	loc := s.modules.locate(i, addr)
	for k := range sourceKinds {
		src := s.source(i, k)
		if src == nil {
			continue
		}
		n, ok := src.lookup(uint32(loc.Offset))
		if !ok {
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
