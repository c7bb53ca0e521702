package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// htraceQuery answers one call of the htrace command.
type htraceQuery struct {
	*app
	opts     *htraceFlags
	dump     *dump
	info     *analysis.DumpInfo
	trace    *analysis.Trace
	diff     *analysis.TraceDiff
	earlier  *render.DumpHeader // with --diff
	window   time.Duration
	resolver *symbol.Session
	system   *analysis.SystemModules
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
	if q.trace, err = q.read(d, o.order()); err != nil {
		return err
	}
	session, err := a.resolver(ctx, d, &o.symbols)
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
	if err := q.compare(ctx); err != nil {
		return err
	}
	if q.trace.Len() == 0 {
		q.note("the dump has a list of handle operations, but it is empty; " + analysis.CaptureTraces)
	}
	return q.answer()
}

// read replays the trace of a dump; what could not be read is complained about.
func (q *htraceQuery) read(d *dump, order analysis.TraceOrder) (*analysis.Trace, error) {
	t, err := analysis.ReadTrace(d.File, order)
	if errors.Is(err, minidump.ErrNoStream) && t == nil {
		return nil, noTraceError{fmt.Errorf("%s: no handle operations in this dump; %s", d.name, analysis.CaptureTraces)}
	}
	if t == nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	q.problem(d.name, err)
	return t, nil
}

// sortModules tells the operating system's modules from the others.
func (q *htraceQuery) sortModules(modules []minidump.Module) (err error) {
	var unloaded []minidump.UnloadedModule
	if q.dump.Has(minidump.UnloadedModuleListStream) {
		unloaded, err = q.dump.UnloadedModules()
		q.problem(q.dump.name, err)
	}
	q.system, err = analysis.NewSystemModules(modules, unloaded, q.opts.system, q.opts.notSystem)
	if err != nil {
		return usageError{err}
	}
	return nil
}

// compare fills in what the report is about: the whole trace, or what is new
// in it since another dump.
func (q *htraceQuery) compare(ctx context.Context) error {
	if q.opts.diff == "" {
		q.diff, q.window = q.trace.All(), q.info.Uptime
		return nil
	}
	d, err := q.open(ctx, q.opts.diff)
	if err != nil {
		return err
	}
	defer d.Close()
	info := analysis.DescribeHeader(d.File)
	if differ := analysis.SameProcess(info, q.info); len(differ) > 0 {
		what := fmt.Sprintf("%s and %s: %s", d.name, q.dump.name, strings.Join(differ, "; "))
		if !q.opts.force {
			return fmt.Errorf("%s; these are no two dumps of one process, the earlier one after --diff (--force compares them all the same)", what)
		}
		q.note(what)
	}
	header := render.NewDumpHeader(d.name, info)
	q.earlier = &header
	if !info.Time.IsZero() && q.info.Time.After(info.Time) {
		q.window = q.info.Time.Sub(info.Time)
	}
	earlier, err := q.readEarlier(d)
	var none noTraceError
	if errors.As(err, &none) {
		q.note(d.name + " has no handle operations: tracing began after it, and every operation is new")
		q.diff = q.trace.Diff(nil)
		return nil
	}
	if err != nil {
		return err
	}
	q.diff = q.trace.Diff(earlier)
	return nil
}

// A noTraceError says that a dump has no handle operations.
type noTraceError struct{ error }

// readEarlier reads the trace of the earlier dump. One writer stores both in
// the same order: where one trace alone does not tell, the other does, and
// where neither does, the order in which the later continues the earlier.
func (q *htraceQuery) readEarlier(d *dump) (*analysis.Trace, error) {
	t, err := q.read(d, q.opts.order())
	if err != nil {
		return nil, err
	}
	mine, its := q.trace.Evidence.Reason == analysis.OrderByDefault, t.Evidence.Reason == analysis.OrderByDefault
	switch {
	case mine && its && q.trace.Diff(t).Overlap == 0:
		return q.readReversed(d, t)
	case t.Order == q.trace.Order:
		return t, nil
	case its:
		return q.read(d, q.trace.Order)
	case mine:
		q.trace, err = q.read(q.dump, t.Order)
		return t, err
	}
	q.note(fmt.Sprintf("%s seems to store its operations %s, %s %s", d.name, t.Order, q.dump.name, q.trace.Order))
	return t, nil
}

// readReversed reads both dumps as oldest first, and keeps to that if the later
// continues the earlier then. t is the earlier, read as newest first.
func (q *htraceQuery) readReversed(d *dump, t *analysis.Trace) (*analysis.Trace, error) {
	earlier, err := q.read(d, analysis.OldestFirst)
	if err != nil {
		return nil, err
	}
	later, err := q.read(q.dump, analysis.OldestFirst)
	if err != nil || later.Diff(earlier).Overlap == 0 {
		return t, err
	}
	later.Evidence.Reason, earlier.Evidence.Reason = analysis.OrderByOverlap, analysis.OrderByOverlap
	q.trace = later
	return earlier, nil
}

