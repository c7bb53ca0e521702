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
	fieldMemory = 96 << 20
	// maxFieldCount bounds the fields when handles are few and bitmaps small.
	maxFieldCount = 4096
	// ownerExamples is how many examples of an owner are kept.
	ownerExamples = 8
)

// An ownerField is a constellation under a close look: one field of all
// objects that begin with the same word, and the numbers in it.
type ownerField struct {
	constellation

	// The numbers up to ownerField.limit that were found in the field, by
	// number / 4: the multiples of four, which a handle is, and the others.
	multiples, others bitmap

	instances int // words equal to the constellation's
	empty     int // fields of 0 or -1
	sets      map[uint16]*fieldSet
}

// A fieldSet is what a field holds of one set of handles.
type fieldSet struct {
	objects  int
	examples []Example // at the lowest addresses, ascending
}

// A bitmap may be set from several goroutines.
type bitmap []uint64

func (b bitmap) set(i uint64) {
	word, bit := &b[i/64], uint64(1)<<(i%64)
	if atomic.LoadUint64(word)&bit == 0 {
		atomic.OrUint64(word, bit)
	}
}

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
	sets             map[uint16]*fieldSet
}

// inspect is the second pass: it looks at the fields of all objects that begin
// with the words of the survivors. If these are indexed, windows without any of
// them are passed over.
func (h *hunt) inspect(ctx context.Context, survivors []constellation, indexed bool) ([]*ownerField, error) {
	if len(survivors) == 0 {
		return nil, nil
	}
	words := h.targets.fieldSlots()/64 + 1
	fields := make([]*ownerField, len(survivors))
	for i, c := range survivors {
		fields[i] = &ownerField{
			constellation: c, sets: map[uint16]*fieldSet{},
			multiples: make(bitmap, words), others: make(bitmap, words),
		}
	}
	index := newWordIndex(survivors)
	var views [workers][]fieldView
	for i := range views {
		views[i] = make([]fieldView, len(fields))
	}
	skip := readAll
	if indexed {
		var distinct []uint64
		for word := range index.fields {
			distinct = append(distinct, word)
		}
		skip = func(n int) bool { return !h.filters[n].any(distinct) }
	}
	err := h.eachWindow(ctx, 0, h.maxOffset, skip, func(worker int, w *window) {
		v := fieldVisitor{hunt: h, fields: fields, views: views[worker], window: w}
		if h.space.ptr == 4 {
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
	return fields, nil
}

func (f *ownerField) merge(v *fieldView) {
	f.instances += v.instances
	f.empty += v.empty
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
	}
}

// A fieldVisitor takes down the fields of the objects in one window.
type fieldVisitor struct {
	hunt   *hunt
	fields []*ownerField
	views  []fieldView
	window *window
}

// object is called for a word at data[i] that belongs to the given fields.
func (v *fieldVisitor) object(i int, fields []int) {
	for _, n := range fields {
		f := v.fields[n]
		at := i + int(f.offset)
		if at+v.hunt.space.ptr > len(v.window.data) {
			continue // the field was not captured
		}
		var value uint64
		if v.hunt.space.ptr == 4 {
			value = uint64(int64(int32(binary.LittleEndian.Uint32(v.window.data[at:]))))
		} else {
			value = binary.LittleEndian.Uint64(v.window.data[at:])
		}
		v.value(n, value, v.window.start+uint64(i))
	}
}

// value takes down what one field holds; numbers of 32 bits come with their
// sign extended.
func (v *fieldVisitor) value(n int, value, object uint64) {
	f, view := v.fields[n], &v.views[n]
	view.instances++
	if value == 0 || value == ^uint64(0) {
		view.empty++
		return
	}
	slot := value >> 2
	if slot >= uint64(v.hunt.targets.fieldSlots()) {
		return
	}
	if value&3 != 0 {
		f.others.set(slot)
		return
	}
	f.multiples.set(slot)
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
}

func vaOf(address uint64) minidump.VA { return minidump.VA(address) }

// wordIndex finds the words of the survivors.
type wordIndex struct {
	fields map[uint64][]int // which fields a word has
	may    [1 << 15]bool    // whether a word can be one of them, by indexHash
}

// indexHash is made for pointers: it leaves out what alignment makes zero.
func indexHash(word uint64) uint64 { return (word>>2 ^ word>>17) & (1<<15 - 1) }

func newWordIndex(list []constellation) *wordIndex {
	x := &wordIndex{fields: map[uint64][]int{}}
	for i, c := range list {
		x.fields[c.word] = append(x.fields[c.word], i)
		x.may[indexHash(c.word)] = true
	}
	return x
}

// each64 calls object for the words of 8 bytes that have fields.
func (x *wordIndex) each64(w *window, object func(i int, fields []int)) {
	i := w.begin
	for b := w.data[w.begin:w.end]; len(b) >= 8; {
		if len(b) >= 32 &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b))] &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b[8:]))] &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b[16:]))] &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b[24:]))] {
			b, i = b[32:], i+32
			continue
		}
		if v := binary.LittleEndian.Uint64(b); x.may[indexHash(v)] {
			if fields := x.fields[v]; fields != nil {
				object(i, fields)
			}
		}
		b, i = b[8:], i+8
	}
}

// each32 is each64 for words of 4 bytes.
func (x *wordIndex) each32(w *window, object func(i int, fields []int)) {
	i := w.begin
	for b := w.data[w.begin:w.end]; len(b) >= 4; {
		if len(b) >= 16 &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b)))] &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b[4:])))] &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b[8:])))] &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b[12:])))] {
			b, i = b[16:], i+16
			continue
		}
		if v := uint64(binary.LittleEndian.Uint32(b)); x.may[indexHash(v)] {
			if fields := x.fields[v]; fields != nil {
				object(i, fields)
			}
		}
		b, i = b[4:], i+4
	}
}
