package render

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// verbose writes the modules by address, each as WinDbg's lmv does for a module
// whose image it does not find: what a version resource says in words is not in
// a dump. Times are in UTC.
func (r *ModuleReport) verbose(b *bufio.Writer, style Style) error {
	size := r.Dump.PointerSize
	width := len(tick(size, 0))
	fmt.Fprintln(b, style.Bold(fmt.Sprintf("%-*s %-*s   module name", width, "start", width, "end")))
	byBase := func(a, b Hex) int { return cmp.Compare(a, b) }
	modules := slices.Clone(r.Modules)
	slices.SortStableFunc(modules, func(a, b Module) int { return byBase(a.Base, b.Base) })
	for i := range modules {
		m := &modules[i]
		fmt.Fprintf(b, "%s %s   %-8s   %-23s\n", tick(size, uint64(m.Base)), tick(size, uint64(m.End)), words.Escape(m.Name), "(deferred)")
		m.verbose(b)
	}
	if len(r.Unloaded) > 0 {
		fmt.Fprintln(b, "\nUnloaded modules:")
	}
	unloaded := slices.Clone(r.Unloaded)
	slices.SortStableFunc(unloaded, func(a, b UnloadedModule) int { return byBase(a.Base, b.Base) })
	for _, m := range unloaded {
		fmt.Fprintf(b, "%s %s   %s\n", tick(size, uint64(m.Base)), tick(size, uint64(m.End)), words.Escape(m.Name))
		fmt.Fprintf(b, "    Timestamp: %s\n    Checksum:  %08X\n    ImageSize:  %08X\n", linkTime(m.Timestamp), uint64(m.CheckSum), m.Size)
	}
	if r.Omitted > 0 {
		fmt.Fprintln(b, words.More(r.Omitted, "module"))
	}
	return nil
}

// verbose writes what is known of a module.
func (m *Module) verbose(b *bufio.Writer) {
	line := func(label, format string, args ...any) {
		fmt.Fprintf(b, "    %-18s%s\n", label, words.Escape(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(b, "    Image path: %s\n    Image name: %s\n", words.Escape(m.Path), words.Escape(analysis.BaseName(m.Path)))
	line("Timestamp:", "%s", linkTime(m.Timestamp))
	line("CheckSum:", "%08X", uint64(m.CheckSum))
	line("ImageSize:", "%08X", m.Size)
	v := m.FileInfo
	if v == nil {
		return
	}
	line("File version:", "%s", m.Version)
	line("Product version:", "%s", m.ProductVersion)
	line("File flags:", "%X (Mask %X)", uint64(v.Flags), uint64(v.FlagsMask))
	line("File OS:", "%X %s", uint64(v.OS), cmp.Or(fileSystems[v.OS], "Unknown"))
	line("File type:", "%X.%X %s", uint64(v.Type), uint64(v.Subtype), cmp.Or(fileTypes[v.Type], "Unknown"))
	line("File date:", "%08X.%08X", uint64(v.Date)>>32, uint32(v.Date))
	line("Translations:", "0000.04b0 0000.04e4 0409.04b0 0409.04e4")
	fmt.Fprintln(b, "    Information from resource tables:")
}

// fileSystems and fileTypes are WinDbg's words for VOS_* and VFT_*.
var (
	fileSystems = map[Hex]string{4: "Unknown Win32", 0x40004: "NT Win32"}
	fileTypes   = map[Hex]string{1: "App", 2: "Dll", 3: "Driver"}
)

// linkTime is the time stamp of the linker as lmv writes it; a reproducible
// build has a hash there, which the dump does not say.
func linkTime(t Hex) string {
	if t == 0 {
		return "unavailable (00000000)"
	}
	return fmt.Sprintf("%s (%08X)", stamp(t).Format("Mon Jan _2 15:04:05 2006"), uint64(t))
}
