package analysis

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleID is what a handle of one dump is known by in another dump of the
// same process. Two handles are the same if value, type, name and granted access
// agree, and the id of the thread or process that the object is: Windows never
// changes these of an open handle. What agrees in all of them may still have been
// closed and opened again, which no dump shows.
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
	if m.informed && (h.TypeName == "Thread" || h.TypeName == "Process") {
		if id := ObjectOf(h); id.Kind == ByThread || id.Kind == ByProcess {
			m.buf = binary.LittleEndian.AppendUint64(m.buf, id.Process)
			m.buf = binary.LittleEndian.AppendUint64(m.buf, id.Thread)
		}
	}
	return HandleID{Value: h.Handle, Object: maphash.Bytes(m.seed, m.buf)}
}
