package leaks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// holderShare is the part of a group that the largest of its holders must have,
// to be named with the leak.
const holderShare = 0.25

// findHolders searches memory for the places that hold the accused handles, in
// the newest dump that has the memory, and compares them with the oldest that
// has it.
func findHolders(ctx context.Context, p *Process, accused []*Finding, o *Options, dumps *dumpReader) error {
	var groups []*Group
	for _, f := range accused {
		if o.hunts(f.Group) {
			groups = append(groups, f.Group)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	h := newHolderHunt(p, o, dumps, groups)
	if p.hunt != nil && p.hunt.covers(h) {
		h = p.hunt
	}
	newest, report, err := h.first(ctx, slices.Backward(p.Series.Snapshots), nil)
	if report == nil {
		return err
	}
	oldest, earlier, err := h.first(ctx, slices.All(p.Series.Snapshots), newest)
	if err != nil {
		return err
	}
	if earlier != nil {
		report.Compare(earlier)
	}
	for _, owner := range report.Owners {
		if g := h.labels[owner.Label]; slices.Contains(groups, g) {
			owner.Label = ""
			g.Holders = append(g.Holders, owner)
		}
	}
	unheld := map[*Group]string{}
	for _, u := range report.Unheld {
		if g := h.labels[u.Label]; g != nil {
			u.Label = ""
			unheld[g] = u.Sentence()
		}
	}
	for _, f := range accused {
		for _, owner := range f.Group.Holders {
			f.Evidence = append(f.Evidence, owner.Sentence()+"; "+owner.Evidence())
			if oldest != nil {
				f.Evidence = append(f.Evidence, owner.Growth(oldest.File))
			}
		}
		if s := unheld[f.Group]; s != "" {
			f.Evidence = append(f.Evidence, s)
		}
		f.nameHolder(newest, o)
	}
	return nil
}

// nameHolder puts the largest holder into the sentence and the next step, if no
// trace names who opens the handles.
func (f *Finding) nameHolder(s *analysis.Snapshot, o *Options) {
	g := f.Group
	if len(g.Holders) == 0 || float64(g.Holders[0].Handles) < holderShare*float64(g.Holders[0].Of) {
		return
	}
	holder := &g.Holders[0]
	f.Sentence += ", held by " + holder.Name()
	if g.Opener != nil {
		return
	}
	args := []string{"dumpscan", "owners", dumpArg(s.File)}
	if g.Type != "" {
		args = append(args, "--type", g.Type)
	}
	f.Next = analysis.Step{Text: "see all that holds them, and what leads there", Args: append(args, o.Repeat...)}
	if holder.Class == "" && holder.Symbol == "" && holder.Module != "" {
		f.Next.Text = fmt.Sprintf("for the name of the class, give the symbols (-y) or the image (-i) of %s", holder.Module)
	}
}

// hunts reports whether the holders of a group's handles are to be looked for.
func (o *Options) hunts(g *Group) bool {
	return o.Owners == HuntAlways || o.Owners == HuntAuto && g.Opener == nil
}

// A holderHunt looks for the holders of the same groups in one dump or another,
// once in each.
type holderHunt struct {
	*Process
	o       *Options
	dumps   *dumpReader
	groups  map[int]*Group // by row
	labels  map[string]*Group
	reports map[*analysis.Snapshot]*owners.Report // nil without the memory
}

func newHolderHunt(p *Process, o *Options, dumps *dumpReader, groups []*Group) *holderHunt {
	h := &holderHunt{
		Process: p, o: o, dumps: dumps,
		groups: map[int]*Group{}, labels: map[string]*Group{}, reports: map[*analysis.Snapshot]*owners.Report{},
	}
	for _, g := range groups {
		for _, row := range g.rows {
			h.groups[row] = g
		}
	}
	return h
}

// covers reports whether the hunt looks for all that another one does.
func (h *holderHunt) covers(other *holderHunt) bool {
	for row, g := range other.groups {
		if h.groups[row] != g {
			return false
		}
	}
	return true
}

// system says which modules of a dump are the operating system's.
func (h *holderHunt) system(f *minidump.File) (func(*minidump.Module) bool, error) {
	list, _ := f.Modules() // a damaged list is among the problems of the search
	system, err := htrace.NewSystemModules(list, nil, h.o.System, h.o.NotSystem)
	if err != nil {
		return nil, err
	}
	return func(m *minidump.Module) bool {
		known, ok := system.Find(m.BaseOfImage) // of its own list
		return ok && system.IsSystem(known)
	}, nil
}

// first searches the first of the dumps that has the memory, unless that is the
// one to stop at.
func (h *holderHunt) first(ctx context.Context, snapshots func(yield func(int, *analysis.Snapshot) bool), stop *analysis.Snapshot) (*analysis.Snapshot, *owners.Report, error) {
	for _, s := range snapshots {
		if s == stop {
			break
		}
		report, err := h.find(ctx, s)
		if err != nil || report != nil {
			return s, report, err
		}
	}
	return nil, nil, nil
}

// find searches one dump; the report is nil if that lacks the memory.
func (h *holderHunt) find(ctx context.Context, s *analysis.Snapshot) (report *owners.Report, err error) {
	if report, known := h.reports[s]; known {
		return report, nil
	}
	options := owners.Options{Parts: analysis.KindParts, Progress: h.o.Progress}
	find := h.table.Finder()
	options.Group = func(handle *minidump.Handle) (string, bool) {
		row := find.Row(handle)
		g := h.groups[row]
		if g == nil {
			return "", false
		}
		label := strconv.Itoa(g.rows[0])
		h.labels[label] = g
		return label, true
	}
	err = h.dumps.with(ctx, h.Process, s, func(f *minidump.File) error {
		if h.o.Resolver != nil {
			r, err := h.o.Resolver(f)
			h.problem(s, err)
			if r != nil {
				defer r.Close()
			}
			options.Symbols, _ = r.(*symbol.Session) // only a session has image files, too
		}
		var err error
		if options.System, err = h.system(f); err != nil {
			return err
		}
		report, err = owners.Find(ctx, f, options)
		var missing *analysis.MissingError
		if errors.As(err, &missing) {
			return nil // another dump may have the memory
		}
		return err
	})
	h.reports[s] = report
	return report, err
}
