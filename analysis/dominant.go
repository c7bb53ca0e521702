package analysis

import (
	"context"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
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

// Sentence says in words which type holds most handles.
func (d *Dominant) Sentence() string {
	s := fmt.Sprintf("%s: %s of %s, %s", d.Type, words.Count(d.Count), words.Plural(d.Total, "handle"), words.Share(d.Count, d.Total))
	if d.Unnamed > 0 {
		s += fmt.Sprintf("; %s of them have no name", words.Count(d.Unnamed))
	}
	return s + fmt.Sprintf("; granted access %s in %s", words.Hex(d.Access), words.Count(d.AccessCount))
}

// Next is the command that lists the handles of the type. dump is the name of
// the dump for a command, options are those that its answer needs again.
func (d *Dominant) Next(dump string, options ...string) Step {
	args := append([]string{"dumpscan", "handles"}, options...)
	if dump == "-" || strings.HasPrefix(dump, "-:") {
		return Step{Text: "with the same dump on standard input", Args: append(args, dump, "0", "ff", d.Type)}
	}
	if strings.HasPrefix(dump, "-") {
		args = append(args, "--") // a file, and no option
	}
	return Step{Args: append(args, dump, "0", "ff", d.Type)}
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
