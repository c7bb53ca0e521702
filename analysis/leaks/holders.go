package leaks

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// findHolders searches memory for the places that hold the accused handles, in
// the newest dump that has the memory.
func findHolders(ctx context.Context, p *Process, accused []*Finding, o *Options, dumps *dumpReader) error {
	groups := map[int]*Group{} // by row
	for _, f := range accused {
		if o.Owners == HuntNever || o.Owners == HuntAuto && f.Group.Opener != nil {
			continue
		}
		for _, row := range f.Group.rows {
			groups[row] = f.Group
		}
	}
	if len(groups) == 0 {
		return nil
	}
	labels := map[string]*Group{}
	find := p.table.Finder()
	options := owners.Options{Parts: analysis.KindParts, Progress: o.Progress}
	options.Group = func(h *minidump.Handle) (string, bool) {
		row := find.Row(h)
		g := groups[row]
		if g == nil {
			return "", false
		}
		label := strconv.Itoa(g.rows[0])
		labels[label] = g
		return label, true
	}
	for _, s := range slices.Backward(p.Series.Snapshots) {
		var report *owners.Report
		err := dumps.with(ctx, p, s, func(f *minidump.File) (err error) {
			if o.Resolver != nil {
				r, err := o.Resolver(f)
				p.problem(s, err)
				if r != nil {
					defer r.Close()
				}
				options.Symbols, _ = r.(*symbol.Session) // only a session has image files, too
			}
			report, err = owners.Find(ctx, f, options)
			var missing *analysis.MissingError
			if errors.As(err, &missing) {
				return nil // an older dump may have the memory
			}
			return err
		})
		if err != nil {
			return err
		}
		if report == nil {
			continue
		}
		for _, owner := range report.Owners {
			if g := labels[owner.Label]; g != nil {
				owner.Label = ""
				g.Holders = append(g.Holders, owner)
			}
		}
		break
	}
	for _, f := range accused {
		for _, h := range f.Group.Holders {
			f.Evidence = append(f.Evidence, h.Sentence()+"; "+h.Evidence())
		}
	}
	return nil
}
