package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
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
into the text of !htrace. Both texts are those of a live session, byte for byte,
the newest operation first, as public transcripts have them. No transcript shows
an operation of an unknown kind, or an !htrace that lists nothing. A dump does
not say in which order it stores its operations: a note says what was found out.
Names depend on the symbols at hand, as they do in WinDbg.

The culprit of a stack is its first frame outside the operating system's
modules. --system and --not-system correct the list of these; both take globs
for the file name or path of a module, and can be given more than once. The name
of the nearest exported function is a guess, marked (export) in a stack: the
culprit's place is its module and offset then.`

// htraceFlags are the options of the command, and its arguments as parsed.
type htraceFlags struct {
	dump    string
	query   htrace.Query // HANDLE and MAX_TRACES
	listing bool         // HANDLE or --windbg: the operations

	diff                     string
	force, outstanding       bool
	group                    string
	types                    typeFlags
	name                     string
	filter                   htrace.Filter // types and name
	frames                   int
	limit                    limitFlag
	windbg, calls            bool
	oldestFirst, newestFirst bool
	system, notSystem        []string
	pprof                    string
	output                   output
	symbols                  symbolFlags
	given                    *pflag.FlagSet // all of these
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
	o.given = f
	f.StringVar(&o.diff, "diff", "", "what is new since this `dump` of the same process, and still open: !htrace -diff")
	f.BoolVar(&o.force, "force", false, "compare with --diff although the dumps seem to be of different processes")
	f.BoolVar(&o.outstanding, "outstanding", false, "everything in the trace that is still open, as !htrace -diff prints it")
	f.StringVar(&o.group, "group", "", "the table by this `property`: stack (the default), culprit, function, thread or type")
	o.types.register(f, "opens of handles of these `types`, in any case; None: without a type")
	f.StringVar(&o.name, "name", "", "opens of objects whose name has this `text`, fits this glob (* and ?), or re:EXPR")
	f.IntVar(&o.frames, "frames", 6, "print this `number` of frames of each group, and all down to the culprit; 0 none, -1 all")
	o.limit.register(f, "groups, or of operations where these are listed", 0)
	f.BoolVar(&o.windbg, "windbg", false, "the text of !htrace instead of the table")
	f.BoolVar(&o.calls, "calls", false, "function, source and destination of each call in the widest group's stack, or of HANDLE's last open")
	f.BoolVar(&o.oldestFirst, "oldest-first", false, "the dump stores the oldest operation first; found out by default")
	f.BoolVar(&o.newestFirst, "newest-first", false, "the dump stores the newest operation first; found out by default")
	f.StringArrayVar(&o.system, "system", nil, "modules that fit this `glob` belong to the operating system")
	f.StringArrayVar(&o.notSystem, "not-system", nil, "modules that fit this `glob` do not belong to the operating system")
	f.StringVar(&o.pprof, "pprof", "", "write a profile for \"go tool pprof\" to this `file`; - is standard output")
	o.symbols.register(f)
	formats := o.output.register(cmd, render.JSON, render.CSV, render.Folded)
	for _, other := range []string{"windbg", "pprof"} {
		cmd.MarkFlagsMutuallyExclusive(append([]string{other}, formats...)...)
	}
	cmd.MarkFlagsMutuallyExclusive("calls", "windbg", "pprof", "folded")
	cmd.MarkFlagsMutuallyExclusive("oldest-first", "newest-first")
	cmd.MarkFlagsMutuallyExclusive("diff", "outstanding")
	cmd.MarkFlagsMutuallyExclusive("group", "windbg")
	a.completeTypes(cmd)
	cmd.RegisterFlagCompletionFunc("group", cobra.FixedCompletions(
		[]string{"stack", "culprit", "function", "thread", "type"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// parse reads the arguments of !htrace and checks the options.
func (o *htraceFlags) parse(args []string) (err error) {
	o.dump = args[0]
	if o.query, err = htrace.ParseQuery(args[1:]); err != nil {
		return usageError{err}
	}
	o.listing = len(args) > 1 || o.windbg && o.diff == "" && !o.outstanding
	if o.filter.Name, err = namePattern(o.name); err != nil {
		return err
	}
	o.filter.Types = o.types
	if o.listing {
		if err := o.checkListing(); err != nil {
			return err
		}
	}
	if o.group != "" {
		if _, err := htrace.ParseGroupKey(o.group); err != nil {
			return usageError{err}
		}
	}
	switch {
	case o.force && o.diff == "":
		return usagef("--force goes with --diff")
	case o.frames < -1:
		return usagef("--frames is a number of frames, or -1 for all of them, not %d", o.frames)
	case o.limit.n > 0 && (o.calls || o.pprof != "" || o.output.format == render.Folded):
		return usagef("--limit cannot be combined with --calls, --folded or --pprof, which are not lists of groups")
	}
	return nil
}

// checkListing checks what goes with a listing of operations.
func (o *htraceFlags) checkListing() error {
	switch {
	case o.diff != "" || o.outstanding:
		return usagef("HANDLE cannot be combined with --diff or --outstanding")
	case o.group != "" || o.output.format == render.Folded || o.pprof != "":
		return usagef("HANDLE cannot be combined with --group, --folded or --pprof, which are about all handles")
	case len(o.types) > 0 || o.name != "":
		return usagef("--type and --name select opens that were never closed, and cannot be combined with HANDLE; with --outstanding they can")
	case o.limit.n > 0 && o.query.MaxTraces > 0:
		return usagef("MAX_TRACES and --limit exclude each other")
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

// format is the form of the answer.
func (o *htraceFlags) format() render.Format {
	switch {
	case o.pprof != "":
		return render.Pprof
	case o.output.format != render.Text || o.calls:
		return o.output.format
	case o.listing, o.group == "" && (o.diff != "" || o.outstanding):
		return render.WinDbg
	}
	return render.Text
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

// nameOptions say where names come from; whoever asks for the same names
// repeats them. Beside these the answer depends on answerOptions.
var (
	nameOptions   = []string{"symbols", "images", "loose", "raw-names", "offline"}
	answerOptions = []string{"force", "oldest-first", "newest-first", "group", "type", "name", "system", "not-system"}
)

// invocation is how to ask for more.
func (o *htraceFlags) invocation() htrace.Invocation {
	in := htrace.Invocation{File: pasted(o.dump), Symbols: repeated(o.given, nameOptions...)}
	if o.diff != "" {
		in.Options = []string{"--diff", pasted(o.diff)}
		if isStdin(o.diff) {
			in.File = ""
		}
	}
	in.Options = append(in.Options, repeated(o.given, answerOptions...)...)
	in.Options = append(in.Options, in.Symbols...)
	return in
}

// pasted is the name of a dump as an argument of a command to paste: not taken
// for an option, and "" if it is standard input, which cannot be read again.
func pasted(name string) string {
	switch {
	case isStdin(name):
		return ""
	case name[:1] == "-":
		return "./" + name
	}
	return name
}
