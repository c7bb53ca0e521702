package render

import (
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
)

// A PEBReport is the answer of "dumpscan peb": what the process keeps about
// itself. A WOW64 process has two PEBs, the 64-bit one first.
type PEBReport struct {
	Dump  DumpHeader `json:"dump"`
	PEBs  []PEB      `json:"pebs"`
	Notes []string   `json:"notes"`
	Complaints
}

// A PEB is a process environment block and what it leads to.
type PEB struct {
	Address                  Hex            `json:"address"`
	PointerSize              int            `json:"pointerSize"`
	InheritedAddressSpace    bool           `json:"inheritedAddressSpace"`
	ReadImageFileExecOptions bool           `json:"readImageFileExecOptions"`
	BeingDebugged            bool           `json:"beingDebugged"`
	ImageBaseAddress         Hex            `json:"imageBaseAddress"`
	NtGlobalFlag             Hex            `json:"ntGlobalFlag"`
	NtGlobalFlag2            *Hex           `json:"ntGlobalFlag2,omitempty"`
	SubSystemData            Hex            `json:"subSystemData"`
	SubSystem                uint32         `json:"subSystem"` // IMAGE_SUBSYSTEM_*: 2 with windows, 3 a console
	SessionID                uint32         `json:"sessionId"`
	Processors               uint32         `json:"processors"`
	OSVersion                [3]uint32      `json:"osVersion"` // major, minor, build
	ProcessHeap              Hex            `json:"processHeap"`
	Heaps                    []Hex          `json:"heaps"`
	HeapCount                uint32         `json:"heapCount"` // as the PEB says
	LdrAddress               Hex            `json:"ldr"`
	Loader                   *PEBLoader     `json:"loader,omitempty"`
	ParametersAddress        Hex            `json:"processParameters"`
	Parameters               *PEBParameters `json:"parameters,omitempty"`
	Missing                  []string       `json:"missing"` // parts that the dump does not hold

	environment bool // is to be shown
	wow64       bool // one of two
}

// PEBLoader is the loader's list of modules.
type PEBLoader struct {
	Initialized           bool        `json:"initialized"`
	InInitializationOrder [2]Hex      `json:"inInitializationOrder"` // the links of the heads of the lists
	InLoadOrder           [2]Hex      `json:"inLoadOrder"`
	InMemoryOrder         [2]Hex      `json:"inMemoryOrder"`
	Modules               []PEBModule `json:"modules"` // in the order of loading
}

// A PEBModule is an entry of the loader's list.
type PEBModule struct {
	Base      Hex     `json:"base"`
	Size      uint32  `json:"size"` // bytes
	Timestamp Hex     `json:"timestamp"`
	Path      *string `json:"path,omitempty"` // absent if it was not captured
}

// PEBParameters are what the process was started with. A text that was not
// captured is absent.
type PEBParameters struct {
	CurrentDirectory *string `json:"currentDirectory,omitempty"`
	WindowTitle      *string `json:"windowTitle,omitempty"`
	ImageFile        *string `json:"imageFile,omitempty"`
	CommandLine      *string `json:"commandLine,omitempty"`
	DLLPath          *string `json:"dllPath,omitempty"`
	Desktop          *string `json:"desktop,omitempty"`
	ShellInfo        *string `json:"shellInfo,omitempty"`
	StandardInput    Hex     `json:"standardInput"` // handles
	StandardOutput   Hex     `json:"standardOutput"`
	StandardError    Hex     `json:"standardError"`
	Environment      Hex     `json:"environment"` // where it is
	// Variables are those of the environment, if they were asked for;
	// VariableCount is how many were captured.
	Variables     []PEBVariable `json:"variables,omitempty"`
	VariableCount int           `json:"variableCount"`
}

// A PEBVariable is one of the environment.
type PEBVariable struct {
	Name  string `json:"name"` // begins with "=" for what cmd.exe keeps
	Value string `json:"value"`

	line string // as it stands in the block
}

// NewPEBReport makes a report of PEBs, with their environment or without.
func NewPEBReport(dump DumpHeader, pebs []analysis.PEB, environment bool) *PEBReport {
	r := &PEBReport{Dump: dump}
	for i := range pebs {
		p := &pebs[i]
		row := PEB{
			Address: Hex(p.Address), PointerSize: p.PointerSize,
			InheritedAddressSpace: p.InheritedAddressSpace, ReadImageFileExecOptions: p.ReadImageFileExecOptions, BeingDebugged: p.BeingDebugged,
			ImageBaseAddress: Hex(p.ImageBaseAddress), NtGlobalFlag: Hex(p.NtGlobalFlag),
			SubSystemData: Hex(p.SubSystemData), SubSystem: p.ImageSubSystem, SessionID: p.SessionID, Processors: p.NumberOfProcessors,
			OSVersion:   [3]uint32{p.OSMajorVersion, p.OSMinorVersion, uint32(p.OSBuildNumber)},
			ProcessHeap: Hex(p.ProcessHeap), Heaps: hexes(p.Heaps), HeapCount: p.NumberOfHeaps,
			LdrAddress: Hex(p.Ldr), Loader: newPEBLoader(p.Loader),
			ParametersAddress: Hex(p.ProcessParameters), Parameters: newPEBParameters(p.Parameters, environment),
			Missing: p.Missing, environment: environment, wow64: len(pebs) > 1,
		}
		if f := p.NtGlobalFlag2; f != nil {
			flags := Hex(*f)
			row.NtGlobalFlag2 = &flags
		}
		r.PEBs = append(r.PEBs, row)
		if len(p.Missing) > 0 {
			r.Notes = append(r.Notes, "the dump does not hold all that the PEB at "+p.Address.String()+" leads to: it lacks "+strings.Join(p.Missing, ", "))
		}
	}
	return r
}

func newPEBLoader(l *analysis.Loader) *PEBLoader {
	if l == nil {
		return nil
	}
	head := func(e analysis.ListEntry) [2]Hex { return [2]Hex{Hex(e.Flink), Hex(e.Blink)} }
	row := &PEBLoader{
		Initialized: l.Initialized, InInitializationOrder: head(l.InInitializationOrder),
		InLoadOrder: head(l.InLoadOrder), InMemoryOrder: head(l.InMemoryOrder),
	}
	for _, m := range l.Modules {
		row.Modules = append(row.Modules, PEBModule{Hex(m.Base), m.SizeOfImage, Hex(m.TimeDateStamp), m.Path})
	}
	return row
}

func newPEBParameters(p *analysis.ProcessParameters, environment bool) *PEBParameters {
	if p == nil {
		return nil
	}
	row := &PEBParameters{
		CurrentDirectory: p.CurrentDirectory, WindowTitle: p.WindowTitle, ImageFile: p.ImagePathName, CommandLine: p.CommandLine,
		DLLPath: p.DLLPath, Desktop: p.Desktop, ShellInfo: p.ShellInfo,
		StandardInput: Hex(p.StandardInput), StandardOutput: Hex(p.StandardOutput), StandardError: Hex(p.StandardError),
		Environment: Hex(p.Environment), VariableCount: len(p.Variables),
	}
	for _, v := range p.Variables {
		if !environment {
			break
		}
		name, value := v, ""
		if i := strings.IndexByte(v[min(1, len(v)):], '='); i >= 0 { // "=C:=C:\dir" is named "=C:"
			name, value = v[:i+1], v[i+2:]
		}
		row.Variables = append(row.Variables, PEBVariable{name, value, v})
	}
	return row
}

func (r *PEBReport) schema() string { return "dumpscan.peb/2" }
