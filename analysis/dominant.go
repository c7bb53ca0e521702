package analysis

import (
	"context"

	"github.com/dumpscan/dumpscan/minidump"
)

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
