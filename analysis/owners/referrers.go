package owners

import (
	"cmp"
	"math"
	"slices"
)

// referrers sorts the pointers to an owner by where they stand.
func (h *hunt) referrers(c *claim, links []link, distance int) []Referrer {
	sortLinks(links)
	offset, inside := h.linkOffset(c, links, distance)
	groups := map[string][]link{}
	var rest []link
	for _, l := range links {
		if m, ok := h.space.modules.Find(vaOf(l.from)); ok {
			groups[m.BaseOfImage.String()] = append(groups[m.BaseOfImage.String()], l)
		} else if !inside(l.from) {
			rest = append(rest, l)
		} else {
			groups["link"] = append(groups["link"], l)
		}
	}
	var all []Referrer
	add := func(kind ReferrerKind, links []link) {
		r := Referrer{
			Kind: kind, Address: vaOf(links[0].from), Stride: strideOf(links),
			Objects: objectsOf(links), Of: len(c.places),
		}
		if m, ok := h.space.modules.Find(r.Address); ok {
			r.Module, r.ModuleOffset = m.Name(), uint64(r.Address-m.BaseOfImage)
		}
		if kind == ReferrerLink {
			r.Offset, r.Stride = offset, 0
		}
		all = append(all, r)
	}
	for key, links := range groups {
		if key == "link" {
			add(ReferrerLink, links)
		} else {
			add(ReferrerGlobal, links)
		}
	}
	c.referring, rest = h.byClass(rest)
	for _, g := range c.referring {
		all = append(all, g.referrer(len(c.places)))
	}
	if len(rest) > 0 {
		kind := ReferrerMemory
		if strideOf(rest) > 0 {
			kind = ReferrerArray
		}
		add(kind, rest)
	}
	// A few pointers elsewhere may be left over, or be numbers.
	all = slices.DeleteFunc(all, func(r Referrer) bool {
		return r.Kind != ReferrerGlobal && float64(r.Objects) < leastReferred*float64(r.Of)
	})
	nameless := func(r *Referrer) int {
		if c.managed() != nil && r.Class == "" {
			return 1 // the queue of finalizers leads to all that have one
		}
		return 0
	}
	slices.SortFunc(all, func(a, b Referrer) int {
		return cmp.Or(cmp.Compare(nameless(&a), nameless(&b)), cmp.Compare(b.Objects, a.Objects), cmp.Compare(a.Address, b.Address))
	})
	return all[:min(len(all), maxReferrers)]
}

// sortLinks puts pointers in the order of their places.
func sortLinks(links []link) {
	slices.SortFunc(links, func(a, b link) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.n, b.n)) })
}

// linkOffset finds the field of the objects that most links stand in, and
// returns a test of it. Objects that are not followed count, too: their field is
// as far from one that is followed.
func (h *hunt) linkOffset(c *claim, links []link, distance int) (int, func(uint64) bool) {
	at := func(from uint64) (int, bool) { // offset in the object that begins before
		i, found := slices.BinarySearch(c.places, from+uint64(distance))
		if !found {
			i--
		}
		if i < 0 {
			return 0, false
		}
		d := from + uint64(distance) - c.places[i]
		if class := c.managed(); class != nil {
			return int(d), d < uint64(class.Size)
		}
		return int(d), d < uint64(h.maxOffset)
	}
	count := map[int]int{}
	for _, l := range links {
		if d, ok := at(l.from); ok {
			count[d]++
		}
	}
	best, most := 0, 0
	for d, n := range count {
		if n > most || n == most && d < best {
			best, most = d, n
		}
	}
	if most < minHandles {
		return 0, func(uint64) bool { return false }
	}
	return best, func(from uint64) bool {
		d, ok := at(from)
		return ok && d == best
	}
}

// strideOf returns the distance of most links from the next, if that is the same
// for nearly all of them; else 0.
func strideOf(links []link) int {
	count := map[uint64]int{}
	for i := range links[1:] {
		count[links[i+1].from-links[i].from]++
	}
	best, most := uint64(0), 0
	for d, n := range count {
		if n > most || n == most && d < best {
			best, most = d, n
		}
	}
	if len(links) < minHandles || best > maxStride || float64(most) < math.Floor(cellShare*float64(len(links)-1)) {
		return 0
	}
	return int(best)
}
