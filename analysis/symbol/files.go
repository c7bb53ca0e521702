package symbol

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/breakpad"
	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/minidump"
)

// text returns a linker's name as the user wants it.
func (s *Session) text(name string) string {
	return s.budget.name(rawName{text: name}, !s.options.RawNames)
}

// textX86 is text for a name that 32-bit x86 may have decorated as C.
func (s *Session) textX86(name string) string {
	return s.budget.name(rawName{name, true}, !s.options.RawNames)
}

// path returns the name of a source file.
func (s *Session) path(name string) string { return s.budget.name(rawName{text: name}, false) }

// inline adds an inlined call to those of an address, the next one outwards. When
// ctx has ended it does nothing.
func (s *Session) inline(ctx context.Context, calls []Inline, function, file string, line int) []Inline {
	if ctx.Err() != nil {
		return calls
	}
	if n := len(calls); n >= freeCalls && (calls[n-1].Function == cutMark || !s.budget.charge(&s.budget.kept, callSize, baseText, perByte)) {
		s.budget.say(saidCut)
		if calls[n-1].Function != cutMark {
			calls = append(calls, Inline{Function: cutMark})
		}
		return calls
	}
	if function == pdb.More { // all readers have the same mark
		s.budget.say(saidCut)
	}
	return append(calls, Inline{Function: s.text(function), File: s.path(file), Line: line})
}

// find looks for a file, and returns the tries as those of a source. The error
// is that of ctx.
func (s *Session) find(ctx context.Context, from *store.Store, t Trust, req store.Request, check func(path string) error) (string, []Try, error) {
	path, places, err := from.Find(ctx, req, check)
	tries := make([]Try, len(places))
	for i, p := range places {
		tries[i] = Try{Trust: t, Where: p.Where, Err: p.Err}
	}
	return path, tries, err
}

// failed turns the last try, which found a file, into a failure.
func failed(tries []Try, err error) []Try {
	tries[len(tries)-1].Err = err
	return tries
}

// symbolName is the file name under which the symbols of a module are kept: the
// PDB's, or for ELF the module's own.
func symbolName(m *minidump.Module) string {
	if m.CvRecord.Kind == minidump.CodeViewRSDS || m.CvRecord.Kind == minidump.CodeViewNB10 {
		return m.CvRecord.PDBFile
	}
	return m.BaseName()
}

// damage reports the first thing in a file that cannot be read.
type damage struct {
	where  string
	once   sync.Once
	report func(path string, err error) // may be nil
}

func (s *Session) damage(tries []Try) *damage {
	return &damage{where: tries[len(tries)-1].Where, report: s.options.Damaged}
}

func (d *damage) note(err error) {
	if err != nil && d.report != nil {
		d.once.Do(func() { d.report(d.where, err) })
	}
}

// pdbSource names addresses by a PDB.
type pdbSource struct {
	*pdb.File
	s *Session
	*damage
}

func (p pdbSource) lookup(ctx context.Context, rva uint32) (name, bool) {
	sym, ok, err := p.Lookup(rva)
	p.note(err) // what was found all the same is right
	if !ok {
		return name{}, false
	}
	const i386 = 0x14c
	text := p.s.text
	if p.Machine == i386 && sym.Kind == pdb.KindPublic {
		text = p.s.textX86
	}
	n := name{function: text(sym.Name), displacement: uint64(sym.Displacement), file: p.s.path(sym.File), line: sym.Line}
	if sym.Thunk != "" {
		n.function = sym.Thunk
		if sym.Name != "" {
			n.function += "(" + text(sym.Name) + ")"
		}
	}
	for _, f := range sym.Inlined {
		n.inlined = p.s.inline(ctx, n.inlined, f.Function, f.File, f.Line)
	}
	return n, true
}

