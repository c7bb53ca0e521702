package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/render"
)

const checkLong = `Hold the handles of dumps against limits and a baseline, for continuous
integration.

  dumpscan check w3wp.dmp --max Key=5000 --max total=20000
  dumpscan check before.dmp after.dmp --max-growth Event=+100 --max-rate 50/h
  dumpscan check healthy.dmp --write-baseline baseline.json
  dumpscan check new.dmp --baseline baseline.json --tolerance 10%+20 --junit handles.xml

A limit is SUBJECT=N. SUBJECT is a type of objects in any case (None: handles
without one), total for all handles, or each for every type by itself, which is
also what a limit without SUBJECT means. A colon and a pattern behind it count
handles with such names only: 'Key:\REGISTRY\MACHINE\*=100'; see --name of
dumpscan handles. --max-growth takes +N, or +N% of the first dump; --max-rate
takes N/s, N/min, N/h or N/d. Options for limits can be repeated.

--max and --baseline concern every dump by itself, --max-growth and --max-rate
the first and the last in the order of dumpscan leaks: by their time stamps, or
where the clock was set back, by the processor time of the process.

A baseline is what a healthy process has, by type and by group; numbers, GUIDs,
SIDs and the like in names do not matter. With several dumps it has the most of
each. A type or group may exceed it by the tolerance, a part of its count and a
number of handles together.

Exit codes: 0 everything is within its limits; 1 a limit or the baseline is
exceeded: the output names the group that caused it; 2 the command line is
wrong; 3 a dump cannot answer, or not all of it could be read.`

// checkFlags are the options of the command.
type checkFlags struct {
	max, growth, rate       []string
	baseline, writeBaseline string
	tolerance               string
	force                   bool
	github                  bool
	output                  output
	junit                   string
}

func (a *app) checkCommand() *cobra.Command {
	o := &checkFlags{}
	cmd := &cobra.Command{
		Use:   "check DUMP...",
		Short: "hold dumps against limits and a baseline: the gate for continuous integration",
		Long:  checkLong,
		Args:  cobra.MinimumNArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.check(ctx, args, o) }),
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.max, "max", nil, "most handles in a dump, as `SUBJECT=N`")
	f.StringArrayVar(&o.growth, "max-growth", nil, "most handles more in the last dump than in the first, as `SUBJECT=+N`")
	f.StringArrayVar(&o.rate, "max-rate", nil, "fastest growth from the first to the last dump, as `SUBJECT=N/h`")
	f.StringVar(&o.baseline, "baseline", "", "compare with this `file`")
	f.StringVar(&o.tolerance, "tolerance", check.DefaultTolerance, "how far the baseline may be exceeded, as a `tolerance`: 10%, +20, or both as 10%+20")
	f.StringVar(&o.writeBaseline, "write-baseline", "", "write what the dumps have to this `file`")
	f.BoolVar(&o.force, "force", false, "measure growth also between dumps of several runs of one program")
	o.output.register(cmd, render.JSON)
	f.BoolVar(&o.github, "github", false, "write annotations for GitHub Actions below the text")
	f.StringVar(&o.junit, "junit", "", "write JUnit XML to this `file` too; -: to stdout, instead of text")
	cmd.MarkFlagsMutuallyExclusive("json", "github")
	return cmd
}

// parse reads the options that say what is checked. It does not read files.
func (o *checkFlags) parse(dumps int) (*check.Gate, error) {
	c := &check.Gate{Force: o.force}
	for _, kind := range []struct {
		kind  check.LimitKind
		texts []string
	}{{check.LimitCount, o.max}, {check.LimitGrowth, o.growth}, {check.LimitRate, o.rate}} {
		for _, text := range kind.texts {
			l, err := check.ParseLimit(kind.kind, text)
			if err != nil {
				return nil, usagef("--%s: %w", kind.kind, err)
			}
			if kind.kind != check.LimitCount && dumps < 2 {
				return nil, usagef("--%s needs two dumps or more", kind.kind)
			}
			c.Limits = append(c.Limits, l)
		}
	}
	if o.junit == "-" && (o.output.format == render.JSON || o.github) {
		return nil, usagef("--junit - excludes --json and --github: there is one stdout")
	}
	if len(c.Limits) == 0 && o.baseline == "" && o.writeBaseline == "" {
		return nil, usagef("nothing to check: give --max, --max-growth, --max-rate or --baseline")
	}
	var err error
	if c.Tolerance, err = check.ParseTolerance(o.tolerance); err != nil {
		return nil, usagef("--tolerance: %w", err)
	}
	return c, nil
}
