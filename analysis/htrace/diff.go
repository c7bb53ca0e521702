package htrace

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// A Diff says which operations of a trace are new since an earlier dump
// of the same process, and which of the new opens are outstanding: what
// "!htrace -diff" computes.
type Diff struct {
	// New is the number of operations since the earlier dump; those from
	// position Len-New on.
	New int
	// Overlap is the number of operations that both traces hold: the last ones
	// of the earlier, and the first of the later. If it is 0 and Earlier is
	// not, the ring has turned over between the dumps, and there were more new
	// operations than New.
	Overlap int
	// Earlier is the number of operations in the earlier trace.
	Earlier int
	// Overwritten is how many of those are no longer in the later one.
	Overwritten int
	// Outstanding are the new opens that were not closed, the newest first.
	Outstanding []Open
	// FilteredOut is how many more there are that [Trace.Filter] did not select.
	FilteredOut int
}

// TurnedOver reports whether the ring has overwritten all that the earlier dump
// holds: the diff lacks opens, nobody knows how many.
func (d *Diff) TurnedOver() bool { return d.Overlap == 0 && d.Earlier > 0 }

// Sentences say what is new since the earlier dump, whose name is given, and
// what is not known about that.
func (d *Diff) Sentences(earlier string) []string {
	lines := []string{fmt.Sprintf("%s since %s, %s of them never closed",
		words.Plural(d.New, "new operation"), earlier, words.Count(len(d.Outstanding)+d.FilteredOut))}
	switch {
	case d.TurnedOver():
		lines = append(lines, fmt.Sprintf("no operation is in both dumps: the ring has turned over, so that "+
			"opens between %s and the first of these may be missing", earlier))
	case d.Overwritten > 0:
		lines = append(lines, fmt.Sprintf("the ring has overwritten %s that %s holds",
			words.Of(d.Overwritten, d.Earlier, "operation"), earlier))
	}
	return lines
}

// Diff compares with a trace of the same process that was written earlier; nil
// is one without operations.
//
// The operations that both hold are found by position and identity: the
// longest run that ends the earlier trace and begins this one, equal in handle,
// process, thread, kind and return addresses.
func (t *Trace) Diff(earlier *Trace) *Diff {
	if earlier == nil {
		return t.All()
	}
	overlap := t.overlap(earlier)
	d := &Diff{
		New: t.Len() - overlap, Overlap: overlap,
		Earlier: earlier.Len(), Overwritten: earlier.Len() - overlap,
	}
	for i, o := range t.Outstanding {
		if o.Position < overlap {
			break
		}
		d.Outstanding = t.Outstanding[:i+1]
	}
	return d
}

// All is the diff from nothing: every operation is new.
func (t *Trace) All() *Diff { return &Diff{New: t.Len(), Outstanding: t.Outstanding} }

// overlap returns the length of the longest beginning of t that is an end of
// earlier (Knuth, Morris, Pratt: t is the pattern, earlier the text, and the
// answer is the state at its end).
func (t *Trace) overlap(earlier *Trace) int {
	same := t.pool.translate(earlier.pool)
	equal := func(i int, r record) bool {
		mine := t.records[i]
		return mine.handle+1 == same.handles[r.handle] && mine.stack+1 == same.stacks[r.stack] &&
			mine.caller+1 == same.callers[r.caller]
	}
	// No longer beginning of t can be an end of earlier.
	pattern := t.records[:min(t.Len(), earlier.Len())]
	fail := make([]int32, len(pattern)+1) // fail[n]: longest proper end of the first n that is also their beginning
	for n, k := 1, 0; n < len(pattern); n++ {
		for k > 0 && pattern[n] != pattern[k] {
			k = int(fail[k])
		}
		if pattern[n] == pattern[k] {
			k++
		}
		fail[n+1] = int32(k)
	}
	k := 0
	for _, r := range earlier.records {
		if k == len(pattern) && k > 0 {
			k = int(fail[k])
		}
		for k > 0 && !equal(k, r) {
			k = int(fail[k])
		}
		if k < len(pattern) && equal(k, r) {
			k++
		}
	}
	return k
}
