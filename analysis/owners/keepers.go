package owners

import (
	"cmp"
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
)

// maxChain is how many steps are gone from the objects of a class of .NET to
// those of somebody's program: from a handle of a file to the strategy of a
// buffer of a stream of a reader are five.
const maxChain = 6

// A holderGroup are the pointers that stand at one place of the objects of a
// class.
type holderGroup struct {
	class   *clr.Class
	offset  int // of the pointers in the object; 0 for arrays
	links   []link
	objects []uint64 // starts, ascending
}

// byClass sorts pointers by the objects of the CLR that they stand in; what
// stands in none is left. The links are sorted by their place.
func (h *hunt) byClass(links []link) (groups []*holderGroup, left []link) {
	type key struct {
		class  clr.Class
		offset int
	}
	find := objectFinder{images: h.images}
	known := map[key]*holderGroup{}
	for _, l := range links {
		start, class := find.at(l.from)
		if class == nil {
			left = append(left, l)
			continue
		}
		k := key{*class, int(l.from - start)}
		if class.Component > 0 {
			k.offset = 0
		}
		g := known[k]
		if g == nil {
			g = &holderGroup{class: class, offset: k.offset}
			known[k] = g
			groups = append(groups, g)
		}
		g.links = append(g.links, l)
		g.objects = append(g.objects, start)
	}
	for _, g := range groups {
		g.objects = slices.Compact(g.objects)
	}
	slices.SortStableFunc(groups, func(a, b *holderGroup) int { return cmp.Compare(objectsOf(b.links), objectsOf(a.links)) })
	return groups, left
}

// referrer makes the fact of a group, of whose objects so many were followed.
func (g *holderGroup) referrer(of int) Referrer {
	r := Referrer{
		Kind: ReferrerObject, Address: vaOf(g.links[0].from), Class: g.class.Name, ClassModule: g.class.Module,
		Offset: g.offset, Objects: objectsOf(g.links), Of: of,
	}
	if g.class.Component > 0 {
		r.Kind, r.Stride = ReferrerArray, strideOf(g.links)
	}
	return r
}

// keepers goes on from the objects of the CLR to what refers to them, and to
// what refers to that, until it comes to a class that is not .NET's own: a handle
// is in a SafeHandle, that in a stream, and what the developers of a program can
// change is what keeps the stream.
func (h *hunt) keepers(ctx context.Context, claims []*claim) error {
	for _, c := range claims {
		if class := c.managed(); class != nil && clr.Framework(class.Assembly) {
			c.seen = []string{class.Name}
			c.goOn(c.referring, len(c.places))
		}
	}
	for range maxChain {
		l := &linker{hunt: h, sizes: make([]uint64, len(claims))}
		for i, c := range claims {
			for n, at := range c.frontier {
				l.places = append(l.places, place{at, i, n})
			}
		}
		if len(l.places) == 0 {
			return nil
		}
		if err := l.run(ctx); err != nil {
			return err
		}
		for i, c := range claims {
			links := l.table(i)[0]
			sortLinks(links)
			groups, _ := h.byClass(links)
			of := len(c.frontier)
			c.frontier = nil
			if g := c.goOn(groups, of); g != nil {
				c.Chain = append(c.Chain, g.referrer(of))
			}
		}
	}
	return nil
}

// goOn picks of the groups that refer to so many objects the one to follow, and
// its objects as those to be followed next, unless the search ends with it.
// Classes that were passed are not gone back to: the nodes of a list lead to each
// other.
func (c *claim) goOn(groups []*holderGroup, of int) *holderGroup {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g *holderGroup) bool {
		return slices.Contains(c.seen, g.class.Name) || float64(objectsOf(g.links)) < leastReferred*float64(of)
	})
	if len(groups) == 0 {
		return nil
	}
	g := groups[0]
	most := objectsOf(g.links)
	for _, other := range groups {
		if !clr.Framework(other.class.Assembly) && 2*objectsOf(other.links) >= most {
			g = other
			break
		}
	}
	c.seen = append(c.seen, g.class.Name)
	if clr.Framework(g.class.Assembly) {
		c.frontier = g.objects[:min(len(g.objects), workers*maxPlaces)]
	} else if c.Keeper == "" {
		c.Keeper, c.KeeperModule = g.class.Name, g.class.Module
	}
	return g
}
