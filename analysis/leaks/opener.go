package leaks

import (
	"cmp"
	"context"
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
	Young    int // of Opens: may be in use and be closed in time, see [htrace.Share]
	// Before is how many handles of this place an earlier trace, that of the dump
	// Earlier, has that were not in use; -1 without one.
	Before  int
	Earlier string
	Split   *htrace.Split // why the culprit is not the first frame outside the system; nil if it is
}

// KeptShare is the part of the handles opened at this place that are still
// open, without those that may be in use.
func (o *Opener) KeptShare() float64 {
	return float64(o.Opens-o.Young) / float64(max(o.AllOpens-o.Young, 1))
}

// Kept are the handles opened at this place that are still open and are not
// in use.
func (o *Opener) Kept() int { return o.Opens - o.Young }

// grown is how many more of them there are than in the earlier trace; 0 without
// one.
func (o *Opener) grown() int {
	if o.Before < 0 {
		return 0
	}
	return o.Kept() - o.Before
}

// Place is where the handles were opened, for a sentence: the function, or the
// place in the module if nothing but an export is near, and what there is
// instead of a module.
func (o *Opener) Place() string {
	switch o.Culprit.Kind {
	case htrace.CulpritModule, htrace.CulpritSystem:
		return o.Location.Place()
	}
	return o.Culprit.Name()
}

// readOpeners finds who opened the handles of each group, in the newest dump
// with a handle trace. What cannot be read is noted; the error is that of ctx.
func (p *Process) readOpeners(ctx context.Context, o *Options, dumps *dumpReader) error {
	s, before := p.newestTraces()
	if s == nil {
		return nil
	}
	var fatal error
	err := dumps.with(ctx, p, s, func(f *minidump.File) error {
		t, earlier, err := p.readTrace(ctx, dumps, f, before)
		p.problem(s, err)
		if t == nil || len(t.Outstanding) == 0 {
			return nil
		}
		r := openerReader{snapshot: s, trace: t}
		if r.group, r.before, err = o.grouping(ctx, p, s, f, t, earlier); err != nil {
			fatal = err
			return nil
		}
		if earlier != nil {
			r.earlier = before.File
		}
		if r.rows, err = p.openRows(ctx, f, t); err != nil {
			return err
		}
		at := slices.Index(p.Series.Snapshots, s)
		for _, list := range [][]Group{p.Kinds, p.Types} {
			for i := range list {
				list[i].Opener = r.opener(&list[i], list[i].Counts[at])
			}
		}
		return nil
	})
	return cmp.Or(err, fatal)
}

// newestTraces returns the newest dump with a handle trace, and the one before
// it that has one; nil without.
func (p *Process) newestTraces() (newest, before *analysis.Snapshot) {
	for _, s := range slices.Backward(p.Series.Snapshots) {
		switch {
		case !s.Info.Has(minidump.HandleOperationListStream):
		case newest == nil:
			newest = s
		default:
			return newest, s
		}
	}
	return newest, nil
}

// readTrace reads the trace of the newest dump that has one, and an earlier one
// if there is one. Which the newest continues, shows in which order the
// operations are stored.
func (p *Process) readTrace(ctx context.Context, dumps *dumpReader, f *minidump.File, before *analysis.Snapshot) (t, earlier *htrace.Trace, err error) {
	if before == nil {
		t, err = htrace.Read(ctx, f, "")
	} else {
		var pair *htrace.Pair
		readErr := dumps.with(ctx, p, before, func(earlier *minidump.File) (err error) {
			pair, err = htrace.ReadPair(ctx, earlier, f, "")
			return err
		})
		if readErr != nil {
			return nil, nil, readErr
		}
		if pair != nil {
			t, earlier, err = pair.Later, pair.Earlier, pair.LaterErr
		} else {
			t, err = htrace.Read(ctx, f, "")
		}
	}
	if t != nil && t.Evidence.Reason == htrace.OrderByDefault && len(t.Outstanding) > 0 {
		p.Notes = append(p.Notes, "the dump does not show in which order its handle operations are stored: the newest first is assumed")
	}
	return t, earlier, err
}

// grouping prepares to group the opens of a trace by the function to blame, and
// counts those that an earlier one of the same process has kept by function.
func (o *Options) grouping(ctx context.Context, p *Process, s *analysis.Snapshot, f *minidump.File, t, earlier *htrace.Trace) (g htrace.GroupOptions, before map[string]int, err error) {
	g.By = htrace.ByFunction
	modules, _ := f.Modules() // an error is in the snapshot's Problems
	var unloaded []minidump.UnloadedModule
	if f.Has(minidump.UnloadedModuleListStream) {
		unloaded, err = f.UnloadedModules()
		p.problem(s, err)
	}
	system, err := htrace.NewSystemModules(modules, unloaded, o.System, o.NotSystem)
	if err != nil {
		return g, nil, err
	}
	system.RuntimeCode = symbol.NewRuntimeCode(f, modules, unloaded)
	var resolver symbol.Resolver = symbol.NewModules(modules)
	if o.Resolver != nil {
		r, err := o.Resolver(f)
		p.problem(s, err)
		if r != nil {
			defer r.Close()
			resolver = r
		}
	}
	names, err := resolver.Resolve(ctx, t.Addresses())
	if err != nil {
		return g, nil, err
	}
	g.Blame = t.Blame(names, system)
	if earlier == nil {
		return g, nil, nil
	}
	if names, err = resolver.Resolve(ctx, earlier.Addresses()); err != nil {
		return g, nil, err
	}
	before = map[string]int{}
	for _, old := range earlier.Group(earlier.Outstanding, htrace.GroupOptions{By: g.By, Blame: earlier.Blame(names, system)}) {
		before[old.Key] = old.Count - old.Young
	}
	return g, before, nil
}

// openRows sorts the outstanding opens by the rows of their handles.
func (p *Process) openRows(ctx context.Context, f *minidump.File, t *htrace.Trace) (map[int][]htrace.Open, error) {
	byValue := map[uint64]htrace.Open{}
	for _, open := range t.Outstanding {
		if !open.Superseded { // one open of each value at most
			byValue[open.Handle] = open
		}
	}
	list, err := analysis.ReadHandles(f)
	if err != nil {
		return nil, err
	}
	rows := map[int][]htrace.Open{}
	find := p.table.Finder()
	list.Walk(ctx, analysis.KindParts, func(h *minidump.Handle) bool {
		if open, ok := byValue[h.Handle]; ok {
			row := find.Row(h)
			rows[row] = append(rows[row], open)
		}
		return true
	}) // what cannot be read is in the snapshot's Problems
	return rows, ctx.Err()
}

type openerReader struct {
	snapshot *analysis.Snapshot
	trace    *htrace.Trace
	rows     map[int][]htrace.Open
	group    htrace.GroupOptions
	before   map[string]int // kept opens in an earlier trace, by function; nil without one
	earlier  string         // its dump
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
	var best *Opener
	for _, g := range r.trace.Group(opens, r.group) {
		o := &Opener{
			File: r.snapshot.File, Culprit: g.Culprit, Location: g.Location, Frames: g.Frames,
			Opens: g.Count, Traced: len(opens), Of: of, AllOpens: g.AllOpens, Young: g.Young, Split: g.Split, Before: -1,
		}
		if r.before != nil {
			o.Before, o.Earlier = r.before[g.Key], r.earlier
		}
		// What has grown is to blame rather than what is only large.
		if best == nil || o.grown() >= minGrowth && o.grown() > best.grown() || best.grown() < minGrowth && o.Kept() > best.Kept() {
			best = o
		}
	}
	return best
}
