package analysis

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A diffTable holds the handles of one dump in 24 bytes each, so that those of
// another dump can be looked up while they pass by.
//
// A handle is the same in both dumps if value, type, name and granted access
// agree: Windows never changes the type or the access of an open handle. What
// agrees in all of them may still have been closed and opened again, which no
// dump shows. The last three are kept as a hash of 64 bits with a random seed;
// two handles with one value are confused with a chance of 1 in 2^64.
type diffTable struct {
	seed    maphash.Seed
	named   bool // names are part of what must agree
	entries []diffEntry
	next    int // where the next look-up is likely to succeed
	buf     []byte
}

type diffEntry struct {
	value uint64
	ident uint64
	count uint32 // handles that are alike; more than 1 only in a broken dump
	left  uint32 // of these, not yet met in the other dump
}

func newDiffTable(named bool, size int) *diffTable {
	return &diffTable{seed: maphash.MakeSeed(), named: named, entries: make([]diffEntry, 0, size)}
}

func (t *diffTable) ident(h *minidump.Handle) uint64 {
	t.buf = binary.LittleEndian.AppendUint32(t.buf[:0], h.GrantedAccess)
	t.buf = append(append(t.buf, h.TypeName...), 0)
	if t.named {
		t.buf = append(t.buf, h.ObjectName...)
	}
	return maphash.Bytes(t.seed, t.buf)
}

// add enters a handle. No look-up is allowed before seal.
func (t *diffTable) add(h *minidump.Handle) {
	t.entries = append(t.entries, diffEntry{value: h.Handle, ident: t.ident(h), count: 1})
}

// seal sorts the entries and joins equal ones.
func (t *diffTable) seal() {
	slices.SortFunc(t.entries, diffEntry.compare)
	kept := t.entries[:0]
	for _, e := range t.entries {
		if n := len(kept); n > 0 && kept[n-1].compare(e) == 0 {
			kept[n-1].count++
		} else {
			kept = append(kept, e)
		}
	}
	t.entries = kept
	t.reset()
}

func (e diffEntry) compare(o diffEntry) int {
	return cmp.Or(cmp.Compare(e.value, o.value), cmp.Compare(e.ident, o.ident))
}

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
	want := diffEntry{value: h.Handle, ident: t.ident(h)}
	// Dumps list handles by ascending value, so the next entry is a good guess.
	if i := t.next; i < len(t.entries) && t.entries[i].compare(want) == 0 {
		return t.meet(i), false
	}
	i, found := slices.BinarySearchFunc(t.entries, want, diffEntry.compare)
	if found {
		return t.meet(i), false
	}
	t.next = i
	sameValue := i < len(t.entries) && t.entries[i].value == want.value ||
		i > 0 && t.entries[i-1].value == want.value
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
