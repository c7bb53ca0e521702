package render

import (
	"fmt"
	"io"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// ThreadsSchema is the field "schema" of what a [ThreadReport] writes.
const ThreadsSchema = "dumpscan.threads/1"

// ThreadReport writes the answers of "dumpscan threads". As JSON:
//
//	schema   "dumpscan.threads/1"
//	dump     see DumpHeader
//	threads  [{index, id, name, state, suspendCount, priority,
//	         startAddress, start, teb, stack, createTime, exitTime,
//	         exitStatus, userMs, kernelMs}] in the order of the file;
//	         name, startAddress, start (module+offset), times and exitStatus
//	         are absent where the dump does not tell them
//	errors   [sentence]
//
// state is "alive" (it may run or wait, which the dump does not tell),
// "suspended" (its suspend count is not 0; a debugger suspends all threads to
// write a dump), "exited", or "writing the dump".
type ThreadReport struct {
	Dump    DumpHeader
	Threads []analysis.ThreadFacts
	// Start names a start address, as "module!function+0x10" or
	// "module+0x10".
	Start  func(minidump.VA) string
	Errors []string
}

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

// Text writes the threads as a table in the spirit of WinDbg's "~".
func (r *ThreadReport) Text(w io.Writer, style Style) error {
	t := Table{
		Header: []string{"#", "id", "state", "suspend", "teb", "start", "name"},
		Right:  []bool{true, true, false, true}, Style: style,
	}
	for i, th := range r.Threads {
		start := ""
		if th.Info != nil && th.Info.StartAddress != 0 {
			start = r.Start(th.Info.StartAddress)
		}
		t.Row(strconv.Itoa(i), fmt.Sprintf("%x", th.ThreadID), threadState(&th),
			strconv.FormatUint(uint64(th.SuspendCount), 10), pointer(r.Dump.PointerSize, th.Teb), start, th.Name)
	}
	return t.Write(w)
}

// JSON writes the threads as JSON.
func (r *ThreadReport) JSON(w io.Writer) error {
	type thread struct {
		Index        int     `json:"index"`
		ID           uint32  `json:"id"`
		Name         string  `json:"name,omitempty"`
		State        string  `json:"state"`
		SuspendCount uint32  `json:"suspendCount"`
		Priority     int32   `json:"priority"`
		StartAddress string  `json:"startAddress,omitempty"`
		Start        string  `json:"start,omitempty"`
		Teb          string  `json:"teb"`
		Stack        string  `json:"stack"`
		CreateTime   string  `json:"createTime,omitempty"`
		ExitTime     string  `json:"exitTime,omitempty"`
		ExitStatus   string  `json:"exitStatus,omitempty"`
		UserMs       *uint64 `json:"userMs,omitempty"`
		KernelMs     *uint64 `json:"kernelMs,omitempty"`
	}
	j := NewJSONWriter(w, ThreadsSchema)
	j.Field("dump", r.Dump)
	j.List("threads", func(element func(any)) {
		for i, th := range r.Threads {
			e := thread{
				Index: i, ID: th.ThreadID, Name: th.Name, State: threadState(&th),
				SuspendCount: th.SuspendCount, Priority: th.Priority,
				Teb: hexNumber(th.Teb), Stack: hexNumber(th.Stack.StartOfMemoryRange),
			}
			if info := th.Info; info != nil {
				const perMs = 10_000
				user, kernel := info.UserTime/perMs, info.KernelTime/perMs
				e.UserMs, e.KernelMs = &user, &kernel
				e.ExitStatus = hexNumber(info.ExitStatus)
				e.CreateTime, e.ExitTime = fileTime(info.CreateTime), fileTime(info.ExitTime)
				if info.StartAddress != 0 {
					e.StartAddress, e.Start = hexNumber(info.StartAddress), r.Start(info.StartAddress)
				}
			}
			element(e)
		}
	})
	j.Strings("errors", r.Errors)
	return j.Close()
}

// fileTime writes a FILETIME as RFC 3339; 0 is no time.
func fileTime(t uint64) string {
	if t == 0 {
		return ""
	}
	return timestamp(minidump.FileTime(t))
}
