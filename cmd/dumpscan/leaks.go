package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

const leaksLong = `Judge whether a process leaks handles: the verdict in one sentence, then the
findings, each with its evidence and what to do next.

  dumpscan leaks w3wp.dmp                     one dump: a suspicion at most
  dumpscan leaks 1.dmp 2.dmp 3.dmp            a series: growth, rate, shape
  dumpscan leaks w3wp-*.dmp lsass-*.dmp       several processes

Dumps may be given in any order: time stamps bring them into theirs. Process id,
start time and main module tell processes apart; --force takes all dumps of
programs with one name for one process.

Handles are grouped by type, name, access and object state. Names that differ in
numbers, GUIDs or SIDs only are merged where there are more than 16 of them. Two
dumps show growth but not its shape; three tell a leak from a cache that fills
and a burst that drains, unless they are taken too early.

If a dump holds a handle trace, the places that opened the leaking handles are
named. If none does, and a dump holds the memory of the process, that is
searched for the objects that hold them; --owners says when.

FILE of --suppress holds groups that are known and accepted, one in a line:
[PROCESS!]TYPE[:NAME] and a comment behind "#". NAME is a text, a glob or
re:EXPR:

  w3wp.exe!Key:\REGISTRY\MACHINE\SOFTWARE\Classes   # ticket 4711

Exit codes: 0 nothing above info, 1 a suspicion or a leak, 2 the command line is
wrong, 3 a dump could not be read or holds no handles.`

type leaksFlags struct {
	markdown, json, force bool
	limit                 uint64
	owners, suppress      string
	symbols               symbolFlags
}

func (a *app) leaksCommand() *cobra.Command {
	o := &leaksFlags{}
	cmd := &cobra.Command{
		Use:   "leaks DUMP...",
		Short: "the verdict: does a process leak handles, which, how fast, and who opens them",
		Long:  leaksLong,
		Args:  cobra.MinimumNArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.leaks(ctx, args, o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.markdown, "markdown", false, "write Markdown, for a ticket")
	f.BoolVar(&o.json, "json", false, "write JSON")
	f.BoolVar(&o.force, "force", false, "take all dumps of programs with one name for one process")
	f.Uint64Var(&o.limit, "handle-limit", 0, "tell the time left until the process has this `number` of handles, instead of 16711680")
	f.StringVar(&o.owners, "owners", "auto", "`when` to search memory for the holders of leaking handles: auto, if no trace names who opened them; always; never")
	f.StringVar(&o.suppress, "suppress", "", "accept the groups that this `file` names")
	o.symbols.register(f)
	cmd.MarkFlagsMutuallyExclusive("markdown", "json")
	cmd.RegisterFlagCompletionFunc("owners", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// options checks the flags.
func (o *leaksFlags) options() (leaks.Options, error) {
	options := leaks.Options{Force: o.force, Limit: o.limit}
	switch o.owners {
	case "auto":
	case "always":
		options.Owners = leaks.HuntAlways
	case "never":
		options.Owners = leaks.HuntNever
	default:
		return options, usagef("--owners is %q; use auto, always or never", o.owners)
	}
	if o.suppress == "" {
		return options, nil
	}
	f, err := os.Open(o.suppress)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return options, fmt.Errorf("%s: %w", o.suppress, err)
	}
	defer f.Close()
	if options.Suppress, err = leaks.ParseSuppressions(f); err != nil {
		return options, usagef("%s: %w", o.suppress, err)
	}
	return options, nil
}

func (a *app) leaks(ctx context.Context, args []string, o *leaksFlags) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	dumps := &pool{app: a}
	defer dumps.close()
	var snapshots []*analysis.Snapshot
	var failed []string
	for _, name := range args {
		s, err := dumps.snapshot(ctx, name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = append(failed, err.Error())
			continue
		}
		snapshots = append(snapshots, s)
	}
	for _, f := range failed {
		a.errorf("%s", f)
		a.incomplete = true
	}
	if len(snapshots) == 0 {
		return nil // complained about above
	}
	options.Open = dumps.dump
	options.Resolver = func(f *minidump.File) (leaks.ResolveCloser, error) { return a.resolver(f, &o.symbols) }
	bar := a.progress("searching memory for the holders of handles")
	options.Progress = bar.update
	report, err := leaks.Find(ctx, snapshots, options)
	bar.finish()
	if err != nil {
		return err
	}
	r := &render.LeakReport{Report: report, Notes: leakNotes(report, o.suppress), Errors: failed}
	for _, p := range report.Processes {
		for _, problem := range p.Problems {
			r.Errors = append(r.Errors, a.complaints(problem.File, problem.Err)...)
		}
	}
	for _, s := range snapshots {
		for _, err := range s.Problems {
			r.Errors = append(r.Errors, a.complaints(s.File, err)...)
		}
	}
	if err := a.writeLeaks(r, o); err != nil {
		return err
	}
	if report.Verdict.Severity != leaks.SeverityInfo {
		return errFound
	}
	return nil
}

func (a *app) writeLeaks(r *render.LeakReport, o *leaksFlags) error {
	switch {
	case o.json:
		return r.JSON(a.stdout)
	case o.markdown:
		return r.Markdown(a.stdout)
	}
	return r.Text(a.stdout, a.style)
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

// leakNotes says what the verdict lacks.
func leakNotes(r *leaks.Report, suppress string) []string {
	var notes []string
	for _, p := range r.Processes {
		s := p.Series
		for _, n := range s.Notes {
			notes = append(notes, fmt.Sprintf("%s: %s", s, n))
		}
		if len(s.Forced) > 0 {
			notes = append(notes, fmt.Sprintf("%s: taken for one process (--force) although they differ: %s", s, strings.Join(s.Forced, "; ")))
		}
		if unknown := s.Unknown(); len(unknown) > 0 {
			notes = append(notes, fmt.Sprintf("%s: the dumps do not tell its %s", s, strings.Join(unknown, " and ")))
		}
		for _, snap := range s.Snapshots {
			if snap.Info.Writer.Name == analysis.WriterCrashpad {
				notes = append(notes, snap.File+": written by Crashpad, which never writes names of objects")
			}
		}
		if !s.Last().Info.Has(minidump.HandleOperationListStream) && accuses(r, s.ProcessIdentity) {
			notes = append(notes, fmt.Sprintf("%s: no handle trace, so nobody can be named; %s", s, analysis.CaptureTraces))
		}
	}
	for _, u := range r.Unmatched {
		notes = append(notes, fmt.Sprintf("%s, line %d: fits no finding: %s", suppress, u.Line, u.Text))
	}
	return notes
}

// accuses reports whether a finding about a process is above info.
func accuses(r *leaks.Report, p analysis.ProcessIdentity) bool {
	for _, f := range r.Findings {
		if f.Severity != leaks.SeverityInfo && f.Process == p {
			return true
		}
	}
	return false
}
