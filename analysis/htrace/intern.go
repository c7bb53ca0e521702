package htrace

import (
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A record is what is kept of each operation: twelve of its 288 bytes.
type record struct {
	handle uint32 // index in pool.handles
	stack  uint32 // index in pool.stacks
	caller uint32 // index in pool.callers
}

// A caller is who made an operation, and its kind. A trace has as many as
// the process has threads, times two or three.
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

	// dense finds handles by a quarter of their value, as Windows gives out
	// small multiples of 4: the number of the handle plus one, or 0.
	dense []uint32

	handleIndex hashIndex // of the handles that are too great for dense
	great       []uint32  // the numbers of these
	callerIndex hashIndex
	stackIndex  hashIndex
	secret      [2]uint64
}

// A stackSpan is the place of a stack in pool.frames.
type stackSpan struct{ start, length uint32 }

// A hashIndex finds numbered things by a hash, with open addressing. Comparing
// things of equal hash is up to the caller.
type hashIndex struct {
	slots  []hashSlot // the length is a power of two
	hashes []uint64   // of each thing, for when slots grows
}

// A hashSlot is free if thing is 0. Slots are small so that those of a long
// trace stay in the processor's cache.
type hashSlot struct {
	tag   uint32 // the upper half of the hash
	thing uint32 // its number plus one
}

// next returns the next thing that may have the given hash, beginning at a slot
// and going on behind it.
func (x *hashIndex) next(hash uint64, slot *uint64) (id uint32, ok bool) {
	mask := uint64(len(x.slots) - 1)
	for len(x.slots) > 0 {
		s := x.slots[*slot&mask]
		*slot++
		if s.thing == 0 {
			return 0, false
		}
		if s.tag == uint32(hash>>32) {
			return s.thing - 1, true
		}
	}
	return 0, false
}

// add gives the next number to a thing.
func (x *hashIndex) add(hash uint64) {
	if 2*len(x.hashes) >= len(x.slots) {
		x.slots = make([]hashSlot, max(2*len(x.slots), 64))
		for id, h := range x.hashes {
			x.place(h, id)
		}
	}
	x.hashes = append(x.hashes, hash)
	x.place(hash, len(x.hashes)-1)
}

func (x *hashIndex) place(hash uint64, id int) {
	mask := uint64(len(x.slots) - 1)
	i := hash & mask
	for x.slots[i].thing != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = hashSlot{uint32(hash >> 32), uint32(id) + 1}
}

func newPool() *pool {
	return &pool{secret: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

// like returns an empty pool that hashes as p does.
func (p *pool) like() *pool {
	return &pool{secret: p.secret}
}

// hash mixes the frames two at a time. The secret keeps a dump from being made
// of stacks that all collide.
func (p *pool) hash(frames []minidump.VA) uint64 {
	h := p.secret[0] ^ uint64(len(frames))
	for len(frames) >= 2 {
		hi, lo := bits.Mul64(uint64(frames[0])^p.secret[1], uint64(frames[1])^h)
		h = hi ^ lo
		frames = frames[2:]
	}
	if len(frames) == 1 {
		h = foldMul(uint64(frames[0])^p.secret[1], h)
	}
	return h
}

func foldMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// add records an operation.
func (p *pool) add(op *minidump.HandleOperation) record {
	return record{
		handle: p.handle(op.Handle),
		stack:  p.stack(op.Frames()),
		caller: p.caller(caller{op.ProcessID, op.ThreadID, op.OperationType}),
	}
}

func (p *pool) handle(value uint64) uint32 {
	if id, ok := p.lookup(value); ok {
		return id
	}
	id := len(p.handles)
	p.handles = append(p.handles, value)
	if i, ok := p.denseSlot(value); ok {
		p.dense[i] = uint32(id) + 1
	} else {
		p.handleIndex.add(p.handleHash(value))
		p.great = append(p.great, uint32(id))
	}
	return uint32(id)
}

// denseSlot returns the place of a value in dense, which grows with the number
// of handles, if the value is to have one.
func (p *pool) denseSlot(value uint64) (uint64, bool) {
	i := value / 4
	if value%4 != 0 {
		return 0, false
	}
	if limit := uint64(8*len(p.handles) + 1024); i >= uint64(len(p.dense)) && i < limit {
		p.dense = slices.Grow(p.dense, int(i)+1-len(p.dense))[:i+1]
	}
	return i, i < uint64(len(p.dense))
}

func (p *pool) handleHash(value uint64) uint64 { return foldMul(value^p.secret[0], p.secret[1]) }

// lookup returns the number of a handle value. A value may have been entered
// before dense was long enough for it.
func (p *pool) lookup(value uint64) (uint32, bool) {
	if i := value / 4; value%4 == 0 && i < uint64(len(p.dense)) && p.dense[i] != 0 {
		return p.dense[i] - 1, true
	}
	if len(p.great) == 0 {
		return 0, false
	}
	hash := p.handleHash(value)
	slot := hash
	for {
		i, ok := p.handleIndex.next(hash, &slot)
		if !ok {
			return 0, false
		}
		if id := p.great[i]; p.handles[id] == value {
			return id, true
		}
	}
}

func (p *pool) caller(c caller) uint32 {
	hash := p.callerHash(c)
	if id, ok := p.findCaller(hash, c); ok {
		return id
	}
	p.callers = append(p.callers, c)
	p.callerIndex.add(hash)
	return uint32(len(p.callers) - 1)
}

func (p *pool) callerHash(c caller) uint64 {
	return foldMul(p.secret[0]^(uint64(c.process)<<32|uint64(c.thread)), p.secret[1]^uint64(c.operation))
}

func (p *pool) findCaller(hash uint64, c caller) (uint32, bool) {
	slot := hash
	for {
		id, ok := p.callerIndex.next(hash, &slot)
		if !ok || p.callers[id] == c {
			return id, ok
		}
	}
}

func (p *pool) stack(frames []minidump.VA) uint32 {
	hash := p.hash(frames)
	if id, ok := p.findStack(hash, frames); ok {
		return id
	}
	p.stacks = append(p.stacks, stackSpan{uint32(len(p.frames)), uint32(len(frames))})
	p.frames = append(p.frames, frames...)
	p.stackIndex.add(hash)
	return uint32(len(p.stacks) - 1)
}

func (p *pool) findStack(hash uint64, frames []minidump.VA) (uint32, bool) {
	slot := hash
	for {
		id, ok := p.stackIndex.next(hash, &slot)
		if !ok || slices.Equal(p.stackFrames(id), frames) {
			return id, ok
		}
	}
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
		frames := q.stackFrames(uint32(i))
		if id, ok := p.findStack(p.hash(frames), frames); ok {
			t.stacks[i] = id + 1
		}
	}
	for i, c := range q.callers {
		if id, ok := p.findCaller(p.callerHash(c), c); ok {
			t.callers[i] = id + 1
		}
	}
	return t
}
