package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// BaselineSchema is the field "schema" of a baseline file.
const BaselineSchema = "dumpscan.baseline/2"

// A Baseline is how many handles a healthy process has: the most of each type
// and group that any of the dumps had from which it was made. As a file it is
// JSON:
//
//	schema   "dumpscan.baseline/2"
//	process  file name of the main module; absent if it is not in the dumps
//	types    [{type, count}], by type; handles without type: ""
//	groups   [{type, name, grantedAccess, count}], by type, name and access;
//	         name as [analysis.NormalizeName] makes it, grantedAccess "0x20019"
//
// The file holds nothing that differs from one machine or run to the next but
// the counts, and each of these has a line of its own.
type Baseline struct {
	Process string
	Types   []analysis.TypeCount // by type
	Groups  []BaselineGroup      // by type, name and access
}

// A BaselineGroup is a number of handles of one type, whose names have one
// form, with one granted access. Attributes and state do not count, since not
// every dump has them.
type BaselineGroup struct {
	Type, Name    string
	GrantedAccess uint32
	Count         uint64
}

// key is the group without its count.
func (g BaselineGroup) key() BaselineGroup {
	g.Count = 0
	return g
}

func (g BaselineGroup) compare(o BaselineGroup) int {
	return cmp.Or(cmp.Compare(g.Type, o.Type), cmp.Compare(g.Name, o.Name), cmp.Compare(g.GrantedAccess, o.GrantedAccess))
}

// NewBaseline makes a baseline of the dumps that could be counted.
func NewBaseline(dumps []*Dump) *Baseline {
	b := &Baseline{}
	types, groups := map[string]uint64{}, map[BaselineGroup]uint64{}
	for _, d := range dumps {
		if d.Snapshot == nil {
			continue
		}
		b.Process = cmp.Or(b.Process, analysis.BaseName(d.Process))
		ofDump, typesOfDump := plain(d.Kinds)
		for g, of := range ofDump {
			groups[g] = max(groups[g], of.count)
		}
		for t, n := range typesOfDump {
			types[t] = max(types[t], n)
		}
	}
	for t, n := range types {
		b.Types = append(b.Types, analysis.TypeCount{Type: t, Count: n})
	}
	for g, n := range groups {
		g.Count = n
		b.Groups = append(b.Groups, g)
	}
	b.sort()
	return b
}

func (b *Baseline) sort() {
	slices.SortFunc(b.Types, func(x, y analysis.TypeCount) int { return cmp.Compare(x.Type, y.Type) })
	slices.SortFunc(b.Groups, BaselineGroup.compare)
}

// A plainGroup is what a dump has of a group of a baseline.
type plainGroup struct {
	count  uint64
	name   string // of the objects, if all have the same; else the form
	merged bool   // they have not
}

// plain counts by the groups of a baseline and by type.
func plain(c *analysis.KindCounts) (groups map[BaselineGroup]plainGroup, types map[string]uint64) {
	groups, types = map[BaselineGroup]plainGroup{}, map[string]uint64{}
	for _, form := range c.Forms() {
		key := BaselineGroup{Type: form.Type, Name: form.Name, GrantedAccess: form.GrantedAccess}
		g, seen := groups[key]
		own := form.Single
		if own == "" && form.Name != "" || seen && g.name != own {
			own, g.merged = form.Name, true
		}
		groups[key] = plainGroup{g.count + form.Count, own, g.merged}
		types[form.Type] += form.Count
	}
	return groups, types
}

// The file, as it is decoded.
type baselineJSON struct {
	Schema  string `json:"schema"`
	Process string `json:"process"`
	Types   []struct {
		Type  string `json:"type"`
		Count uint64 `json:"count"`
	} `json:"types"`
	Groups []struct {
		Type          string `json:"type"`
		Name          string `json:"name"`
		GrantedAccess string `json:"grantedAccess"`
		Count         uint64 `json:"count"`
	} `json:"groups"`
}

