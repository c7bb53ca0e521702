package analysis

import "github.com/dumpscan/dumpscan/minidump"

// ObjectState is what the dump says of the object behind a handle. Each part
// is nil if the dump has no information of that kind, which often means just
// that the handle lacks the right to query it.
type ObjectState struct {
	Event     *EventState
	Mutant    *MutantState
	Semaphore *minidump.SemaphoreInformation
	Section   *minidump.SectionInformation
	Thread    *ThreadState
	Process   *ProcessState
	Unknown   []minidump.ObjectInformation // kinds and sizes that are not known
}

// EventState is the state of an Event.
type EventState struct {
	ManualReset bool // else auto reset
	Set         bool
}

// MutantState is the state of a Mutant (a mutex). The owner is known only
// where the dump has the second kind of information.
type MutantState struct {
	HasCount  bool // Owned, Recursion and Abandoned are known
	Owned     bool
	Recursion int32 // how often the owner holds it; 0 when free
	Abandoned bool  // its owner exited without releasing it

	HasOwner bool
	OwnerPID uint64 // 0 when free
	OwnerTID uint64
}

// ThreadState is the thread behind a Thread handle.
type ThreadState struct {
	minidump.ThreadInformation
	Exited bool // it has an exit status, or no TEB any more
}

// ProcessState is the process behind a Process handle.
type ProcessState struct {
	minidump.ProcessInformation
	Exited bool
}

// DecodeObject joins the object information of one handle. The zero
// ObjectState means that there is none.
func DecodeObject(infos []minidump.ObjectInformation) ObjectState {
	var o ObjectState
	for _, raw := range infos {
		info, err := raw.Decode()
		if err != nil {
			o.Unknown = append(o.Unknown, raw)
			continue
		}
		o.add(info)
	}
	return o
}

func (o *ObjectState) add(info minidump.ObjectInfo) {
	switch i := info.(type) {
	case minidump.EventInformation:
		o.Event = &EventState{ManualReset: i.ManualReset(), Set: i.Signaled()}
	case minidump.MutantInformation:
		m := o.mutant()
		m.HasCount, m.Owned, m.Abandoned = true, i.CurrentCount <= 0, i.AbandonedState
		m.Recursion = max(1-i.CurrentCount, 0)
	case minidump.MutantOwner:
		m := o.mutant()
		m.HasOwner, m.OwnerPID, m.OwnerTID = true, i.ProcessID, i.ThreadID
	case minidump.SemaphoreInformation:
		o.Semaphore = &i
	case minidump.SectionInformation:
		o.Section = &i
	case minidump.ThreadInformation:
		o.Thread = &ThreadState{
			ThreadInformation: i,
			Exited:            i.ExitStatus != minidump.StillActive || i.Teb == 0,
		}
	case minidump.ProcessInformation:
		// Both kinds may come; the extended one says more.
		if o.Process == nil || i.Extended {
			o.Process = &ProcessState{ProcessInformation: i, Exited: i.ExitStatus != minidump.StillActive}
		}
	}
}

func (o *ObjectState) mutant() *MutantState {
	if o.Mutant == nil {
		o.Mutant = &MutantState{}
	}
	return o.Mutant
}

// Owner returns the id of the process that owns the object: which holds the
// mutant, which the thread belongs to, or which the process is. ok is false if
// the dump does not say, or nobody holds the mutant.
func (o *ObjectState) Owner() (processID uint64, ok bool) {
	switch {
	case o.Mutant != nil && o.Mutant.HasOwner:
		processID = o.Mutant.OwnerPID
	case o.Thread != nil:
		processID = o.Thread.ProcessID
	case o.Process != nil:
		processID = o.Process.ProcessID
	}
	return processID, processID != 0
}

// Known reports whether there is any information of a known kind.
func (o *ObjectState) Known() bool {
	return o.Event != nil || o.Mutant != nil || o.Semaphore != nil || o.Section != nil ||
		o.Thread != nil || o.Process != nil
}

// Words are the states by which handles can be selected and grouped, in a
// fixed order: "manual" or "auto" and "set" or "waiting" of an event, "free",
// "owned" and "abandoned" of a mutant, "running" or "exited" of a thread or
// process, "exhausted" or "available" of a semaphore.
func (o *ObjectState) Words() []string {
	var words []string
	add := func(is bool, yes, no string) {
		if is {
			words = append(words, yes)
		} else if no != "" {
			words = append(words, no)
		}
	}
	if o.Event != nil {
		add(o.Event.ManualReset, "manual", "auto")
		add(o.Event.Set, "set", "waiting")
	}
	if o.Mutant != nil && o.Mutant.HasCount {
		add(o.Mutant.Owned, "owned", "free")
		add(o.Mutant.Abandoned, "abandoned", "")
	}
	if o.Semaphore != nil {
		add(o.Semaphore.CurrentCount > 0, "available", "exhausted")
	}
	if o.Thread != nil {
		add(o.Thread.Exited, "exited", "running")
	}
	if o.Process != nil {
		add(o.Process.Exited, "exited", "running")
	}
	return words
}

// stateWords are all the words that ObjectState.Words can return.
var stateWords = [...]string{
	"manual", "auto", "set", "waiting", "owned", "free", "abandoned",
	"available", "exhausted", "running", "exited",
}
