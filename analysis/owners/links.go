package owners

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

const (
	// linkedShare is the part of the objects that must have a pointer to the
	// same place in them, to show their start.
	linkedShare = 0.5
	// maxLinks is how many pointers a worker keeps of one owner and distance.
	maxLinks = 1024
	// leastReferred is the part of the objects that pointers outside the
	// variables of modules must lead to, to be named.
	leastReferred = 0.1
	// maxReferrers is how many places that refer to an owner are named.
	maxReferrers = 8
	// lineBits is the size of the table of lines with followed places, as a
	// power of two; a line has 256 bytes.
	lineBits = 20
)

// A place is where a handle of an owner lies, or the first cell of an array.
type place struct {
	at    uint64
	claim int
	n     int // of the claim's places
}

// A link is a pointer that leads before a handle.
type link struct {
	from uint64 // address of the pointer
	n    int    // place of its claim that it leads to
}

// A linkTable has the links of one claim, by their distance from the handle.
type linkTable map[int][]link

// A linker finds the pointers that lead to places.
type linker struct {
	*hunt
	claims []*claim // whose places these are
	places []place  // ascending
	reach  uint64   // how far before a place a pointer may lead
	sizes  []uint64 // bytes of the objects by claim; 0 where that is not known
	low    uint64
	span   uint64
	near   [1 << 16]uint8 // not zero if places are near a pointer, by bits 16 to 31
	lines  []uint64
	found  [workers][]linkTable // by claim; nil before begin
}

// newLinker takes down the places of the claims.
func (h *hunt) newLinker(claims []*claim) *linker {
	l := &linker{hunt: h, claims: claims, reach: uint64(h.maxOffset), sizes: make([]uint64, len(claims))}
	for i, c := range claims {
		if class := c.managed(); class != nil {
			l.sizes[i] = uint64(class.Size)
		}
		for n, at := range c.places {
			l.places = append(l.places, place{at, i, n})
		}
	}
	return l
}

// begin prepares for a pass.
func (l *linker) begin() {
	for i := range l.found {
		l.found[i] = make([]linkTable, len(l.sizes))
	}
	if len(l.places) == 0 {
		return
	}
	slices.SortFunc(l.places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.claim, b.claim), cmp.Compare(a.n, b.n))
	})
	l.low = l.places[0].at - min(l.reach, l.places[0].at)
	l.span = l.places[len(l.places)-1].at - l.low
	l.lines = make([]uint64, 1<<lineBits/64)
	for _, p := range l.places {
		for line := (p.at - min(l.reach, p.at)) >> 8; line <= p.at>>8; line++ {
			bit := lineHash(line)
			l.lines[bit/64] |= 1 << (bit % 64)
			l.near[uint16(line>>8)] = 1
		}
	}
}

