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
	Guess    bool // nothing proves it
}

// Nameless says why the dump has no names of objects, if its writer never writes
// them; else it is "".
func (w Writer) Nameless() string {
	switch {
	case w.Name != WriterCrashpad:
		return ""
	case w.Guess:
		return "probably written by Crashpad, which never writes names of objects"
	}
	return "written by Crashpad, which never writes names of objects"
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
			return Writer{Name: WriterCrashpad, Evidence: "stream " + t.String()}
		case t == wineModules && high == 0:
			return Writer{Name: WriterWine, Evidence: t.String() + ", Wine's list of ELF modules"}
		case t>>16 == 0x4767 && high == 0:
			return Writer{Name: WriterBreakpad, Evidence: "stream " + t.String()}
		case t>>16 == 0x4767:
			// On Windows Breakpad calls dbghelp and adds a stream.
			return Writer{Name: WriterBreakpad, Evidence: fmt.Sprintf("stream %s; the rest is by dbghelp, version %#x", t, high)}
		}
	}
	if high != 0 {
		return Writer{Name: WriterDbghelp, Evidence: fmt.Sprintf("implementation version %#x in the header", high)}
	}
	// dbghelp writes 40 bytes since version 6.5; of the writers with version 0
	// only Crashpad writes handles at all.
	if hd, err := f.HandleData(); err == nil && !hd.HasObjectInfo() && !someNamed(hd) {
		return Writer{Name: WriterCrashpad, Evidence: "probably: header version 0xa793 and handle descriptors of 32 bytes", Guess: true}
	}
	return Writer{}
}

// someNamed reports whether one of the first handles has a name.
func someNamed(hd *minidump.HandleData) bool {
	const enough = 1024
	for h := range hd.Range(0, enough, minidump.HandleObjectName) {
		if h.ObjectName != "" {
			return true
		}
	}
	return false
}
