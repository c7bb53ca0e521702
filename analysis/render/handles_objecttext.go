package render

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// appendObject writes the object specific information of a handle.
func appendObject(b []byte, infos []minidump.ObjectInformation) []byte {
	const none = "  No object specific information available\n"
	if len(infos) == 0 {
		return append(b, none...)
	}
	o := analysis.DecodeObject(infos)
	if !o.Known() {
		return append(b, none...)
	}
	b = append(b, "  Object specific information\n"...)
	if e := o.Event; e != nil {
		b = appendLabel(b, "    Event Type ", choose(e.ManualReset, "Manual Reset", "Auto Reset"))
		b = appendLabel(b, "    Event is ", choose(e.Set, "Set", "Waiting"))
	}
	if m := o.Mutant; m != nil {
		if m.HasCount {
			b = appendLabel(b, "    Mutex is ", choose(m.Owned, "Owned", "Free"))
		}
		if m.HasOwner {
			b = fmt.Appendf(b, "    Mutant Owner %x.%x\n", m.OwnerPID, m.OwnerTID)
		}
	}
	if s := o.Semaphore; s != nil {
		b = fmt.Appendf(b, "    Semaphore Count %d\n    Semaphore Limit %d\n", s.CurrentCount, s.MaximumCount)
	}
	if s := o.Section; s != nil {
		b = fmt.Appendf(b, "    Section base address %x\n    Section attributes ", uint64(s.BaseAddress))
		b = append(appendAltHex(b, uint64(s.AllocationAttributes)), "\n    Section max size "...)
		b = append(appendAltHex(b, s.MaximumSize), '\n')
	}
	if th := o.Thread; th != nil {
		b = fmt.Appendf(b, "    Thread Id   %x.%x\n    Priority    %d\n    Base Priority %d\n",
			th.ProcessID, th.ThreadID, th.Priority, th.BasePriority)
	}
	if p := o.Process; p != nil {
		b = fmt.Appendf(b, "    Process Id  %d\n    Parent Process  %d\n    Base Priority %d\n",
			p.ProcessID, p.ParentProcessID, p.BasePriority)
	}
	return b
}
