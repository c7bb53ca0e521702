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

// MissingException says why a dump has no exception.
func MissingException(f *minidump.File) *MissingError {
	_, err := f.Exception()
	e, known := missing(f, "no exception in this dump", CaptureException, err)
	if !known {
		e.Why = "it was taken of a process that ran"
	}
	return e
}
