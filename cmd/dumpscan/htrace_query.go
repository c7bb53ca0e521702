package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// htraceQuery answers one call of the htrace command.
type htraceQuery struct {
	*app
	opts     *htraceFlags
	dump     *dump
	info     *analysis.DumpInfo
	trace    *htrace.Trace
	diff     *htrace.Diff
	earlier  *render.DumpHeader // with --diff
	window   time.Duration
	resolver *symbol.Session
	system   *htrace.SystemModules
	notes    []string
}

func (a *app) htrace(ctx context.Context, o *htraceFlags) error {
	d, err := a.open(ctx, o.dump)
	if err != nil {
		return err
	}
	defer d.Close()
	q := &htraceQuery{app: a, opts: o, dump: d, info: analysis.DescribeHeader(d.File)}
	if err := q.readTraces(ctx); err != nil {
		return err
	}
	session, err := a.resolver(d.File, &o.symbols)
	if session == nil {
		return err
	}
	defer session.Close()
	q.complainUnlessAbsent(d.name, err)
	q.resolver = session
	if err := q.sortModules(session.Modules().List()); err != nil {
		return err
	}
	if err := q.trace.Empty(); err != nil {
		q.note(err.Error())
	}
	switch {
	case o.calls:
		return q.calls(ctx)
	case o.format() == render.WinDbg, o.listing && o.format() == render.CSV:
		return q.list(ctx)
	}
	return q.report(ctx)
}

// sortModules tells the operating system's modules from the others.
func (q *htraceQuery) sortModules(modules []minidump.Module) (err error) {
	var unloaded []minidump.UnloadedModule
	if q.dump.Has(minidump.UnloadedModuleListStream) {
		unloaded, err = q.dump.UnloadedModules()
		q.complain(q.dump.name, err)
	}
	q.system, err = htrace.NewSystemModules(modules, unloaded, q.opts.system, q.opts.notSystem)
	if err != nil {
		return usageError{err}
	}
	q.system.RuntimeCode = symbol.NewRuntimeCode(q.dump.File, modules, unloaded)
	return nil
}

// report writes the table, or the same facts in another form.
func (q *htraceQuery) report(ctx context.Context) error {
	names, err := q.resolver.Resolve(ctx, q.trace.Addresses())
	if err != nil {
		return err
	}
	q.resolver.Fit(names, q.trace.Uses())
	q.trace.FindDuplicates(names)
	facts := render.TraceFacts{
		Dump: render.NewDumpHeader(q.dump.name, q.info), Trace: q.trace, Diff: q.diff, Earlier: q.earlier, Window: q.window,
		By: q.opts.by(), Frames: q.opts.frames, Names: names, System: q.system,
		Invocation: q.opts.invocation(), Notes: q.notes,
	}
	omitted := 0
	if q.opts.listing {
		var positions iter.Seq[int]
		positions, omitted = q.positions(ctx)
		facts.Operations = render.NewTraceOperations(q.trace, names, positions)
	} else {
		facts.Limit = int(q.opts.limit.n)
	}
	r := render.NewTraceReport(facts)
	r.Omitted += omitted
	q.omitted(q.opts.format(), r.Omitted, "group")
	if q.opts.pprof != "" && q.opts.pprof != "-" {
		return q.profile(r)
	}
	if err := q.write(r, q.opts.format()); err != nil {
		return err
	}
	return ctx.Err() // where operations are listed one by one
}

// list writes the text of !htrace, or the same operations as CSV.
func (q *htraceQuery) list(ctx context.Context) error {
	positions, omitted := q.positions(ctx)
	listed := make([]bool, q.trace.Stacks())
	for i := range positions {
		listed[q.trace.Operation(i).Stack] = true
	}
	var stacks []int
	for id, ok := range listed {
		if ok {
			stacks = append(stacks, id)
		}
	}
	names, err := q.resolver.Resolve(ctx, q.trace.AddressesOf(stacks))
	if err != nil {
		return err
	}
	q.resolver.Fit(names, q.trace.Uses())
	if q.trace.Len() > 0 {
		q.notef("%s: %s", q.dump.name, q.trace.OrderSentence())
	}
	if q.earlier != nil {
		for _, line := range q.diff.Sentences(q.earlier.File)[1:] { // the first is in the text
			q.notef("%s", line)
		}
	}
	if omitted > 0 {
		q.notef("--limit leaves %s out", words.Plural(omitted, "operation"))
	}
	r := &render.TraceListing{
		Dump: render.NewDumpHeader(q.dump.name, q.info), Parsed: q.trace.Len(),
		Diff: !q.opts.listing, New: q.diff.New, Operations: render.NewTraceOperations(q.trace, names, positions),
	}
	if err := q.write(r, q.opts.format()); err != nil {
		return err
	}
	return ctx.Err() // the operations end with it
}

// positions are those of the operations to list, the newest first, and how many
// --limit leaves out.
func (q *htraceQuery) positions(ctx context.Context) (positions iter.Seq[int], omitted int) {
	limit := int(q.opts.limit.n)
	if q.opts.listing {
		query := q.opts.query
		if limit == 0 {
			return q.trace.Select(ctx, query), 0
		}
		for range q.trace.Select(ctx, query) {
			omitted++
		}
		query.MaxTraces = limit
		return q.trace.Select(ctx, query), max(0, omitted-limit)
	}
	opens := q.diff.Outstanding
	if limit > 0 && limit < len(opens) {
		omitted = len(opens) - limit
		opens = opens[:limit]
	}
	return func(yield func(int) bool) {
		for i := range opens {
			if ctx.Err() != nil || !yield(opens[i].Position) {
				return
			}
		}
	}, omitted
}

// groups are those of the opens that the answer is about.
func (q *htraceQuery) groups(ctx context.Context) ([]htrace.Group, error) {
	names, err := q.resolver.Resolve(ctx, q.trace.Addresses())
	if err != nil {
		return nil, err
	}
	return q.trace.Group(q.diff.Outstanding, htrace.GroupOptions{By: q.opts.by(), Blame: q.trace.Blame(names, q.system)}), nil
}

// profile writes --pprof.
func (q *htraceQuery) profile(r *render.TraceReport) error {
	if err := q.stopped(); err != nil {
		return err
	}
	f, err := os.Create(q.opts.pprof)
	if err != nil {
		return err
	}
	if err := errors.Join(q.writeTo(f, r, render.Pprof, render.Style{}), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", q.opts.pprof, err)
	}
	_, err = fmt.Fprintf(q.stdout, "profile written; next: %s\n", words.Command("go", "tool", "pprof", "-top", pasted(q.opts.pprof)))
	return err
}

// note says something on stderr, or in JSON.
func (q *htraceQuery) note(text string) {
	q.notes = append(q.notes, q.app.notes(q.opts.format(), text)...)
}
