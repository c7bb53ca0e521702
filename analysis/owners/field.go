package owners

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/bits"
	"slices"
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

// fieldView is what one worker found in one field.
type fieldView struct {
	instances, empty int
	common           bool
	sets             map[uint16]*fieldSet
}

// A look is what a pass looks at.
type look struct {
	list     []constellation
	wordSize int // bytes of the word that objects have in common
	width    int // bytes of the field
	most     int // words of a value from which on it is too common; 0 without limit
}

// inspect is a pass that looks at the fields of all objects that have the words
// of a list.
func (h *hunt) inspect(ctx context.Context, l look) ([]*ownerField, error) {
	if len(l.list) == 0 {
		return nil, nil
	}
	fields := make([]*ownerField, len(l.list))
	before, after := 0, 0
	for i, c := range l.list {
		fields[i] = &ownerField{constellation: c, width: l.width, sets: map[uint16]*fieldSet{}, numbers: newNumbers(h.targets)}
		before, after = max(before, -int(c.offset)), max(after, int(c.offset)+l.width)
	}
	index := newWordIndex(l.list)
	var views [workers][]fieldView
	for i := range views {
		views[i] = make([]fieldView, len(fields))
	}
	err := h.eachWindow(ctx, before, after, func(worker int, w *window) {
		v := fieldVisitor{hunt: h, look: &l, fields: fields, views: views[worker], window: w}
		if l.wordSize == 4 {
			index.each32(w, v.object)
		} else {
			index.each64(w, v.object)
		}
	})
	if err != nil {
		return nil, err
	}
	for i, f := range fields {
		for worker := range views {
			f.merge(&views[worker][i])
		}
	}
	return slices.DeleteFunc(fields, func(f *ownerField) bool { return f.common }), nil
}

func (f *ownerField) merge(v *fieldView) {
	f.instances += v.instances
	f.empty += v.empty
	f.common = f.common || v.common
	for id, s := range v.sets {
		all := f.sets[id]
		if all == nil {
			all = &fieldSet{}
			f.sets[id] = all
		}
		all.objects += s.objects
		all.examples = append(all.examples, s.examples...)
		slices.SortFunc(all.examples, func(a, b Example) int { return cmp.Compare(a.Object, b.Object) })
		all.examples = all.examples[:min(len(all.examples), ownerExamples)]
		all.places = append(all.places, s.places...)
	}
}

// A fieldVisitor takes down the fields of the objects in one window.
type fieldVisitor struct {
	hunt   *hunt
	look   *look
	fields []*ownerField
	views  []fieldView
	window *window
}

// object is called for a word at data[i] that belongs to the given fields.
func (v *fieldVisitor) object(i int, fields []int) {
	for _, n := range fields {
		at := i + int(v.fields[n].offset)
		if at < 0 || at+v.look.width > len(v.window.data) {
			continue // the field was not captured
		}
		if view := &v.views[n]; v.look.most > 0 && view.instances >= v.look.most {
			view.common = true
			continue
		}
		v.value(n, readValue(v.window.data[at:], v.look.width), v.window.start+uint64(i))
	}
}

// readValue reads a number of 4 or 8 bytes; one of 32 bits comes with its sign
// extended.
func readValue(b []byte, width int) uint64 {
	if width == 4 {
		return uint64(int64(int32(binary.LittleEndian.Uint32(b))))
	}
	return binary.LittleEndian.Uint64(b)
}

// value takes down what one field holds.
func (v *fieldVisitor) value(n int, value, object uint64) {
	f, view := v.fields[n], &v.views[n]
	view.instances++
	if value == 0 || value == ^uint64(0) {
		view.empty++
		return
	}
	f.add(value, v.hunt.targets.fieldSlots())
	id := v.hunt.targets.set(value)
	if id == slotFree {
		return
	}
	s := view.sets[id]
	if s == nil {
		if view.sets == nil {
			view.sets = map[uint16]*fieldSet{}
		}
		s = &fieldSet{}
		view.sets[id] = s
	}
	s.objects++
	if len(s.examples) < ownerExamples {
		s.examples = append(s.examples, Example{Object: vaOf(object), Handle: value})
	}
	if len(s.places) < maxPlaces {
		s.places = append(s.places, object+uint64(int64(f.offset)))
	}
}

func vaOf(address uint64) minidump.VA { return minidump.VA(address) }
