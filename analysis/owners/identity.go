package owners

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Side is one of two dumps of a process, with the holders that [Find] found in
// it.
type Side struct {
	File   *minidump.File
	Report *Report
	System func(*minidump.Module) bool // as in [Options]
}

// Identities say which of the handles that two dumps have in common are the
// same: see [Identify].
type Identities struct {
	Kept     int // values that both dumps have, for like objects
	Same     int // held by the same object in both
	Replaced int // held by another object than before
	// Holders are the classes and arrays that were looked at, those with the
	// most values in both dumps first.
	Holders []HolderIdentity

	values valueStates
}

// Unknown is how many of the values in both dumps no holder says anything of.
func (i *Identities) Unknown() int { return i.Kept - i.Same - i.Replaced }

// InBoth reports whether both dumps have the value, for like objects.
func (i *Identities) InBoth(value uint64) bool { return i.values.of(value)&valueKept != 0 }

// Fate says what became of a handle whose value both dumps have.
func (i *Identities) Fate(value uint64) analysis.Fate { return i.values.fate(value) }

// A HolderIdentity is what one class or array says.
type HolderIdentity struct {
	Owner    Owner // of the newer dump if it was found there, else of the older
	Kept     int   // values in both dumps that it holds in the newer one
	Same     int
	Replaced int
	Changed  int    // what differs between objects has changed: they were replaced, or used
	Marks    []Mark // what distinguishes its objects; empty if nothing does
}

// A Mark is a field of objects that is different in nearly all of them.
type Mark struct {
	Offset int // from the start of the object, bytes; of an array from the handle
	Size   int // bytes; 0 for text that a pointer leads to
}

// Identify compares the holders of handles in two dumps of a process, and says
// of the values that both have whether the handle is the same. Both dumps need
// full memory, else the error is an [*analysis.MissingError]. Other errors are
// those of reading and of ctx.
//
// Where an object lies is not enough: memory and values of handles are often
// given to the next taker in the same order, so that a new object with a new
// handle looks like the old one. What distinguishes objects are marks: fields
// that differ between all objects of a class, as serial numbers, times of
// creation and names do. They are found by what the two dumps have:
//
//   - A mark is not derived from the place or the value of the handle: no address,
//     no index that follows from the place, no number that the objects of a pool
//     pass on to one another.
//   - It is written when an object is made. Objects that are new for sure, since
//     their handle is, have marks that no object had before, and never what lay at
//     that place. A field that fails this may be a leftover, or a neighbour's.
//   - It belongs to the object, which ends where another class begins and where
//     pointers lead that others have.
//
// A handle is the same if its holder has a mark that is equal in both dumps, is
// alive, and no other object has the value. It was replaced if its holder is
// elsewhere and marks differ, or, without marks, if it is an object of a kind that
// is never moved. If the holder is at the same place and its marks differ, it may
// have been replaced, or the marks are written down when it is used: it was
// replaced if a name differs and something else; or if numbers do that count
// objects up, or two of them, in a class whose handles are seen to come and go,
// and what else distinguishes its objects does not agree more than chance lets it.
// All else is unknown: values in plain arrays, and those that no structure holds.
//
// What no dump shows is an object that closes its handle and opens another one,
// which gets the same value. Where objects do so and some get another value, none
// of them is called the same.
func Identify(ctx context.Context, old, new Side) (*Identities, error) {
	values, err := readValues(ctx, old.File, new.File)
	if err != nil {
		return nil, err
	}
	ids := &Identities{Kept: values.count(valueKept), values: values}
	c := &comparison{values: values, elapsed: new.File.Time().Sub(old.File.Time()), time: new.File.Time()}
	for i, side := range [...]Side{old, new} {
		if c.sides[i], err = openSide(side.File, side.System); err != nil {
			return nil, err
		}
	}
	c.classes = holderClasses(old.Report, new.Report)
	for i, side := range c.sides {
		if err := side.collect(ctx, c.classes, values, i); err != nil {
			return nil, err
		}
	}
	for i, side := range c.sides {
		if err := side.followPointers(ctx, c.classes, i); err != nil {
			return nil, err
		}
	}
	for _, class := range c.classes {
		if class.common {
			continue
		}
		if h := c.judge(ctx, class); h.Kept > 0 {
			ids.Holders = append(ids.Holders, h)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(ids.Holders, func(a, b HolderIdentity) int { return cmp.Compare(b.Kept, a.Kept) })
	ids.Same, ids.Replaced = values.fates()
	return ids, nil
}

// comparison is the state of one call of Identify.
type comparison struct {
	sides   [2]*identitySide // the older dump, the newer one
	values  valueStates
	classes []*holderClass
	elapsed time.Duration // between the dumps
	time    time.Time     // of the newer one
}

// What is known of a value.
const (
	valueOld      = 1 << iota // the older dump has it
	valueNew                  // the newer dump has it
	valueKept                 // both have it, for like objects
	valueSame                 // a holder says that the handle is the same
	valueReplaced             // a holder says that it is not
)

// valueStates are the states of all values, by value / 4.
type valueStates []uint8

func (v valueStates) of(value uint64) uint8 {
	if value&3 != 0 || value>>2 >= uint64(len(v)) {
		return 0
	}
	return v[value>>2]
}

// fate is known unless two holders contradict each other.
func (v valueStates) fate(value uint64) analysis.Fate {
	switch v.of(value) & (valueSame | valueReplaced) {
	case valueSame:
		return analysis.FateSame
	case valueReplaced:
		return analysis.FateReplaced
	}
	return analysis.FateUnknown
}

func (v valueStates) count(state uint8) (n int) {
	for _, s := range v {
		if s&state == state {
			n++
		}
	}
	return n
}

func (v valueStates) fates() (same, replaced int) {
	for _, s := range v {
		switch s & (valueSame | valueReplaced) {
		case valueSame:
			same++
		case valueReplaced:
			replaced++
		}
	}
	return same, replaced
}

// readValues compares the lists of handles.
func readValues(ctx context.Context, old, new *minidump.File) (valueStates, error) {
	var lists [2]*analysis.HandleList
	var limit uint64
	for i, f := range [...]*minidump.File{old, new} {
		list, err := analysis.ReadHandles(f)
		if err != nil {
			return nil, err
		}
		n, err := valueLimit(ctx, list)
		if err != nil {
			return nil, err
		}
		lists[i], limit = list, max(limit, n)
	}
	states := make(valueStates, limit>>2+1)
	match, _ := analysis.MatchHandles(ctx, lists[0], lists[1])
	known := func(h *minidump.Handle) bool { return h.Handle != 0 && h.Handle&3 == 0 && h.Handle < limit }
	var ids []analysis.HandleID
	lists[0].Walk(ctx, analysis.KindParts, func(h *minidump.Handle) bool {
		if known(h) {
			states[h.Handle>>2] |= valueOld
			ids = append(ids, match.ID(h))
		}
		return true
	}) // what cannot be read is in neither dump, and nothing is said of it
	slices.SortFunc(ids, analysis.HandleID.Compare)
	lists[1].Walk(ctx, analysis.KindParts, func(h *minidump.Handle) bool {
		if known(h) {
			states[h.Handle>>2] |= valueNew
			if _, ok := slices.BinarySearchFunc(ids, match.ID(h), analysis.HandleID.Compare); ok {
				states[h.Handle>>2] |= valueKept
			}
		}
		return true
	})
	return states, ctx.Err()
}