func loadPDB(ctx context.Context, s *Session, m *minidump.Module) (source, []Try, error) {
	req := store.Request{Folder: m.CvRecord.PDBFile, Key: m.CvRecord.Key()}
	switch m.CvRecord.Kind {
	case minidump.CodeViewELF:
		return nil, nil, nil
	case minidump.CodeViewRSDS, minidump.CodeViewNB10:
	default:
		if !s.options.Loose {
			return nil, []Try{{Trust: TrustPDB, Where: m.BaseName(), Err: ErrNoIdentity}}, nil
		}
		req = store.Request{Folder: trimExtension(m.BaseName()) + ".pdb"}
	}
	path, tries, err := s.find(ctx, s.symbolStore, TrustPDB, req, func(path string) error { return s.checkPDB(path, m) })
	if path == "" {
		return nil, tries, err
	}
	src, err := s.files.open(ctx, TrustPDB, path, func(r io.ReaderAt, size int64) (source, error) {
		f, err := pdb.NewFile(r, size)
		return pdbSource{f, s, s.damage(tries)}, err
	})
	if err != nil {
		return nil, failed(tries, err), ctx.Err()
	}
	return src, tries, nil
}

// checkPDB refuses a file that is not the PDB of the module.
func (s *Session) checkPDB(path string, m *minidump.Module) error {
	f, err := pdb.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.options.Loose {
		return nil
	}
	have := minidump.CodeView{Kind: minidump.CodeViewRSDS, GUID: minidump.GUID(f.GUID), Age: f.Age}
	return sameKey(have.Key(), m.CvRecord.Key())
}

// sameKey is nil for the same identity, in whatever case it is written.
func sameKey(have, want string) error {
	if strings.EqualFold(have, want) {
		return nil
	}
	return fmt.Errorf("wrong identity: %.80s, want %s", have, want)
}

// symSource names addresses by a Breakpad symbol file.
type symSource struct {
	*breakpad.File
	s *Session
	*damage
}

func (b symSource) lookup(ctx context.Context, rva uint32) (name, bool) {
	sym, ok, err := b.Lookup(uint64(rva))
	if b.note(err); err != nil || !ok {
		return name{}, false
	}
	text := b.s.text
	if b.CPU == "x86" && sym.Public {
		text = b.s.textX86
	}
	n := name{function: text(sym.Name), displacement: uint64(rva) - sym.RVA, file: b.s.path(sym.File), line: sym.Line}
	for _, f := range sym.Inlined {
		n.inlined = b.s.inline(ctx, n.inlined, f.Function, f.File, f.Line)
	}
	return n, true
}

func loadSym(ctx context.Context, s *Session, m *minidump.Module) (source, []Try, error) {
	key := symKey(m)
	if key == "" && !s.options.Loose {
		return nil, []Try{{Trust: TrustSym, Where: m.BaseName(), Err: ErrNoIdentity}}, nil
	}
	folder := symbolName(m)
	file := folder
	if strings.EqualFold(extension(file), ".pdb") || key == "" {
		file = trimExtension(file)
	}
	req := store.Request{Folder: folder, Key: key, File: file + ".sym", Plain: true}
	path, tries, err := s.find(ctx, s.symbolStore, TrustSym, req, func(path string) error { return s.checkSym(path, key) })
	if path == "" {
		return nil, tries, err
	}
	src, err := s.files.open(ctx, TrustSym, path, func(r io.ReaderAt, size int64) (source, error) {
		f, err := breakpad.NewFile(r, size)
		return symSource{f, s, s.damage(tries)}, err
	})
	if err != nil {
		return nil, failed(tries, err), ctx.Err()
	}
	return src, tries, nil
}

func (s *Session) checkSym(path, key string) error {
	r, size, err := openfile.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	id, err := breakpad.ReadID(r, size)
	if err != nil || s.options.Loose {
		return err
	}
	return sameKey(id, key)
}

// symKey is the identity that dump_syms gives to the symbols of a module: the
// key of the PDB, or the first 16 bytes of the build id as a GUID of age 0.
func symKey(m *minidump.Module) string {
	if m.CvRecord.Kind != minidump.CodeViewELF {
		return m.CvRecord.Key()
	}
	var guid minidump.GUID
	if copy(guid[:], m.CvRecord.BuildID) == 0 {
		return ""
	}
	return guid.String() + "0"
}

func extension(file string) string {
	if i := strings.LastIndexByte(file, '.'); i >= 0 && !strings.ContainsAny(file[i:], `\/`) {
		return file[i:]
	}
	return ""
}

func trimExtension(file string) string { return strings.TrimSuffix(file, extension(file)) }
