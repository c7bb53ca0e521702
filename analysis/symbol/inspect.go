package symbol

import (
	"context"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/minidump"
)

// Status is what was found for one module.
type Status struct {
	// Module has the identity of its PDB even where the list of modules has none,
	// if the dump holds the image.
	Module *minidump.Module
	Trust  Trust  // of the best source; TrustModule if none was found
	Where  string // file of that source, or "memory of the dump"
	Tries  []Try  // everything that was searched until then
}

// Inspect looks for the symbols of every module, until the first source is found,
// and reports in the order of the module list. The error is that of ctx, and
// comes without a report.
func (s *Session) Inspect(ctx context.Context) ([]Status, error) {
	all := make([]Status, len(s.symbols))
	for i := range s.symbols {
		st := Status{Trust: TrustModule}
		if err := s.symbols[i].lock.Lock(ctx); err != nil {
			return nil, err
		}
		st.Module = s.identified(i)
		s.symbols[i].lock.Unlock()
		for k := range sourceKinds {
			src, tries, err := s.source(ctx, i, k)
			if err != nil {
				return nil, err
			}
			st.Tries = append(st.Tries, tries...)
			if src != nil {
				st.Trust, st.Where = sourceKinds[k].trust, st.Tries[len(st.Tries)-1].Where
				break
			}
		}
		all[i] = st
	}
	return all, nil
}

// ManifestFile is a file to fetch for a module from a symbol server or store.
type ManifestFile struct {
	Module *minidump.Module
	Trust  Trust    // what the file is for: TrustPDB for symbols, TrustExport for the image
	Path   string   // in a store, with forward slashes: "ntdll.pdb/KEY/ntdll.pdb"
	URLs   []string // on the servers of the path
}

// Manifest lists the files that would give better names: symbols for modules
// that have none, and images that neither the dump nor the paths hold. Of a
// module without the identity of a PDB the image is listed although the dump
// holds it: only the file may have symbols, those of DWARF. The list is in the
// order of the modules, and no file is in it twice. Modules without any identity
// have no file; [NothingToFetch] says why there may be none. It searches as Inspect does, servers included unless
// Options.Offline forbids that; the error is that of ctx.
func (s *Session) Manifest(ctx context.Context) ([]ManifestFile, error) {
	modules, err := s.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	var files []ManifestFile
	listed := make(map[string]bool)
	add := func(m *minidump.Module, t Trust, req store.Request, servers []store.Element) {
		path, err := req.StorePath()
		if err != nil || listed[path] {
			return
		}
		listed[path] = true
		f := ManifestFile{Module: m, Trust: t, Path: path}
		for _, e := range servers {
			if u, err := e.FileURL(req); err == nil {
				f.URLs = append(f.URLs, u)
			}
		}
		files = append(files, f)
	}
	imageServers := s.servers.images
	if len(imageServers) == 0 {
		imageServers = s.servers.symbols
	}
	for _, st := range modules {
		m := st.Module
		if st.lacksSymbols() {
			add(m, TrustPDB, store.Request{Folder: m.CvRecord.PDBFile, Key: m.CvRecord.Key()}, s.servers.symbols)
		}
		captured := s.memory != nil && s.memory.Contains(m.BaseOfImage)
		wanted := st.Trust == TrustModule && !captured || captured && st.lacksSymbols() && m.CvRecord.Key() == ""
		if wanted && m.TimeDateStamp != 0 { // without, size alone is no identity
			add(m, TrustExport, store.Request{Folder: m.BaseName(), Key: m.ImageKey()}, imageServers)
		}
	}
	return files, nil
}

// lacksSymbols reports whether no source names the functions of the module.
func (s *Status) lacksSymbols() bool {
	return s.Trust != TrustPDB && s.Trust != TrustSym && s.Trust != TrustDWARF
}

// NothingToFetch says in a sentence why the manifest of these modules is empty.
func NothingToFetch(modules []Status) string {
	missing := 0
	for i := range modules {
		if modules[i].lacksSymbols() {
			missing++
		}
	}
	switch {
	case len(modules) == 0:
		return "the dump lists no modules"
	case missing == 0:
		return "no file is missing: every module has symbols"
	}
	return fmt.Sprintf("no file can be named: of %d of %d modules the dump has no identity of a PDB, and none of an image that is not at hand already", missing, len(modules))
}
