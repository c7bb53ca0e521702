package analysis

import (
	"context"

	"github.com/dumpscan/dumpscan/minidump"
)

// A Fate is what became of a handle between two dumps that both have its
// [HandleID]. The ids do not say it: a handle that was closed, and whose value
// was used again for a like object, has the id of the one that stayed. What
// holds the handle in memory may say it; see [owners.Identify].
//
// [owners.Identify]: https://pkg.go.dev/github.com/dumpscan/dumpscan/analysis/owners#Identify
type Fate uint8

// The fates.
const (
	FateUnknown  Fate = iota
	FateSame          // the same object holds it
	FateReplaced      // another object holds the value
)

// MatchHandles returns the matcher for the handles of two dumps. Names are
// compared unless one dump has none at all while the other does, which
// nameIgnored says; object information if both have it. Of the lists all handles
// count, selected or not: those that are selected may lack it by chance.
func MatchHandles(ctx context.Context, old, new *HandleList) (m *HandleMatcher, nameIgnored bool) {
	oldAny, oldNamed, oldInformed := whatIsKnown(ctx, old.Select(HandleFilter{}))
	newAny, newNamed, newInformed := whatIsKnown(ctx, new.Select(HandleFilter{}))
	nameIgnored = oldAny && newAny && oldNamed != newNamed
	return NewHandleMatcher(!nameIgnored, oldInformed && newInformed), nameIgnored
}

// whatIsKnown reports whether there are handles, whether the object of one has a
// name, and whether there is object information of one. It reads no further.
func whatIsKnown(ctx context.Context, l *HandleList) (some, named, informed bool) {
	l.Walk(ctx, minidump.HandleObjectName|minidump.HandleObjectInfo, func(h *minidump.Handle) bool {
		some, named, informed = true, named || h.ObjectName != "", informed || len(h.ObjectInfo) > 0
		return !named || !informed
	})
	return some, named, informed
}
