package render

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A ModuleReport is the answer of "dumpscan modules": the programs and DLLs of
// a process, in the order of the file.
type ModuleReport struct {
	Dump     DumpHeader       `json:"dump"`
	Modules  []Module         `json:"modules"`
	Unloaded []UnloadedModule `json:"unloaded"`
	Omitted  int              `json:"omitted,omitempty"`
	Notes    []string         `json:"notes"`
	Complaints

	// Verbose makes the text that of lmv: all that the dump says of each.
	Verbose bool `json:"-"`
}

// A Module is a program or DLL that is loaded.
type Module struct {
	Base           Hex    `json:"base"`
	End            Hex    `json:"end"`  // of the last byte, plus one
	Size           uint32 `json:"size"` // bytes in memory
	Name           string `json:"name"` // as WinDbg writes it, without extension
	Path           string `json:"path"`
	Version        string `json:"version,omitempty"`
	ProductVersion string `json:"productVersion,omitempty"`
	Timestamp      Hex    `json:"timestamp"` // of the linker
	CheckSum       Hex    `json:"checksum"`
	ImageKey       string `json:"imageKey"` // of a symbol store
	PDB            string `json:"pdb,omitempty"`
	PDBKey         string `json:"pdbKey,omitempty"`
	// The rest of the version; nil for a module without.
	FileInfo *FileInfo `json:"fileInfo,omitempty"`
}

// FileInfo is what a version resource says in numbers (VS_FIXEDFILEINFO), but
// for the versions.
type FileInfo struct {
	Flags     Hex `json:"flags"`     // VS_FF_*
	FlagsMask Hex `json:"flagsMask"` // which of them are valid
	OS        Hex `json:"os"`        // VOS_*: 0x40004 is Windows NT
	Type      Hex `json:"type"`      // VFT_*: 1 a program, 2 a DLL
	Subtype   Hex `json:"subtype"`
	Date      Hex `json:"date"` // FILETIME, in practice 0
}

func newFileInfo(v *minidump.FixedFileInfo) *FileInfo {
	if v.Signature == 0 {
		return nil
	}
	return &FileInfo{
		Flags: Hex(v.FileFlags), FlagsMask: Hex(v.FileFlagsMask), OS: Hex(v.FileOS), Type: Hex(v.FileType), Subtype: Hex(v.FileSubtype),
		Date: Hex(v.FileDateMS)<<32 | Hex(v.FileDateLS),
	}
}

// An UnloadedModule is a program or DLL that was loaded.
type UnloadedModule struct {
	Base      Hex    `json:"base"`
	End       Hex    `json:"end"`
	Size      uint32 `json:"size"`
	Name      string `json:"name"` // with extension, and without folder on most systems
	Timestamp Hex    `json:"timestamp"`
	CheckSum  Hex    `json:"checksum"`
}

// NewModuleReport makes a report of the modules. At most limit of them are in
// it, the loaded ones first; 0 is all.
func NewModuleReport(dump DumpHeader, modules []minidump.Module, unloaded []minidump.UnloadedModule, limit int) *ModuleReport {
	r := &ModuleReport{Dump: dump}
	for i := range modules {
		m := &modules[i]
		r.Modules = append(r.Modules, Module{
			Base: Hex(m.BaseOfImage), End: Hex(m.End()), Size: m.SizeOfImage, Name: m.Name(), Path: m.ModuleName,
			Version: m.VersionInfo.FileVersion(), ProductVersion: m.VersionInfo.ProductVersion(),
			Timestamp: Hex(m.TimeDateStamp), CheckSum: Hex(m.CheckSum), ImageKey: m.ImageKey(),
			PDB: m.CvRecord.PDBFile, PDBKey: m.CvRecord.Key(), FileInfo: newFileInfo(&m.VersionInfo),
		})
	}
	for _, m := range unloaded {
		r.Unloaded = append(r.Unloaded, UnloadedModule{
			Base: Hex(m.BaseOfImage), End: Hex(m.BaseOfImage + minidump.VA(m.SizeOfImage)),
			Size: m.SizeOfImage, Name: m.ModuleName, Timestamp: Hex(m.TimeDateStamp), CheckSum: Hex(m.CheckSum),
		})
	}
	if limit > 0 {
		r.Modules, r.Omitted = limitRows(r.Modules, limit)
		var more int
		r.Unloaded, more = limitRows(r.Unloaded, limit-len(r.Modules))
		r.Omitted += more
	}
	return r
}

// limitRows keeps the first rows, and returns how many there are more.
func limitRows[T any](rows []T, limit int) ([]T, int) {
	if len(rows) <= limit {
		return rows, 0
	}
	return slices.Clip(rows[:limit]), len(rows) - limit
}

func (r *ModuleReport) schema() string { return "dumpscan.modules/2" }

// text writes the modules as a table in the spirit of WinDbg's lm, or as its lmv.
func (r *ModuleReport) text(b *bufio.Writer, style Style) error {
	if r.Verbose {
		return r.verbose(b, style)
	}
	t := Table{
		Header: []string{"start", "end", "module", "version", "pdb", "path"},
		Drop:   []string{"pdb", "version", "end"}, Style: style,
	}
	address := func(a Hex) string { return pointer(r.Dump.PointerSize, a) }
	for _, m := range r.Modules {
		t.Row(address(m.Base), address(m.End), m.Name, m.Version, m.PDBKey, m.Path)
	}
	for _, m := range r.Unloaded {
		t.Row(address(m.Base), address(m.End), "(unloaded)", "", "", m.Name)
	}
	if err := t.Write(b); err != nil {
		return err
	}
	if r.Omitted > 0 {
		fmt.Fprintln(b, words.More(r.Omitted, "module"))
	}
	return nil
}

// csv writes a row for each module. What is not known of a module, or of those
// that are unloaded, is an empty cell.
func (r *ModuleReport) csv(b *bufio.Writer) error {
	header := []string{
		"base", "end", "size", "name", "path", "version", "productVersion", "timestamp", "checksum", "imageKey", "pdb", "pdbKey", "unloaded",
	}
	size := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	return writeCSV(b, header, func(row func(...string)) {
		for _, m := range r.Modules {
			row(words.Hex(m.Base), words.Hex(m.End), size(m.Size), words.CSVCell(m.Name), words.CSVCell(m.Path),
				m.Version, m.ProductVersion, words.Hex(m.Timestamp), words.Hex(m.CheckSum), m.ImageKey,
				words.CSVCell(m.PDB), m.PDBKey, "false")
		}
		for _, m := range r.Unloaded {
			row(words.Hex(m.Base), words.Hex(m.End), size(m.Size), words.CSVCell(m.Name), "", "", "",
				words.Hex(m.Timestamp), words.Hex(m.CheckSum), "", "", "", "true")
		}
	})
}

// pointer writes an address with the digits of a pointer of so many bytes.
func pointer[T ~uint64](size int, a T) string {
	if size == 4 {
		return fmt.Sprintf("%08x", uint64(a))
	}
	return fmt.Sprintf("%016x", uint64(a))
}
