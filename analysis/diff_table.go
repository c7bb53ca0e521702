package analysis

import (
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A diffTable holds the handles of one dump in 24 bytes each, so that those of
// another dump can be looked up one by one.
type diffTable struct {
	match   *HandleMatcher
	entries []diffEntry
	next    int // where the next look-up is likely to succeed
}

type diffEntry struct {
	HandleID
	count uint32 // handles that are alike; more than 1 only in a broken dump
	left  uint32 // of these, not yet met in the other dump
}

func newDiffTable(match *HandleMatcher, size int) *diffTable {
	return &diffTable{match: match, entries: make([]diffEntry, 0, size)}
}

// add enters a handle. No look-up is allowed before seal.
func (t *diffTable) add(h *minidump.Handle) {
	t.entries = append(t.entries, diffEntry{HandleID: t.match.ID(h), count: 1})
}

// seal sorts the entries and joins equal ones.
func (t *diffTable) seal() {
	slices.SortFunc(t.entries, diffEntry.compare)
	kept := t.entries[:0]
	for _, e := range t.entries {
		if n := len(kept); n > 0 && kept[n-1].HandleID == e.HandleID {
			kept[n-1].count++
		} else {
			kept = append(kept, e)
		}
	}
	t.entries = kept
	t.reset()
}

func (e diffEntry) compare(o diffEntry) int { return e.Compare(o.HandleID) }

// reset forgets which handles have been met.
func (t *diffTable) reset() {
	t.next = 0
	for i := range t.entries {
		t.entries[i].left = t.entries[i].count
	}
}

// take looks a handle up and meets it: known says that it is in the table and
// was not met as often before, reused that its value is there, but stands for
// another handle.
func (t *diffTable) take(h *minidump.Handle) (known, reused bool) {
	want := diffEntry{HandleID: t.match.ID(h)}
	// Dumps list handles by ascending value, so the next entry is a good guess.
	if i := t.next; i < len(t.entries) && t.entries[i].HandleID == want.HandleID {
		return t.meet(i), false
	}
	i, found := slices.BinarySearchFunc(t.entries, want, diffEntry.compare)
	if found {
		return t.meet(i), false
	}
	t.next = i
	sameValue := i < len(t.entries) && t.entries[i].Value == want.Value ||
		i > 0 && t.entries[i-1].Value == want.Value
	return false, sameValue
}

func (t *diffTable) meet(i int) bool {
	t.next = i + 1
	e := &t.entries[i]
	if e.left == 0 {
		return false
	}
	e.left--
	return true
}
