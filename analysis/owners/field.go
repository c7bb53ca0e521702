package owners

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/minidump"
)

const (
	// fieldMemory bounds the bitmaps of all fields together, in bytes.
	fieldMemory = 32 << 20
	// maxFieldCount bounds the fields when handles are few and bitmaps small.
	maxFieldCount = 4096
	// ownerExamples is how many examples of an owner are kept.
	ownerExamples = 8
	// maxPlaces is how many places of handles a worker keeps of an owner, for
	// the search for what refers to it.
	maxPlaces = 128
)

// An ownerField is a constellation under a close look: one field of all
// objects that have the same word, and the numbers in it.
type ownerField struct {
	constellation
	width int // bytes of the field
	numbers

	instances int  // words equal to the constellation's
	empty     int  // fields of 0 or -1
	common    bool // the word is too common to be looked at any further
	sets      map[uint16]*fieldSet
}

// numbers are the numbers up to targets.fieldSlots that were found in a field,
// by number / 4: the multiples of four, which a handle is, and the others.
type numbers struct{ multiples, others bitmap }

func newNumbers(t *targets) numbers {
	words := t.fieldSlots()/64 + 1
	return numbers{make(bitmap, words), make(bitmap, words)}
}

// add takes down a number, whose sign was extended to 64 bits.
func (n *numbers) add(value uint64, slots int) {
	if slot := value >> 2; slot >= uint64(slots) {
		return
	} else if value&3 != 0 {
		n.others.set(slot)
	} else {
		n.multiples.set(slot)
	}
}

// A fieldSet is what a field holds of one set of handles.
type fieldSet struct {
	objects  int
	examples []Example // of words, at the lowest addresses, ascending
	places   []uint64  // of handles
}

// A bitmap may be set from several goroutines.
type bitmap []uint64

func (b bitmap) set(i uint64) {
	word, bit := &b[i/64], uint64(1)<<(i%64)
	if atomic.LoadUint64(word)&bit == 0 {
		atomic.OrUint64(word, bit)
	}
}

// has reads without care for other goroutines.
func (b bitmap) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }

func (b bitmap) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls f with the numbers of the bits that are set, ascending.
func (b bitmap) each(f func(i int)) {
	for at, w := range b {
		for ; w != 0; w &= w - 1 {
			f(at*64 + bits.TrailingZeros64(w))
		}
	}
}

// fieldSlots is how many multiples of four a field takes down: those up to the
// largest handle and a good deal more, since what lies above it is no handle.
func (t *targets) fieldSlots() int { return len(t.slots) + len(t.slots)/4 + minDecoys }

// maxFields is how many fields there is memory for.
func (h *hunt) maxFields() int {
	each := (h.targets.fieldSlots()/64 + 1) * 8 * 2
	return min(maxFieldCount, fieldMemory/each)
}

// readValue reads a number of 4 or 8 bytes; one of 32 bits comes with its sign
// extended.
func readValue(b []byte, width int) uint64 {
	if width == 4 {
		return uint64(int64(int32(binary.LittleEndian.Uint32(b))))
	}
	return binary.LittleEndian.Uint64(b)
}

func vaOf(address uint64) minidump.VA { return minidump.VA(address) }
