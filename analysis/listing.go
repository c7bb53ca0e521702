package analysis

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleListing is handles in an order, the first so many of them.
type HandleListing struct {
	list  *HandleList
	parts minidump.HandleParts
	order *handleOrder // nil: that of the file
	limit uint64       // 0: all
}

// A handleOrder is a way to sort handles, and what it takes to compare them.
type handleOrder struct {
	parts   minidump.HandleParts
	compare func(a, b *minidump.Handle) int
}

// handleOrders are the orders by name. The counts have the largest first.
var handleOrders = map[string]*handleOrder{
	"handle": {0, func(a, b *minidump.Handle) int { return cmp.Compare(a.Handle, b.Handle) }},
	"type":   {minidump.HandleTypeName, func(a, b *minidump.Handle) int { return strings.Compare(a.TypeName, b.TypeName) }},
	"name":   {minidump.HandleObjectName, func(a, b *minidump.Handle) int { return strings.Compare(a.ObjectName, b.ObjectName) }},
	"access": {0, func(a, b *minidump.Handle) int { return cmp.Compare(a.GrantedAccess, b.GrantedAccess) }},
	"handlecount": {0, func(a, b *minidump.Handle) int {
		return cmp.Compare(b.HandleCount, a.HandleCount)
	}},
	"pointercount": {0, func(a, b *minidump.Handle) int {
		return cmp.Compare(b.PointerCount, a.PointerCount)
	}},
}

// HandleOrders are the orders that [HandleList.Listing] knows.
func HandleOrders() []string { return slices.Sorted(maps.Keys(handleOrders)) }

// Listing returns handles with the given parts in one of the [HandleOrders], or
// in the order of the file if order is "". At most limit of them are visited; 0
// is all. The error is about the order.
func (l *HandleList) Listing(parts minidump.HandleParts, order string, limit uint64) (*HandleListing, error) {
	by := handleOrders[order]
	if by == nil && order != "" {
		return nil, fmt.Errorf("handles are sorted by %s, not by %s", words.Choice(HandleOrders()...), order)
	}
	if by != nil {
		parts |= by.parts
	}
	return &HandleListing{list: l, parts: parts, order: by, limit: limit}, nil
}

// Walk calls visit for the handles until it returns false; see
// [HandleList.Walk]. Another order than that of the file takes some megabytes of
// memory, and where the handles that are wanted do not fit, a temporary file; the
// error is a [*SortError] if that fails.
func (l *HandleListing) Walk(ctx context.Context, visit func(*minidump.Handle) bool) error {
	if l.order == nil {
		n := uint64(0)
		return l.list.Walk(ctx, l.parts, func(h *minidump.Handle) bool {
			n++
			return visit(h) && n != l.limit
		})
	}
	sorter := newHandleSorter(l.order, l.limit)
	defer sorter.Close()
	var full error
	err := l.list.Walk(ctx, l.parts, func(h *minidump.Handle) bool {
		full = sorter.Add(h)
		return full == nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if full == nil {
		full = sorter.Each(ctx, visit)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case full != nil:
		return &SortError{full}
	}
	return err
}

// A SortError says that handles could not be sorted, and why: there is no room
// for a temporary file. Nothing is wrong with the dump.
type SortError struct{ Err error }

func (e *SortError) Error() string { return e.Err.Error() }

func (e *SortError) Unwrap() error { return e.Err }

// SortTypes orders the types of a summary: "" is WinDbg's order, "count" has
// the largest first, "type" is the alphabet. The error is about the order.
func SortTypes(types []TypeCount, order string) error {
	switch order {
	case "":
		slices.SortStableFunc(types, func(a, b TypeCount) int { return CompareTypes(a.Type, b.Type) })
	case "count":
		slices.SortStableFunc(types, func(a, b TypeCount) int { return cmp.Compare(b.Count, a.Count) })
	case "type":
		slices.SortFunc(types, func(a, b TypeCount) int { return cmp.Compare(a.Type, b.Type) })
	default:
		return fmt.Errorf("the summary is sorted by count or type, not by %s", order)
	}
	return nil
}
