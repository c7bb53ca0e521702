package analysis

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// DiffCount says how many handles of some kind two dumps have. Old is Kept +
// Removed, New is Kept + Added.
type DiffCount struct {
	Old, New uint64
	Added    uint64 // in NEW only
	Removed  uint64 // in OLD only
	Kept     uint64 // in both
	// Reused counts those among Added whose value was in OLD too, but with
	// another type, name or granted access: the handle was closed, and its
	// value given to the next one that was opened.
	Reused uint64
	// Same and Replaced count those among Kept whose fate is known: see
	// [HandleDiff.Follow]. Of the rest nobody knows whether they stayed.
	Same, Replaced uint64
}

// Growth is New less Old.
func (c DiffCount) Growth() int64 { return int64(c.New) - int64(c.Old) }

func (c *DiffCount) add(o DiffCount) {
	c.Old, c.New = c.Old+o.Old, c.New+o.New
	c.Added, c.Removed, c.Kept = c.Added+o.Added, c.Removed+o.Removed, c.Kept+o.Kept
	c.Reused += o.Reused
	c.Same, c.Replaced = c.Same+o.Same, c.Replaced+o.Replaced
}

// Changed reports whether a handle was added or removed.
func (c DiffCount) Changed() bool { return c.Added > 0 || c.Removed > 0 }

type diffKind uint8

const (
	diffKept     diffKind = iota // its fate is unknown
	diffSame                     // kept, and held by the same object
	diffReplaced                 // kept, and held by another object
	diffAdded
	diffReused // added, with a value of OLD
	diffRemoved
	diffKinds // the number of them
)

// TypeDiff is the difference for one object type.
type TypeDiff struct {
	Type string // "" for handles without a type
	DiffCount
}

// GroupDiff is the difference for the handles of one kind. A handle that is in
// both dumps belongs to the kind that it has in NEW: a thread that exited in
// between was kept, and is kept among the exited ones.
type GroupDiff struct {
	HandleKind
	Merged bool // Name is a form that many names have
	DiffCount
}

// HandleDiff is the difference between the handles of two dumps, OLD and NEW.
type HandleDiff struct {
	Total  DiffCount
	Types  []TypeDiff  // in WinDbg's order
	Groups []GroupDiff // the most changed first: by growth up or down, by added, by kind
	// NameIgnored says that names were not compared, because one of the dumps
	// has none at all while the other does.
	NameIgnored bool
	// What could not be read of the dumps. The counts cover the rest.
	OldErr, NewErr error

	old, new *HandleList
	table    *diffTable
}

// DiffHandles compares the handles of two dumps; see [HandleID] for what makes
// two handles the same. The order of the handles in the dumps does not matter.
// The error is that of ctx.
//
// OLD is read twice, and NEW once. Memory is needed for 24 bytes for each
// handle of OLD, a quarter of a gigabyte for ten millions, and for the groups;
// it does not grow with NEW, nor with the names.
func DiffHandles(ctx context.Context, old, new *HandleList) (*HandleDiff, error) {
	d := &HandleDiff{old: old, new: new}
	var match *HandleMatcher
	match, d.NameIgnored = MatchHandles(ctx, old, new)
	// A selection may be much smaller than the list.
	size, _ := old.data.Len()
	if !old.filter.Everything() {
		size = 0
	}
	d.table = newDiffTable(match, size)
	old.Walk(ctx, minidump.HandleAllParts, func(h *minidump.Handle) bool {
		d.table.add(h)
		return true
	}) // the walks below meet the same errors
	d.table.seal()
	if err := d.Follow(ctx, func(*minidump.Handle) Fate { return FateUnknown }); err != nil {
		return nil, err
	}
	return d, nil
}

