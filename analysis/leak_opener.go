package analysis

import (
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// An Opener is the place in the program that opened most of the handles of a
// group, as far as the handle trace of a dump goes.
type Opener struct {
	File    string  // the dump that has the trace
	Culprit Culprit // the first frame outside the operating system
	// Location is the culprit's frame, Frames the most frequent stack of this
	// place, innermost first.
	Location symbol.Location
	Frames   []symbol.Location
	Opens    int    // handles of the group that this place opened
	Traced   int    // handles of the group whose opening the trace has
	Of       uint64 // handles of the group in the dump
	// AllOpens are all opens that the trace has of this place, of handles
	// that were closed too.
	AllOpens int
}

// KeptShare is the part of the handles opened at this place that are still
// open.
func (o *Opener) KeptShare() float64 { return float64(o.Opens) / float64(max(o.AllOpens, 1)) }

// From this number of traced handles on the opener of a group is looked for.
const minTraced = 8

// readOpeners finds who opened the handles of each group, in the newest dump
// with a handle trace. What cannot be read is noted in the snapshot's
// Problems; the error is that of ctx.
func (p *ProcessFacts) readOpeners(ctx context.Context, o *LeakOptions) error {
	s := p.newestWith(minidump.HandleOperationListStream)
	if s == nil {
		return nil
	}
	t, err := ReadTrace(s.dump, "")
	s.problem(err)
	if t == nil || len(t.Outstanding) == 0 {
		return nil
	}
	modules, _ := s.dump.Modules() // an error is in Problems since LoadSnapshot
	var unloaded []minidump.UnloadedModule
	if s.dump.Has(minidump.UnloadedModuleListStream) {
		unloaded, err = s.dump.UnloadedModules()
		s.problem(err)
	}
	system, err := NewSystemModules(modules, unloaded, nil, nil)
	if err != nil {
		s.problem(err)
		return nil
	}
	var resolver symbol.Resolver = symbol.NewModules(modules)
	if o.Resolver != nil {
		r, err := o.Resolver(s)
		s.problem(err)
		if err == nil {
			resolver = r
		}
	}
	stacks := make([]int, len(t.Outstanding))
	for i, open := range t.Outstanding {
		stacks[i] = open.Stack
	}
	names, err := resolver.Resolve(ctx, t.AddressesOf(stacks))
	if err != nil {
		return err
	}
	r := openerReader{
		snapshot: s, trace: t, sites: stackOpens(t), rows: p.openRows(s, t),
		group: TraceGroupOptions{By: TraceByFunction, Names: names, System: system},
	}
	at := slices.Index(p.Series.Snapshots, s)
	for _, list := range [][]LeakGroup{p.Kinds, p.Types} {
		for i := range list {
			list[i].Opener = r.opener(&list[i], list[i].Counts[at])
		}
	}
	return nil
}

// openRows sorts the outstanding opens by the rows of their handles.
func (p *ProcessFacts) openRows(s *Snapshot, t *Trace) map[int][]TraceOpen {
	byValue := map[uint64]TraceOpen{}
	for _, open := range t.Outstanding {
		if !open.Superseded { // one open of each value at most
			byValue[open.Handle] = open
		}
	}
	rows := map[int][]TraceOpen{}
	find := kindFinder{table: p.table, row: -1}
	for h := range s.Handles(KindParts) {
		if open, ok := byValue[h.Handle]; ok {
			row := find.rowOf(h)
			rows[row] = append(rows[row], open)
		}
	}
	return rows
}

// stackOpens counts all opens of each stack.
func stackOpens(t *Trace) map[int]int {
	opens := map[int]int{}
	for _, s := range t.Sites(0) {
		if s.OperationType == minidump.OperationOpen {
			opens[s.Stack] += s.Count
		}
	}
	return opens
}

type openerReader struct {
	snapshot *Snapshot
	trace    *Trace
	sites    map[int]int
	rows     map[int][]TraceOpen
	group    TraceGroupOptions
}

// opener returns the opener of a group with so many handles in the dump, or
// nil if the trace has none of them.
func (r *openerReader) opener(g *LeakGroup, of uint64) *Opener {
	var opens []TraceOpen
	for _, row := range g.rows {
		opens = append(opens, r.rows[row]...)
	}
	if len(opens) < minTraced {
		return nil
	}
	top := r.trace.Group(opens, r.group)[0]
	o := &Opener{
		File: r.snapshot.File, Culprit: top.Culprit, Location: top.Location, Frames: top.Frames,
		Opens: top.Count, Traced: len(opens), Of: of,
	}
	for _, s := range top.Stacks {
		o.AllOpens += r.sites[s.Stack]
	}
	return o
}