// answer writes what was asked for.
func (q *htraceQuery) answer() error {
	o := q.opts
	switch {
	case o.calls:
		return q.calls()
	case o.json:
		return q.report().JSON(q.stdout)
	case o.csv:
		return q.report().CSV(q.stdout)
	case o.folded:
		return q.report().Folded(q.stdout)
	case o.pprof != "":
		return q.profile()
	}
	text := render.NewTraceText(q.stdout, q.dump.PointerSize(), q.resolver)
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
	q.trace.FindDuplicates(q.resolver)
	r := &render.TraceReport{
		Dump: render.NewDumpHeader(q.dump.name, q.info), Trace: q.trace, Diff: q.diff, Earlier: q.earlier, Window: q.window,
		By: q.opts.by(), Resolver: q.resolver, System: q.system, Notes: q.notes, Errors: q.errors,
	}
	r.Groups = q.groups(r.By)
	r.Anomalies = q.trace.GroupAnomalies(q.resolver, q.system)
	if q.opts.listing && q.opts.json {
		r.Operations = q.operations()
	}
	return r
}

func (q *htraceQuery) groups(by analysis.TraceGroupKey) []analysis.TraceGroup {
	return q.trace.Group(q.diff.Outstanding, analysis.TraceGroupOptions{
		By: by, Resolver: q.resolver, System: q.system, Window: q.window,
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
	_, err = fmt.Fprintf(q.stdout, "profile written; next: go tool pprof -top %s\n", render.ShellQuote(q.opts.pprof))
	return err
}

// calls prints the calls of one stack.
func (q *htraceQuery) calls() error {
	stack, what, err := q.chooseStack()
	if err != nil {
		return err
	}
	code := q.resolver.Code()
	defer code.Close()
	decoder, err := q.callDecoder(code)
	if err != nil {
		return err
	}
	var calls []render.TraceCall
	for _, addr := range q.trace.Frames(stack) {
		c := render.TraceCall{Return: q.resolver.Resolve(addr)}
		site, err := decoder.Decode(addr)
		switch {
		case errors.Is(err, minidump.ErrNotCaptured):
			c.Note = "? (its code is not in the dump)"
		case err != nil:
			c.Note = "? (" + err.Error() + ")"
		case site.Target != 0:
			c.Destination = q.resolver.Resolve(site.Target)
		case site.Slot != 0:
			c.Note = "? (through the pointer at " + q.resolver.Resolve(site.Slot).String() + ", which is not in the dump)"
		default:
			c.Note = "? (" + site.Instruction + ")"
		}
		calls = append(calls, c)
	}
	if q.style.Terminal {
		fmt.Fprintln(q.stdout, what)
	}
	return render.TraceCalls(q.stdout, calls, q.style)
}

// chooseStack returns the stack of HANDLE's last open, or that of the widest
// group.
func (q *htraceQuery) chooseStack() (stack int, what string, err error) {
	if q.opts.handle == 0 {
		groups := q.groups(q.opts.by())
		if len(groups) == 0 {
			return 0, "", fmt.Errorf("%s: no outstanding opens, so there is no stack to show", q.dump.name)
		}
		s := groups[0].Stacks[0]
		return s.Stack, fmt.Sprintf("the stack of %d outstanding opens", s.Count), nil
	}
	life := q.trace.Life(q.opts.handle)
	for i := len(life) - 1; i >= 0; i-- {
		if op := q.trace.Operation(life[i]); op.OperationType == minidump.OperationOpen {
			return op.Stack, fmt.Sprintf("the last open of %#x", op.Handle), nil
		}
	}
	return 0, "", fmt.Errorf("%s: the trace has no open of handle %#x", q.dump.name, q.opts.handle)
}

func (q *htraceQuery) callDecoder(code *symbol.Code) (*analysis.CallDecoder, error) {
	system, err := q.dump.SystemInfo()
	if system == nil {
		return nil, fmt.Errorf("%s: %w", q.dump.name, err)
	}
	memory, _ := q.dump.Memory()
	if memory == nil {
		memory = &minidump.Memory{} // nothing is captured
	}
	return &analysis.CallDecoder{
		Code: code, Data: memory, Arch: system.ProcessorArchitecture, Shift: code.Shift,
		Plausible: func(addr minidump.VA) bool {
			_, ok := q.system.Find(addr)
			return ok
		},
	}, nil
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
