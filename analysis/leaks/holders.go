package leaks

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/minidump"
)

// openerEvidence says who opened the handles of a finding.
func (f *Finding) openerEvidence() {
	o := f.Group.Opener
	if o == nil {
		return
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("%s of the %s handles in %s were opened by %s at %s, by its handle trace; of %s that were opened there %s are still open",
		number(o.Opens), number(o.Of), o.File, o.Culprit.Name(), place(o.Location), number(o.AllOpens), number(o.Opens)))
	const shown = 6
	for i, l := range o.Frames[:min(len(o.Frames), shown)] {
		f.Evidence = append(f.Evidence, fmt.Sprintf("frame %d: %s", i, place(l)))
	}
	if f.Severity != SeverityInfo {
		f.Next = fmt.Sprintf("see why the handles opened at %s are not closed: dumpscan htrace %s --group function", o.Location, shellWord(o.File))
	}
}

// findHolders searches memory for the places that hold the accused handles, in
// the newest dump that has the memory.
func findHolders(ctx context.Context, p *Process, accused []*Finding, o *Options) error {
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
	for i := len(p.Series.Snapshots) - 1; i >= 0; i-- {
		s := p.Series.Snapshots[i]
		report, err := owners.Find(ctx, s.Dump(), options)
		var unanswered *owners.UnansweredError
		switch {
		case errors.As(err, &unanswered):
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.Problem(err)
			continue
		}
		for _, owner := range report.Owners {
			if g := labels[owner.Label]; g != nil {
				g.Holders = append(g.Holders, owner)
			}
		}
		break
	}
	for _, f := range accused {
		for _, h := range f.Group.Holders {
			f.Evidence = append(f.Evidence, holderSentence(&h))
		}
	}
	return nil
}

func holderSentence(o *owners.Owner) string {
	where := o.Address.String()
	if o.Module != "" {
		where = fmt.Sprintf("%s+%#x", o.Module, o.ModuleOffset)
	}
	if o.Class != "" {
		where += " (" + o.Class + ")"
	}
	return fmt.Sprintf("%s of %s sit at +%#x of objects whose first word is %s; by chance %s would (confidence %.4f)",
		number(o.Handles), number(o.Of), o.FieldOffset, where, decimal(o.ExpectedByChance), o.Confidence)
}
