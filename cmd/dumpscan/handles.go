package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
)

const handlesLong = `List the handles of a dump as WinDbg's !handle does.

With DUMP alone it prints the number of handles of each type. HANDLE, FLAGS and
TYPE are the arguments of !handle, numbers hexadecimal with or without 0x:

  dumpscan handles w3wp.dmp              the summary
  dumpscan handles w3wp.dmp 0 0          !handle 0 0
  dumpscan handles w3wp.dmp 0 ff Key     !handle 0 ff Key
  dumpscan handles w3wp.dmp 7e0 f        !handle 7e0 f

HANDLE is a value, or 0 or -1 for all. FLAGS is the sum of 1 type (the default),
2 attributes, access and counts, 4 name, 8 object specific information; f or ff
is everything, and 0 with all handles just the summary. TYPE is in any case.

--type, --name, --access, --unnamed and --state select handles and list them
whole; they can be combined with each other and with --group-by.`

// handlesFlags are the options of the command, and its arguments as parsed.
type handlesFlags struct {
	dump    string
	handle  uint64 // 0 all
	flags   render.HandleFlags
	listing bool // print handles, not just their number

	typ, name, access, state string
	unnamed                  bool
	sort                     string
	limit                    uint64
	groupBy                  string
	json, csv, windbg, hints bool
}

func (a *app) handlesCommand() *cobra.Command {
	o := &handlesFlags{}
	cmd := &cobra.Command{
		Use:   "handles DUMP [HANDLE [FLAGS [TYPE]]]",
		Short: "the handles of a dump: !handle",
		Long:  handlesLong,
		Args:  cobra.RangeArgs(1, 4),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.handles(ctx, args, o) }),
	}
	f := cmd.Flags()
	f.Var(&once{value: &o.typ}, "type", "handles of this `type`, in any case; None: without a type")
	f.StringVar(&o.name, "name", "", "handles whose object's name has this `text`, fits this glob (* and ?), or re:EXPR")
	f.StringVar(&o.access, "access", "", "handles with these rights: a hexadecimal `mask`, =mask for exactly it, or names")
	f.StringVar(&o.state, "state", "", "handles whose object is in this `state`: set, waiting, owned, free, abandoned, exited ...")
	f.BoolVar(&o.unnamed, "unnamed", false, "handles whose object has no name")
	f.StringVar(&o.sort, "sort", "", "order: handle, type, name, access, handlecount or pointercount; with the summary or --group-by: count or type")
	f.Uint64Var(&o.limit, "limit", 0, "print at most this `number` of handles or groups")
	f.StringVar(&o.groupBy, "group-by", "", "count by these `properties`: type, name, access, or several joined by commas")
	f.BoolVar(&o.json, "json", false, "write JSON")
	f.BoolVar(&o.csv, "csv", false, "write CSV")
	f.BoolVar(&o.windbg, "windbg", false, "exactly as WinDbg: types that it does not know count as None")
	f.BoolVar(&o.hints, "hints", false, "say in a sentence which type dominates, also if stdout is no terminal")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions([]string{
		"handle", "type", "name", "access", "handlecount", "pointercount", "count"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// parse reads the arguments of !handle and builds the filter.
func (o *handlesFlags) parse(args []string) (*analysis.HandleFilter, error) {
	o.dump, o.flags = args[0], render.ShowAll
	filter := &analysis.HandleFilter{Unnamed: o.unnamed}
	if len(args) > 1 {
		h, err := analysis.ParseHex(args[1])
		if err != nil {
			return nil, usagef("HANDLE: %v", err)
		}
		if !allHandles(h) {
			o.handle, filter.Handle = h, h
		}
		o.flags, o.listing = render.ShowType, true
	}
	if len(args) > 2 {
		flags, err := analysis.ParseHex(args[2])
		if err != nil {
			return nil, usagef("FLAGS: %v", err)
		}
		o.flags = render.HandleFlags(flags)
		o.listing = o.handle != 0 || flags != 0
	}
	if len(args) > 3 {
		if o.typ != "" && !strings.EqualFold(o.typ, args[3]) {
			return nil, usagef("TYPE is %s, but --type says %s", args[3], o.typ)
		}
		o.typ = args[3]
	}
	if o.typ != "" || o.name != "" || o.access != "" || o.state != "" || o.unnamed {
		if len(args) == 1 {
			o.listing = true
		}
	}
	return filter, o.selection(filter)
}

// selection adds the options to the filter.
func (o *handlesFlags) selection(filter *analysis.HandleFilter) (err error) {
	if o.typ != "" {
		filter.Type = &o.typ
	}
	if o.name != "" {
		if filter.Name, err = analysis.ParseNamePattern(o.name); err != nil {
			return usageError{err}
		}
	}
	if o.access != "" {
		if filter.Access, err = analysis.ParseAccess(analysis.CanonicalType(o.typ), o.access); err != nil {
			return usageError{err}
		}
	}
	if o.state != "" {
		if err := analysis.CheckState(o.state); err != nil {
			return usageError{err}
		}
		filter.State = o.state
	}
	if o.name != "" && o.unnamed {
		return usagef("--name and --unnamed exclude each other")
	}
	return nil
}

func (a *app) handles(ctx context.Context, args []string, o *handlesFlags) error {
	filter, err := o.parse(args)
	if err != nil {
		return err
	}
	by, err := o.grouping()
	if err != nil {
		return err
	}
	d, err := a.open(ctx, o.dump)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.handles()
	if err != nil {
		return err
	}
	q := &handleQuery{app: a, ctx: ctx, opts: o, dump: d, data: list, filter: filter, by: by}
	return q.run()
}

func (o *handlesFlags) grouping() (analysis.GroupKey, error) {
	if o.groupBy == "" {
		return 0, nil
	}
	by, err := analysis.ParseGroupKey(o.groupBy)
	if err != nil {
		return 0, usageError{err}
	}
	return by, nil
}

// notes explains what in these handles is easily misread.
func handleNotes(d *dump, list *analysis.HandleList, s *analysis.HandleSummary) []string {
	var notes []string
	if err := list.Empty(); err != nil {
		notes = append(notes, err.Error())
	}
	if analysis.DetectWriter(d.File).Name == analysis.WriterCrashpad {
		notes = append(notes, "written by Crashpad, which never writes names of objects")
	}
	if s.UntypedEtw > 0 {
		notes = append(notes, fmt.Sprintf("%d handles have no type but access 0x804: probably EtwRegistration, "+
			"which cannot be duplicated; they are counted as None", s.UntypedEtw))
	}
	return notes
}
