package analysis

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleID is what a handle of one dump is known by in another dump of the
// same process. Two handles are the same if value, type, name and granted access
// agree, and of the object information what never changes: the id of a thread or
// process, the kind of an event, the limit of a semaphore. What agrees in all of
// them may still have been closed and opened again: see [Fate].
type HandleID struct {
	Value  uint64 // of the handle
	Object uint64 // a hash of the rest; equal only within one HandleMatcher
}

// Compare orders by value, and the handles of one value in some fixed order.
func (a HandleID) Compare(b HandleID) int {
	return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Object, b.Object))
}

// A HandleMatcher gives the handles of several dumps their ids. What makes them
// is hashed into 64 bits with a random seed: two handles with one value
// are confused with a chance of 1 in 2^64. It is not safe for concurrent use.
type HandleMatcher struct {
	seed            maphash.Seed
	named, informed bool
	buf             []byte
}

// NewHandleMatcher returns a matcher. Names are compared if named is set, object
// information if informed is: not if one of the dumps has none at all, while the
// others do.
func NewHandleMatcher(named, informed bool) *HandleMatcher {
	return &HandleMatcher{seed: maphash.MakeSeed(), named: named, informed: informed}
}

// ID returns the id of a handle, which must come with its type, and with its name
// and object information if these are compared.
func (m *HandleMatcher) ID(h *minidump.Handle) HandleID {
	m.buf = binary.LittleEndian.AppendUint32(m.buf[:0], h.GrantedAccess)
	m.buf = append(append(m.buf, h.TypeName...), 0)
	if m.named {
		m.buf = append(append(m.buf, h.ObjectName...), 0)
	}
	if m.informed {
		m.addInfo(h)
	}
	return HandleID{Value: h.Handle, Object: maphash.Bytes(m.seed, m.buf)}
}

// addInfo adds what never changes of an object: which thread or process it is,
// the kind of an event, the limit of a semaphore.
func (m *HandleMatcher) addInfo(h *minidump.Handle) {
	switch h.TypeName {
	case "Thread", "Process", "Event", "Semaphore":
	default:
		return
	}
	add := func(v uint64) { m.buf = binary.LittleEndian.AppendUint64(m.buf, v) }
	state := DecodeObject(h.ObjectInfo)
	switch {
	case state.Thread != nil:
		add(state.Thread.ProcessID)
		add(state.Thread.ThreadID)
	case state.Process != nil:
		add(state.Process.ProcessID)
	case state.Event != nil && state.Event.ManualReset:
		add(1)
	case state.Event != nil:
		add(2)
	case state.Semaphore != nil:
		add(uint64(state.Semaphore.MaximumCount))
	}
}
