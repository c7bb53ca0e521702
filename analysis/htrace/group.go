package htrace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A GroupKey is a property by which opens are grouped.
type GroupKey string

// The properties.
const (
	ByStack    GroupKey = "stack"    // equal return addresses
	ByCulprit  GroupKey = "culprit"  // the module of the culprit
	ByFunction GroupKey = "function" // the function of the culprit, or its address if that is all there is
	ByThread   GroupKey = "thread"   // the calling thread
	ByType     GroupKey = "type"     // the type of the object
)

// ParseGroupKey reads one of the properties.
func ParseGroupKey(text string) (GroupKey, error) {
	switch k := GroupKey(text); k {
	case ByStack, ByCulprit, ByFunction, ByThread, ByType:
		return k, nil
	}
	return "", fmt.Errorf("cannot group by %q; use stack, culprit, function, thread or type", text)
}

// GroupOptions say how to group.
type GroupOptions struct {
	By    GroupKey
	Blame *Blame // of the same trace
	// Window is the time in which the opens happened, for the rate; 0 if it is
	// not known.
	Window time.Duration
}

// A Group is a number of opens that agree in one property.
type Group struct {
	Key         string // the property's value as text: "MyCustomDll", "0xd4", "Key"; "" for a stack
	Count       int
	Share       float64 // of all opens that were grouped, 0 to 1
	RatePerHour float64 // mean over the window; 0 if that is not known
	AllOpens    int     // by the group's stacks in the whole trace, closed ones included
	Young       int     // of Count: may be in use, see [Share]

	// Culprit, its frame's Location and Frames are those of the stack that most
	// opens of the group have.
	Culprit  Culprit
	Split    *Split // why the culprit is not the first frame outside the system; nil if it is
	Location symbol.Location
	Frames   []symbol.Location
	Stacks   []StackCount // all of them, the most frequent first

	Types   []TextCount // by count; "" stands for handles of unknown type
	Names   []TextCount // by count; unnamed objects and unlisted handles are not among them
	Threads []ThreadCount
	Handles []uint64 // distinct values, ascending

	Missing  int // opens whose handle is not in the handle stream, where there is one
	Reused   int // opens of a value that the trace has open earlier
	Injected int // opens by another process
}

// A StackCount is a stack and how many opens have it.
type StackCount struct {
	Stack int
	Count int
}

// A TextCount is a text and how many opens have it.
type TextCount struct {
	Text  string
	Count int
}

// A ThreadCount is a thread and how many opens it made.
type ThreadCount struct {
	ThreadID  uint32
	ProcessID uint32
	Count     int
}

// Type returns the most frequent type of the group's handles.
func (g *Group) Type() string {
	if len(g.Types) == 0 {
		return ""
	}
	return g.Types[0].Text
}

// groupBuilder collects one group.
type groupBuilder struct {
	Group
	stacks  tallies[int]
	types   tallies[string]
	names   tallies[string]
	threads tallies[[2]uint32]
}

// tallies count how often values come. The same one often comes again.
type tallies[K comparable] struct {
	counts map[K]*int
	last   K
	n      *int // of last
}

func (t *tallies[K]) add(k K) { t.addMany(k, 1) }

func (t *tallies[K]) addMany(k K, n int) {
	if t.n == nil || k != t.last {
		if t.counts == nil {
			t.counts = map[K]*int{}
		}
		if t.n = t.counts[k]; t.n == nil {
			t.n = new(int)
			t.counts[k] = t.n
		}
		t.last = k
	}
	*t.n += n
}

// Group groups opens of the trace: all outstanding ones, or those of a diff.
// The widest group comes first, equal ones by key and frames, so that the
// order in which the dump stores its operations makes no difference.
func (t *Trace) Group(opens []Open, o GroupOptions) []Group {
	functions := map[minidump.VA]string{}
	builders := map[string]*groupBuilder{}
	byStack := map[int]*groupBuilder{}
	var order []*groupBuilder
	for i := range opens {
		open := &opens[i]
		var b *groupBuilder
		var key string
		if o.By == ByStack {
			b = byStack[open.Stack]
		} else {
			key = t.groupKey(open, o, functions)
			b = builders[key]
		}
		if b == nil {
			b = &groupBuilder{Group: Group{Key: key}}
			if order = append(order, b); o.By == ByStack {
				byStack[open.Stack] = b
			} else {
				builders[key] = b
			}
		}
		b.add(t, open)
		if o.Blame.young(open) {
			b.Young++
		}
	}
	for _, b := range order {
		b.finish(t, o, len(opens))
	}
	slices.SortFunc(order, func(a, b *groupBuilder) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Key, b.Key), t.compareStacks(a.Stacks[0].Stack, b.Stacks[0].Stack))
	})
	groups := make([]Group, len(order))
	for i, b := range order {
		groups[i] = b.Group
	}
	return groups
}

