package analysis

import (
	"cmp"
	"iter"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleSource iterates over the handles of a dump with the given parts, as
// [minidump.HandleData.Only] does. It can be called again.
type HandleSource func(parts minidump.HandleParts) iter.Seq2[minidump.Handle, error]

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
}

// Growth is New less Old.
func (c DiffCount) Growth() int64 { return int64(c.New) - int64(c.Old) }

func (c *DiffCount) add(o DiffCount) {
	c.Old, c.New = c.Old+o.Old, c.New+o.New
	c.Added, c.Removed, c.Kept = c.Added+o.Added, c.Removed+o.Removed, c.Kept+o.Kept
	c.Reused += o.Reused
}

// Changed reports whether a handle was added or removed.
func (c DiffCount) Changed() bool { return c.Added > 0 || c.Removed > 0 }

type diffKind uint8

const (
	diffKept diffKind = iota
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

	old, new HandleSource
	table    *diffTable
}

// DiffHandles compares the handles of two dumps. The same handle is one with
// the same value, type, name and granted access; the order of the handles in
// the dumps does not matter.
//
// OLD is read twice, after a short pass to count, and NEW once. Memory is
// needed for 24 bytes for each handle of OLD, a quarter of a gigabyte for ten
// millions, and for the groups; it does not grow with NEW, nor with the names.
func DiffHandles(old, new HandleSource) *HandleDiff {
	d := &HandleDiff{old: old, new: new}
	oldAny, oldNamed := anyNamed(old)
	newAny, newNamed := anyNamed(new)
	d.NameIgnored = oldAny && newAny && oldNamed != newNamed
	d.table = newDiffTable(!d.NameIgnored, countHandles(old))
	for h := range Handles(old(minidump.HandleTypeName|minidump.HandleObjectName), &Failures{}) {
		d.table.add(h)
	}
	d.table.seal()

	var byKind [diffKinds]*KindCounter
	for i := range byKind {
		byKind[i] = NewKindCounter()
	}
	d.OldErr, d.NewErr = d.walk(func(h *minidump.Handle, kind diffKind) bool {
		byKind[kind].Add(h)
		return true
	})
	d.count(byKind)
	return d
}

// count makes groups, types and the total of the kinds of the handles that
// were kept, added, reused and removed.
func (d *HandleDiff) count(byKind [diffKinds]*KindCounter) {
	var counts [diffKinds]*KindCounts
	for i, c := range byKind {
		counts[i] = c.Counts()
	}
	types := map[string]*TypeDiff{}
	for _, row := range AlignKinds(counts[:]...).Rows {
		c := DiffCount{Kept: row.Counts[diffKept], Removed: row.Counts[diffRemoved], Reused: row.Counts[diffReused]}
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

// countHandles counts the handles that are really there, so that the table has
// the right size from the start: growing it would take several times as much.
func countHandles(handles HandleSource) int {
	n := 0
	for range handles(0) {
		n++
	}
	return n
}

// anyNamed reports whether there are handles and whether the object of one has
// a name. It reads up to the first.
func anyNamed(handles HandleSource) (some, named bool) {
	for h := range handles(minidump.HandleObjectName) {
		if some = true; h.ObjectName != "" {
			return true, true
		}
	}
	return some, false
}

// walk passes every handle of NEW and then the removed ones of OLD, with all
// their parts, until each returns false.
func (d *HandleDiff) walk(each func(h *minidump.Handle, kind diffKind) bool) (oldErr, newErr error) {
	var oldFailed, newFailed Failures
	var current minidump.Handle // one for all: each keeps the compiler from placing it on the stack
	d.table.reset()
	for h := range Handles(d.new(KindParts), &newFailed) {
		kind := diffAdded
		switch known, reused := d.table.take(h); {
		case known:
			kind = diffKept
		case reused:
			kind = diffReused
		}
		if current = *h; !each(&current, kind) {
			return nil, nil
		}
	}
	// What is left in the table was not met in NEW.
	for h := range Handles(d.old(KindParts), &oldFailed) {
		if removed, _ := d.table.take(h); removed {
			if current = *h; !each(&current, diffRemoved) {
				return nil, nil
			}
		}
	}
	return oldFailed.Err(), newFailed.Err()
}

// Added iterates over the handles that only NEW has, with all their parts, in
// the order of the dump. The pointer is valid until the next step.
func (d *HandleDiff) Added() iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		d.walk(func(h *minidump.Handle, kind diffKind) bool {
			switch kind {
			case diffAdded, diffReused:
				return yield(h)
			case diffRemoved:
				return false // NEW is through
			}
			return true
		})
	}
}

// Removed is like Added for the handles that only OLD has.
func (d *HandleDiff) Removed() iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		d.walk(func(h *minidump.Handle, kind diffKind) bool {
			return kind != diffRemoved || yield(h)
		})
	}
}
