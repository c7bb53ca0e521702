package htrace

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
)

// A Query is what the arguments of !htrace ask for.
type Query struct {
	OneHandle bool // operations on the value Handle alone
	Handle    uint64
	MaxTraces int // at most so many; 0: all
}

// ParseQuery reads the arguments of !htrace: HANDLE and MAX_TRACES, of which
// later ones may be missing. They are hexadecimal, with or without 0x; 0 and -1
// stand for all handles.
func ParseQuery(args []string) (Query, error) {
	var q Query
	if len(args) > 2 {
		return q, fmt.Errorf("%q is one argument too many", args[2])
	}
	if len(args) > 0 {
		h, err := analysis.ParseHex(args[0])
		if err != nil {
			return q, fmt.Errorf("HANDLE: %w", err)
		}
		if h != math.MaxUint32 && h != math.MaxUint64 {
			q.OneHandle, q.Handle = h != 0, h
		}
	}
	if len(args) > 1 {
		n, err := analysis.ParseHex(args[1])
		if err != nil {
			return q, fmt.Errorf("MAX_TRACES: %w", err)
		}
		q.MaxTraces = int(min(n, math.MaxInt32))
	}
	return q, nil
}

// Select iterates over the positions of the operations that a query asks for,
// the newest first. It ends early when ctx does.
func (t *Trace) Select(ctx context.Context, q Query) iter.Seq[int] {
	return func(yield func(int) bool) {
		id, ok := t.pool.lookup(q.Handle)
		if q.OneHandle && !ok {
			return
		}
		n := 0
		for i := len(t.records) - 1; i >= 0; i-- {
			if i%4096 == 0 && ctx.Err() != nil {
				return
			}
			if q.OneHandle && t.records[i].handle != id {
				continue
			}
			if n++; !yield(i) || n == q.MaxTraces {
				return
			}
		}
	}
}

// A Filter selects opens by what the handle stream of the dump says about
// their handles. The zero value selects all.
type Filter struct {
	Types []string              // one of these, in any case; "None" is a handle without a type
	Name  *analysis.NamePattern // the object's name fits
}

// all reports whether every open is selected.
func (f *Filter) all() bool { return len(f.Types) == 0 && f.Name == nil }

// Match reports whether an open is selected. What the dump does not say does
// not fit.
func (f *Filter) Match(o *Open) bool {
	if f.all() {
		return true
	}
	if !o.Object.Listed || f.Name != nil && !f.Name.Match(o.Object.Name) {
		return false
	}
	for _, typ := range f.Types {
		if strings.EqualFold(analysis.CanonicalType(typ), o.Object.Type) {
			return true
		}
	}
	return len(f.Types) == 0
}

// Filter returns the diff with the outstanding opens that a filter selects.
// The error is an [*analysis.UnknownTypeError] about a type that was
// misspelled, or an [*analysis.MissingError] if the dump has no handle stream,
// which alone has types and names.
func (t *Trace) Filter(d *Diff, f Filter) (*Diff, error) {
	if f.all() {
		return d, nil
	}
	if !t.Handles.Present {
		return nil, &analysis.MissingError{
			What:    "no handles in this dump, so that the types and names of those in the trace are not known",
			Capture: analysis.CaptureHandles,
		}
	}
	for _, typ := range f.Types {
		if err := analysis.CheckType(typ, t.Handles.Types); err != nil {
			return nil, err
		}
	}
	selected := *d
	selected.Outstanding = nil
	for i := range d.Outstanding {
		if f.Match(&d.Outstanding[i]) {
			selected.Outstanding = append(selected.Outstanding, d.Outstanding[i])
		}
	}
	selected.FilteredOut = len(d.Outstanding) - len(selected.Outstanding)
	return &selected, nil
}