// Follow counts once more, and says of the handles in both dumps what became
// of them. fate gets those of NEW, with the parts that decide about their kind;
// the pointer is valid until it returns. The error is that of ctx.
func (d *HandleDiff) Follow(ctx context.Context, fate func(*minidump.Handle) Fate) error {
	var byKind [diffKinds]*KindCounter
	for i := range byKind {
		byKind[i] = NewKindCounter()
	}
	d.OldErr, d.NewErr = d.walk(ctx, func(h *minidump.Handle, kind diffKind) bool {
		if kind == diffKept {
			switch fate(h) {
			case FateSame:
				kind = diffSame
			case FateReplaced:
				kind = diffReplaced
			}
		}
		byKind[kind].Add(h)
		return true
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.count(byKind)
	return nil
}

// count makes groups, types and the total of the kinds of the handles that
// were kept, added, reused and removed.
func (d *HandleDiff) count(byKind [diffKinds]*KindCounter) {
	var counts [diffKinds]*KindCounts
	for i, c := range byKind {
		counts[i] = c.Counts()
	}
	d.Total, d.Types, d.Groups = DiffCount{}, nil, nil
	types := map[string]*TypeDiff{}
	for _, row := range AlignKinds(counts[:]...).Rows {
		c := DiffCount{
			Removed: row.Counts[diffRemoved], Reused: row.Counts[diffReused],
			Same: row.Counts[diffSame], Replaced: row.Counts[diffReplaced],
		}
		c.Kept = row.Counts[diffKept] + c.Same + c.Replaced
		c.Added = row.Counts[diffAdded] + c.Reused
		c.Old, c.New = c.Kept+c.Removed, c.Kept+c.Added
		d.Groups = append(d.Groups, GroupDiff{HandleKind: row.HandleKind, Merged: row.Merged, DiffCount: c})
		if types[row.Type] == nil {
			types[row.Type] = &TypeDiff{Type: row.Type}
		}
		types[row.Type].add(c)
		d.Total.add(c)
	}
	for _, t := range types {
		d.Types = append(d.Types, *t)
	}
	slices.SortFunc(d.Types, func(a, b TypeDiff) int { return CompareTypes(a.Type, b.Type) })
	slices.SortFunc(d.Groups, func(a, b GroupDiff) int {
		return cmp.Or(cmp.Compare(distance(b), distance(a)), cmp.Compare(b.Added, a.Added), a.Compare(b.HandleKind))
	})
}

func distance(g GroupDiff) uint64 { return max(g.Old, g.New) - min(g.Old, g.New) }

// walk passes every handle of NEW and then the removed ones of OLD, with all
// their parts, until each returns false.
func (d *HandleDiff) walk(ctx context.Context, each func(h *minidump.Handle, kind diffKind) bool) (oldErr, newErr error) {
	d.table.reset()
	more := true
	newErr = d.new.Walk(ctx, KindParts, func(h *minidump.Handle) bool {
		kind := diffAdded
		switch known, reused := d.table.take(h); {
		case known:
			kind = diffKept
		case reused:
			kind = diffReused
		}
		more = each(h, kind)
		return more
	})
	if !more {
		return nil, newErr
	}
	// What is left in the table was not met in NEW.
	oldErr = d.old.Walk(ctx, KindParts, func(h *minidump.Handle) bool {
		removed, _ := d.table.take(h)
		return !removed || each(h, diffRemoved)
	})
	return oldErr, newErr
}

// Added iterates over the handles that only NEW has, with all their parts, in
// the order of the dump. The pointer is valid until the next step. Errors are
// not repeated: NewErr has them.
func (d *HandleDiff) Added(ctx context.Context) iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		d.walk(ctx, func(h *minidump.Handle, kind diffKind) bool {
			switch kind {
			case diffAdded, diffReused:
				return yield(h)
			case diffRemoved:
				return false // all of NEW was read
			}
			return true
		})
	}
}

// Removed is like Added for the handles that only OLD has.
func (d *HandleDiff) Removed(ctx context.Context) iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		d.walk(ctx, func(h *minidump.Handle, kind diffKind) bool {
			return kind != diffRemoved || yield(h)
		})
	}
}

// DiffNotes are what a reader of a difference should know: sentences without a
// full stop.
func DiffNotes(d *HandleDiff, old, new *Snapshot) []string {
	var notes []string
	for _, differ := range ComparePair(old, new) {
		notes = append(notes, "these may not be dumps of one process, in this order: "+differ)
	}
	if d.NameIgnored {
		notes = append(notes, "one of the dumps has no names of objects; names were not compared")
	}
	for _, side := range []struct {
		list *HandleList
		file string
	}{{d.old, old.File}, {d.new, new.File}} {
		if err := side.list.Empty(); err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", side.file, err))
		}
	}
	return notes
}
