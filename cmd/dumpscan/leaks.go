package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

const leaksLong = `Judge whether a process leaks handles: the verdict in one sentence, then the
findings, each with its evidence and what to do next.

  dumpscan leaks w3wp.dmp                     one dump: a suspicion at most
  dumpscan leaks 1.dmp 2.dmp 3.dmp            a series: growth, rate, shape
  dumpscan leaks w3wp-*.dmp lsass-*.dmp       several processes

Dumps may be given in any order: time stamps bring them into theirs, or where the
clock was set back, the processor time of the process. Dumps with another process
id, start time or main module are of another process; --force takes all dumps of
programs with one name for one process.

Handles are grouped by type, name, access and object state. Names that differ in
numbers, GUIDs or SIDs only are merged where there are more than 16 of them. Two
dumps show growth but not its shape; three distinguish a leak from a cache that
fills and a burst that drains, unless they are taken too early.

If a dump holds a handle trace, the places that opened the leaking handles are
named. If none does, and a dump holds the memory of the process, that is
searched for the objects that hold them; --owners says when. With the memory of
two dumps these objects also say which of the values that stay are the same
handles, and which were closed and opened again.

FILE of --suppress holds groups that are known and accepted, one in a line:
[PROCESS!]TYPE[:NAME] and a comment behind "#". NAME is a text, a glob or
re:EXPR:

  w3wp.exe!Key:\REGISTRY\MACHINE\SOFTWARE\Classes   # ticket 4711

Exit codes: 0 nothing above info, 1 a suspicion or a leak, 2 the command line is
wrong, 3 a dump could not be read or holds no handles.`

type leaksFlags struct {
	output           output
	types            typeFlags
	name             string
	force            bool
	limit            limitFlag
	handleLimit      uint64
	owners, suppress string
	system           []string
	notSystem        []string
	symbols          symbolFlags
	repeat           []string
}

func (a *app) leaksCommand() *cobra.Command {
	o := &leaksFlags{}
	cmd := &cobra.Command{
		Use:   "leaks DUMP...",
		Short: "the verdict: does a process leak handles, which, how fast, and who opens them",
		Long:  leaksLong,
		Args:  cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		o.repeat = repeated(f, nameOptions...)
		return a.leaks(ctx, args, o)
	})
	o.output.register(cmd, render.JSON, render.CSV, render.Markdown)
	o.types.register(f, "judge handles of these `types` only, in any case; None: without a type")
	f.StringVar(&o.name, "name", "", "judge handles only whose object's name has this `text`, fits this glob (* and ?), or re:EXPR")
	o.limit.register(f, "findings", 0)
	f.BoolVar(&o.force, "force", false, "take all dumps of programs with one name for one process")
	f.Uint64Var(&o.handleLimit, "handle-limit", 0, "say when the process will have this `number` of handles, instead of 16711680")
	f.StringVar(&o.owners, "owners", "auto", "`when` to search memory for the holders of leaking handles: auto, if no trace names who opened them; always; never")
	f.StringVar(&o.suppress, "suppress", "", "accept the groups that this `file` names")
	f.StringArrayVar(&o.system, "system", nil, "modules that fit this `glob` belong to the operating system")
	f.StringArrayVar(&o.notSystem, "not-system", nil, "modules that fit this `glob` do not belong to the operating system")
	o.symbols.register(f)
	a.completeTypes(cmd)
	cmd.RegisterFlagCompletionFunc("owners", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// options checks the flags.
func (o *leaksFlags) options() (leaks.Options, error) {
	options := leaks.Options{
		Force: o.force, Limit: o.handleLimit, Types: o.types,
		System: o.system, NotSystem: o.notSystem, Repeat: o.repeat,
	}
	switch o.owners {
	case "auto":
	case "always":
		options.Owners = leaks.HuntAlways
	case "never":
		options.Owners = leaks.HuntNever
	default:
		return options, usagef("--owners is %q; use auto, always or never", o.owners)
	}
	var err error
	if o.name != "" {
		if options.Name, err = analysis.ParseNamePattern(o.name); err != nil {
			return options, usageError{err}
		}
	}
	if _, err := htrace.NewSystemModules(nil, nil, o.system, o.notSystem); err != nil {
		return options, usageError{err}
	}
	options.Suppress, err = readSuppressions(o.suppress)
	return options, err
}

// readSuppressions reads a file of suppressions; "" is none.
func readSuppressions(name string) ([]leaks.Suppression, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, openError(name, err)
	}
	defer f.Close()
	list, err := leaks.ParseSuppressions(f, name)
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return list, nil
}

func (a *app) leaks(ctx context.Context, args []string, o *leaksFlags) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	dumps := &pool{app: a}
	defer dumps.close()
	var snapshots []*analysis.Snapshot
	for _, name := range args {
		s, err := dumps.snapshot(ctx, name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a.complain("", err)
			continue
		}
		snapshots = append(snapshots, s)
	}
	if len(snapshots) == 0 {
		return nil // complained about above
	}
	options.Open = dumps.dump
	var unusable error
	options.Resolver = func(f *minidump.File) (leaks.ResolveCloser, error) {
		session, err := a.resolver(f, &o.symbols)
		if session == nil {
			unusable = err
			return nil, nil
		}
		if errors.Is(err, minidump.ErrNoStream) {
			err = nil // without modules there are addresses
		}
		return session, err
	}
	bar := a.progress("searching memory for the holders of handles")
	options.Progress = bar.update
	report, err := leaks.Find(ctx, snapshots, options)
	bar.finish()
	var unknown *analysis.UnknownTypeError
	switch {
	case unusable != nil:
		return unusable
	case errors.As(err, &unknown):
		return usagef("--type: %w", unknown)
	case err != nil:
		return err
	}
	a.leakProblems(report)
	r := render.NewLeakReport(report, int(o.limit.n))
	if err := a.write(r, o.output.format); err != nil {
		return err
	}
	if r.Omitted > 0 && o.output.format == render.CSV {
		a.notef("%s listed (--limit)", words.Of(len(r.Findings), len(report.Findings), "finding"))
	}
	if report.Verdict.Severity != leaks.SeverityInfo {
		return errFound
	}
	return nil
}

// leakProblems complains about what could not be read.
func (a *app) leakProblems(r *leaks.Report) {
	for _, p := range r.Processes {
		for _, problem := range p.Problems {
			a.complain(problem.File, problem.Err)
		}
		for _, s := range slices.Concat(p.Series.Snapshots, p.Partial) {
			for _, err := range s.Problems {
				a.complain(s.File, err)
			}
		}
	}
}

// snapshot counts the handles of a dump, or says why there are none.
func (p *pool) snapshot(ctx context.Context, name string) (*analysis.Snapshot, error) {
	d, done, err := p.get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer done()
	list, err := d.handles()
	if err != nil {
		return nil, err
	}
	if err := list.Empty(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err) // judging none would acquit anyone
	}
	s, err := analysis.LoadSnapshot(ctx, d.File, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
