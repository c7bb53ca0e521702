package main

import (
	"context"
	"errors"
	"fmt"
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
	names    symbol.Names // of the trace
	system   *htrace.SystemModules
	notes    []string
	errors   []string
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
	if !errors.Is(err, minidump.ErrNoStream) {
		q.problem(d.name, err)
	}
	q.resolver = session
	if err := q.sortModules(session.Modules().List()); err != nil {
		return err
	}
	if q.trace.Len() == 0 {
		q.note("the dump has a list of handle operations, but it is empty; " + analysis.CaptureTraces)
	}
	if q.names, err = session.Resolve(ctx, q.addresses()); err != nil {
		return err
	}
	return q.answer(ctx)
}

// addresses are those that are to be named: of a listing only what it lists.
func (q *htraceQuery) addresses() []minidump.VA {
	o := q.opts
	if !o.listing || o.json || o.csv || o.folded || o.calls || o.pprof != "" {
		return q.trace.Addresses()
	}
	var stacks []int
	for _, i := range q.operations() {
		stacks = append(stacks, q.trace.Operation(i).Stack)
	}
	return q.trace.AddressesOf(stacks)
}

// sortModules tells the operating system's modules from the others.
func (q *htraceQuery) sortModules(modules []minidump.Module) (err error) {
	var unloaded []minidump.UnloadedModule
	if q.dump.Has(minidump.UnloadedModuleListStream) {
		unloaded, err = q.dump.UnloadedModules()
		q.problem(q.dump.name, err)
	}
	q.system, err = htrace.NewSystemModules(modules, unloaded, q.opts.system, q.opts.notSystem)
	if err != nil {
		return usageError{err}
	}
	return nil
}

// answer writes what was asked for.
func (q *htraceQuery) answer(ctx context.Context) error {
	o := q.opts
	switch {
	case o.calls:
		return q.calls(ctx)
	case o.json:
		return q.report().JSON(q.stdout)
	case o.csv:
		return q.report().CSV(q.stdout)
	case o.folded:
		return q.report().Folded(q.stdout)
	case o.pprof != "":
		return q.profile()
	}
	text := render.NewTraceText(q.stdout, q.dump.PointerSize(), q.names)
	switch {
	case o.listing:
		q.orderNote()
		return text.List(q.trace, o.handle, o.maxTraces)
	case o.group == "" && (o.diff != "" || o.outstanding):
		q.orderNote()
		q.overlapNote()
		return text.Diff(q.trace, q.diff, o.maxTraces)
	}
	return q.report().Table(q.stdout, render.TraceTableOptions{Frames: o.frames, Limit: o.limit, Style: q.style})
}

// report collects the facts.
func (q *htraceQuery) report() *render.TraceReport {
	q.trace.FindDuplicates(q.names)
	r := &render.TraceReport{
		Dump: render.NewDumpHeader(q.dump.name, q.info), Trace: q.trace, Diff: q.diff, Earlier: q.earlier, Window: q.window,
		By: q.opts.by(), Names: q.names, System: q.system, Notes: q.notes, Errors: q.errors,
	}
	r.Groups = q.groups(r.By)
	r.Anomalies = q.trace.GroupAnomalies(q.names, q.system)
	if q.opts.listing && q.opts.json {
		r.Operations = q.operations()
	}
	return r
}

func (q *htraceQuery) groups(by htrace.GroupKey) []htrace.Group {
	return q.trace.Group(q.diff.Outstanding, htrace.GroupOptions{
		By: by, Names: q.names, System: q.system, Window: q.window,
	})
}

// operations are the positions that HANDLE and MAX_TRACES select, the newest
// first.
func (q *htraceQuery) operations() []int {
	positions := []int{}
	for i := q.trace.Len() - 1; i >= 0; i-- {
		if q.opts.maxTraces > 0 && len(positions) == q.opts.maxTraces {
			break
		}
		if q.opts.handle == 0 || q.trace.Operation(i).Handle == q.opts.handle {
			positions = append(positions, i)
		}
	}
	return positions
}

// profile writes --pprof; "-" is standard output.
func (q *htraceQuery) profile() error {
	if q.opts.pprof == "-" {
		return q.report().Profile(q.stdout)
	}
	f, err := os.Create(q.opts.pprof)
	if err != nil {
		return err
	}
	if err := errors.Join(q.report().Profile(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", q.opts.pprof, err)
	}
	_, err = fmt.Fprintf(q.stdout, "profile written; next: go tool pprof -top %s\n", words.ShellQuote(q.opts.pprof))
	return err
}

// orderNote says in which order the operations were stored, which WinDbg's
// text does not.
func (q *htraceQuery) orderNote() {
	if q.trace.Len() > 0 {
		q.notef("%s: %s", q.dump.name, render.TraceOrderSentence(q.trace))
	}
}

// overlapNote says that a diff is not complete.
func (q *htraceQuery) overlapNote() {
	if q.diff.Earlier > 0 && q.diff.Overlap == 0 {
		q.notef("no operation is in both dumps: the ring has turned over between them, and opens in between may be missing")
	}
}

// note tells something on stderr, and in JSON.
func (q *htraceQuery) note(text string) {
	q.notes = append(q.notes, text)
	if !q.opts.json {
		q.notef("%s", text)
	}
}

// problem is complain, and reports in JSON too.
func (q *htraceQuery) problem(file string, err error) {
	if err != nil {
		q.errors = append(q.errors, err.Error())
		q.complain(file, err)
	}
}