// groupKey returns the value of the property.
func (t *Trace) groupKey(open *Open, o GroupOptions, functions map[minidump.VA]string) string {
	c := o.Blame.Culprit(open.Stack)
	switch o.By {
	case ByCulprit:
		return c.Name()
	case ByFunction:
		if !c.InModule() {
			return c.Name()
		}
		addr := t.Frames(open.Stack)[c.Frame]
		name, ok := functions[addr]
		if !ok {
			name = FunctionName(o.Blame.names.At(addr))
			functions[addr] = name
		}
		return name
	case ByThread:
		return t.ThreadLabel(open.ThreadID, open.ProcessID)
	case ByType:
		return open.Object.Type
	}
	return ""
}

// FunctionName is a place in the code without its displacement, so that equal
// functions are equal: "MyCustomDll!OpenClassesKey". What has no name that can
// be trusted, such as that of the nearest export, is "MyCustomDll+0x1543".
func FunctionName(l symbol.Location) string {
	if l.Function != "" && l.Trust != symbol.TrustExport {
		l.Displacement = 0
	}
	return l.Place()
}

// ThreadLabel names a thread, and its process if that is another one than the
// trace's: "0xd4", "0xd4 of process 0x4".
func (t *Trace) ThreadLabel(thread, process uint32) string {
	s := words.Hex(thread)
	if process != t.ProcessID {
		s += " of process " + words.Hex(process)
	}
	return s
}

func (b *groupBuilder) add(t *Trace, open *Open) {
	b.Count++
	b.stacks.add(open.Stack)
	b.types.add(open.Object.Type)
	if open.Object.Name != "" {
		b.names.add(open.Object.Name)
	}
	b.threads.add([2]uint32{open.ThreadID, open.ProcessID})
	b.Handles = addDistinct(b.Handles, open.Handle)
	if t.Handles.Present && !open.Object.Listed {
		b.Missing++
	}
	if open.Earlier > 0 {
		b.Reused++
	}
	if open.ProcessID != t.ProcessID {
		b.Injected++
	}
}

func (b *groupBuilder) finish(t *Trace, o GroupOptions, total int) {
	b.Share = float64(b.Count) / float64(total)
	if o.Window > 0 {
		b.RatePerHour = float64(b.Count) / o.Window.Hours()
	}
	b.Types, b.Names = countsOf(&b.types), countsOf(&b.names)
	for id, n := range b.stacks.counts {
		b.Stacks = append(b.Stacks, StackCount{id, *n})
		b.AllOpens += o.Blame.lives[id].opens
	}
	slices.SortFunc(b.Stacks, func(x, y StackCount) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), t.compareStacks(x.Stack, y.Stack))
	})
	b.Threads = threadCounts(&b.threads)
	b.Handles = distinct(b.Handles)
	top := b.Stacks[0].Stack
	for _, addr := range t.Frames(top) {
		b.Frames = append(b.Frames, o.Blame.names.At(addr))
	}
	b.Culprit, b.Split = o.Blame.Culprit(top), o.Blame.Split(top)
	if b.Culprit.Frame != none {
		b.Location = b.Frames[b.Culprit.Frame]
	}
}

// compareStacks orders stacks by their frames.
func (t *Trace) compareStacks(a, b int) int { return slices.Compare(t.Frames(a), t.Frames(b)) }

// countsOf sorts by count, then by text.
func countsOf(t *tallies[string]) []TextCount {
	counts := make([]TextCount, 0, len(t.counts))
	for text, n := range t.counts {
		counts = append(counts, TextCount{text, *n})
	}
	slices.SortFunc(counts, func(a, b TextCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	})
	return counts
}
