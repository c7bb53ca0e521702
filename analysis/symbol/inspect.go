package symbol

import (
	"context"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/minidump"
)

// Status is what was found for one module.
type Status struct {
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
		st := Status{Module: &s.modules.modules[i], Trust: TrustModule}
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
// that have none, and images that neither the dump nor the paths hold. It is in
// the order of the module list, and no file is listed twice. Modules without
// identity have no file. It searches as Inspect does, servers included unless
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
		if st.Trust != TrustPDB && st.Trust != TrustSym && st.Trust != TrustDWARF {
			add(m, TrustPDB, store.Request{Folder: m.CvRecord.PDBFile, Key: m.CvRecord.Key()}, s.servers.symbols)
		}
		if st.Trust == TrustModule && (s.memory == nil || !s.memory.Contains(m.BaseOfImage)) {
			add(m, TrustExport, store.Request{Folder: m.BaseName(), Key: m.ImageKey()}, imageServers)
		}
	}
	return files, nil
}
