package htrace

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"sync"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Trace is the record of opened and closed handles in a dump, replayed: what
// "!htrace" lists, which of the opens were never followed by a close, and what
// went wrong on the way.
//
// Operations are known by their position: 0 is the oldest, whatever the order
// in the file. A Trace keeps twelve bytes of each, beside the distinct stacks.
type Trace struct {
	Order    Order
	Evidence OrderEvidence

	// ProcessID is the process whose handles these are. If the dump does not
	// tell, it is the most frequent caller, and ProcessIDGuessed is set.
	ProcessID        uint32
	ProcessIDGuessed bool

	Opens, Closes, BadRefs int
	Others                 int // operations of a kind that is not known
	Unused                 int // slots that were never used; no operations

	// Outstanding are the opens without a later close of the same value, the
	// newest first.
	Outstanding []Open
	Handles     Handles

	records []record // oldest first
	kinds   []opKind // by caller
	pool    *pool

	anomalies map[AnomalyKind]int // how many single operations are wrong
	summed    []Anomaly           // those that stand for many, by kind
}

// An Open is an open that was never closed.
type Open struct {
	Position int
	Handle   uint64
	Stack    int // for [Trace.Frames]
	ThreadID uint32
	// ProcessID is the caller. If it is not Trace.ProcessID, that process put
	// the handle here with DuplicateHandle.
	ProcessID uint32
	// Earlier is how many earlier opens of the same value the trace holds: the
	// value was reused.
	Earlier int32
	// Superseded says that the same value was opened again later, so that the
	// close between the two is missing in the trace.
	Superseded bool
	Object     *Object // never nil; opens may share it
}

// An Object is what the handle stream of the same dump says about a value.
// A superseded open never has one: the value means another object by now.
type Object struct {
	Listed bool // false: not open when the dump was written, or there is no handle stream
	Type   string
	Name   string
}

// unlistedObject is that of opens whose handle is not in the handle stream.
var unlistedObject Object

// An Operation is one operation of a [Trace].
type Operation struct {
	Position      int
	Handle        uint64
	ProcessID     uint32
	ThreadID      uint32
	OperationType minidump.OperationType
	Stack         int           // equal for operations with equal frames
	Frames        []minidump.VA // innermost first; not to be changed
}

// Read reads and replays the handle operations of a dump. order is how they
// are stored, or "" to find out. The error is an [*analysis.MissingError] if
// there are none, or that of ctx; with any other error and a Trace this covers
// what could be read.
func Read(ctx context.Context, f *minidump.File, order Order) (*Trace, error) {
	t, err := scanTrace(ctx, f)
	if t == nil {
		return nil, err
	}
	t.orient(order)
	return t.replayed(ctx, f, err)
}

// scanTrace reads the operations in the order of the file, and counts what
// speaks against each order.
func scanTrace(ctx context.Context, f *minidump.File) (*Trace, error) {
	list, err := f.HandleOperations()
	if errors.Is(err, minidump.ErrNoStream) {
		return nil, analysis.MissingTraces(f, err)
	}
	if err != nil {
		return nil, err
	}
	t := &Trace{}
	t.pool, t.records, t.Unused, err = scan(ctx, list)
	t.count()
	t.identify(f)
	joinErr := t.join(ctx, f)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	t.weigh()
	return t, minidump.JoinErrors(err, joinErr)
}

// replayed replays a trace whose records are in the order of time. err is what
// could not be read so far.
func (t *Trace) replayed(ctx context.Context, f *minidump.File, err error) (*Trace, error) {
	var both sync.WaitGroup
	both.Go(t.countAnomalies)
	both.Go(t.outstanding)
	both.Wait()
	describeErr := t.describe(ctx, f)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return t, minidump.JoinErrors(err, describeErr)
}

// count fills in how many operations of each kind there are.
func (t *Trace) count() {
	t.kinds = make([]opKind, len(t.pool.callers))
	for i, c := range t.pool.callers {
		if c.operation <= minidump.OperationBadRef {
			t.kinds[i] = opKind(c.operation)
		}
	}
	var n [kindBadRef + 1]int
	for _, r := range t.records {
		n[t.kinds[r.caller]]++
	}
	t.Others, t.Opens, t.Closes, t.BadRefs = n[kindOther], n[kindOpen], n[kindClose], n[kindBadRef]
}

