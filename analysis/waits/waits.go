package waits

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Wait is a thread that waits with handles of the dump.
type Wait struct {
	Index    int // in the list of threads
	ThreadID uint32
	Function string // the system call: "NtWaitForSingleObject"
	// Objects are what it waits for: one, or some of which any or all may be
	// enough, which the dump does not say.
	Objects  []Object
	Evidence string // where the values of the handles come from: "rcx"
}

// An Object is what a thread waits for.
type Object struct {
	Handle    uint64
	Type      string
	Name      string // "" if it has none, or the dump does not say
	Abandoned bool   // a Mutant whose owner ended without releasing it
	// Thread is whom the wait is for: the owner of a Mutant, or the thread whose
	// end is waited for; 0 if that is not known or nobody.
	Thread  uint32
	Process uint32 // of Thread
}

// A Chain is threads of which each waits for the next.
type Chain struct {
	Waits  []*Wait // each with one object
	Closed bool    // the last waits for the first: a deadlock
}

// Waits is the answer of [Read].
type Waits struct {
	Waits  []Wait  // in the order of the threads
	Chains []Chain // of two threads or more, or closed; the closed ones first
}

// A Thread is one of which it is asked what it waits for.
type Thread struct {
	Index    int // in the list of threads
	ThreadID uint32
	Context  *minidump.Context // where it stands
}

// Read finds out which threads of a dump wait for which, of the given ones or, for
// nil, of all. The error is that of ctx, or says what could not be read; the
// answer covers the rest. A dump without handles, or without registers, has no
// waits.
func Read(ctx context.Context, f *minidump.File, names symbol.Resolver, threads []Thread) (*Waits, error) {
	w := &Waits{}
	list, listErr := analysis.ReadHandles(f)
	if list == nil {
		var missing *analysis.MissingError
		if errors.As(listErr, &missing) {
			listErr = nil
		}
		return w, listErr
	}
	var err error
	if threads == nil {
		threads, err = allThreads(f)
	}
	candidates, memoryErr, ctxErr := findCandidates(ctx, f, threads, names)
	if ctxErr != nil {
		return nil, ctxErr
	}
	objects, err2 := readObjects(ctx, list, candidates)
	if err2 != nil {
		return nil, err2
	}
	w.Waits = matched(candidates, objects)
	w.Chains = chains(w.Waits, processID(f))
	return w, minidump.JoinErrors(err, memoryErr)
}

func unlessAbsent(err error) error {
	if errors.Is(err, minidump.ErrNoStream) {
		return nil
	}
	return err
}

// processID is that of the dumped process; 0 if the dump does not say.
func processID(f *minidump.File) uint32 {
	if misc, _ := f.MiscInfo(); misc != nil && misc.Flags1&minidump.MiscProcessID != 0 {
		return misc.ProcessID
	}
	return 0
}

// A candidate is a thread that stands in a call that waits.
type candidate struct {
	Wait
	values []uint64
}

// findCandidates returns the threads that wait. problem says what could not be
// read, err is that of ctx.
func findCandidates(ctx context.Context, f *minidump.File, threads []Thread, names symbol.Resolver) (found []candidate, problem, err error) {
	memory, problem := memoryOf(f)
	list := places(threads)
	resolved, err := behindFastCall(ctx, memory, list, names)
	if err != nil {
		return nil, nil, err
	}
	for i := range list {
		p := &list[i]
		at := resolved.At(p.pc)
		c, ok := callOf(at)
		if !ok {
			continue
		}
		if values, evidence := p.handles(memory, c); evidence != "" {
			found = append(found, candidate{Wait{Index: p.Index, ThreadID: p.ThreadID, Function: at.Function, Evidence: evidence}, values})
		}
	}
	return found, problem, nil
}

// readObjects returns the objects behind the handles that candidates name. Only
// of these is more read than the value. The error is that of ctx.
func readObjects(ctx context.Context, list *analysis.HandleList, candidates []candidate) (map[uint64]Object, error) {
	wanted := map[uint64]bool{}
	for _, c := range candidates {
		for _, v := range c.values {
			wanted[v] = true
		}
	}
	objects := map[uint64]Object{}
	if len(wanted) == 0 {
		return objects, nil
	}
	at := map[uint64]int{} // where in the list a handle is first
	position := 0
	for h, err := range list.Data().Only(0) {
		if position%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, known := at[h.Handle]; err == nil && wanted[h.Handle] && !known {
			at[h.Handle] = position
		}
		position++
	}
	for _, i := range at {
		for h := range list.Data().Range(i, i+1, minidump.HandleAllParts) {
			objects[h.Handle] = newObject(h)
		}
	}
	return objects, nil
}

func newObject(h *minidump.Handle) Object {
	o := Object{Handle: h.Handle, Type: h.TypeName, Name: h.ObjectName}
	state := analysis.DecodeObject(h.ObjectInfo)
	switch {
	case state.Mutant != nil:
		o.Abandoned = state.Mutant.Abandoned
		if state.Mutant.HasOwner {
			o.Thread, o.Process = uint32(state.Mutant.OwnerTID), uint32(state.Mutant.OwnerPID)
		}
	case state.Thread != nil && !state.Thread.Exited:
		o.Thread, o.Process = uint32(state.Thread.ThreadID), uint32(state.Thread.ProcessID)
	}
	return o
}

// neverWaited are the types whose objects nobody can wait for: a value that is
// such a handle was something else.
var neverWaited = []string{"Key", "Section", "Directory", "SymbolicLink", "Token", "WindowStation", "Desktop", "KeyedEvent"}

// matched are the waits whose handles are all handles of the dump.
func matched(candidates []candidate, objects map[uint64]Object) []Wait {
	var list []Wait
	for _, c := range candidates {
		w := c.Wait
		for _, v := range c.values {
			if o, ok := objects[v]; ok && !slices.Contains(neverWaited, o.Type) {
				w.Objects = append(w.Objects, o)
			}
		}
		if len(w.Objects) == len(c.values) {
			list = append(list, w)
		}
	}
	return list
}

// String is `Mutant 0x7e0 "\BaseNamedObjects\Orders", which thread 6699 owns`. Type
// and name are not escaped.
func (o *Object) String() string {
	s := cmp.Or(o.Type, "handle") + " " + words.Hex(o.Handle)
	if o.Name != "" {
		s += ` "` + o.Name + `"` // as it is: it has backslashes, which %q would double
	}
	switch {
	case o.Thread == 0:
	case o.Type == "Thread":
		s += fmt.Sprintf(", which is thread %d", o.Thread)
	default:
		s += fmt.Sprintf(", which thread %d owns", o.Thread)
	}
	if o.Abandoned {
		s += ", abandoned"
	}
	return s
}

// String is `seems to wait for Mutant 0x7e0, which thread 6699 owns (the handle is
// in rcx)`.
func (w *Wait) String() string {
	var list []string
	for i := range w.Objects {
		list = append(list, w.Objects[i].String())
	}
	noun := "the handle is"
	if len(list) > 1 {
		noun = "the handles are"
	}
	return fmt.Sprintf("seems to wait for %s (%s in %s)", words.Choice(list...), noun, w.Evidence)
}
