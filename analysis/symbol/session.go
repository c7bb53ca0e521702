package symbol

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
	"github.com/dumpscan/dumpscan/analysis/internal/ctxlock"
	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/minidump"
)

// Session is the [Resolver] that uses every source of names there is. It loads
// the symbols of a module when the first address of that module is resolved.
// It is safe for concurrent use.
type Session struct {
	modules  *Modules
	unloaded *Unloaded
	runtime  *RuntimeCode
	options  Options
	memory   *minidump.Memory // nil if the dump has none
	servers  serverList
	symbols  []moduleSymbols // of each module in modules.List

	symbolStore, imageStore *store.Store

	budget  budget
	files   symbolFiles
	exports shared[mappedImage, source] // of images that the dump holds
	unwind  shared[mappedImage, []*cfi.Table]
	tables  atomic.Int64 // bytes that may yet be read of tables in the memory of the dump
}

// moduleSymbols holds the sources of one module, in the order of sourceKinds,
// each loaded on first use.
type moduleSymbols struct {
	lock       ctxlock.Lock
	identified *minidump.Module // see [Session.identified]; nil until it is asked
	slots      [numSources]struct {
		loaded bool
		source source // nil if there is none
		tries  []Try
	}
	frames imageFrames
}

// A source names the addresses of one module. lookup takes the RVA. Where a
// source is damaged it does not know the address, and the next one is asked.
type source interface {
	lookup(ctx context.Context, rva uint32) (name, bool)
}

// A name is what a source says of an address; the fields are those of
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
	ErrNotFound   = store.ErrNotFound // no place has the file
	ErrNotAsked   = store.ErrNotAsked // the server failed before, or there is no Fetcher
	ErrServer     = store.ErrServer   // wrapped by a Fetcher: the server is not asked again
	ErrNoIdentity = errors.New("the dump does not tell which symbols belong to the module")
	ErrNoImage    = errors.New("the dump does not hold the image")
	ErrNoExports  = errors.New("the image exports nothing")
	ErrLimit      = errors.New("the tables of images in this dump claim more bytes than it has") // Options.Limited says so once
)

// A Try is one place that was searched for the names of a module.
type Try struct {
	Trust Trust  // what kind of names was searched
	Where string // path, URL, or "memory of the dump"
	Err   error  // why there are none; nil if there are
}

const numSources = 5

// sourceKinds are the sources in the order in which they are asked. The error
// of load is that of its context.
var sourceKinds = [numSources]struct {
	trust Trust
	load  func(context.Context, *Session, *minidump.Module) (source, []Try, error)
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
	s := &Session{options: o}
	s.budget.report = o.Limited
	s.budget.size.Store(f.Size())
	s.files.init(&s.budget)
	if err := s.openStores(); err != nil {
		return nil, err
	}
	modules, err := f.Modules()
	s.modules = NewModules(modules)
	s.symbols = make([]moduleSymbols, len(modules))
	for i := range s.symbols {
		s.symbols[i].lock = ctxlock.New()
	}
	// Without unloaded modules or memory there are fewer names, but the dump
	// is not damaged by that.
	unloaded, _ := f.UnloadedModules()
	s.unloaded = NewUnloaded(unloaded)
	for _, names := range [][]string{s.modules.names, s.unloaded.names} {
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(strings.TrimSuffix(n, ">"), cutMark) }) {
			s.budget.say(saidCut)
		}
	}
	s.runtime = NewRuntimeCode(f, modules, unloaded)
	s.memory, _ = f.Memory()
	s.tables.Store(4 * f.Size()) // headers and section names are read by several
	return s, err
}

// Close closes the symbol files that were opened. The Session must not be used
// any more.
func (s *Session) Close() error {
	s.files.pool.Close()
	return cmp.Or(s.symbolStore.Close(), s.imageStore.Close())
}

// Modules returns the modules of the dump.
func (s *Session) Modules() *Modules { return s.modules }

// RuntimeCode returns what is known of code that is of no module.
func (s *Session) RuntimeCode() *RuntimeCode { return s.runtime }

// Resolve names addresses. Of the sources that know one the first in the order
// of the Trust constants wins. An address in a module that was unloaded gets
// "<Unloaded_name.dll>" for its module, as WinDbg writes it, and Others if there
// were several. After an error
// Resolve can be called again: it goes on where the context ended. Of names and
// inlined calls that are too long for the size of the files only the start is
// there; see [Session.Fit], which Resolve applies to the addresses as often as it
// is given them.
func (s *Session) Resolve(ctx context.Context, addrs []minidump.VA) (Names, error) {
	names, err := resolve(ctx, addrs, func(addr minidump.VA) (Location, error) { return s.locate(ctx, addr) })
	if err != nil {
		return nil, err
	}
	s.Fit(names, func(yield func(minidump.VA, int) bool) {
		for _, addr := range addrs {
			if !yield(addr, 1) {
				return
			}
		}
	})
	return names, nil
}

func (s *Session) locate(ctx context.Context, addr minidump.VA) (Location, error) {
	i := s.modules.index(addr)
	if i < 0 {
		loc := s.unloaded.locate(addr)
		if loc.Module == "" {
			loc.Outside = s.runtime.At(addr)
		}
		return loc, nil
	}
	loc := s.modules.locate(i, addr)
	for k := range sourceKinds {
		src, _, err := s.source(ctx, i, k)
		if err != nil {
			return loc, err
		}
		if src == nil {
			continue
		}
		n, ok := src.lookup(ctx, uint32(loc.Offset))
		if err := ctx.Err(); err != nil {
			return loc, err
		}
		if !ok {
			continue
		}
		loc.Function, loc.Displacement = n.function, n.displacement
		loc.File, loc.Line, loc.Inlined = n.file, n.line, n.inlined
		loc.Trust = sourceKinds[k].trust
		break
	}
	return loc, nil
}

// source returns source k of module i, nil if there is none, and what was
// searched for it. It is loaded on first use; not so if ctx ends on the way.
func (s *Session) source(ctx context.Context, i, k int) (source, []Try, error) {
	m := &s.symbols[i]
	if err := m.lock.Lock(ctx); err != nil {
		return nil, nil, err
	}
	defer m.lock.Unlock()
	slot := &m.slots[k]
	if !slot.loaded {
		src, tries, err := sourceKinds[k].load(ctx, s, s.identified(i))
		if err != nil {
			return nil, nil, err
		}
		slot.loaded, slot.source, slot.tries = true, src, tries
	}
	return slot.source, slot.tries, nil
}

// identified returns module i with the identity of its PDB: that of the list of
// modules, or else of the image that the dump holds. The module's lock must be
// held.
func (s *Session) identified(i int) *minidump.Module {
	m := &s.symbols[i]
	if m.identified != nil {
		return m.identified
	}
	m.identified = &s.modules.modules[i]
	if m.identified.CvRecord.Key() != "" || s.memory == nil || !s.memory.Contains(m.identified.BaseOfImage) {
		return m.identified
	}
	img, _, err := s.mapped(m.identified)
	if err != nil {
		return m.identified
	}
	if v, ok, err := img.CodeView(); ok && err == nil {
		known := *m.identified
		known.CvRecord = minidump.CodeView{Kind: minidump.CodeViewRSDS, GUID: v.GUID, Age: v.Age, PDBFile: v.PDBFile}
		m.identified = &known
	}
	return m.identified
}
