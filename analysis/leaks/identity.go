package leaks

import (
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Held says what the holders of a group's handles show, in two dumps with full
// memory: which of the values that both have are the same handles. See
// [owners.Identify].
type Held struct {
	Older, Newer string // the dumps, by their files
	Kept         uint64 // values in both
	Same         uint64 // of these, known to be the same handle
	Replaced     uint64 // known to be another one

	older, newer int // the dumps, by their place in the series
}

// Unknown is of how many of the values nothing is known.
func (h *Held) Unknown() uint64 { return h.Kept - h.Same - h.Replaced }

func (h *Held) add(f analysis.Fate, n uint64) {
	h.Kept += n
	switch f {
	case analysis.FateSame:
		h.Same += n
	case analysis.FateReplaced:
		h.Replaced += n
	}
}

// identify looks in the memory of two dumps for what holds the handles of the
// groups that the counts accuse, and judges all groups again if it shows handles
// that were closed though their values stayed. The dumps are the newest and the
// one by which it is decided what stays, or others where these lack the memory.
func (p *Process) identify(ctx context.Context, o *Options, dumps *dumpReader, f *follower, chosen []int) error {
	accused := p.accusedByCounts(o)
	if len(accused) == 0 || len(p.Series.Forced) > 0 {
		return nil // of two processes, what lies at one place is not the same
	}
	p.hunt = newHolderHunt(p, o, dumps, accused)
	all := p.Series.Snapshots
	newest, report, err := p.hunt.first(ctx, slices.Backward(all), nil)
	if report == nil {
		return err
	}
	last := slices.Index(all, newest)
	early := min(chosen[earlyAt(len(chosen))], last)
	older, before, err := p.hunt.first(ctx, slices.All(slices.Concat(all[early:last], all[:early])), nil)
	if before == nil {
		return err
	}
	ids, err := p.compareHolders(ctx, dumps, older, before, newest, report)
	if ids == nil {
		return err
	}
	pair := Held{Older: older.File, Newer: newest.File, older: slices.Index(all, older), newer: last}
	if err := p.countFates(ctx, dumps, accused, ids, newest, pair); err != nil {
		return err
	}
	p.judge(f, chosen)
	for _, g := range accused {
		t := g.Turnover
		if t == nil || pair.older != t.EarlyAt || g.Held == nil {
			continue
		}
		held := pair
		for _, v := range t.stayed {
			held.add(ids.Fate(v), max(t.OneOf, 1))
		}
		t.Held = &held
	}
	return nil
}

// accusedByCounts are the groups that the rules for growth will accuse, as far as
// their holders are asked for.
func (p *Process) accusedByCounts(o *Options) (accused []*Group) {
	for _, list := range [][]Group{p.Kinds, p.Types} {
		for i := range list {
			g := &list[i]
			if !g.judged.accuses() || g.Kinds == 1 || len(p.Series.Snapshots) == 2 && !g.plainRise() ||
				!o.hunts(g) || !o.hasType(g.Type) || o.Name != nil && !o.Name.Match(g.Name) {
				continue
			}
			accused = append(accused, g)
		}
	}
	return accused
}

// compareHolders compares the holders in two dumps; nil if that cannot be done.
func (p *Process) compareHolders(ctx context.Context, dumps *dumpReader, older *analysis.Snapshot, before *owners.Report, newer *analysis.Snapshot, now *owners.Report) (ids *owners.Identities, err error) {
	side := func(f *minidump.File, r *owners.Report) (owners.Side, error) {
		system, err := p.hunt.system(f)
		return owners.Side{File: f, Report: r, System: system}, err
	}
	err = dumps.with(ctx, p, older, func(old *minidump.File) error {
		return dumps.with(ctx, p, newer, func(new *minidump.File) error {
			a, err := side(old, before)
			if err != nil {
				return err
			}
			b, err := side(new, now)
			if err != nil {
				return err
			}
			ids, err = owners.Identify(ctx, a, b)
			return err
		})
	})
	return ids, err
}

// countFates counts what became of the handles of groups, as far as both dumps
// have their values.
func (p *Process) countFates(ctx context.Context, dumps *dumpReader, groups []*Group, ids *owners.Identities, newer *analysis.Snapshot, pair Held) error {
	byRow := make([]Held, len(p.table.Rows))
	find := p.table.Finder()
	err := dumps.evidence(ctx, p, newer, func(h *minidump.Handle) {
		if row := find.Row(h); row >= 0 && ids.InBoth(h.Handle) {
			byRow[row].add(ids.Fate(h.Handle), 1)
		}
	})
	if err != nil {
		return err
	}
	for _, g := range groups {
		held := pair
		for _, row := range g.rows {
			r := &byRow[row]
			held.Kept, held.Same, held.Replaced = held.Kept+r.Kept, held.Same+r.Same, held.Replaced+r.Replaced
		}
		if held.Same+held.Replaced > 0 {
			g.Held = &held
		}
	}
	return nil
}

// keptOf is how many of the handles that two dumps seem to share are the same:
// less those whose values were used again, of which there is an estimate. What
// holders show replaces it if it is of nearly all handles. It was measured between
// two dumps: of a shorter time it is the part that this has of the other. And what
// is the same in both of these is the same in all dumps between them.
func (p *Process) keptOf(h *Held, shared, estimate float64, from, to int) float64 {
	if h == nil {
		return shared - min(estimate, shared)
	}
	hidden := float64(h.Replaced)
	if between := at(p.Series.Hours, h.newer) - at(p.Series.Hours, h.older); between > 0 {
		hidden *= min(1, (at(p.Series.Hours, to)-at(p.Series.Hours, from))/between)
	}
	if float64(h.Unknown()) > mostUnknown*float64(h.Kept) {
		hidden = max(hidden, estimate)
	}
	kept := shared - min(hidden, shared)
	if from >= h.older && to <= h.newer {
		kept = min(max(kept, float64(h.Same)), shared)
	}
	return kept
}

// passes takes the growth of a group for a load if what holds its handles shows
// that those by which it had grown did not stay.
func (g *Group) passes() {
	h := g.Held
	if h == nil || !g.judged.accuses() {
		return
	}
	grown := float64(g.Counts[h.older]) - float64(g.Counts[0])
	if stayed := float64(h.Same + h.Unknown()); grown > 0 && stayed < minKeptAtAll*grown {
		g.judged.trend, g.judged.severity, g.judged.kept = TrendLoad, SeverityInfo, stayed/grown
	}
}