// link looks for the pointers that lead a fixed distance before the handles of
// an owner. They show where its objects begin, and what they belong to. An
// earlier pass may have found them already.
func (h *hunt) link(ctx context.Context, claims []*claim, earlier *linker) error {
	var left []*claim
	for _, c := range claims {
		if links, ok := earlier.of(c); ok {
			h.begins(c, links)
		} else if len(c.places) > 0 {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		return nil
	}
	l := h.newLinker(left)
	if err := l.run(ctx); err != nil {
		return err
	}
	for _, c := range left {
		links, _ := l.of(c)
		h.begins(c, links)
	}
	return nil
}

// run is a pass of its own.
func (l *linker) run(ctx context.Context) error {
	l.begin()
	return l.eachWindow(ctx, allWindows, 0, 0, l.visit)
}

// of returns the links of a claim, or one that has the same places. It reports
// false if they were not looked for.
func (l *linker) of(c *claim) (linkTable, bool) {
	i := slices.IndexFunc(l.claims, func(known *claim) bool { return slices.Equal(known.places, c.places) })
	if i < 0 || l.found[0] == nil {
		return nil, false
	}
	return l.table(i), true
}

// table returns the links of the i-th claim.
func (l *linker) table(i int) linkTable {
	all := linkTable{}
	for worker := range l.found {
		for distance, links := range l.found[worker][i] {
			all[distance] = append(all[distance], links...)
		}
	}
	return all
}

func lineHash(line uint64) uint64 { return mix(line) >> (64 - lineBits) }

// visit finds the pointers in a window. As in wordIndex, all other words are
// turned away without a branch for each.
func (l *linker) visit(worker int, w *window) {
	switch {
	case len(l.places) == 0:
	case l.space.ptr == 4:
		l.visit32(worker, w)
	default:
		l.visit64(worker, w)
	}
}

func (l *linker) visit64(worker int, w *window) {
	le, i, data, near := binary.LittleEndian, w.begin, w.data[:w.end], &l.near
	some := func(from, to int) {
		low, span := l.low, l.span
		for i := from; i+8 <= to; i += 8 {
			if v := le.Uint64(data[i:]); v-low <= span && near[uint16(v>>16)] != 0 {
				l.pointer(worker, w.start+uint64(i), v)
			}
		}
	}
	for ; i+64 <= len(data); i += 64 {
		b := (*[64]byte)(data[i:])
		if near[le.Uint16(b[2:])]|near[le.Uint16(b[10:])]|near[le.Uint16(b[18:])]|near[le.Uint16(b[26:])]|
			near[le.Uint16(b[34:])]|near[le.Uint16(b[42:])]|near[le.Uint16(b[50:])]|near[le.Uint16(b[58:])] != 0 {
			some(i, i+64)
		}
	}
	some(i, len(data))
}

func (l *linker) visit32(worker int, w *window) {
	le, i, data, near := binary.LittleEndian, w.begin, w.data[:w.end], &l.near
	some := func(from, to int) {
		low, span := l.low, l.span
		for i := from; i+4 <= to; i += 4 {
			if v := uint64(le.Uint32(data[i:])); v-low <= span && near[uint16(v>>16)] != 0 {
				l.pointer(worker, w.start+uint64(i), v)
			}
		}
	}
	for ; i+32 <= len(data); i += 32 {
		b := (*[32]byte)(data[i:])
		if near[le.Uint16(b[2:])]|near[le.Uint16(b[6:])]|near[le.Uint16(b[10:])]|near[le.Uint16(b[14:])]|
			near[le.Uint16(b[18:])]|near[le.Uint16(b[22:])]|near[le.Uint16(b[26:])]|near[le.Uint16(b[30:])] != 0 {
			some(i, i+32)
		}
	}
	some(i, len(data))
}

// pointer takes down where a pointer leads.
func (l *linker) pointer(worker int, from, to uint64) {
	if bit := lineHash(to >> 8); l.lines[bit/64]>>(bit%64)&1 == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(l.places, to, func(p place, at uint64) int { return cmp.Compare(p.at, at) })
	first := i
	for ; i < len(l.places) && l.places[i].at-to <= l.reach; i++ {
		p := l.places[i]
		if slices.ContainsFunc(l.places[first:i], func(q place) bool { return q.claim == p.claim }) {
			continue // what follows is another object's
		}
		distance := int(p.at - to)
		if l.itself(i, from, to) {
			continue
		}
		t := &l.found[worker][p.claim]
		if *t == nil {
			*t = linkTable{}
		}
		if links := (*t)[distance]; len(links) < maxLinks {
			(*t)[distance] = append(links, link{from, p.n})
		}
	}
}

// itself reports whether a pointer to the object of a place stands in that
// object, as those of heaps and of empty lists do: before the next one begins.
func (l *linker) itself(i int, from, to uint64) bool {
	p := l.places[i]
	if from < to || from-to >= l.reach {
		return false
	}
	if size := l.sizes[p.claim]; size > 0 {
		return from-to < size
	}
	for _, q := range l.places[i+1:] {
		if q.claim == p.claim {
			return from < q.at-(p.at-to)
		}
		if q.at-p.at > 2*l.reach {
			break
		}
	}
	return true
}

// begins takes for the start of the objects the place that the most pointers
// lead to, each to another object; of several of that rank the first.
func (h *hunt) begins(c *claim, all linkTable) {
	if c.Kind == KindArray || c.Kind == KindGlobal {
		if links := all[0]; len(links) > 0 {
			c.Start = true
			c.Referrers = h.referrers(c, links, 0)
		}
		return
	}
	if c.managed() != nil { // the word is the start
		c.Start = true
		c.Referrers = h.referrers(c, all[c.FieldOffset], c.FieldOffset)
		return
	}
	best, most := 0, 0
	for distance, links := range all {
		n := objectsOf(links)
		if distance%h.space.ptr != 0 && c.Width == h.space.ptr {
			continue
		}
		if n > most || n == most && distance > best {
			best, most = distance, n
		}
	}
	// A list leads from each of its objects into the next one, at the link;
	// what owns the object leads to its start.
	for distance, links := range all {
		if distance > best && float64(objectsOf(links)) >= 0.9*float64(most) && (distance-best)%h.space.ptr == 0 {
			best = distance
		}
	}
	if most < minHandles || float64(most) < linkedShare*float64(len(c.places)) {
		return
	}
	if c.Kind == KindRecord {
		c.is(canonicalRecord(c.same, &best))
	} else {
		c.is(canonical(c.same, &best))
	}
	word := best - c.FieldOffset // from the start to the word
	c.Start = true
	c.WordOffset, c.FieldOffset = word, best
	for i := range c.Examples {
		c.Examples[i].Object -= minidump.VA(int64(word))
	}
	c.Referrers = h.referrers(c, all[best], best)
}

// objectsOf counts the objects that links lead to.
func objectsOf(links []link) int {
	seen := map[int]bool{}
	for _, l := range links {
		seen[l.n] = true
	}
	return len(seen)
}
