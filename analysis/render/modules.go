package render

import (
	"fmt"
	"io"

	"github.com/dumpscan/dumpscan/minidump"
)

// ModulesSchema is the field "schema" of what a [ModuleReport] writes.
const ModulesSchema = "dumpscan.modules/1"

// ModuleReport writes the answers of "dumpscan modules". As JSON:
//
//	schema    "dumpscan.modules/1"
//	dump      see DumpHeader
//	modules   [{base, end, size, name, path, version, productVersion,
//	          timestamp, checksum, imageKey, pdb, pdbKey}] in the order of the
//	          file; imageKey and pdbKey are the keys of a symbol store;
//	          version, pdb and pdbKey are absent where the module has none
//	unloaded  [{base, end, size, name, timestamp}]
//	errors    [sentence]
type ModuleReport struct {
	Dump     DumpHeader
	Modules  []minidump.Module
	Unloaded []minidump.UnloadedModule
	Errors   []string
}

// Text writes the modules as a table in the spirit of WinDbg's lm.
func (r *ModuleReport) Text(w io.Writer, style Style) error {
	t := Table{Header: []string{"start", "end", "module", "version", "pdb", "path"}, Style: style}
	for _, m := range r.Modules {
		t.Row(r.address(m.BaseOfImage), r.address(m.End()), m.Name(),
			m.VersionInfo.FileVersion(), m.CvRecord.Key(), m.ModuleName)
	}
	for _, m := range r.Unloaded {
		end := m.BaseOfImage + minidump.VA(m.SizeOfImage)
		t.Row(r.address(m.BaseOfImage), r.address(end), "(unloaded)", "", "", m.ModuleName)
	}
	return t.Write(w)
}

// address writes an address with the digits of a pointer of the dump.
func (r *ModuleReport) address(a minidump.VA) string { return pointer(r.Dump.PointerSize, a) }

func pointer(size int, a minidump.VA) string {
	if size == 4 {
		return fmt.Sprintf("%08x", uint64(a))
	}
	return fmt.Sprintf("%016x", uint64(a))
}

// JSON writes the modules as JSON.
func (r *ModuleReport) JSON(w io.Writer) error {
	type module struct {
		Base           string `json:"base"`
		End            string `json:"end"`
		Size           uint32 `json:"size"`
		Name           string `json:"name"`
		Path           string `json:"path"`
		Version        string `json:"version,omitempty"`
		ProductVersion string `json:"productVersion,omitempty"`
		Timestamp      string `json:"timestamp"`
		CheckSum       string `json:"checksum"`
		ImageKey       string `json:"imageKey"`
		PDB            string `json:"pdb,omitempty"`
		PDBKey         string `json:"pdbKey,omitempty"`
	}
	type unloaded struct {
		Base      string `json:"base"`
		End       string `json:"end"`
		Size      uint32 `json:"size"`
		Name      string `json:"name"`
		Timestamp string `json:"timestamp"`
	}
	j := NewJSONWriter(w, ModulesSchema)
	j.Field("dump", r.Dump)
	j.List("modules", func(element func(any)) {
		for _, m := range r.Modules {
			element(module{
				Base: hexNumber(m.BaseOfImage), End: hexNumber(m.End()), Size: m.SizeOfImage,
				Name: m.Name(), Path: m.ModuleName,
				Version: m.VersionInfo.FileVersion(), ProductVersion: m.VersionInfo.ProductVersion(),
				Timestamp: hexNumber(m.TimeDateStamp), CheckSum: hexNumber(m.CheckSum), ImageKey: m.ImageKey(),
				PDB: m.CvRecord.PDBFile, PDBKey: m.CvRecord.Key(),
			})
		}
	})
	j.List("unloaded", func(element func(any)) {
		for _, m := range r.Unloaded {
			element(unloaded{
				Base: hexNumber(m.BaseOfImage), End: hexNumber(m.BaseOfImage + minidump.VA(m.SizeOfImage)),
				Size: m.SizeOfImage, Name: m.ModuleName, Timestamp: hexNumber(m.TimeDateStamp),
			})
		}
	})
	j.Strings("errors", r.Errors)
	return j.Close()
}
