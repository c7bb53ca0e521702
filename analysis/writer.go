package analysis

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// The programs that can be recognised by the bytes of their dumps.
const (
	WriterDbghelp  = "dbghelp" // dbghelp.dll or dbgcore.dll: WinDbg, procdump, Task Manager, Windows Error Reporting
	WriterCrashpad = "crashpad"
	WriterBreakpad = "breakpad"
	WriterWine     = "wine"
)

// Writer is the program that wrote a dump, as far as the bytes show.
type Writer struct {
	Name     string // one of the Writer constants, or "" if nothing shows it
	Evidence string
}

// DetectWriter finds the writer of a dump by what only one of them leaves
// behind.
func DetectWriter(f *minidump.File) Writer {
	// Wine lists the ELF modules of its own process in this private stream.
	const wineModules minidump.StreamType = 0xfff0
	high := f.Version >> 16
	dir, _ := f.Directory() // the entries that are there are evidence enough
	for _, d := range dir {
		switch t := d.StreamType; {
		case t == minidump.CrashpadInfoStream:
			return Writer{WriterCrashpad, "stream " + t.String()}
		case t == wineModules && high == 0:
			return Writer{WriterWine, t.String() + ", Wine's list of ELF modules"}
		case t>>16 == 0x4767 && high == 0:
			return Writer{WriterBreakpad, "stream " + t.String()}
		case t>>16 == 0x4767:
			// On Windows Breakpad calls dbghelp and adds a stream.
			return Writer{WriterBreakpad, fmt.Sprintf("stream %s; the rest is by dbghelp, version %#x", t, high)}
		}
	}
	if high != 0 {
		return Writer{WriterDbghelp, fmt.Sprintf("implementation version %#x in the header", high)}
	}
	// dbghelp writes 40 bytes since version 6.5; of the writers with version 0
	// only Crashpad writes handles at all.
	if hd, err := f.HandleData(); err == nil && !hd.HasObjectInfo() {
		return Writer{WriterCrashpad, "probably: header version 0xa793 and handle descriptors of 32 bytes"}
	}
	return Writer{}
}
