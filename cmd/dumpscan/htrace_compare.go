package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
)

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
func (q *htraceQuery) readEarlier(d *dump) (*htrace.Trace, error) {
	t, err := q.read(d, q.opts.order())
	if err != nil {
		return nil, err
	}
	mine, its := q.trace.Evidence.Reason == htrace.OrderByDefault, t.Evidence.Reason == htrace.OrderByDefault
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
func (q *htraceQuery) readReversed(d *dump, t *htrace.Trace) (*htrace.Trace, error) {
	earlier, err := q.read(d, htrace.OldestFirst)
	if err != nil {
		return nil, err
	}
	later, err := q.read(q.dump, htrace.OldestFirst)
	if err != nil || later.Diff(earlier).Overlap == 0 {
		return t, err
	}
	later.Evidence.Reason, earlier.Evidence.Reason = htrace.OrderByOverlap, htrace.OrderByOverlap
	q.trace = later
	return earlier, nil
}
