package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// An AccessPattern is a condition on the access that a handle was granted. A
// name of a right means the bit that it stands for in the type of the handle:
// handles of types that have no such right do not fit.
type AccessPattern struct {
	mask   uint32            // for all types, if byType is nil
	byType map[string]uint32 // for each type that has all the rights
	exact  bool
}

// ParseAccess understands a hexadecimal mask with or without 0x, all of whose
// bits must be granted; the same behind "=", which must be the whole mask; and
// names joined by commas, in any case: WinDbg's ("SetValue"), the constants of
// the headers ("KEY_SET_VALUE,DELETE"), and those that stand for several rights
// ("KEY_READ", "EVENT_ALL_ACCESS", "GENERIC_WRITE").
//
// types are the types that are asked for, if there are any: a right that none
// of them has is an error.
func ParseAccess(text string, types ...string) (*AccessPattern, error) {
	digits, exact := strings.CutPrefix(text, "=")
	if mask, err := strconv.ParseUint(trim0x(digits), 16, 32); err == nil {
		return &AccessPattern{mask: uint32(mask), exact: exact}, nil
	}
	p := &AccessPattern{exact: exact}
	everywhere := true // all names are those of rights that every type has
	for name := range strings.SplitSeq(digits, ",") {
		name = strings.TrimSpace(name)
		if bit := commonRight(name); bit != 0 {
			p.mask |= bit
			continue
		}
		masks := findRight(name)
		if len(masks) == 0 {
			return nil, unknownRight(name)
		}
		if everywhere {
			p.byType, everywhere = masks, false
			continue
		}
		for t := range p.byType {
			if masks[t] == 0 {
				delete(p.byType, t)
				continue
			}
			p.byType[t] |= masks[t]
		}
	}
	if everywhere {
		return p, nil
	}
	for t := range p.byType {
		p.byType[t] |= p.mask
	}
	return p, p.check(digits, types)
}

// check returns an error if no type, or none of those asked for, has all the
// rights.
func (p *AccessPattern) check(text string, types []string) error {
	if len(p.byType) == 0 {
		return fmt.Errorf("no type has all the rights %s", text)
	}
	if len(types) == 0 {
		return nil
	}
	having := slices.SortedFunc(maps.Keys(p.byType), CompareTypes)
	for _, t := range having {
		if isOneOf(t, types) {
			return nil
		}
	}
	return fmt.Errorf("%s has no right %s, which is one of %s", words.Choice(types...), text, words.List(having...))
}

// unknownRight says that no type has a right.
func unknownRight(name string) error {
	var names []string
	for _, rights := range specificRights {
		for _, r := range rights {
			names = append(names, r.constant, r.name())
		}
	}
	for _, r := range slices.Concat(standardRights[:], genericRights[:]) {
		names = append(names, r.constant, r.name())
	}
	for _, c := range compositeRights {
		names = append(names, c.constant)
	}
	slices.Sort(names)
	if similar := words.Similar(name, slices.Compact(names)); similar != "" {
		return fmt.Errorf("no right %q; did you mean %s?", name, similar)
	}
	return fmt.Errorf("no right %q; give a mask such as 0x20019 or the name of a right such as KEY_READ", name)
}

// is reports whether a right has a name that was typed.
func (r right) is(name string) bool {
	return name != "" && (strings.EqualFold(r.constant, name) || strings.EqualFold(r.windbg, name))
}

// commonRight returns the bit of a right that every type has, or 0. The generic
// rights are not among them: they stand for other rights in each type.
func commonRight(name string) uint32 {
	for _, r := range standardRights {
		if r.is(name) {
			return r.bit
		}
	}
	for _, r := range genericRights {
		if r.is(name) && genericMappings["File"].of(r.bit) == 0 {
			return r.bit
		}
	}
	return 0
}

// of returns what one generic right stands for; 0 for others.
func (m genericMapping) of(bit uint32) uint32 {
	switch bit {
	case genericRead:
		return m.read
	case genericWrite:
		return m.write
	case genericExecute:
		return m.execute
	case genericAll:
		return m.all
	}
	return 0
}

// findRight returns what a name stands for in each type that has such a right.
func findRight(name string) map[string]uint32 {
	masks := map[string]uint32{}
	for t, rights := range specificRights {
		for _, r := range rights {
			if r.is(name) {
				masks[t] = r.bit
			}
		}
	}
	for _, c := range compositeRights {
		if strings.EqualFold(c.constant, name) {
			masks[c.typeName] = c.mask
		}
	}
	for _, r := range genericRights {
		if !r.is(name) {
			continue
		}
		for t, m := range genericMappings {
			if mask := m.of(r.bit); mask != 0 {
				masks[t] = mask
			}
		}
	}
	return masks
}

// Match reports whether the access that was granted to a handle of a type fits.
func (p *AccessPattern) Match(typeName string, granted uint32) bool {
	mask := p.mask
	if p.byType != nil {
		if mask = p.byType[typeName]; mask == 0 {
			return false
		}
	}
	if p.exact {
		return granted == mask
	}
	return granted&mask == mask
}

// RightNames lists the names of rights that [ParseAccess] knows for some types,
// or for all if none is given, for a completion: first WinDbg's words and
// constants, then those that stand for several rights.
func RightNames(types ...string) []string {
	var names []string
	add := func(rights []right) {
		for _, r := range rights {
			names = append(names, r.name())
		}
	}
	chosen := func(t string) bool { return len(types) == 0 || isOneOf(t, types) }
	for _, t := range slices.SortedFunc(maps.Keys(specificRights), CompareTypes) {
		if chosen(t) {
			add(specificRights[t])
		}
	}
	add(standardRights[:])
	for _, c := range compositeRights {
		if chosen(c.typeName) {
			names = append(names, c.constant)
		}
	}
	add(genericRights[2:])
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(n string) bool {
		twice := seen[n]
		seen[n] = true
		return twice
	})
}
