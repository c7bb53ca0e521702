package render

import (
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A ThreadReport is the answer of "dumpscan threads": the threads of a process,
// in the order of the file, and the exception that the dump was written for.
type ThreadReport struct {
	Dump      DumpHeader       `json:"dump"`
	Exception *ThreadException `json:"exception,omitempty"`
	Threads   []Thread         `json:"threads"`
	Omitted   int              `json:"omitted,omitempty"`
	Notes     []string         `json:"notes"`
	Complaints

	// Verbose makes the text that of ~*, with times, stack and last error.
	Verbose bool `json:"-"`
}

// A ThreadException is what made the writer of a dump save it, and the place in
// the code where it happened; see [Frame] about that.
type ThreadException struct {
	Code         Hex          `json:"code"`
	Name         string       `json:"name"` // of the code; the number if it has none
	ThreadID     uint32       `json:"threadId"`
	Address      Hex          `json:"address"`
	Module       string       `json:"module"`
	ModuleOffset Hex          `json:"moduleOffset"`
	Function     string       `json:"function"`
	Displacement Hex          `json:"displacement"`
	Trust        symbol.Trust `json:"trust"`
	File         string       `json:"file,omitempty"`
	Line         int          `json:"line,omitempty"`
	Parameters   []Hex        `json:"parameters"` // what they mean depends on the code

	place string
}

// NewThreadException describes an exception that happened at a place.
func NewThreadException(e *analysis.ExceptionFact, at symbol.Location) *ThreadException {
	return &ThreadException{
		Code: Hex(e.ExceptionCode), Name: e.Name, ThreadID: e.ThreadID, Address: Hex(e.ExceptionAddress),
		Module: at.Module, ModuleOffset: Hex(at.Offset), Function: at.Function, Displacement: Hex(at.Displacement),
		Trust: at.Trust, File: at.File, Line: at.Line, Parameters: hexes(e.ExceptionInformation), place: at.Place(),
	}
}

// A Thread is a thread with what the dump says of it.
type Thread struct {
	Index         int    `json:"index"` // in the file, from 0; the number that debuggers give it
	ThreadID      uint32 `json:"threadId"`
	Current       bool   `json:"current,omitempty"` // a debugger begins here: the exception's thread, else the first
	Name          string `json:"name,omitempty"`
	State         string `json:"state"`
	SuspendCount  uint32 `json:"suspendCount"`
	Priority      int32  `json:"priority"`
	PriorityClass uint32 `json:"priorityClass"` // 32 is normal
	Affinity      *Hex   `json:"affinity,omitempty"`
	StartAddress  Hex    `json:"startAddress,omitempty"`
	Start         string `json:"start,omitempty"`
	Teb           Hex    `json:"teb"`
	Teb32         Hex    `json:"teb32,omitempty"` // of the 32-bit half of a WOW64 process
	Stack         Hex    `json:"stack"`           // lowest address of its memory in the dump

	// What the TEB says, of a WOW64 process the 32-bit one; absent if the dump
	// does not hold it.
	StackBase   Hex     `json:"stackBase,omitempty"`
	StackLimit  Hex     `json:"stackLimit,omitempty"`
	LastError   *uint32 `json:"lastError,omitempty"`
	LastStatus  *Hex    `json:"lastStatus,omitempty"`
	TLSStorage  Hex     `json:"tlsStorage,omitempty"`
	OwnedLocks  uint32  `json:"ownedLocks,omitempty"`
	tebProcess  uint64
	pointerSize int // of StackBase

	Created    string `json:"created,omitempty"`
	ExitTime   string `json:"exitTime,omitempty"`
	ExitStatus *Hex   `json:"exitStatus,omitempty"`
	UserMs     *int64 `json:"userMs,omitempty"`   // processor time in milliseconds
	KernelMs   *int64 `json:"kernelMs,omitempty"` // likewise
}

// ThreadFacts are what a [ThreadReport] is made of.
type ThreadFacts struct {
	Dump      DumpHeader
	Threads   []analysis.ThreadFacts
	Exception *analysis.ExceptionFact // nil if there is none
	// Names are those of the start addresses and of the exception's.
	Names symbol.Names
	Name  *analysis.NamePattern // only threads whose name fits; nil is all
	Limit int                   // threads; 0 is all
}

// NewThreadReport makes a report of the threads.
func NewThreadReport(f ThreadFacts) *ThreadReport {
	r := &ThreadReport{Dump: f.Dump}
	current := 0
	if e := f.Exception; e != nil {
		r.Exception = NewThreadException(e, f.Names.At(e.ExceptionAddress))
		current = slices.IndexFunc(f.Threads, func(t analysis.ThreadFacts) bool { return t.ThreadID == e.ThreadID })
	}
	for i := range f.Threads {
		if t := &f.Threads[i]; f.Name == nil || f.Name.Match(t.Name) {
			row := newThread(t, f.Names)
			row.Index, row.Current = i, i == current
			r.Threads = append(r.Threads, row)
		}
	}
	if f.Limit > 0 {
		r.Threads, r.Omitted = limitRows(r.Threads, f.Limit)
	}
	return r
}

// tebs is how many threads have a TEB in the dump.
func (r *ThreadReport) tebs() int {
	n := 0
	for i := range r.Threads {
		if r.Threads[i].LastError != nil {
			n++
		}
	}
	return n
}

func newThread(t *analysis.ThreadFacts, names symbol.Names) Thread {
	row := Thread{
		ThreadID: t.ThreadID, Name: t.Name, State: threadState(t), SuspendCount: t.SuspendCount, Priority: int32(t.Priority),
		Teb: Hex(t.Teb), Stack: Hex(t.Stack.StartOfMemoryRange),
	}
	row.PriorityClass = uint32(t.PriorityClass)
	row.addTEB(t)
	info := t.Info
	if info == nil {
		return row
	}
	const perMs = 10_000 // units of 100 ns
	user, kernel, status := int64(info.UserTime/perMs), int64(info.KernelTime/perMs), Hex(info.ExitStatus)
	row.UserMs, row.KernelMs, row.ExitStatus = &user, &kernel, &status
	row.Created, row.ExitTime = fileTime(info.CreateTime), fileTime(info.ExitTime)
	affinity := Hex(info.Affinity)
	row.Affinity = &affinity
	if info.StartAddress != 0 {
		row.StartAddress, row.Start = Hex(info.StartAddress), names.At(info.StartAddress).Place()
	}
	return row
}

// addTEB adds what the TEB of a thread says.
func (t *Thread) addTEB(f *analysis.ThreadFacts) {
	if f.Block32 != nil {
		t.Teb32 = Hex(f.Block32.Address)
	}
	b := f.ProgramBlock()
	if b == nil {
		return
	}
	t.StackBase, t.StackLimit, t.pointerSize = Hex(b.StackBase), Hex(b.StackLimit), b.PointerSize
	t.LastError, t.TLSStorage, t.OwnedLocks, t.tebProcess = &b.LastError, Hex(b.TLSStorage), b.OwnedLocks, b.ProcessID
	if b.Whole {
		status := Hex(b.LastStatus)
		t.LastStatus = &status
	}
}

// threadState is "alive" (it may run or wait, which the dump does not say),
// "suspended", "exited", or "writing the dump".
func threadState(t *analysis.ThreadFacts) string {
	if t.Info != nil {
		switch {
		case t.Info.DumpFlags&minidump.ThreadExitedThread != 0:
			return "exited"
		case t.Info.DumpFlags&minidump.ThreadWritingThread != 0:
			return "writing the dump"
		}
	}
	if t.SuspendCount > 0 {
		return "suspended"
	}
	return "alive"
}

// fileTime writes a FILETIME as RFC 3339; 0 is no time.
func fileTime(t uint64) string {
	if t == 0 {
		return ""
	}
	return words.Timestamp(minidump.FileTime(t))
}

func (r *ThreadReport) schema() string { return "dumpscan.threads/2" }

// sentence is "STATUS_INVALID_HANDLE (0xc0000008) in thread 6699 (0x1a2b) at
// ntdll+0x1f".
func (e *ThreadException) sentence() string {
	s := e.Name
	if code := words.Hex(e.Code); code != e.Name {
		s += " (" + code + ")"
	}
	return s + fmt.Sprintf(" in thread %d (%s) at %s", e.ThreadID, words.Hex(e.ThreadID), e.place)
}