// identify finds the process whose handles these are.
func (t *Trace) identify(f *minidump.File) {
	if misc, err := f.MiscInfo(); err == nil && misc.Flags1&minidump.MiscProcessID != 0 {
		t.ProcessID = misc.ProcessID
		return
	}
	t.ProcessIDGuessed = true
	perCaller := make([]int, len(t.pool.callers))
	for _, r := range t.records {
		perCaller[r.caller]++
	}
	perProcess := map[uint32]int{}
	for i, n := range perCaller {
		perProcess[t.pool.callers[i].process] += n
	}
	most := 0
	for id, n := range perProcess {
		if n > most || n == most && id < t.ProcessID {
			t.ProcessID, most = id, n
		}
	}
}

// Empty returns an error that says what to do if the dump has a list of handle
// operations without any.
func (t *Trace) Empty() error {
	if t.Len() > 0 {
		return nil
	}
	return &analysis.MissingError{
		What: "the dump has a list of handle operations, but it is empty", Capture: analysis.CaptureTraces,
	}
}

// Len returns the number of operations: what !htrace calls parsed.
func (t *Trace) Len() int { return len(t.records) }

// Operation returns the operation at a position from 0, the oldest, to Len-1.
func (t *Trace) Operation(position int) Operation {
	r := t.records[position]
	c := t.pool.callers[r.caller]
	return Operation{
		Position: position, Handle: t.pool.handles[r.handle],
		ProcessID: c.process, ThreadID: c.thread, OperationType: c.operation,
		Stack: int(r.stack), Frames: t.pool.stackFrames(r.stack),
	}
}

// Frames returns the return addresses of a stack, innermost first. The caller
// must not change them.
func (t *Trace) Frames(stack int) []minidump.VA { return t.pool.stackFrames(uint32(stack)) }

// Addresses returns the return addresses of all stacks, each once and in
// ascending order: what a [symbol.Resolver] is to name.
func (t *Trace) Addresses() []minidump.VA {
	all := make([]int, t.Stacks())
	for id := range all {
		all[id] = id
	}
	return t.AddressesOf(all)
}

// AddressesOf is Addresses of some stacks.
func (t *Trace) AddressesOf(stacks []int) []minidump.VA {
	var addrs []minidump.VA
	seen := map[minidump.VA]bool{}
	for _, id := range stacks {
		for _, addr := range t.Frames(id) {
			if !seen[addr] {
				seen[addr] = true
				addrs = append(addrs, addr)
			}
		}
	}
	slices.Sort(addrs)
	return addrs
}

// Uses returns each return address, as often as it comes in the stacks that have
// it, with the number of operations that have that stack.
func (t *Trace) Uses() iter.Seq2[minidump.VA, int] {
	return func(yield func(minidump.VA, int) bool) {
		operations := make([]int, t.Stacks())
		for _, r := range t.records {
			operations[r.stack]++
		}
		for id, n := range operations {
			for _, addr := range t.Frames(id) {
				if !yield(addr, n) {
					return
				}
			}
		}
	}
}

// Stacks returns the number of distinct stacks. They are numbered from 0.
func (t *Trace) Stacks() int { return len(t.pool.stacks) }

// Life returns the positions of all operations on a handle value, the oldest
// first.
func (t *Trace) Life(handle uint64) []int {
	id, ok := t.pool.lookup(handle)
	if !ok {
		return nil
	}
	var life []int
	for i, r := range t.records {
		if r.handle == id {
			life = append(life, i)
		}
	}
	return life
}

// Open returns the outstanding open at a position.
func (t *Trace) Open(position int) (*Open, bool) {
	i := sort.Search(len(t.Outstanding), func(i int) bool { return t.Outstanding[i].Position <= position })
	if i == len(t.Outstanding) || t.Outstanding[i].Position != position {
		return nil, false
	}
	return &t.Outstanding[i], true
}

// An opKind is an OperationType in one byte: replaying a trace looks at
// nothing else of a caller.
type opKind uint8

const (
	kindOther  = opKind(minidump.OperationUnused) // none, or not known
	kindOpen   = opKind(minidump.OperationOpen)
	kindClose  = opKind(minidump.OperationClose)
	kindBadRef = opKind(minidump.OperationBadRef)
)

// An Order is the order in which a dump stores its handle operations. The
// format does not say which it is, and writers differ.
type Order string

// The orders. In live sessions !htrace lists the newest operation first.
const (
	NewestFirst Order = "newest-first"
	OldestFirst Order = "oldest-first"
)

// String returns the order in words.
func (o Order) String() string {
	switch o {
	case NewestFirst:
		return "newest first"
	case OldestFirst:
		return "oldest first"
	}
	return fmt.Sprintf("Order(%q)", string(o))
}
