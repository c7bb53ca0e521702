package analysis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// DumpInfo describes a dump and the process in it: what WinDbg's vertarget,
// "||" and .dumpdebug say together. A field is zero if the dump does not say.
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
	Machine *minidump.SystemMemoryInfo
	Process string // path of the main module
	// WOW64 says that the process is a 32-bit one of a 64-bit Windows, by its
	// modules; System has the architecture of the process.
	WOW64   bool
	Created time.Time     // start of the process
	Uptime  time.Duration // Time less Created, if both are known and in order
	Streams []minidump.DirectoryEntry
	// Recovered are those of Streams that were found by their shapes.
	Recovered []minidump.RecoveredStream

	Notes     []string       // what is easily misread, such as a second stream of a type; not of [DescribeHeader]
	Exception *ExceptionFact // nil if the dump has none, or of [DescribeHeader]
	Comments  []string
	Handles   Answer // can it answer questions about handles?
	Traces    Answer // about who opened them?
	FullMem   Answer // about who holds them?

	Problems []error // what could not be read
}

// An Answer says whether a dump can answer a kind of question.
type Answer struct {
	Can    bool
	Detail string // "302 handles, without names", or why not
	Advice string // how to capture what is missing; "" if nothing is
}

// Describe collects the facts about a dump, and counts its handles. The error
// is that of ctx; what could not be read is in Problems.
func Describe(ctx context.Context, f *minidump.File) (*DumpInfo, error) {
	d := DescribeHeader(f)
	var cut Failures
	for _, s := range d.Streams {
		cut.Note(f.Check(s))
	}
	d.problem(cut.Err())
	d.readMemory(f)
	var err error
	modules, _ := f.Modules() // DescribeHeader noted the error
	d.Exception, err = ReadException(f, modules)
	d.problem(err)
	d.Notes = IgnoredNotes(f)
	d.Comments, err = f.Comments()
	d.problem(err)
	d.Handles = d.handles(ctx, f)
	d.Traces = d.traces(f)
	d.FullMem = d.fullMemory(f)
	return d, ctx.Err()
}

// DescribeHeader is the part of [Describe] that says which process was dumped, when and on which system. It reads a few small streams.
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
	d.Recovered = f.Recovered()
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
		d.WOW64 = slices.ContainsFunc(modules, func(m minidump.Module) bool {
			path := strings.ToLower(m.ModuleName)
			return strings.Contains(path, `\syswow64\`) || strings.HasSuffix(path, `\wow64.dll`)
		})
	}
	if d.Misc != nil {
		d.Created, _ = d.Misc.CreateTime()
	}
	if !d.Time.IsZero() && !d.Created.IsZero() && !d.Time.Before(d.Created) {
		d.Uptime = d.Time.Sub(d.Created)
	}
	return d
}

// readMemory reads how much memory the process and the machine use.
func (d *DumpInfo) readMemory(f *minidump.File) {
	var err error
	if f.Has(minidump.ProcessVmCountersStream) {
		d.Memory, err = f.ProcessVmCounters()
		d.problem(err)
	}
	if f.Has(minidump.SystemMemoryInfoStream) {
		d.Machine, err = f.SystemMemoryInfo()
		d.problem(err)
	}
}

// Has reports whether the dump has a stream.
func (d *DumpInfo) Has(t minidump.StreamType) bool {
	return slices.ContainsFunc(d.Streams, func(e minidump.DirectoryEntry) bool { return e.StreamType == t })
}

func (d *DumpInfo) problem(err error) {
	if err != nil {
		d.Problems = append(d.Problems, err)
	}
}

// unanswered is the answer of a dump that lacks what it takes.
func unanswered(err error) Answer {
	var missing *MissingError
	if !errors.As(err, &missing) {
		return Answer{Detail: "it cannot be read: " + err.Error()}
	}
	return Answer{Detail: cmp.Or(missing.Why, missing.What), Advice: missing.Capture}
}

func (d *DumpInfo) handles(ctx context.Context, f *minidump.File) Answer {
	l, err := ReadHandles(f)
	if err != nil {
		return unanswered(err)
	}
	if l.Empty() != nil {
		return Answer{Can: true, Detail: emptyHandles.What + ": " + emptyHandles.Why, Advice: emptyHandles.Capture}
	}
	s, err := Summarize(ctx, l, minidump.HandleObjectName)
	if s == nil {
		return Answer{}
	}
	d.problem(err)
	a := Answer{Can: true, Detail: words.Plural(s.Total, "handle")}
	if declared := uint64(l.data.NumberOfDescriptors); s.Total < declared {
		a.Detail = words.Of(s.Total, declared, "handle")
	}
	switch info := l.data.HasObjectInfo(); {
	case s.Named && info:
		a.Detail += ", with names and object information"
	case s.Named:
		a.Detail += ", with names, without object information"
	case d.Writer.Nameless() != "":
		a.Detail += ", without names (" + d.Writer.Nameless() + ") and without object information"
		a.Advice = CaptureHandles
	case info:
		a.Detail += ", with object information; none of them has a name"
	default:
		a.Detail += ", without names and without object information"
	}
	return a
}

func (d *DumpInfo) traces(f *minidump.File) Answer {
	l, err := f.HandleOperations()
	if errors.Is(err, minidump.ErrNoStream) {
		return unanswered(MissingTraces(f, err))
	}
	if err != nil {
		return unanswered(err)
	}
	n, err := l.Len()
	d.problem(err)
	if l.NumberOfEntries == 0 {
		return Answer{Detail: "the list of handle operations is there, but empty", Advice: CaptureTraces}
	}
	if declared := uint64(l.NumberOfEntries); uint64(n) < declared {
		return Answer{Can: n > 0, Detail: words.Of(uint64(n), declared, "operation")}
	}
	return Answer{Can: true, Detail: words.Plural(n, "operation")}
}

func (d *DumpInfo) fullMemory(f *minidump.File) Answer {
	m, err := f.Memory()
	if m == nil {
		return unanswered(MissingMemory(f, err))
	}
	d.problem(err)
	var bytes uint64
	for _, r := range m.Ranges() {
		bytes += r.Size
	}
	detail := fmt.Sprintf("%s in %s", words.Bytes(bytes), words.Plural(len(m.Ranges()), "range"))
	private := d.Flags&minidump.WithPrivateReadWriteMemory != 0 && bytes > 0
	if private && !f.Has(minidump.Memory64ListStream) {
		return Answer{Can: true, Detail: "its writer was asked for the private memory; " + detail}
	}
	if !f.Has(minidump.Memory64ListStream) || bytes == 0 {
		return Answer{Detail: "stacks and selected memory only, " + detail, Advice: MissingMemory(f, nil).Capture}
	}
	if m.Missing() > 0 {
		missing := words.Bytes(m.Missing()) + " are missing"
		if m.Missing() > minidump.MaxAddressSpace {
			missing = "more is missing than an address space has"
		}
		detail += fmt.Sprintf("; the file is cut off, %s", missing)
	}
	return Answer{Can: true, Detail: detail}
}
