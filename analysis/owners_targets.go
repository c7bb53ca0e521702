package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// maxHandleValue is the limit of Windows' handle tables: no process has a
// handle above it. Larger values are pseudo handles and garbage.
const maxHandleValue = 1<<26 - 4

// The slots of ownerTargets that are no sets.
const (
	slotFree  = 0 // no open handle has this value
	slotOther = 1 // an open handle of no interest
	firstSet  = 2
)

// ownerTargets knows which values are handles, and of which set.
type ownerTargets struct {
	slots   []uint16   // by handle value / 4: slotFree, slotOther or a set
	sets    []OwnerSet // the sets firstSet, firstSet+1 ...
	missing []string
}

// max returns the largest handle value.
func (t *ownerTargets) max() uint64 { return uint64(len(t.slots)-1) * 4 }

// set returns the slot content for a value that may be anything.
func (t *ownerTargets) set(v uint64) uint16 {
	if v&3 != 0 || v>>2 >= uint64(len(t.slots)) {
		return slotFree
	}
	return t.slots[v>>2]
}

// readOwnerTargets reads the handles of the dump.
func readOwnerTargets(f *minidump.File, o *OwnerOptions) (*ownerTargets, error) {
	hd, err := f.HandleData()
	if errors.Is(err, minidump.ErrNoStream) {
		return nil, &UnansweredError{Detail: MissingHandles(f), Advice: CaptureHandles}
	}
	if err != nil {
		return nil, err
	}
	group := o.Group
	if group == nil {
		group = typeGroup(o.Types)
	}
	t := &ownerTargets{slots: make([]uint16, 1)}
	known := map[OwnerSet]uint16{}
	var bad Failures
	var strange, twice uint64
	for h, err := range hd.Only(minidump.HandleTypeName | o.Parts) {
		bad.Note(err)
		v := h.Handle
		if v == 0 {
			continue // an error, or an empty descriptor
		}
		if v&3 != 0 || v > maxHandleValue {
			strange++
			continue
		}
		slot := v >> 2
		if grow := int(slot) + 1 - len(t.slots); grow > 0 {
			t.slots = append(t.slots, make([]uint16, grow)...)
		}
		if t.slots[slot] != slotFree {
			twice++
			continue
		}
		t.slots[slot] = slotOther
		label, ok := group(&h)
		if !ok {
			continue
		}
		key := OwnerSet{Type: h.TypeName, Label: label}
		id, ok := known[key]
		if !ok {
			if firstSet+len(t.sets) > 0xffff {
				return nil, fmt.Errorf("the handles make more than %d sets", len(t.sets))
			}
			id = uint16(firstSet + len(t.sets))
			known[key] = id
			t.sets = append(t.sets, key)
		}
		t.slots[slot] = id
		t.sets[id-firstSet].Count++
	}
	if err := bad.Err(); err != nil {
		t.missing = append(t.missing, "some handles cannot be read: "+err.Error())
	}
	if strange > 0 {
		t.missing = append(t.missing, fmt.Sprintf("%d handles have values that no handle table gives out, and were left out", strange))
	}
	if twice > 0 {
		t.missing = append(t.missing, fmt.Sprintf("%d handles are listed more than once", twice))
	}
	return t, nil
}

// typeGroup makes the types, or the chosen ones, the sets.
func typeGroup(types []string) func(*minidump.Handle) (string, bool) {
	if len(types) == 0 {
		return func(*minidump.Handle) (string, bool) { return "", true }
	}
	chosen := map[string]bool{}
	for _, name := range types {
		chosen[strings.ToLower(CanonicalType(name))] = true
	}
	return func(h *minidump.Handle) (string, bool) { return "", chosen[strings.ToLower(h.TypeName)] }
}

// reported returns the sets in the order of OwnerReport.Sets.
func (t *ownerTargets) reported() []OwnerSet {
	return slices.SortedFunc(slices.Values(t.sets), compareSets)
}

func compareSets(a, b OwnerSet) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Label, b.Label))
}
