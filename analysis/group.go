package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A GroupKey is a set of properties by which handles are grouped.
type GroupKey uint8

// The properties, in the order in which they are shown.
const (
	GroupByType    GroupKey = 1 << iota
	GroupByName             // of the object
	GroupByAccess           // the granted mask
	GroupByState            // the words of [ObjectState.Words]
	GroupByObject           // which handles are to one object; see [ObjectOf]
	GroupByProcess          // the process that owns the object; see [ObjectState.Owner]
)

// groupWords are the names of the properties, in the same order.
var groupWords = [...]string{"type", "name", "access", "state", "object", "process"}

// GroupWords are the words that [ParseGroupKey] knows.
func GroupWords() []string { return slices.Clone(groupWords[:]) }

// Has reports whether k contains the property.
func (k GroupKey) Has(property GroupKey) bool { return k&property != 0 }

// Words are the names of the properties of k, in the order in which they are
// shown.
func (k GroupKey) Words() []string {
	var list []string
	for i, word := range groupWords {
		if k.Has(1 << i) {
			list = append(list, word)
		}
	}
	return list
}

// ParseGroupKey reads a list such as "type,name".
func ParseGroupKey(text string) (GroupKey, error) {
	var k GroupKey
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		i := slices.Index(groupWords[:], word)
		if i < 0 {
			if similar := words.Similar(word, groupWords[:]); similar != "" {
				return 0, fmt.Errorf("cannot group by %q; did you mean %s?", word, similar)
			}
			return 0, fmt.Errorf("cannot group by %q; use %s, or several joined by commas", word, words.Choice(groupWords[:]...))
		}
		k |= 1 << i
	}
	return k, nil
}

// Parts are what grouping by k needs to know of a handle beside its descriptor.
func (k GroupKey) Parts() minidump.HandleParts {
	p := minidump.HandleTypeName // decides how an access mask is decoded
	if k.Has(GroupByName | GroupByObject) {
		p |= minidump.HandleObjectName
	}
	if k.Has(GroupByState | GroupByObject | GroupByProcess) {
		p |= minidump.HandleObjectInfo
	}
	return p
}

// A HandleGroup is a number of handles that agree in the properties of a
// grouping. Properties that do not belong to the grouping are zero.
type HandleGroup struct {
	Type          string
	Name          string
	GrantedAccess uint32
	State         string // words joined by blanks; "" if the dump does not say
	Object        ObjectID
	Process       uint64 // id of the owner; 0 if the dump does not say, or nobody owns the object
	Count         uint64
	Share         float64 // of all handles that were grouped, 0 to 1
}

// GroupHandles groups handles by the properties in by, the largest group
// first, equal ones by their properties. With an error that is not that of ctx
// the groups cover what could be read.
func GroupHandles(ctx context.Context, l *HandleList, by GroupKey) ([]HandleGroup, error) {
	counts := map[HandleGroup]*uint64{}
	var last HandleGroup // handles of a leak come in runs
	var lastCount *uint64
	var total uint64
	err := l.Walk(ctx, by.Parts(), func(h *minidump.Handle) bool {
		g := by.group(h)
		if g != last || lastCount == nil {
			last, lastCount = g, counts[g]
			if lastCount == nil {
				lastCount = new(uint64)
				counts[g] = lastCount
			}
		}
		*lastCount++
		total++
		return true
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	groups := make([]HandleGroup, 0, len(counts))
	for g, n := range counts {
		g.Count, g.Share = *n, float64(*n)/float64(total)
		groups = append(groups, g)
	}
	if err := SortGroups(groups, ""); err != nil {
		return nil, err
	}
	return groups, err
}

// group returns the group of a handle.
func (k GroupKey) group(h *minidump.Handle) HandleGroup {
	var g HandleGroup
	if k.Has(GroupByType) {
		g.Type = h.TypeName
	}
	if k.Has(GroupByName) {
		g.Name = h.ObjectName
	}
	if k.Has(GroupByAccess) {
		g.GrantedAccess = h.GrantedAccess
	}
	if !k.Has(GroupByState | GroupByObject | GroupByProcess) {
		return g
	}
	state := DecodeObject(h.ObjectInfo)
	if k.Has(GroupByState) {
		g.State = strings.Join(state.Words(), " ")
	}
	if k.Has(GroupByObject) {
		g.Object = objectOf(h, &state)
	}
	if k.Has(GroupByProcess) {
		g.Process, _ = state.Owner()
	}
	return g
}

// groupOrders are the orders of groups, beside the default.
var groupOrders = map[string]func(a, b HandleGroup) int{
	"count": func(a, b HandleGroup) int { return 0 },
	"type":  func(a, b HandleGroup) int { return strings.Compare(a.Type, b.Type) },
	"name":  func(a, b HandleGroup) int { return strings.Compare(a.Name, b.Name) },
}

// SortGroups orders groups by "count", which is also the order for "" and has
// the largest first, by "type" or by "name". Groups that are alike in that are
// ordered by count, then by their properties.
func SortGroups(groups []HandleGroup, order string) error {
	by, ok := groupOrders[cmp.Or(order, "count")]
	if !ok {
		return fmt.Errorf("groups are sorted by count, type or name, not by %s", order)
	}
	slices.SortFunc(groups, func(a, b HandleGroup) int {
		return cmp.Or(by(a, b), cmp.Compare(b.Count, a.Count), CompareTypes(a.Type, b.Type),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.GrantedAccess, b.GrantedAccess),
			cmp.Compare(a.State, b.State), a.Object.compare(b.Object), cmp.Compare(a.Process, b.Process))
	})
	return nil
}
