package owners

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// commonPlaces is how many places of handles a class may have, for each handle
// there is: what has more holds numbers.
const commonPlaces = 4

// An identitySide is one of the dumps that are compared.
type identitySide struct {
	mem   *minidump.Memory
	space *space
	words *wordFinder
}

func openSide(f *minidump.File, system func(*minidump.Module) bool) (*identitySide, error) {
	mem, err := memoryOfDump(f)
	if err != nil {
		return nil, err
	}
	space, err := newSpace(f, mem, system)
	if err != nil {
		return nil, err
	}
	return &identitySide{mem: mem, space: space}, nil
}

// A wordFinder knows the words of classes.
type wordFinder struct {
	classes map[uint64][]int // by word; those of 4 bytes with the upper bit set
	may     [1 << 13]bool    // by hash
}

// half marks a word of 4 bytes, which no pointer is like.
const half = 1 << 63

func (w *wordFinder) add(word uint64, class int) {
	w.classes[word] = append(w.classes[word], class)
	w.may[mix(word)>>51] = true
}

func (w *wordFinder) find(word uint64) []int {
	if !w.may[mix(word)>>51] {
		return nil
	}
	return w.classes[word]
}

// wordsOf makes a finder of the words of classes; halves says whether there are
// some of 4 bytes.
func wordsOf(classes []*holderClass) (w *wordFinder, halves bool) {
	w = &wordFinder{classes: map[uint64][]int{}}
	for i, c := range classes {
		switch {
		case c.kind == KindRecord:
			halves = true
			w.add(c.word|half, i)
		case c.wordSize > 0:
			w.add(c.word, i)
		}
	}
	return w, halves
}

// collect finds the places where the classes hold handles of the dump: the older
// one is side 0.
func (s *identitySide) collect(ctx context.Context, classes []*holderClass, values valueStates, side int) error {
	words, halves := wordsOf(classes)
	s.words = words
	open := uint8(valueOld << side)
	most := commonPlaces * values.count(open)
	note := func(c *holderClass, at, v uint64) {
		p := &c.places[side]
		switch {
		case c.common:
		case values.of(v)&open != 0:
			if p.held = append(p.held, holding{at, v}); len(p.held) > most {
				c.common, p.held = true, nil
			}
		case v != 0 && v&3 == 0 && v>>2 < uint64(len(values)):
			p.dead++
		}
	}
	ptr := s.space.ptr
	err := s.each(ctx, func(b []byte, start uint64) {
		found := func(i int, list []int) {
			for _, n := range list {
				c := classes[n]
				if v, ok := s.cell(b, start, i+c.distance, c.width); ok {
					note(c, start+uint64(int64(i+c.distance)), v)
				}
			}
		}
		for i := 0; i+ptr <= len(b); i += ptr {
			v := wordAt(b[i:], ptr)
			if list := words.find(v); list != nil {
				found(i, list)
			}
			for j := i; halves && j < i+ptr; j += 4 {
				if list := words.find(uint64(binary.LittleEndian.Uint32(b[j:])) | half); list != nil {
					found(j, list)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	for _, c := range classes {
		for _, span := range c.spans[side] {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.eachCell(c, span, func(at, v uint64) { note(c, at, v) })
		}
		p := &c.places[side]
		byAddress := func(a, b holding) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.value, b.value)) }
		slices.SortFunc(p.held, byAddress)
		p.held = slices.Compact(p.held) // arrays may overlap
		p.byValue = slices.Clone(p.held)
		slices.SortStableFunc(p.byValue, func(a, b holding) int { return cmp.Compare(a.value, b.value) })
		p.marks, p.pointed = make([]uint64, len(p.held)), make([]bool, len(p.held))
	}
	return nil
}

// each reads all memory that is searched, in aligned pieces.
func (s *identitySide) each(ctx context.Context, visit func(b []byte, start uint64)) error {
	buf := make([]byte, windowSize)
	for _, w := range s.space.windows() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:w.size]
		if _, err := s.mem.ReadRange(b, w.in, w.skip); err != nil {
			return err
		}
		visit(b, uint64(w.in.Start)+w.skip)
	}
	return nil
}

// cell reads a handle from a piece of memory, or from what surrounds it.
func (s *identitySide) cell(b []byte, start uint64, i, width int) (uint64, bool) {
	if i >= 0 && i+width <= len(b) {
		return readValue(b[i:], width), true
	}
	return s.value(vaAt(start, i), width)
}

// value reads a handle anywhere in memory.
func (s *identitySide) value(at minidump.VA, width int) (uint64, bool) {
	var b [8]byte
	if _, err := s.mem.ReadAt(b[:width], at); err != nil {
		return 0, false
	}
	return readValue(b[:], width), true
}

// eachCell calls visit for the cells of an array.
func (s *identitySide) eachCell(c *holderClass, span cellSpan, visit func(at, v uint64)) {
	buf := make([]byte, windowSize/c.stride*c.stride+c.width)
	for at := span.first; at <= span.last; {
		n, _ := s.mem.ReadAt(buf[:min(uint64(len(buf)), span.last-at+uint64(c.width))], vaOf(at))
		if n < c.width {
			return
		}
		i := 0
		for ; i+c.width <= n; i += c.stride {
			visit(at+uint64(i), readValue(buf[i:], c.width))
		}
		at += uint64(i)
	}
}

// wordAt reads a word of the size of a pointer.
func wordAt(b []byte, ptr int) uint64 {
	if ptr == 4 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// empty reports whether a field of a handle holds none.
func emptyValue(v uint64) bool { return v == 0 || v == math.MaxUint64 }
