package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// A GroupKey is a property by which handles are grouped.
type GroupKey uint8

// The properties, in the order in which they are shown.
const (
	GroupByType GroupKey = 1 << iota
	GroupByName
	GroupByAccess
)

// Has reports whether k contains the property.
func (k GroupKey) Has(property GroupKey) bool { return k&property != 0 }

// ParseGroupKey reads a list such as "type,name".
func ParseGroupKey(text string) (GroupKey, error) {
	var k GroupKey
	for word := range strings.SplitSeq(text, ",") {
		switch strings.TrimSpace(word) {
		case "type":
			k |= GroupByType
		case "name":
			k |= GroupByName
		case "access":
			k |= GroupByAccess
		default:
			return 0, fmt.Errorf("cannot group by %q; use type, name, access, or several joined by commas", word)
		}
	}
	return k, nil
}

// Parts tells what grouping by k needs to know of a handle beside its
// descriptor.
func (k GroupKey) Parts() minidump.HandleParts {
	p := minidump.HandleTypeName // decides how an access mask is decoded
	if k.Has(GroupByName) {
		p |= minidump.HandleObjectName
	}
	return p
}

// A HandleGroup is a number of handles that agree in the properties of a
// grouping. Properties that do not belong to the grouping are zero.
type HandleGroup struct {
	Type          string
	Name          string
	GrantedAccess uint32
	Count         uint64
	Share         float64 // of all handles that were grouped, 0 to 1
}

// GroupHandles groups handles by the properties in by, the largest group
// first, equal ones by type, name and access. With an error that is not that of
// ctx the groups cover what could be read.
func GroupHandles(ctx context.Context, l *HandleList, by GroupKey) ([]HandleGroup, error) {
	type key struct {
		typ, name string
		access    uint32
	}
	counts := map[key]uint64{}
	var total uint64
	err := l.Walk(ctx, by.Parts(), func(h *minidump.Handle) bool {
		var k key
		if by.Has(GroupByType) {
			k.typ = h.TypeName
		}
		if by.Has(GroupByName) {
			k.name = h.ObjectName
		}
		if by.Has(GroupByAccess) {
			k.access = h.GrantedAccess
		}
		counts[k]++
		total++
		return true
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	groups := make([]HandleGroup, 0, len(counts))
	for k, n := range counts {
		groups = append(groups, HandleGroup{
			Type: k.typ, Name: k.name, GrantedAccess: k.access,
			Count: n, Share: float64(n) / float64(total),
		})
	}
	slices.SortFunc(groups, func(a, b HandleGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), CompareTypes(a.Type, b.Type),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.GrantedAccess, b.GrantedAccess))
	})
	return groups, err
}

// Dominant describes the type to which most handles of a process belong.
type Dominant struct {
	Type    string
	Count   uint64
	Total   uint64  // handles of all types
	Share   float64 // Count / Total
	Unnamed uint64  // handles of the type whose object has no name
	// Access is the granted access that most handles of the type have, and
	// AccessCount how many.
	Access      uint32
	AccessCount uint64
}

// A type dominates with more than half of all handles, once there are so many
// of it that the usual dozen types of a small process cannot be meant.
const (
	dominantShare = 0.5
	dominantCount = 100
)

// FindDominant looks for a type that dominates the handles; it returns nil if
// none does. With an error that is not that of ctx the answer covers what could
// be read.
func FindDominant(ctx context.Context, l *HandleList) (*Dominant, error) {
	type tally struct {
		count, unnamed uint64
		access         map[uint32]uint64
	}
	types := map[string]*tally{}
	var total uint64
	err := l.Walk(ctx, minidump.HandleTypeName|minidump.HandleObjectName, func(h *minidump.Handle) bool {
		t := types[h.TypeName]
		if t == nil {
			t = &tally{access: map[uint32]uint64{}}
			types[h.TypeName] = t
		}
		total++
		t.count++
		t.access[h.GrantedAccess]++
		if h.ObjectName == "" {
			t.unnamed++
		}
		return true
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for name, t := range types {
		share := float64(t.count) / float64(total)
		if t.count < dominantCount || share <= dominantShare || name == "" {
			continue
		}
		d := &Dominant{Type: name, Count: t.count, Total: total, Share: share, Unnamed: t.unnamed}
		for access, n := range t.access {
			if n > d.AccessCount || n == d.AccessCount && access < d.Access {
				d.Access, d.AccessCount = access, n
			}
		}
		return d, err // only one type can have more than half
	}
	return nil, err
}
