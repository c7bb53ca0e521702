package owners

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

const (
	// maxHandleValue is the limit of Windows' handle tables: no process has a
	// handle above it. Larger values are pseudo handles and garbage.
	maxHandleValue = 1<<26 - 4
	// slotsPerHandle is how sparse the handles may be at most, so that a
	// single large value does not cost the memory of millions.
	slotsPerHandle = 4096
)

const (
	// slotFree marks the values that no open handle has.
	slotFree = 0
	// decoySet stands for decoys where otherwise a set of handles stands.
	decoySet = 0
)

// targets knows which values are handles, and of which set.
type targets struct {
	slots    []uint16 // by handle value / 4: slotFree, or an index of sets
	ranks    []uint8  // by handle value / 4: the place in its set, modulo tallyBits
	sets     []targetSet
	notes    []string
	problems []error
}

// A targetSet is a set of handles. Those of no interest are sets too, since
// they distinguish handles from other numbers.
type targetSet struct {
	Set
	wanted bool // by the caller
	sought bool // has enough handles to have an owner
}

// max returns the largest handle value.
func (t *targets) max() uint64 { return uint64(len(t.slots)-1) * 4 }

// Decoys are numbers that no handle can be, and that are otherwise like handles:
// where they stand as often, there are no handles. Of the even numbers that are
// no multiples of four these are an eighth, which costs little and is enough:
// not those that letters and digits look like.
func isDecoy(v uint64) bool { return v%decoyStep == firstDecoy }

const (
	firstDecoy = 30
	decoyStep  = 32
)

// decoyRank is for decoys what targets.ranks are for handles.
func decoyRank(v uint64) uint8 { return uint8(v / decoyStep % tallyBits) }

// decoyWeight is how many decoys one of them stands for. That is half of what it
// could be, in favour of a second look.
const decoyWeight = 4

// set returns the slot content for a value that may be anything.
func (t *targets) set(v uint64) uint16 {
	if v&3 != 0 || v>>2 >= uint64(len(t.slots)) {
		return slotFree
	}
	return t.slots[v>>2]
}

// readTargets reads the handles of the dump.
func readTargets(ctx context.Context, f *minidump.File, o *Options) (*targets, error) {
	list, err := analysis.ReadHandles(f)
	if err != nil {
		return nil, err
	}
	group, parts := o.Group, minidump.HandleTypeName|o.Parts
	if group == nil {
		group = selection(o)
		if o.Name != nil {
			parts |= minidump.HandleObjectName
		}
	}
	t := &targets{slots: make([]uint16, 1), sets: make([]targetSet, 1)}
	known := map[targetSet]uint16{}
	limit, err := valueLimit(ctx, list)
	if err != nil {
		return nil, err
	}
	var strange, twice uint64
	var tooMany error
	err = list.Walk(ctx, parts, func(h *minidump.Handle) bool {
		v := h.Handle
		if v == 0 {
			return true // an empty descriptor
		}
		if v&3 != 0 || v >= limit {
			strange++
			return true
		}
		slot := v >> 2
		if grow := int(slot) + 1 - len(t.slots); grow > 0 {
			t.slots = append(t.slots, make([]uint16, grow)...)
		}
		if t.slots[slot] != slotFree {
			twice++
			return true
		}
		key := targetSet{Set: Set{Type: h.TypeName}}
		key.Label, key.wanted = group(h)
		id, ok := known[key]
		if !ok {
			if len(t.sets) > math.MaxUint16 {
				tooMany = fmt.Errorf("the handles make more than %s sets", words.Count(math.MaxUint16))
				return false
			}
			id = uint16(len(t.sets))
			known[key] = id
			t.sets = append(t.sets, key)
		}
		t.slots[slot] = id
		t.sets[id].Count++
		return true
	})
	if ctx.Err() != nil || tooMany != nil {
		return nil, cmp.Or(ctx.Err(), tooMany)
	}
	if err := t.checkTypes(o.Types); err != nil {
		return nil, err
	}
	t.rank()
	for i := range t.sets {
		t.sets[i].sought = t.sets[i].Count >= minHandles
	}
	if err != nil {
		t.problems = append(t.problems, err)
	}
	if err := list.Empty(); err != nil {
		t.notes = append(t.notes, err.Error())
	}
	if strange > 0 {
		t.notes = append(t.notes, fmt.Sprintf("%s of the handles have values unlike all others; they were left out", words.Count(strange)))
	}
	if twice > 0 {
		t.notes = append(t.notes, fmt.Sprintf("%s of the handles are listed a second time; they were left out", words.Count(twice)))
	}
	return t, nil
}

// valueLimit returns a power of two below which the handles are not too sparse
// to be entered in a table.
func valueLimit(ctx context.Context, list *analysis.HandleList) (uint64, error) {
	var byLength [64 + 1]uint64
	list.Walk(ctx, 0, func(h *minidump.Handle) bool {
		if h.Handle <= maxHandleValue {
			byLength[bits.Len64(h.Handle)]++
		}
		return true
	}) // the next walk meets the same errors
	limit, below := uint64(0), uint64(0)
	for length, n := range byLength {
		below += n
		if slots := uint64(1) << length / 4; n > 0 && slots <= slotsPerHandle*below {
			limit = 1 << length
		}
	}
	return limit, ctx.Err()
}

// rank numbers the handles of each set, in the order of their values.
func (t *targets) rank() {
	t.ranks = make([]uint8, len(t.slots))
	next := make([]uint8, len(t.sets))
	for slot, set := range t.slots {
		t.ranks[slot] = next[set]
		next[set] = (next[set] + 1) % tallyBits
	}
}

// totals returns the number of handles in each set, and last in all of them.
func (t *targets) totals() []int {
	n := make([]int, len(t.sets)+1)
	for i, s := range t.sets {
		n[i] = s.Count
		n[len(t.sets)] += s.Count
	}
	return n
}

// selection makes sets of the types, or of the chosen ones.
func selection(o *Options) func(*minidump.Handle) (string, bool) {
	chosen := map[string]bool{}
	for _, name := range o.Types {
		chosen[strings.ToLower(analysis.CanonicalType(name))] = true
	}
	return func(h *minidump.Handle) (string, bool) {
		return "", (len(chosen) == 0 || chosen[strings.ToLower(h.TypeName)]) && (o.Name == nil || o.Name.Match(h.ObjectName))
	}
}

// checkTypes returns an [*analysis.UnknownTypeError] for a type that neither
// WinDbg nor the dump knows.
func (t *targets) checkTypes(types []string) error {
	var known []string
	for _, s := range t.sets[1:] {
		known = append(known, s.Type)
	}
	for _, name := range types {
		if err := analysis.CheckType(name, known); err != nil {
			return err
		}
	}
	return nil
}

// reported returns the sets in the order of Report.Sets.
func (t *targets) reported() []Set {
	var sets []Set
	for _, s := range t.sets[1:] {
		if s.wanted {
			sets = append(sets, s.Set)
		}
	}
	slices.SortFunc(sets, compareSets)
	return sets
}

func compareSets(a, b Set) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Label, b.Label))
}
