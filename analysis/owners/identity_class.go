package owners

import (
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

const (
	// identityReach is how far behind a handle its object may show a mark,
	// in bytes; maxContents is how much is read of an object at most.
	identityReach = 256
	maxContents   = 2 * identityReach
)

// A holderClass is an owner as it is looked for in both dumps: all objects with
// its word, or the cells of its arrays.
type holderClass struct {
	classKey
	owner  *Owner
	spans  [2][]cellSpan // of arrays
	places [2]classPlaces
	common bool // it has too many places to be a holder
	lo, hi int  // what is looked at, from the handle, bytes
}

// A classKey is what makes owners of two dumps, or of two types of handles, one
// class.
type classKey struct {
	kind     Kind
	word     uint64
	wordSize int // bytes; 0 for arrays
	distance int // from the word to the handle, bytes
	width    int // of the handle, bytes
	stride   int // of arrays, bytes
	typ      string
}

// A cellSpan is where the cells of an array are, both ends included.
type cellSpan struct{ first, last uint64 }

// classPlaces is where a class holds handles in one dump.
type classPlaces struct {
	held    []holding // by address
	byValue []holding // by value, then by address
	dead    int       // places with the value of a handle that is not open
	marks   []uint64  // of held: which words behind the handle others point to, a bit each
	pointed []bool    // of held: others point to the object
}

// A holding is a place with a handle.
type holding struct{ at, value uint64 }

// of returns the places that hold a value.
func (p *classPlaces) of(value uint64) []holding {
	i, _ := slices.BinarySearchFunc(p.byValue, value, func(h holding, v uint64) int {
		if h.value < v {
			return -1
		}
		return 1
	})
	n := i
	for n < len(p.byValue) && p.byValue[n].value == value {
		n++
	}
	return p.byValue[i:n]
}

// find returns the index of the place at an address.
func (p *classPlaces) find(at uint64) (int, bool) {
	return slices.BinarySearchFunc(p.held, at, func(h holding, at uint64) int {
		switch {
		case h.at < at:
			return -1
		case h.at > at:
			return 1
		}
		return 0
	})
}

// holderClasses makes classes of the owners in two dumps. Arrays that come in
// several pieces are left out: a report has the place of the first one only.
func holderClasses(old, new *Report) []*holderClass {
	known := map[classKey]*holderClass{}
	var classes []*holderClass
	for _, side := range [...]int{1, 0} {
		r := [...]*Report{old, new}[side]
		for i := range r.Owners {
			o := &r.Owners[i]
			key := classKey{kind: o.Kind, width: o.Width}
			switch o.Kind {
			case KindArray, KindGlobal:
				if o.Arrays > 1 || o.Stride < o.Width {
					continue
				}
				key.stride, key.typ = o.Stride, o.Type
			case KindRecord:
				key.word, key.wordSize, key.distance = uint64(o.Constant), 4, o.distance()
			default:
				key.word, key.wordSize, key.distance = uint64(o.Address), r.Scan.PointerSize, o.distance()
			}
			c := known[key]
			if c == nil {
				c = &holderClass{classKey: key, owner: o}
				c.reach()
				known[key] = c
				classes = append(classes, c)
			}
			if o.Stride > 0 {
				first := uint64(o.Address)
				c.spans[side] = append(c.spans[side], cellSpan{first, first + uint64(o.Stride*max(o.Instances-1, 0))})
			}
		}
	}
	return classes
}

// reach decides what to look at: what surely belongs to the object, which is
// from its word to the handle, and what follows.
func (c *holderClass) reach() {
	if c.stride > 0 {
		c.lo, c.hi = c.width-c.stride, c.stride
		return
	}
	c.lo = max(min(0, -c.distance), -identityReach)
	c.hi = min(c.inside()+identityReach, c.lo+maxContents)
}

// inside is where what surely belongs to the object ends, from the handle.
func (c *holderClass) inside() int { return max(c.width, c.wordSize-c.distance) }

// start is how far before a handle its object begins, in bytes.
func (c *holderClass) start() int {
	if c.stride > 0 {
		return 0
	}
	return c.owner.FieldOffset
}

// moves reports whether what holds the handles may be somewhere else later: the
// cells of an array may, and the objects of a managed heap.
func (c *holderClass) moves() bool {
	return c.stride > 0 || c.kind == KindObject && c.owner.Target == TargetMemory
}

// overlaps reports whether a field is the handle or the word of the class.
func (c *holderClass) overlaps(off, size int) bool {
	return off < c.width && off+size > 0 || off < c.wordSize-c.distance && off+size > -c.distance
}

// has reports whether a cell of an array may be at the address.
func (c *holderClass) has(side int, at uint64) bool {
	return slices.ContainsFunc(c.spans[side], func(s cellSpan) bool {
		return at >= s.first && at <= s.last && (at-s.first)%uint64(c.stride) == 0
	})
}

// vaAt is an address plus an offset.
func vaAt(at uint64, off int) minidump.VA { return minidump.VA(at + uint64(int64(off))) }