// ReadBaseline reads the file that "dumpscan check --write-baseline" wrote. It
// fails if the file has another schema, or says something twice.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	dec := json.NewDecoder(r)
	var file baselineJSON
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("this is no baseline: %w", err)
	}
	if file.Schema != BaselineSchema {
		return nil, fmt.Errorf("the schema of this file is %q, not %q; write it anew with --write-baseline", file.Schema, BaselineSchema)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more behind the end of the baseline")
	}
	b := &Baseline{Process: words.FromJSONText(file.Process)}
	types, groups := map[string]bool{}, map[BaselineGroup]bool{}
	for _, t := range file.Types {
		t.Type = words.FromJSONText(t.Type)
		if types[t.Type] || t.Count > math.MaxUint32 {
			return nil, fmt.Errorf("type %q is there twice, or has an impossible count", t.Type)
		}
		types[t.Type] = true
		b.Types = append(b.Types, analysis.TypeCount(t))
	}
	for _, g := range file.Groups {
		g.Type, g.Name = words.FromJSONText(g.Type), words.FromJSONText(g.Name)
		access, err := analysis.ParseHex(g.GrantedAccess)
		if err != nil || access > math.MaxUint32 {
			return nil, fmt.Errorf("grantedAccess %q of the group %s %q is no mask", g.GrantedAccess, g.Type, g.Name)
		}
		group := BaselineGroup{Type: g.Type, Name: g.Name, GrantedAccess: uint32(access)}
		if groups[group] || g.Count > math.MaxUint32 {
			return nil, fmt.Errorf("group %s %q is there twice, or has an impossible count", g.Type, g.Name)
		}
		groups[group] = true
		group.Count = g.Count
		b.Groups = append(b.Groups, group)
	}
	b.sort()
	return b, nil
}

// named reports whether some group of the baseline has a name.
func (b *Baseline) named() bool {
	return slices.ContainsFunc(b.Groups, func(g BaselineGroup) bool { return g.Name != "" })
}

// misfit says why a dump may not go with the baseline; "" if it does.
func (b *Baseline) misfit(d *Dump) string {
	if d.Err != nil {
		return ""
	}
	if name := analysis.BaseName(d.Process); b.Process != "" && name != "" && !strings.EqualFold(name, b.Process) {
		return fmt.Sprintf("the dump is of %s, the baseline of %s", name, b.Process)
	}
	if b.named() != d.Kinds.Named {
		return "the dump or the baseline has no names of objects; groups were not compared, types were"
	}
	return ""
}

// compare holds one dump against the baseline: first each type, then each
// group that is not named as the cause of a type already.
func (c *Gate) compare(d *Dump) Result {
	r := Result{Files: []string{d.File}}
	if d.Err != nil {
		r.Status, r.Reason = Unknown, d.Err.Error()
		return r
	}
	groups, types := plain(d.Kinds)
	excess := c.groupExcess(groups)
	allowed := map[string]uint64{}
	for _, t := range c.Baseline.Types {
		allowed[t.Type] = t.Count
	}
	// The list is sorted: the first of a type has the most too many.
	worst := map[string]*Measure{}
	for i := range excess {
		if t := excess[i].Cause.Type; worst[t] == nil {
			worst[t] = &excess[i]
		}
	}
	blamed := map[BaselineGroup]bool{}
	for _, t := range slices.Sorted(maps.Keys(types)) {
		m := Measure{Subject: cmp.Or(t, analysis.Untyped), Count: types[t], Base: allowed[t]}
		if m.Allowed = c.Tolerance.Allowed(m.Base); m.Count <= m.Allowed {
			continue
		}
		m.Growth = int64(m.Count) - int64(m.Base)
		if w := worst[t]; w != nil {
			m.Cause = w.Cause
			blamed[w.group()] = true
		}
		r.Measures = append(r.Measures, m)
	}
	slices.SortStableFunc(r.Measures, byGrowth)
	if c.Baseline.named() == d.Kinds.Named {
		for _, m := range excess {
			if m.Count > m.Allowed && !blamed[m.group()] {
				r.Measures = append(r.Measures, m)
			}
		}
	}
	if len(r.Measures) > 0 {
		r.Status = Breach
	}
	r.settle(d)
	return r
}

func byGrowth(a, b Measure) int { return cmp.Compare(b.Growth, a.Growth) }

// group is the group of the baseline that a Measure with Group is about.
func (m *Measure) group() BaselineGroup {
	return BaselineGroup{Type: m.Cause.Type, Name: analysis.NormalizeName(m.Cause.Name), GrantedAccess: m.Cause.GrantedAccess}
}

// groupExcess lists all groups of a dump, those with the most too many first.
func (c *Gate) groupExcess(groups map[BaselineGroup]plainGroup) []Measure {
	base := map[BaselineGroup]uint64{}
	for _, g := range c.Baseline.Groups {
		base[g.key()] = g.Count
	}
	var all []Measure
	for _, key := range slices.SortedFunc(maps.Keys(groups), BaselineGroup.compare) {
		g := groups[key]
		all = append(all, Measure{
			Subject: cmp.Or(key.Type, analysis.Untyped), Group: true,
			Count: g.count, Base: base[key], Growth: int64(g.count) - int64(base[key]),
			Allowed: c.Tolerance.Allowed(base[key]),
			Cause: Cause{
				HandleKind: analysis.HandleKind{Type: key.Type, Name: g.name, GrantedAccess: key.GrantedAccess},
				Merged:     g.merged, Count: g.count, Base: base[key],
			},
		})
	}
	slices.SortStableFunc(all, byGrowth)
	return all
}
