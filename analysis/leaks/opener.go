package leaks

import (
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// An Opener is the place in the program that opened most of the handles of a
// group, as far as the handle trace of a dump goes.
type Opener struct {
	File    string         // the dump that has the trace
	Culprit htrace.Culprit // the first frame outside the operating system
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
// Problems.
func (p *Process) readOpeners(o *Options) {
	s := p.newestWith(minidump.HandleOperationListStream)
	if s == nil {
		return
	}
	t, err := htrace.Read(s.Dump(), "")
	s.Problem(err)
	if t == nil || len(t.Outstanding) == 0 {
		return
	}
	modules, _ := s.Dump().Modules() // an error is in Problems since LoadSnapshot
	var unloaded []minidump.UnloadedModule
	if s.Dump().Has(minidump.UnloadedModuleListStream) {
		unloaded, err = s.Dump().UnloadedModules()
		s.Problem(err)
	}
	system, err := htrace.NewSystemModules(modules, unloaded, nil, nil)
	if err != nil {
		s.Problem(err)
		return
	}
	var resolver symbol.Resolver = symbol.NewModules(modules)
	if o.Resolver != nil {
		r, err := o.Resolver(s)
		s.Problem(err)
		if err == nil {
			resolver = r
		}
	}
	r := openerReader{
		snapshot: s, trace: t, sites: stackOpens(t), rows: p.openRows(s, t),
		group: htrace.GroupOptions{By: htrace.ByFunction, Resolver: resolver, System: system},
	}
	at := slices.Index(p.Series.Snapshots, s)
	for _, list := range [][]Group{p.Kinds, p.Types} {
		for i := range list {
			list[i].Opener = r.opener(&list[i], list[i].Counts[at])
		}
	}
}

// openRows sorts the outstanding opens by the rows of their handles.
func (p *Process) openRows(s *analysis.Snapshot, t *htrace.Trace) map[int][]htrace.Open {
	byValue := map[uint64]htrace.Open{}
	for _, open := range t.Outstanding {
		if !open.Superseded { // one open of each value at most
			byValue[open.Handle] = open
		}
	}
	rows := map[int][]htrace.Open{}
	find := p.table.Finder()
	for h := range s.Handles(analysis.KindParts) {
		if open, ok := byValue[h.Handle]; ok {
			row := find.Row(h)
			rows[row] = append(rows[row], open)
		}
	}
	return rows
}

// stackOpens counts all opens of each stack.
func stackOpens(t *htrace.Trace) map[int]int {
	opens := map[int]int{}
	for _, s := range t.Sites(0) {
		if s.OperationType == minidump.OperationOpen {
			opens[s.Stack] += s.Count
		}
	}
	return opens
}

type openerReader struct {
	snapshot *analysis.Snapshot
	trace    *htrace.Trace
	sites    map[int]int
	rows     map[int][]htrace.Open
	group    htrace.GroupOptions
}

// opener returns the opener of a group with so many handles in the dump, or
// nil if the trace has none of them.
func (r *openerReader) opener(g *Group, of uint64) *Opener {
	var opens []htrace.Open
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
