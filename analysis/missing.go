package analysis

import (
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// A MissingError says that a dump cannot answer a question, what it lacks, and
// how to capture that.
type MissingError struct {
	What    string // "no handles in this dump"
	Why     string // as far as the dump shows; "" if it does not
	Capture string // a command or two; "" where nothing can be captured

	err error // minidump.ErrNoStream, if a stream is missing
}

func (e *MissingError) Error() string {
	s := e.What
	if e.Why != "" {
		s += ": " + e.Why
	}
	if e.Capture != "" {
		s += "; " + e.Capture
	}
	return s
}

// Unwrap returns the error of the package minidump, if there is one.
func (e *MissingError) Unwrap() error { return e.err }

// How to capture what a dump lacks.
const (
	CaptureHandles   = "capture with: procdump -ma PID, or in WinDbg .dump /mh FILE"
	CaptureTraces    = "run the process under Application Verifier's Handles check or !htrace -enable, then .dump /mh FILE"
	CaptureException = "capture a crash with: procdump -e -ma PID"
	CaptureMemory    = "capture with: procdump -ma PID, or in WinDbg .dump /ma FILE"
)

// emptyHandles is about a list of handles that is there but empty.
var emptyHandles = &MissingError{
	What: "the dump has a list of handles, but it is empty", Why: "its writer saved none", Capture: CaptureHandles,
}

// missing begins the error about what a dump lacks. On other systems than
// Windows nothing can be captured with the programs of Windows; known says that
// the reason is known then.
func missing(f *minidump.File, what, capture string, err error) (e *MissingError, known bool) {
	e = &MissingError{What: what, Capture: capture, err: err}
	dir, dirErr := f.Directory()
	si, siErr := f.SystemInfo()
	switch {
	case siErr == nil && si.PlatformID > minidump.PlatformWindowsNT:
		e.Why, e.Capture = fmt.Sprintf("it is a dump of a process on %s", si.PlatformID), ""
	case len(f.Recovered()) > 0:
		e.Why, e.Capture = "its directory, which would list them, is damaged, and nothing in the file has their shape", ""
	case dirErr != nil:
		e.Why, e.Capture = "its directory, which would list them, is cut off", ""
	case len(dir) == 0:
		e.Why = "its directory is empty: the writer failed, or was interrupted"
	default:
		return e, false
	}
	return e, true
}

// missingHandles says why a dump has no list of handles.
func missingHandles(f *minidump.File, err error) *MissingError {
	e, known := missing(f, "no handles in this dump", CaptureHandles, err)
	si, siErr := f.SystemInfo()
	w := DetectWriter(f)
	switch {
	case siErr == nil && si.PlatformID > minidump.PlatformWindowsNT:
		e.Why += ", where there are no Windows handles"
	case known:
	case f.Flags&minidump.WithHandleData != 0:
		e.Why = "handle data was asked for (MiniDumpWithHandleData), but the writer saved none"
	case w.Name != "" && w.Name != WriterDbghelp:
		e.Why = fmt.Sprintf("its writer, %s, saved none", w.Name)
	default:
		e.Why = "it was written without MiniDumpWithHandleData"
	}
	return e
}

// MissingTraces says why a dump has no handle trace; err is that of looking for
// it.
func MissingTraces(f *minidump.File, err error) *MissingError {
	e, _ := missing(f, "no handle operations in this dump", CaptureTraces, err)
	return e
}

// MissingMemory says why a dump has no memory; err is that of looking for it.
func MissingMemory(f *minidump.File, err error) *MissingError {
	e, _ := missing(f, "the dump holds no memory", CaptureMemory, err)
	return e
}

// exceptionless is why a dump has no exception. What became of the process the
// bytes do not show.
const exceptionless = "its writer saved none, as is usual for a process that runs"

// MissingException says why a dump has no exception.
func MissingException(f *minidump.File) *MissingError {
	_, err := f.Exception()
	e, known := missing(f, "no exception in this dump", CaptureException, err)
	if !known {
		e.Why = exceptionless
	}
	return e
}

// A capture is how a stream gets into a dump.
type capture struct {
	flag    minidump.Flags // of MINIDUMP_TYPE; 0 if there is none for it
	why     string         // where it is no matter of the flag
	command string
}

// captures are the streams that not every dump has.
var captures = map[minidump.StreamType]capture{
	minidump.HandleDataStream:          {minidump.WithHandleData, "", CaptureHandles},
	minidump.HandleOperationListStream: {0, "the process was not traced", CaptureTraces},
	minidump.Memory64ListStream:        {minidump.WithFullMemory, "", CaptureMemory},
	minidump.UnloadedModuleListStream:  {minidump.WithUnloadedModules, "", "capture with: procdump -ma PID, or in WinDbg .dump /mu FILE"},
	minidump.MemoryInfoListStream:      {minidump.WithFullMemoryInfo, "", "capture with: procdump -ma PID, or in WinDbg .dump /mF FILE"},
	minidump.ThreadInfoListStream:      {minidump.WithThreadInfo, "", "capture with: procdump -ma PID, or in WinDbg .dump /mt FILE"},
	minidump.TokenStream:               {minidump.WithTokenInformation, "", "capture with: procdump -mc 40000 PID"},
	minidump.IptTraceStream:            {minidump.WithIptTrace, "", "capture with: procdump -mc 400000 PID"},
	minidump.ExceptionStream:           {0, exceptionless, CaptureException},
	minidump.CommentStreamA:            {0, "nobody has added a comment", "capture with: in WinDbg .dump /c \"TEXT\" /ma FILE"},
	minidump.CommentStreamW:            {0, "nobody has added a comment", "capture with: in WinDbg .dump /c \"TEXT\" /ma FILE"},
	minidump.FunctionTableStream:       {0, "the process has registered no code that it made while it ran, or its writer saved none", ""},
	minidump.ThreadExListStream:        {0, "only dumps of Itanium have it", ""},
	minidump.BreakpadInfoStream:        {0, "only Breakpad writes it", ""},
	minidump.AssertionInfoStream:       {0, "only Breakpad writes it, when a check of the C runtime has failed", ""},
	minidump.CrashpadInfoStream:        {0, "only Crashpad writes it", ""},
	minidump.JavaScriptDataStream:      {0, "only the script hosts of old browsers have it", ""},
	minidump.ThreadNamesStream:         {0, "its writer is older than Windows 10 1809, or no thread was named", ""},
}

// MissingStream says why a dump has no stream of a type; err is that of looking
// for it.
func MissingStream(f *minidump.File, t minidump.StreamType, err error) *MissingError {
	c := captures[t]
	e, known := missing(f, fmt.Sprintf("no %s in this dump", t), c.command, err)
	switch {
	case known:
	case c.flag == 0:
		e.Why = c.why
	case f.Flags&c.flag != 0:
		e.Why = fmt.Sprintf("it was asked for (MiniDump%s), but the writer saved none", c.flag)
	default:
		e.Why = fmt.Sprintf("it was written without MiniDump%s", c.flag)
	}
	return e
}
