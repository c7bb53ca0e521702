package leaks

import (
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// checkTypes returns an [*analysis.UnknownTypeError] if a type that was asked
// for is in none of the dumps, and WinDbg does not know it either.
func (o *Options) checkTypes(snapshots []*analysis.Snapshot) error {
	if len(o.Types) == 0 {
		return nil
	}
	var inDumps []string
	for _, s := range snapshots {
		inDumps = append(inDumps, s.Kinds.Types()...)
	}
	for _, t := range o.Types {
		if err := analysis.CheckType(t, inDumps); err != nil {
			return err
		}
	}
	return nil
}

// selected keeps the findings about the groups that were asked for.
func (o *Options) selected(findings []Finding) []Finding {
	if len(o.Types) == 0 && o.Name == nil {
		return findings
	}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		return f.Group == nil || !o.hasType(f.Group.Type) || o.Name != nil && !o.Name.Match(f.Group.Name)
	})
}

func (o *Options) hasType(typ string) bool {
	return len(o.Types) == 0 || slices.ContainsFunc(o.Types, func(t string) bool {
		return strings.EqualFold(analysis.CanonicalType(t), typ)
	})
}

// selection names the groups that were asked for; "" for all.
func (o *Options) selection() string {
	var types []string
	for _, t := range o.Types {
		types = append(types, words.Type(analysis.CanonicalType(t)))
	}
	text := "handles"
	if len(types) > 0 {
		text = words.List(types...) + " handles"
	}
	switch {
	case o.Name != nil:
		return text + " with such a name"
	case len(types) > 0:
		return text
	}
	return ""
}
