package leaks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// openerEvidence says who opened the handles of a finding.
func (f *Finding) openerEvidence(o *Options) {
	opener := f.Group.Opener
	if opener == nil {
		return
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("%s of the %s handles in %s were opened by %s at %s, by its handle trace; of %s that were opened there %s are still open",
		words.Count(opener.Opens), words.Count(opener.Of), opener.File, opener.Culprit.Name(), opener.Location.Place(), words.Count(opener.AllOpens), words.Count(opener.Opens)))
	const shown = 6
	for i, l := range opener.Frames[:min(len(opener.Frames), shown)] {
		f.Evidence = append(f.Evidence, fmt.Sprintf("frame %d: %s", i, l.Place()))
	}
	if f.Severity != SeverityInfo {
		f.Next = analysis.Step{
			Text: fmt.Sprintf("see why the handles opened at %s are not closed", opener.Location.Place()),
			Args: append([]string{"dumpscan", "htrace", opener.File, "--group", "function"}, o.Repeat...),
		}
	}
}

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
