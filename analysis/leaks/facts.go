package leaks

import (
	"cmp"
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/waits"
)

// HandleLimit is the number of handles that one process can have at most
// (M. Russinovich, Pushing the Limits of Windows: Handles,
// http://blogs.technet.com/markrussinovich/archive/2009/09/29/3283844.aspx).
const HandleLimit = 16_711_680

// A Group is a group of handles in the dumps of one process, with all that
// is known about it.
type Group struct {
	analysis.HandleKind
	// Kinds is 0 for one kind of handles. Else the group is all handles of
	// Type, of so many kinds, and the rest of HandleKind is empty.
	Kinds  int
	Merged bool // Name is a form that many names have
	Growth
	// Turnover is measured for groups that grow, and for types whose growth is
	// not that of such groups; else nil.
	Turnover *Turnover
	judged   judgement
	Objects  Objects
	Opener   *Opener // from the handle trace; nil without
	// Held says whether the handles that stay are the same, if the memory of two
	// dumps was searched and shows it of some; else nil.
	Held *Held
	// Holders are the places in memory where the handles are kept, if they
	// were looked for.
	Holders []owners.Owner

	rows []int
}

// Trend says how the growth of the group was judged; TrendNone without growth,
// and for a type whose growth is that of groups of it.
func (g *Group) Trend() Trend { return g.judged.trend }

// Process are what the rules look at: the dumps of one process, its
// handles by kind and by type.
type Process struct {
	Series *analysis.Series
	Kinds  []Group // of at least 8 handles in some dump; in the order of HandleKind.Compare
	Types  []Group // in WinDbg's order
	Total  Group
	// Limit is the number of handles at which the process ends; HandleLimit or
	// what the user gave.
	Limit uint64
	// Partial are the dumps that could not be read whole. They take no part in
	// Series, unless it has no others.
	Partial []*analysis.Snapshot
	// Waits are the threads of the newest dump that wait for each other; nil if
	// that is not known.
	Waits *waits.Waits
	// Notes say what the facts rest on: sentences without a full stop.
	Notes []string
	// Problems are what could not be read beside the handles, whose problems
	// are in the snapshots.
	Problems []Problem

	table *analysis.KindTable
	hunt  *holderHunt // for the holders of what the counts accuse; nil without
}

// A Problem is what could not be read of one dump.
type Problem struct {
	File string
	Err  error
}

func (p *Process) problem(s *analysis.Snapshot, err error) {
	if err != nil {
		p.Problems = append(p.Problems, Problem{s.File, err})
	}
}

// Single reports whether there is one dump only.
func (p *Process) Single() bool { return len(p.Series.Snapshots) == 1 }

// gatherFacts counts, and follows the handles of the groups that grow.
func gatherFacts(ctx context.Context, s *analysis.Series, o *Options, dumps *dumpReader) (*Process, error) {
	counts := make([]*analysis.KindCounts, len(s.Snapshots))
	for i, snap := range s.Snapshots {
		counts[i] = snap.Kinds
	}
	p := &Process{Series: s, Limit: cmp.Or(o.Limit, HandleLimit), table: analysis.AlignDumps(counts...)}
	if p.table.NamesIgnored {
		s.Notes = append(s.Notes, "not all of the dumps have names of objects: the groups do not distinguish them")
	}
	if p.table.StatesIgnored {
		s.Notes = append(s.Notes, "not all of the dumps have object information: the groups do not distinguish states")
	}
	p.group()
	if err := p.readOpeners(ctx, o, dumps); err != nil {
		return nil, err
	}
	if err := p.readObjects(ctx, dumps); err != nil {
		return nil, err
	}
	if err := p.readWaits(ctx, o, dumps); err != nil {
		return nil, err
	}
	if p.Single() || s.Last().Partial != nil {
		return p, nil
	}
	if err := p.followHandles(ctx, o, dumps); err != nil {
		return nil, err
	}
	return p, ctx.Err()
}

// group makes the groups of the table's rows.
func (p *Process) group() {
	n := len(p.Series.Snapshots)
	hours := p.Series.Hours
	types := map[string]*Group{}
	p.Total = Group{Kinds: len(p.table.Rows), Growth: Growth{Counts: make([]uint64, n)}}
	for i, r := range p.table.Rows {
		t := types[r.Type]
		if t == nil {
			t = &Group{HandleKind: analysis.HandleKind{Type: r.Type}, Growth: Growth{Counts: make([]uint64, n)}}
			types[r.Type] = t
		}
		t.Kinds++
		t.rows = append(t.rows, i)
		for d, c := range r.Counts {
			t.Counts[d] += c
			p.Total.Counts[d] += c
		}
	}
	for i, r := range p.table.Rows {
		if slices.Max(r.Counts) < minGroup && r.State != "abandoned" {
			continue
		}
		g := Group{HandleKind: r.HandleKind, Merged: r.Merged, rows: []int{i}}
		g.Growth = Growth{Counts: r.Counts, Shape: shapeOf(r.Counts, hours)}
		p.Kinds = append(p.Kinds, g)
	}
	for _, t := range types {
		t.Shape = shapeOf(t.Counts, hours)
		p.Types = append(p.Types, *t)
	}
	slices.SortFunc(p.Types, func(a, b Group) int { return analysis.CompareTypes(a.Type, b.Type) })
	p.Total.Shape = shapeOf(p.Total.Counts, hours)
}
