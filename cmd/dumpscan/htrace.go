package main

import (
	"context"
	"math"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
)

const htraceLong = `Find out who opened the handles that are still open.

The dump must hold a trace of handle operations: run the process under
Application Verifier's Handles check or "!htrace -enable", then ".dump /mh".

With DUMP alone it prints a table: the opens that were never closed, grouped by
stack, the widest group first, each with the module to blame. HANDLE and
MAX_TRACES are the arguments of !htrace, hexadecimal with or without 0x:

  dumpscan htrace w3wp.dmp                     the table
  dumpscan htrace w3wp.dmp 0                   !htrace
  dumpscan htrace w3wp.dmp 7e0 10              !htrace 7e0 10
  dumpscan htrace w3wp.dmp --diff before.dmp   !htrace -diff
  dumpscan htrace w3wp.dmp --outstanding       the same from the beginning of the trace

--group turns --diff into the table of what is new; --windbg turns the table
into the text of !htrace. Both texts are WinDbg's byte for byte, the newest
operation first.

The culprit of a stack is its first frame outside the operating system's
modules. --system and --not-system correct the list of these; both take globs
for the file name or path of a module, and can be given more than once.`

// htraceFlags are the options of the command, and its arguments as parsed.
type htraceFlags struct {
	dump      string
	handle    uint64 // 0 all
	maxTraces int    // 0 all
	listing   bool   // HANDLE or --windbg: the text of !htrace

	diff                     string
	force, outstanding       bool
	group                    string
	frames, limit            int
	windbg, calls            bool
	oldestFirst, newestFirst bool
	system, notSystem        []string
	pprof                    string
	folded, csv, json        bool

	symbols symbolFlags
}

func (a *app) htraceCommand() *cobra.Command {
	o := &htraceFlags{}
	cmd := &cobra.Command{
		Use:   "htrace DUMP [HANDLE [MAX_TRACES]]",
		Short: "who opened the handles that are still open: !htrace",
		Long:  htraceLong,
		Args:  cobra.RangeArgs(1, 3),
		RunE: runE(func(ctx context.Context, args []string) error {
			if err := o.parse(args); err != nil {
				return err
			}
			return a.htrace(ctx, o)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.diff, "diff", "", "what is new since this `dump` of the same process, and still open: !htrace -diff")
	f.BoolVar(&o.force, "force", false, "compare with --diff although the dumps seem to be of different processes")
	f.BoolVar(&o.outstanding, "outstanding", false, "everything in the trace that is still open, as !htrace -diff prints it")
	f.StringVar(&o.group, "group", "", "the table by this `property`: stack (the default), culprit, function, thread or type")
	f.IntVar(&o.frames, "frames", 6, "print this `number` of frames of each group, and all down to the culprit; 0 none, -1 all")
	f.IntVar(&o.limit, "limit", 0, "print at most this `number` of groups")
	f.BoolVar(&o.windbg, "windbg", false, "the text of !htrace instead of the table")
	f.BoolVar(&o.calls, "calls", false, "function, source and destination of each call in the widest group's stack, or of HANDLE's last open")
	f.BoolVar(&o.oldestFirst, "oldest-first", false, "the dump stores the oldest operation first; found out by default")
	f.BoolVar(&o.newestFirst, "newest-first", false, "the dump stores the newest operation first; found out by default")
	f.StringArrayVar(&o.system, "system", nil, "modules that fit this `glob` belong to the operating system")
	f.StringArrayVar(&o.notSystem, "not-system", nil, "modules that fit this `glob` do not")
	f.StringVar(&o.pprof, "pprof", "", "write a profile for \"go tool pprof\" to this `file`")
	f.BoolVar(&o.folded, "folded", false, "write folded stacks for flame-graph tools")
	f.BoolVar(&o.csv, "csv", false, "write CSV")
	f.BoolVar(&o.json, "json", false, "write JSON")
	o.symbols.register(f)
	cmd.MarkFlagsMutuallyExclusive("json", "csv", "folded", "windbg", "calls", "pprof")
	cmd.MarkFlagsMutuallyExclusive("oldest-first", "newest-first")
	cmd.MarkFlagsMutuallyExclusive("diff", "outstanding")
	cmd.MarkFlagsMutuallyExclusive("group", "windbg")
	cmd.RegisterFlagCompletionFunc("group", cobra.FixedCompletions(
		[]string{"stack", "culprit", "function", "thread", "type"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// parse reads the arguments of !htrace.
func (o *htraceFlags) parse(args []string) error {
	o.dump = args[0]
	o.listing = o.windbg && o.diff == "" && !o.outstanding
	if len(args) > 1 {
		h, err := analysis.ParseHex(args[1])
		if err != nil {
			return usagef("HANDLE: %v", err)
		}
		if !analysis.AllHandles(h) {
			o.handle = h
		}
		o.listing = true
		switch {
		case o.diff != "" || o.outstanding:
			return usagef("HANDLE cannot be combined with --diff or --outstanding")
		case o.group != "" || o.csv || o.folded || o.pprof != "":
			return usagef("HANDLE cannot be combined with --group, --csv, --folded or --pprof, which are about all handles")
		}
	}
	if len(args) > 2 {
		n, err := analysis.ParseHex(args[2])
		if err != nil {
			return usagef("MAX_TRACES: %v", err)
		}
		o.maxTraces = int(min(n, math.MaxInt32))
	}
	if o.group != "" {
		if _, err := htrace.ParseGroupKey(o.group); err != nil {
			return usageError{err}
		}
	}
	if o.force && o.diff == "" {
		return usagef("--force goes with --diff")
	}
	if o.frames < -1 {
		return usagef("--frames is a number of frames, or -1 for all of them, not %d", o.frames)
	}
	return nil
}

// by is the property to group by.
func (o *htraceFlags) by() htrace.GroupKey {
	if o.group == "" {
		return htrace.ByStack
	}
	return htrace.GroupKey(o.group)
}

// order is what the user says about the order of the operations.
func (o *htraceFlags) order() htrace.Order {
	switch {
	case o.oldestFirst:
		return htrace.OldestFirst
	case o.newestFirst:
		return htrace.NewestFirst
	}
	return ""
}
