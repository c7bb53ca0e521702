package render

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// The fields "schema" of what a [SymbolReport] and a [SymbolManifest] write.
const (
	SymbolsSchema         = "dumpscan.symbols/1"
	SymbolsManifestSchema = "dumpscan.symbols.manifest/1"
)

// SymbolReport writes the answers of "dumpscan symbols". As JSON:
//
//	schema   "dumpscan.symbols/1"
//	dump     see DumpHeader
//	modules  [{name, path, base, pdb, pdbKey, imageKey, trust, from,
//	         tries: [{trust, where, error}]}] in the order of the file; trust
//	         is "pdb", "sym", "dwarf", "export" or "module", from is where that
//	         comes from and absent for "module"; pdb and pdbKey are absent where
//	         the module has none; error is absent where the search succeeded
//	errors   [sentence]
type SymbolReport struct {
	Dump    DumpHeader
	Modules []symbol.Status
	Errors  []string
}

// Text writes a table of the modules, and below it what went wrong: files of
// another build, damage, servers that fail.
func (r *SymbolReport) Text(w io.Writer, style Style) error {
	b := bufio.NewWriter(w)
	t := Table{Header: []string{"module", "pdb", "image", "symbols", "names", "from"}, Style: style}
	for _, m := range r.Modules {
		t.Row(m.Module.Name(), dash(m.Module.CvRecord.Key()), m.Module.ImageKey(),
			symbolState(m), string(m.Trust), dash(m.Where))
	}
	if err := t.Write(b); err != nil {
		return err
	}
	for _, m := range r.Modules {
		said := ""
		for _, try := range m.Tries {
			// Images are tried for DWARF and for exports, with the same result.
			if line := try.Where; isRefusal(try) {
				line = words.Escape(fmt.Sprintf("%s: %s: %v", m.Module.Name(), line, try.Err))
				if line != said {
					fmt.Fprintln(b, line)
				}
				said = line
			}
		}
	}
	return b.Flush()
}

// symbolState says in two words how the search for symbols went.
func symbolState(m symbol.Status) string {
	if hasSymbols(m) {
		return "found"
	}
	state := "not searched"
	for _, try := range m.Tries {
		switch {
		case try.Trust == symbol.TrustExport:
		case isRefusal(try):
			return "see below"
		case errors.Is(try.Err, symbol.ErrNotAsked):
			return "not asked"
		case errors.Is(try.Err, symbol.ErrNoIdentity):
			state = "no identity"
		case state == "not searched":
			state = "not found"
		}
	}
	return state
}

// isRefusal reports whether a try is worth a line: not if there simply was
// nothing.
func isRefusal(t symbol.Try) bool {
	for _, nothing := range []error{
		symbol.ErrNotFound, symbol.ErrNotAsked, symbol.ErrNoIdentity, symbol.ErrNoImage, symbol.ErrNoExports,
	} {
		if errors.Is(t.Err, nothing) {
			return false
		}
	}
	return t.Err != nil
}

// hasSymbols reports whether the names of a module are those of its functions.
func hasSymbols(m symbol.Status) bool {
	return m.Trust == symbol.TrustPDB || m.Trust == symbol.TrustSym || m.Trust == symbol.TrustDWARF
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// JSON writes the report as JSON.
func (r *SymbolReport) JSON(w io.Writer) error {
	type try struct {
		Trust symbol.Trust `json:"trust"`
		Where string       `json:"where"`
		Error string       `json:"error,omitempty"`
	}
	type module struct {
		Name     string       `json:"name"`
		Path     string       `json:"path"`
		Base     string       `json:"base"`
		PDB      string       `json:"pdb,omitempty"`
		PDBKey   string       `json:"pdbKey,omitempty"`
		ImageKey string       `json:"imageKey"`
		Trust    symbol.Trust `json:"trust"`
		From     string       `json:"from,omitempty"`
		Tries    []try        `json:"tries"`
	}
	j := NewJSONWriter(w, SymbolsSchema)
	j.Field("dump", r.Dump)
	j.List("modules", func(element func(any)) {
		for _, m := range r.Modules {
			tries := make([]try, len(m.Tries))
			for i, t := range m.Tries {
				tries[i] = try{Trust: t.Trust, Where: t.Where}
				if t.Err != nil {
					tries[i].Error = t.Err.Error()
				}
			}
			element(module{
				Name: m.Module.Name(), Path: m.Module.ModuleName, Base: hexNumber(m.Module.BaseOfImage),
				PDB: m.Module.CvRecord.PDBFile, PDBKey: m.Module.CvRecord.Key(), ImageKey: m.Module.ImageKey(),
				Trust: m.Trust, From: m.Where, Tries: tries,
			})
		}
	})
	j.Strings("errors", r.Errors)
	return j.Close()
}

// SymbolManifest writes the answers of "dumpscan symbols --manifest": files to
// fetch where there is a network, for a machine that has none. As JSON:
//
//	schema  "dumpscan.symbols.manifest/1"
//	dump    see DumpHeader
//	files   [{module, kind, path, urls}] in the order of the file; kind is "pdb"
//	        or "image", path is where a symbol store keeps the file, urls where
//	        the servers of the symbol path do
//	errors  [sentence]
type SymbolManifest struct {
	Dump   DumpHeader
	Files  []symbol.ManifestFile
	Errors []string
}

// Text writes a line for each file: its URL on the first server, or without
// server its path in a store.
func (r *SymbolManifest) Text(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Files {
		line := f.Path
		if len(f.URLs) > 0 {
			line = f.URLs[0]
		}
		fmt.Fprintln(b, words.Escape(line))
	}
	return b.Flush()
}

// JSON writes the manifest as JSON.
func (r *SymbolManifest) JSON(w io.Writer) error {
	type file struct {
		Module string   `json:"module"`
		Kind   string   `json:"kind"`
		Path   string   `json:"path"`
		URLs   []string `json:"urls"`
	}
	j := NewJSONWriter(w, SymbolsManifestSchema)
	j.Field("dump", r.Dump)
	j.List("files", func(element func(any)) {
		for _, f := range r.Files {
			kind := "image"
			if f.Trust == symbol.TrustPDB {
				kind = "pdb"
			}
			element(file{Module: f.Module.Name(), Kind: kind, Path: f.Path, URLs: append([]string{}, f.URLs...)})
		}
	})
	j.Strings("errors", r.Errors)
	return j.Close()
}
