package render

import (
	"slices"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// InfoReport is the answer of "dumpscan info".
type InfoReport struct {
	Dump      DumpHeader     `json:"dump"`
	Size      int64          `json:"size"`    // bytes
	Version   Hex            `json:"version"` // of the header
	Flags     InfoFlags      `json:"flags"`
	Writer    InfoWriter     `json:"writer"`
	System    *InfoSystem    `json:"system,omitempty"`
	CPU       *InfoCPU       `json:"cpu,omitempty"`
	Memory    *InfoMemory    `json:"memory,omitempty"`
	Machine   *InfoMachine   `json:"machine,omitempty"`
	Exception *InfoException `json:"exception,omitempty"`
	Comments  []string       `json:"comments"`
	Answers   InfoAnswers    `json:"answers"`
	Streams   []InfoStream   `json:"streams"` // in the order of the file
	Notes     []string       `json:"notes"`
	Complaints

	created, written time.Time
	product          string // "server"
}

func (*InfoReport) schema() string { return "dumpscan.info/2" }

// InfoFlags are what the writer was asked to save.
type InfoFlags struct {
	Value Hex      `json:"value"`
	Names []string `json:"names"` // of MINIDUMP_TYPE, without the prefix
}

// InfoWriter is the program that wrote a dump.
type InfoWriter struct {
	Name     string `json:"name"` // "dbghelp", "crashpad", "breakpad" or "wine"; "" if the bytes do not say
	Evidence string `json:"evidence,omitempty"`
}

// InfoSystem is the system that the process ran on.
type InfoSystem struct {
	Architecture string `json:"architecture"`
	Processors   uint8  `json:"processors"`
	Name         string `json:"name,omitempty"`        // "Windows 7 SP1"
	ProductType  uint8  `json:"productType,omitempty"` // 1 workstation, 2 domain controller, 3 server
	ServicePack  string `json:"servicePack,omitempty"`
	Build        string `json:"build,omitempty"`
}

// InfoCPU is the processor time of the process, in seconds.
type InfoCPU struct {
	User   uint32 `json:"userSeconds"`
	Kernel uint32 `json:"kernelSeconds"`
}

// InfoMemory is the memory of the process, in bytes.
type InfoMemory struct {
	Private      uint64 `json:"privateBytes"`
	WorkingSet   uint64 `json:"workingSetBytes"`
	PagedPool    uint64 `json:"pagedPoolBytes"`
	NonPagedPool uint64 `json:"nonPagedPoolBytes"`
}

// InfoMachine is the memory of the machine, in bytes.
type InfoMachine struct {
	Physical     uint64 `json:"physicalBytes"`
	Available    uint64 `json:"availableBytes"`
	Committed    uint64 `json:"committedBytes"`
	CommitLimit  uint64 `json:"commitLimitBytes"`
	PagedPool    uint64 `json:"pagedPoolBytes"`
	NonPagedPool uint64 `json:"nonPagedPoolBytes"`
}

// InfoException is the exception that the dump was written for.
type InfoException struct {
	Code         Hex    `json:"code"`
	Name         string `json:"name"` // "STATUS_ACCESS_VIOLATION", "SIGSEGV"; the number if it has none
	ThreadID     uint32 `json:"threadId"`
	Address      Hex    `json:"address"` // where it happened
	Module       string `json:"module"`  // "" outside all modules
	ModuleOffset Hex    `json:"moduleOffset"`
	Parameters   []Hex  `json:"parameters"` // what they mean depends on the code

	label string
}

// InfoAnswers say which kinds of questions a dump can answer.
type InfoAnswers struct {
	Handles      InfoAnswer `json:"handles"`
	HandleTraces InfoAnswer `json:"handleTraces"` // who opened them
	FullMemory   InfoAnswer `json:"fullMemory"`   // who holds them
}

// InfoAnswer says whether a dump can answer a kind of question.
type InfoAnswer struct {
	Can    bool   `json:"can"`
	Detail string `json:"detail,omitempty"`
	Advice string `json:"advice,omitempty"` // how to capture what is missing
}

// InfoStream is an entry of the directory.
type InfoStream struct {
	Type   uint32 `json:"type"`
	Name   string `json:"name"`
	Size   uint32 `json:"size"` // bytes
	Offset Hex    `json:"offset"`
	// Recovered says that the stream was found by its shape.
	Recovered bool `json:"recovered,omitempty"`
}

// NewInfoReport describes a dump that was opened under the given name.
func NewInfoReport(file string, d *analysis.DumpInfo) *InfoReport {
	r := &InfoReport{
		Dump: NewDumpHeader(file, d), Size: d.Size, Version: Hex(d.Version),
		Flags:    InfoFlags{Hex(d.Flags), d.Flags.Names()},
		Writer:   InfoWriter{d.Writer.Name, d.Writer.Evidence},
		Comments: d.Comments, Notes: d.Notes,
		Answers: InfoAnswers{InfoAnswer(d.Handles), InfoAnswer(d.Traces), InfoAnswer(d.FullMem)},
		created: d.Created, written: d.Time,
	}
	if s := d.System; s != nil {
		r.System = &InfoSystem{
			Architecture: s.ProcessorArchitecture.String(), Processors: s.NumberOfProcessors,
			Name: analysis.WindowsName(s), ProductType: uint8(s.ProductType), ServicePack: s.CSDVersion,
		}
		r.product = productWords[s.ProductType]
		if s.PlatformID != minidump.PlatformWindowsNT {
			r.product = "not a Windows dump"
		}
		if d.Misc != nil {
			r.System.Build = d.Misc.BuildString
		}
	}
	if m := d.Misc; m != nil && m.Flags1&minidump.MiscProcessTimes != 0 {
		r.CPU = &InfoCPU{m.ProcessUserTime, m.ProcessKernelTime}
	}
	if v := d.Memory; v != nil {
		r.Memory = &InfoMemory{v.PrivateUsage, v.WorkingSetSize, v.QuotaPagedPoolUsage, v.QuotaNonPagedPoolUsage}
	}
	if m := d.Machine; m != nil {
		page, perf := uint64(m.BasicInfo.PageSize), m.BasicPerfInfo
		r.Machine = &InfoMachine{
			page * uint64(m.BasicInfo.NumberOfPhysicalPages), page * perf.AvailablePages, page * perf.CommittedPages, page * perf.CommitLimit,
			page * uint64(m.PerfInfo.PagedPoolPages), page * uint64(m.PerfInfo.NonPagedPoolPages),
		}
	}
	if e := d.Exception; e != nil {
		r.Exception = &InfoException{
			Code: Hex(e.ExceptionCode), Name: e.Name, ThreadID: e.ThreadID, Address: Hex(e.ExceptionAddress),
			Module: e.Module, ModuleOffset: Hex(e.Offset), Parameters: hexes(e.ExceptionInformation), label: e.String(),
		}
	}
	for _, s := range d.Streams {
		r.Streams = append(r.Streams, InfoStream{
			Type: uint32(s.StreamType), Name: s.StreamType.String(), Size: s.DataSize, Offset: Hex(s.RVA),
			Recovered: slices.ContainsFunc(d.Recovered, func(o minidump.RecoveredStream) bool { return o.DirectoryEntry == s }),
		})
	}
	return r
}

var productWords = map[minidump.ProductType]string{
	minidump.ProductWorkstation:      "workstation",
	minidump.ProductDomainController: "domain controller",
	minidump.ProductServer:           "server",
}

// uptime says how long the process ran, or why that is not known.
func (r *InfoReport) uptime() string {
	switch {
	case r.created.IsZero():
		return "unknown: the dump does not say when the process was started"
	case r.written.IsZero():
		return "unknown: the dump does not say when it was written"
	case r.written.Before(r.created):
		return "unknown: the process was started after the dump was written, so one of the clocks is wrong"
	}
	return words.Duration(r.written.Sub(r.created))
}
