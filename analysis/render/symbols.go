package render

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A SymbolReport is the answer of "dumpscan symbols": the modules in the order
// of the file, and where their names come from.
type SymbolReport struct {
	Dump    DumpHeader     `json:"dump"`
	Modules []SymbolModule `json:"modules"`
	Notes   []string       `json:"notes"`
	Complaints
}

// A SymbolModule is a module and the search for its symbols.
type SymbolModule struct {
	Name     string       `json:"name"`
	Path     string       `json:"path"`
	Base     Hex          `json:"base"`
	PDB      string       `json:"pdb,omitempty"`
	PDBKey   string       `json:"pdbKey,omitempty"`
	ImageKey string       `json:"imageKey"`
	Trust    symbol.Trust `json:"trust"`
	From     string       `json:"from,omitempty"`
	Tries    []SymbolTry  `json:"tries"`

	State    string   `json:"-"` // the search in two words
	Refusals []string `json:"-"` // what went wrong: files of another build, damage, servers that fail
}

// A SymbolTry is one place that was searched.
type SymbolTry struct {
	Trust symbol.Trust `json:"trust"`
	Where string       `json:"where"`
	Error string       `json:"error,omitempty"`
}

// NewSymbolReport makes a report of the modules.
func NewSymbolReport(dump DumpHeader, modules []symbol.Status) *SymbolReport {
	r := &SymbolReport{Dump: dump}
	for _, m := range modules {
		row := SymbolModule{
			Name: m.Module.Name(), Path: m.Module.ModuleName, Base: Hex(m.Module.BaseOfImage),
			PDB: m.Module.CvRecord.PDBFile, PDBKey: m.Module.CvRecord.Key(), ImageKey: m.Module.ImageKey(),
			Trust: m.Trust, From: m.Where, State: symbolState(m),
		}
		for _, t := range m.Tries {
			try := SymbolTry{Trust: t.Trust, Where: t.Where}
			if t.Err != nil {
				try.Error = t.Err.Error()
			}
			row.Tries = append(row.Tries, try)
			if isRefusal(t) {
				line := fmt.Sprintf("%s: %s: %v", row.Name, t.Where, t.Err)
				// Images are tried for DWARF and for exports, with the same result.
				if n := len(row.Refusals); n == 0 || row.Refusals[n-1] != line {
					row.Refusals = append(row.Refusals, line)
				}
			}
		}
		r.Modules = append(r.Modules, row)
	}
	return r
}

func (r *SymbolReport) schema() string { return "dumpscan.symbols/2" }

// text writes a table of the modules, and below it what went wrong.
func (r *SymbolReport) text(b *bufio.Writer, style Style) error {
	t := Table{
		Header: []string{"module", "pdb", "image", "symbols", "names", "from"},
		Drop:   []string{"image", "pdb"}, Style: style,
	}
	for i := range r.Modules {
		m := &r.Modules[i]
		t.Row(m.Name, dash(m.PDBKey), m.ImageKey, m.State, string(m.Trust), dash(m.From))
	}
	if err := t.Write(b); err != nil {
		return err
	}
	said := map[string]bool{} // modules can be alike
	for i := range r.Modules {
		for _, line := range r.Modules[i].Refusals {
			if !said[line] {
				said[line] = true
				fmt.Fprintln(b, style.Wrap(words.Escape(line), 0))
			}
		}
	}
	return nil
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
		symbol.ErrNotFound, symbol.ErrNotAsked, symbol.ErrNoIdentity, symbol.ErrNoImage, symbol.ErrNoExports, symbol.ErrLimit,
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

// A SymbolManifest is the answer of "dumpscan symbols --manifest": files to
// fetch where there is a network, for a machine that has none.
type SymbolManifest struct {
	Dump  DumpHeader     `json:"dump"`
	Files []ManifestFile `json:"files"`
	Notes []string       `json:"notes"`
	Complaints
}

// A ManifestFile is a file to fetch.
type ManifestFile struct {
	Module string   `json:"module"`
	Kind   string   `json:"kind"` // "pdb" or "image"
	Path   string   `json:"path"` // where a symbol store keeps the file
	URLs   []string `json:"urls"` // where the servers of the symbol path do
}

// NewSymbolManifest makes a report of files to fetch.
func NewSymbolManifest(dump DumpHeader, files []symbol.ManifestFile) *SymbolManifest {
	r := &SymbolManifest{Dump: dump}
	for _, f := range files {
		kind := "image"
		if f.Trust == symbol.TrustPDB {
			kind = "pdb"
		}
		r.Files = append(r.Files, ManifestFile{Module: f.Module.Name(), Kind: kind, Path: f.Path, URLs: f.URLs})
	}
	return r
}

func (r *SymbolManifest) schema() string { return "dumpscan.symbols.manifest/2" }

// text writes a line for each file: its URL on the first server, or without
// server its path in a store.
func (r *SymbolManifest) text(b *bufio.Writer, _ Style) error {
	for _, f := range r.Files {
		line := f.Path
		if len(f.URLs) > 0 {
			line = f.URLs[0]
		}
		fmt.Fprintln(b, words.Escape(line))
	}
	return nil
}
