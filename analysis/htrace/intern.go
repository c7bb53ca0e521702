package htrace

import (
	"encoding/binary"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A record is what is kept of each operation: twelve of its 288 bytes.
type record struct {
	handle uint32 // index in pool.handles
	stack  uint32 // index in pool.stacks
	caller uint32 // index in pool.callers
}

// A caller is who made an operation, and its kind. A trace has as many as the
// process has threads, times two or three.
type caller struct {
	process, thread uint32
	operation       minidump.OperationType
}

// A pool holds the distinct stacks, callers and handle values of a trace,
// numbered in the order of their first appearance.
type pool struct {
	handles []uint64
	callers []caller
	stacks  []stackSpan
	frames  []minidump.VA // of all stacks, one behind the other

	handleOf map[uint64]uint32
	callerOf map[caller]uint32
	stackOf  map[string]uint32 // by the bytes of the frames
	key      []byte

	// The same values come again and again, and half the time would go into
	// looking them up. These hold what was found last in each place, plus one:
	// 0 is nothing.
	lastHandle [8192]uint32
	lastCaller [256]uint32
	lastStack  [4096]uint32
}

// A stackSpan is the place of a stack in pool.frames.
type stackSpan struct{ start, length uint32 }

func newPool() *pool {
	return &pool{handleOf: map[uint64]uint32{}, callerOf: map[caller]uint32{}, stackOf: map[string]uint32{}}
}

// add records an operation.
func (p *pool) add(op *minidump.HandleOperation) record {
	return record{
		handle: p.handle(op.Handle),
		stack:  p.stack(op.Frames()),
		caller: p.caller(caller{op.ProcessID, op.ThreadID, op.OperationType}),
	}
}

// golden spreads what is multiplied by it over the high bits (Fibonacci
// hashing).
const golden = 0x9e3779b1

func (p *pool) handle(value uint64) uint32 {
	last := &p.lastHandle[value/4%uint64(len(p.lastHandle))]
	if *last > 0 && p.handles[*last-1] == value {
		return *last - 1
	}
	id, ok := p.handleOf[value]
	if !ok {
		id = uint32(len(p.handles))
		p.handles = append(p.handles, value)
		p.handleOf[value] = id
	}
	*last = id + 1
	return id
}

// lookup returns the number of a handle value.
func (p *pool) lookup(value uint64) (uint32, bool) {
	id, ok := p.handleOf[value]
	return id, ok
}

func (p *pool) caller(c caller) uint32 {
	last := &p.lastCaller[(c.thread*4+uint32(c.operation))*golden>>24]
	if *last > 0 && p.callers[*last-1] == c {
		return *last - 1
	}
	id, ok := p.callerOf[c]
	if !ok {
		id = uint32(len(p.callers))
		p.callers = append(p.callers, c)
		p.callerOf[c] = id
	}
	*last = id + 1
	return id
}

func (p *pool) stack(frames []minidump.VA) uint32 {
	sum := uint64(len(frames))
	for _, f := range frames {
		sum = sum*golden + uint64(f)
	}
	last := &p.lastStack[uint32(sum>>32)*golden>>20]
	if *last > 0 && slices.Equal(p.stackFrames(*last-1), frames) {
		return *last - 1
	}
	id := p.newStack(frames)
	*last = id + 1
	return id
}

func (p *pool) newStack(frames []minidump.VA) uint32 {
	id, ok := p.findStack(frames)
	if !ok {
		id = uint32(len(p.stacks))
		p.stacks = append(p.stacks, stackSpan{uint32(len(p.frames)), uint32(len(frames))})
		p.frames = append(p.frames, frames...)
		p.stackOf[string(p.key)] = id
	}
	return id
}

// findStack returns the number of a stack, whose bytes it leaves in p.key.
func (p *pool) findStack(frames []minidump.VA) (uint32, bool) {
	p.key = p.key[:0]
	for _, f := range frames {
		p.key = binary.LittleEndian.AppendUint64(p.key, uint64(f))
	}
	id, ok := p.stackOf[string(p.key)]
	return id, ok
}

// stackFrames returns the frames of a stack, innermost first.
func (p *pool) stackFrames(id uint32) []minidump.VA {
	s := p.stacks[id]
	end := s.start + s.length
	return p.frames[s.start:end:end]
}

// absorb adds everything in q, and renumbers the records that were made with
// it.
func (p *pool) absorb(q *pool, records []record) {
	handles := make([]uint32, len(q.handles))
	for i, h := range q.handles {
		handles[i] = p.handle(h)
	}
	stacks := make([]uint32, len(q.stacks))
	for i := range q.stacks {
		stacks[i] = p.stack(q.stackFrames(uint32(i)))
	}
	callers := make([]uint32, len(q.callers))
	for i, c := range q.callers {
		callers[i] = p.caller(c)
	}
	for i, r := range records {
		records[i] = record{handles[r.handle], stacks[r.stack], callers[r.caller]}
	}
}

// A translation gives, for the numbers in one pool, those of equal things in
// another plus one, or 0 where it has none.
type translation struct{ handles, stacks, callers []uint32 }

// translate translates from the numbers in q to those in p.
func (p *pool) translate(q *pool) translation {
	t := translation{make([]uint32, len(q.handles)), make([]uint32, len(q.stacks)), make([]uint32, len(q.callers))}
	for i, h := range q.handles {
		if id, ok := p.lookup(h); ok {
			t.handles[i] = id + 1
		}
	}
	for i := range q.stacks {
		if id, ok := p.findStack(q.stackFrames(uint32(i))); ok {
			t.stacks[i] = id + 1
		}
	}
	for i, c := range q.callers {
		if id, ok := p.callerOf[c]; ok {
			t.callers[i] = id + 1
		}
	}
	return t
}
