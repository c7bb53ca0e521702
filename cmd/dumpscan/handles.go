package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
)

const handlesLong = `List the handles of a dump as WinDbg's !handle does.

With DUMP alone it prints the number of handles of each type. HANDLE, FLAGS and
TYPE are the arguments of !handle, numbers hexadecimal with or without 0x:

  dumpscan handles w3wp.dmp              the summary
  dumpscan handles w3wp.dmp 0 0          !handle 0 0
  dumpscan handles w3wp.dmp 0 ff Key     !handle 0 ff Key
  dumpscan handles w3wp.dmp 7e0 f        !handle 7e0 f

HANDLE is a value, or 0 or -1 for all; its two low bits do not matter, so that 1
is the value 0. FLAGS is the sum of 1 type (the default), 2 attributes, access and counts, 4 name, 8
object specific information; f or ff is everything, and 0 with all handles just
the summary. TYPE is in any case.

--type, --name, --access, --unnamed and --state select handles and list them
whole; they can be combined with each other and with --group-by.

--access takes a hexadecimal mask, all of whose bits must be granted, =MASK for
exactly that mask, or names joined by commas: WinDbg's (QueryValue), the
constants of the headers (KEY_QUERY_VALUE), and those for several rights
(KEY_READ, EVENT_ALL_ACCESS, GENERIC_WRITE). A name means the right of the types
that have it.

--group-by counts handles that agree in all of its properties. "object" groups
handles to one object, by its name, by the id of its thread or process, or, as a
guess, by an equal number of handles to it; "process" is the one that owns the
mutant, thread or process.`

// handlesFlags are the options of the command.
type handlesFlags struct {
	selection
	access, state string
	unnamed       bool
	sort          string
	limit         limitFlag
	groupBy       string
	windbg, hints bool
	output        output
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
	o.selection.register(f, "list")
	f.StringVar(&o.access, "access", "", "list handles with these `rights`: a hexadecimal mask, =mask for exactly it, or names")
	f.StringVar(&o.state, "state", "", "list handles whose object is in this `state`: "+strings.Join(analysis.StateWords(), ", "))
	f.BoolVar(&o.unnamed, "unnamed", false, "list handles whose object has no name")
	f.StringVar(&o.sort, "sort", "", "`order`: "+strings.Join(analysis.HandleOrders(), ", ")+"; of the summary: count or type; of groups: count, type or name")
	o.limit.register(f, "handles, groups or types", 0)
	f.StringVar(&o.groupBy, "group-by", "", "count by these `properties`: "+strings.Join(analysis.GroupWords(), ", ")+", or several joined by commas")
	f.BoolVar(&o.windbg, "windbg", false, "exactly as WinDbg: types that it does not know count as None")
	f.BoolVar(&o.hints, "hints", false, "say in a sentence which type dominates, also if stdout is no terminal")
	o.output.register(cmd, render.JSON, render.CSV)
	cmd.MarkFlagsMutuallyExclusive("name", "unnamed")
	cmd.ValidArgsFunction = a.completeHandleArgs
	a.completeHandles(cmd)
	return cmd
}

// A handleQuestion is what a command line of the command asks for.
type handleQuestion struct {
	*handlesFlags
	*analysis.HandleQuery
	dump   string
	filter analysis.HandleFilter
	by     analysis.GroupKey // 0: no groups
}

// parse reads a command line.
func (o *handlesFlags) parse(args []string) (*handleQuestion, error) {
	query, err := analysis.ParseHandleQuery(args[1:])
	if err != nil {
		return nil, usageError{err}
	}
	q := &handleQuestion{handlesFlags: o, HandleQuery: query, dump: args[0]}
	if q.filter, err = o.filter(); err != nil {
		return nil, err
	}
	if query.Type != "" {
		if len(o.types) > 0 && !slices.ContainsFunc(o.types, func(t string) bool { return strings.EqualFold(t, query.Type) }) {
			return nil, usagef("TYPE is %s, but --type says %s", query.Type, words.List(o.types...))
		}
		q.filter.Types = []string{query.Type}
	}
	q.filter.OneHandle, q.filter.Handle = query.OneHandle, query.Handle
	q.filter.Unnamed, q.filter.State = o.unnamed, o.state
	if o.access != "" {
		if q.filter.Access, err = analysis.ParseAccess(o.access, q.filter.Types...); err != nil {
			return nil, usageError{err}
		}
	}
	if o.state != "" {
		if err := analysis.CheckState(o.state); err != nil {
			return nil, usageError{err}
		}
	}
	if o.groupBy != "" {
		if q.by, err = analysis.ParseGroupKey(o.groupBy); err != nil {
			return nil, usageError{err}
		}
	}
	// Whoever selects handles wants to see them.
	if len(args) == 1 && (len(o.types) > 0 || o.name != "" || o.access != "" || o.state != "" || o.unnamed) {
		q.Listing = true
	}
	return q, nil
}

func (a *app) handles(ctx context.Context, args []string, o *handlesFlags) error {
	q, err := o.parse(args)
	if err != nil {
		return err
	}
	d, err := a.open(ctx, q.dump)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.handles()
	if err != nil {
		return err
	}
	if err := checkTypes(ctx, q.filter.Types, list); err != nil {
		return err
	}
	answer := &handleAnswer{app: a, q: q, dump: d, list: list, selected: list.Select(q.filter)}
	return answer.write(ctx)
}

// checkTypes makes a type that nobody knows a mistake of the command line.
func checkTypes(ctx context.Context, types []string, lists ...*analysis.HandleList) error {
	err := analysis.CheckTypes(ctx, types, lists...)
	if err != nil && ctx.Err() == nil {
		return usageError{err}
	}
	return err
}
