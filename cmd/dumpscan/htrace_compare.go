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

// readTraces reads the trace, and with --diff that of the earlier dump, and
// fills in what the report is about: the whole trace, or what is new in it.
func (q *htraceQuery) readTraces(ctx context.Context) (err error) {
	if q.opts.diff != "" {
		err = q.readPair(ctx)
	} else {
		q.trace, err = htrace.Read(ctx, q.dump.File, q.opts.order())
		if err = q.traceOf(q.dump.name, q.trace, err); err == nil {
			q.diff, q.window = q.trace.All(), q.info.Uptime
		}
	}
	if err != nil {
		return err
	}
	return q.filter()
}

func (q *htraceQuery) readPair(ctx context.Context) error {
	d, err := q.open(ctx, q.opts.diff)
	if err != nil {
		return err
	}
	defer d.Close()
	earlier, later := analysis.NewSnapshot(d.File, d.name), analysis.NewSnapshot(q.dump.File, q.dump.name)
	if differ := analysis.ComparePair(earlier, later); len(differ) > 0 {
		what := fmt.Sprintf("%s and %s: %s", d.name, q.dump.name, strings.Join(differ, "; "))
		if !q.opts.force {
			return fmt.Errorf("%s; these are no two dumps of one process, the earlier one after --diff (--force compares them all the same)", what)
		}
		q.note(what)
	}
	header := render.NewDumpHeader(d.name, earlier.Info)
	q.earlier = &header
	if !earlier.Time.IsZero() && later.Time.After(earlier.Time) {
		q.window = later.Time.Sub(earlier.Time)
	}
	p, err := htrace.ReadPair(ctx, d.File, q.dump.File, q.opts.order())
	if err != nil {
		return err
	}
	q.trace = p.Later
	if err := q.traceOf(q.dump.name, p.Later, p.LaterErr); err != nil {
		return err
	}
	if p.EarlierErr != nil {
		if err := q.traceOf(d.name, p.Earlier, p.EarlierErr); err != nil {
			return err
		}
	}
	for _, note := range p.Notes(d.name, q.dump.name) {
		q.note(note)
	}
	q.diff = q.trace.Diff(p.Earlier)
	return nil
}

// traceOf returns why there is no trace; what could not be read of one is
// complained about.
func (q *htraceQuery) traceOf(file string, t *htrace.Trace, err error) error {
	if t == nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	q.complain(file, err)
	return nil
}

// filter applies --type and --name.
func (q *htraceQuery) filter() (err error) {
	d, err := q.trace.Filter(q.diff, q.opts.filter)
	var unknown *analysis.UnknownTypeError
	switch {
	case errors.As(err, &unknown):
		return usageError{err}
	case err != nil:
		return fmt.Errorf("%s: %w", q.dump.name, err)
	}
	q.diff = d
	return nil
}
