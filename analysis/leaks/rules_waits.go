package leaks

import (
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/waits"
	"github.com/dumpscan/dumpscan/minidump"
)

// readWaits finds out which threads of the newest dump wait for which, if it has
// Mutants that they may own. Without names of functions there are no waits. The
// error is that of ctx.
func (p *Process) readWaits(ctx context.Context, o *Options, dumps *dumpReader) error {
	s := p.Series.Last()
	mutants := slices.ContainsFunc(p.Types, func(g Group) bool { return g.Type == "Mutant" && g.Last() > 0 })
	if o.Resolver == nil || !mutants {
		return nil
	}
	return dumps.with(ctx, p, s, func(f *minidump.File) error {
		names, err := o.Resolver(f)
		if names == nil {
			return err
		}
		defer names.Close()
		p.Waits, err = waits.Read(ctx, f, names, nil)
		return err
	})
}

// deadlock reports threads that wait for each other in a circle.
func deadlock(p *Process) (findings []Finding) {
	if p.Waits == nil {
		return nil
	}
	for _, c := range p.Waits.Chains {
		if !c.Closed {
			continue
		}
		findings = append(findings, Finding{
			Severity: SeverityInfo,
			Sentence: "a deadlock, unless one of the waits has a timeout: " + c.String(),
			Evidence: []string{"the handles are in the threads' registers or arguments (" + c.Waits[0].Evidence + "), their owners in the object information"},
			Next: analysis.Step{
				Text: "look at the stacks of the threads",
				Args: []string{"dumpscan", "stacks", dumpArg(p.Series.Last().File), "--all"},
			},
		})
	}
	return findings
}
