package analysis

import (
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/minidump"
)

// DumpInfo describes a dump and the process in it: what WinDbg's vertarget,
// "||" and .dumpdebug tell together. A field is zero if the dump does not
// tell.
type DumpInfo struct {
	Size        int64 // bytes
	Version     uint32
	Flags       minidump.Flags
	Writer      Writer
	Time        time.Time // when the dump was written; zero if the header has none
	PointerSize int       // bytes; 0 unknown

	System  *minidump.SystemInfo
	Misc    *minidump.MiscInfo
	Memory  *minidump.ProcessVmCounters
	Process string        // path of the main module
	Created time.Time     // start of the process
	Uptime  time.Duration // Time less Created, if both are known and in order
	Streams []minidump.Directory

	Comments []string
	Handles  Answer // can it answer questions about handles?
	Traces   Answer // about who opened them?
	FullMem  Answer // about who holds them?

	Problems []error // what could not be read
}

// An Answer says whether a dump can answer a kind of question.
type Answer struct {
	Can    bool
	Detail string // "302 handles, without names", or why not
	Advice string // how to capture what is missing; "" if nothing is
}

// Describe collects the facts about a dump, and counts its handles.
func Describe(f *minidump.File) *DumpInfo {
	d := DescribeHeader(f)
	var cut Failures
	for _, s := range d.Streams {
		cut.Note(f.Check(s))
	}
	d.problem(cut.Err())
	var err error
	if f.Has(minidump.ProcessVmCountersStream) {
		d.Memory, err = f.ProcessVmCounters()
		d.problem(err)
	}
	d.Comments, err = f.Comments()
	d.problem(err)
	d.Handles = d.handles(f)
	d.Traces = d.traces(f)
	d.FullMem = d.fullMemory(f)
	return d
}

// DescribeHeader is the part of [Describe] that tells which process was
// dumped, when and on which system. It reads a few small streams.
func DescribeHeader(f *minidump.File) *DumpInfo {
	d := &DumpInfo{
		Size: f.Size(), Version: f.Version, Flags: f.Flags,
		PointerSize: f.PointerSize(), Writer: DetectWriter(f),
	}
	if f.TimeDateStamp != 0 {
		d.Time = f.Time()
	}
	var err error
	d.Streams, err = f.Directory()
	d.problem(err)
	if f.Has(minidump.SystemInfoStream) {
		d.System, err = f.SystemInfo()
		d.problem(err)
	}
	if f.Has(minidump.MiscInfoStream) {
		d.Misc, err = f.MiscInfo()
		d.problem(err)
	}
	if f.Has(minidump.ModuleListStream) {
		modules, err := f.Modules()
		d.problem(err)
		if len(modules) > 0 {
			d.Process = modules[0].ModuleName // writers list the program first
		}
	}
	if d.Misc != nil {
		d.Created, _ = d.Misc.CreateTime()
	}
	if !d.Time.IsZero() && !d.Created.IsZero() && !d.Time.Before(d.Created) {
		d.Uptime = d.Time.Sub(d.Created)
	}
	return d
}

func (d *DumpInfo) problem(err error) {
	if err != nil {
		d.Problems = append(d.Problems, err)
	}
}

// How to capture what a dump lacks.
const (
	CaptureHandles = "capture with: procdump -ma PID, or in WinDbg .dump /mh FILE (Task Manager's dumps hold no handles)"
	CaptureTraces  = "run the process under Application Verifier's Handles check or !htrace -enable, then .dump /mh FILE"
	CaptureMemory  = "capture with: procdump -ma PID, or in WinDbg .dump /ma FILE"
)

// MissingHandles explains in one line why a dump without handle data has none,
// and how to capture one that does.
func MissingHandles(f *minidump.File) string {
	if _, err := f.Directory(); err != nil {
		return "its directory, which would list them, is cut off"
	}
	if si, err := f.SystemInfo(); err == nil && si.PlatformID > minidump.PlatformWindowsNT {
		return fmt.Sprintf("it is a dump of a process on %s, where there are no Windows handles", si.PlatformID)
	}
	switch DetectWriter(f).Name {
	case WriterBreakpad:
		return "Breakpad writes no handle data; " + CaptureHandles
	case WriterCrashpad:
		return "this Crashpad dump has no handle data; " + CaptureHandles
	case WriterDbghelp:
		if f.Flags&minidump.WithHandleData != 0 {
			return "handle data was asked for (MiniDumpWithHandleData), but the writer saved none; " + CaptureHandles
		}
		return "the dump was written without MiniDumpWithHandleData; " + CaptureHandles
	}
	return "the dump was written without handle data; " + CaptureHandles
}

func (d *DumpInfo) handles(f *minidump.File) Answer {
	if !f.Has(minidump.HandleDataStream) {
		return Answer{Detail: MissingHandles(f)}
	}
	hd, err := f.HandleData()
	if err != nil {
		return Answer{Detail: "the handle data cannot be read: " + err.Error(), Advice: CaptureHandles}
	}
	if hd.NumberOfDescriptors == 0 {
		return Answer{
			Can: true, Advice: CaptureHandles,
			Detail: "the list of handles is there, but empty: the writer saved none",
		}
	}
	s, err := SummarizeData(hd, minidump.HandleObjectName, &HandleFilter{})
	d.problem(err)
	a := Answer{Can: true, Detail: fmt.Sprintf("%d handles, ", s.Total)}
	switch info := hd.SizeOfDescriptor >= 40; {
	case s.Named && info:
		a.Detail += "with names and object information"
	case s.Named:
		a.Detail += "with names, without object information"
	case d.Writer.Name == WriterCrashpad:
		a.Detail += "without names (Crashpad never writes names) and without object information"
		a.Advice = CaptureHandles
	case info:
		a.Detail += "with object information; none of them has a name"
	default:
		a.Detail += "without names and without object information"
	}
	return a
}

func (d *DumpInfo) traces(f *minidump.File) Answer {
	if !f.Has(minidump.HandleOperationListStream) {
		return Answer{Detail: "the dump has no handle operations", Advice: CaptureTraces}
	}
	l, err := f.HandleOperations()
	if err != nil {
		return Answer{Detail: "the handle operations cannot be read: " + err.Error(), Advice: CaptureTraces}
	}
	n, err := l.Len()
	d.problem(err)
	if n == 0 {
		return Answer{Detail: "the list of handle operations is there, but empty", Advice: CaptureTraces}
	}
	return Answer{Can: true, Detail: fmt.Sprintf("%d operations", n)}
}

func (d *DumpInfo) fullMemory(f *minidump.File) Answer {
	m, err := f.Memory()
	if m == nil {
		return Answer{Detail: "the dump holds no memory", Advice: CaptureMemory}
	}
	d.problem(err)
	var bytes uint64
	for _, r := range m.Ranges() {
		bytes += r.Size
	}
	detail := fmt.Sprintf("%d bytes in %d ranges", bytes, len(m.Ranges()))
	if !f.Has(minidump.Memory64ListStream) || bytes == 0 {
		return Answer{Detail: "stacks and selected memory only, " + detail, Advice: CaptureMemory}
	}
	if m.Missing() > 0 {
		detail += fmt.Sprintf("; the file is cut off, %d bytes are missing", m.Missing())
	}
	return Answer{Can: true, Detail: detail}
}
