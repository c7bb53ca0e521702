package htrace

import (
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// Blame knows which frame of each stack of a trace is to blame for its opens.
//
// That is the first frame outside the operating system, see
// [SystemModules.Culprit]. But where several callers share a helper that opens
// handles for them, and one of them keeps its handles while the others close
// theirs, the helper is not at fault: then it is that caller.
type Blame struct {
	trace    *Trace
	names    symbol.Names
	system   *SystemModules
	lives    []lives   // by stack
	culprits []Culprit // by stack
	splits   []*Split  // by stack; nil where the first frame outside the system is to blame
	bounds   []int32   // by stack: the age up to which an open may be in use
}

// A Split says that the handles that a helper opens share out unevenly among
// its callers.
type Split struct {
	Through symbol.Location // the frame of the helper
	Caller  Share           // of the caller that is to blame
	Others  Share           // of all others together
}

// Blame finds out who is to blame, given the names of all [Trace.Addresses].
func (t *Trace) Blame(names symbol.Names, system *SystemModules) *Blame {
	n := t.Stacks()
	b := &Blame{
		trace: t, names: names, system: system, lives: t.lives(),
		culprits: make([]Culprit, n), splits: make([]*Split, n), bounds: make([]int32, n),
	}
	places := map[string]int{} // index in stacks
	var stacks [][]int
	for stack := range b.culprits {
		c := system.Culprit(t.Frames(stack))
		b.culprits[stack] = c
		place := c.Name()
		if c.Frame != none {
			place = b.place(stack, c.Frame)
		}
		i, ok := places[place]
		if !ok {
			i = len(stacks)
			places[place], stacks = i, append(stacks, nil)
		}
		stacks[i] = append(stacks[i], stack)
	}
	for _, list := range stacks {
		b.split(list)
	}
	return b
}

// Culprit returns whom to blame for the opens of a stack.
func (b *Blame) Culprit(stack int) Culprit { return b.culprits[stack] }

// Split returns why the culprit of a stack is not the first frame outside the
// system; nil if it is.
func (b *Blame) Split(stack int) *Split { return b.splits[stack] }

// young reports whether an open may still be closed in time.
func (b *Blame) young(o *Open) bool {
	return b.trace.Len()-o.Position <= int(b.bounds[o.Stack])
}

// place names the function of a frame, or its module if the function has no
// name: by the return address alone every call would be a place of its own.
func (b *Blame) place(stack, frame int) string {
	l := b.names.At(b.trace.Frames(stack)[frame])
	if l.Module != "" && (l.Function == "" || l.Trust == symbol.TrustExport) {
		return l.Module
	}
	return FunctionName(l)
}

// split looks at the callers of one place, at the callers of these, and so on,
// until some of them keep more of their handles than the rest do. These are to
// blame; the others' handles stay with the place.
func (b *Blame) split(stacks []int) {
	var whole tally
	for _, stack := range stacks {
		whole.add(&b.lives[stack])
	}
	b.bound(stacks, &whole)
	if c := b.culprits[stacks[0]]; c.Kind == CulpritSystem || c.Frame == none || whole.open < minKept {
		return
	}
	callers := make([]int, len(stacks)) // the frame of each stack on this level, or none
	for i, stack := range stacks {
		callers[i] = b.culprits[stack].Frame
	}
	for {
		deeper := false
		for i, stack := range stacks {
			callers[i] = b.caller(stack, callers[i])
			deeper = deeper || callers[i] != none
		}
		if !deeper || b.blameCallers(stacks, callers) {
			return
		}
	}
}

// caller returns the next frame of a stack that lies outside the system and in
// another place, or none.
func (b *Blame) caller(stack, frame int) int {
	if frame == none {
		return none
	}
	frames, place := b.trace.Frames(stack), b.place(stack, frame)
	for f := frame + 1; f < len(frames); f++ {
		if c, _ := b.system.frame(frames[f]); c.Kind != CulpritSystem && b.place(stack, f) != place {
			return f
		}
	}
	return none
}

// blameCallers blames those callers that stand out, and reports whether any
// does.
func (b *Blame) blameCallers(stacks, callers []int) bool {
	type place struct {
		stacks []int // indexes
		share  Share
		found  bool
	}
	places := map[string]*place{}
	var order []*place
	for i, stack := range stacks {
		name := ""
		if callers[i] != none {
			name = b.place(stack, callers[i])
		}
		p := places[name]
		if p == nil {
			p = &place{}
			places[name] = p
			if name != "" {
				order = append(order, p)
			}
		}
		p.stacks = append(p.stacks, i)
	}
	if len(places) < 2 {
		return false
	}
	sum := func(p *place) (t tally) {
		for _, i := range p.stacks {
			t.add(&b.lives[stacks[i]])
		}
		return t
	}
	// The age of what is in use is judged for each caller by itself.
	var whole, kept Share
	for _, p := range places {
		t := sum(p)
		p.share = t.share()
		whole = whole.plus(p.share)
	}
	for _, p := range order {
		if p.found = p.share.standsOut(whole, len(order)); p.found {
			kept = kept.plus(p.share)
		}
	}
	if kept == (Share{}) {
		return false
	}
	others := whole.minus(kept)
	for _, p := range places {
		t := sum(p)
		list := make([]int, len(p.stacks))
		for k, i := range p.stacks {
			list[k] = stacks[i]
		}
		b.bound(list, &t)
		if !p.found {
			continue
		}
		for _, i := range p.stacks {
			b.blame(stacks[i], callers[i], p.share, others)
		}
	}
	return true
}

// blame moves the blame for a stack to the frame of a caller.
func (b *Blame) blame(stack, frame int, caller, others Share) {
	frames := b.trace.Frames(stack)
	b.splits[stack] = &Split{b.names.At(frames[b.culprits[stack].Frame]), caller, others}
	c, _ := b.system.frame(frames[frame])
	c.Frame = frame
	b.culprits[stack] = c
}

// bound notes up to which age the opens of stacks may be in use.
func (b *Blame) bound(stacks []int, t *tally) {
	bound := int32(t.lifetime())
	for _, stack := range stacks {
		b.bounds[stack] = bound
	}
}
