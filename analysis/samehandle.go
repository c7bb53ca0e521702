package analysis

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleID is what a handle of one dump is known by in another dump of the
// same process. Two handles are the same if value, type, name and granted
// access agree: Windows never changes the type or the access of an open handle.
// What agrees in all of them may still have been closed and opened again, which
// no dump shows.
type HandleID struct {
	Value  uint64 // of the handle
	Object uint64 // a hash of the rest; equal only within one HandleMatcher
}

// Compare orders by value, and the handles of one value in some fixed order.
func (a HandleID) Compare(b HandleID) int {
	return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Object, b.Object))
}

// A HandleMatcher gives the handles of several dumps their ids. Type, name and
// access are hashed into 64 bits with a random seed: two handles with one value
// are confused with a chance of 1 in 2^64. It is not safe for concurrent use.
type HandleMatcher struct {
	seed  maphash.Seed
	named bool
	buf   []byte
}

// NewHandleMatcher returns a matcher. Names are compared if named is set: not
// if one of the dumps has none at all, while the others do.
func NewHandleMatcher(named bool) *HandleMatcher {
	return &HandleMatcher{seed: maphash.MakeSeed(), named: named}
}

// ID returns the id of a handle, which must come with its type, and with its
// name if names are compared.
func (m *HandleMatcher) ID(h *minidump.Handle) HandleID {
	m.buf = binary.LittleEndian.AppendUint32(m.buf[:0], h.GrantedAccess)
	m.buf = append(append(m.buf, h.TypeName...), 0)
	if m.named {
		m.buf = append(m.buf, h.ObjectName...)
	}
	return HandleID{Value: h.Handle, Object: maphash.Bytes(m.seed, m.buf)}
}
