package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/render"
)

func (a *app) check(ctx context.Context, names []string, o *checkFlags) error {
	c, err := o.parse(len(names))
	if err != nil {
		return err
	}
	if o.baseline != "" {
		if c.Baseline, err = readBaseline(o.baseline); err != nil {
			return err
		}
	}
	var dumps []*check.Dump
	for _, name := range names {
		d, err := a.countForCheck(ctx, c, name)
		if err != nil {
			return err
		}
		for _, err := range []error{d.Err, d.Partial} {
			a.complain(name, err)
		}
		dumps = append(dumps, d)
	}
	if err := c.CheckTypes(dumps); err != nil {
		return usageError{err}
	}
	result := c.Run(dumps)
	if o.writeBaseline != "" {
		b := check.NewBaseline(dumps)
		if len(b.Types) == 0 {
			return fmt.Errorf("%s: not written: no dump has handles", o.writeBaseline)
		}
		if err := a.writeReport(o.writeBaseline, render.NewBaselineFile(b), render.JSON); err != nil {
			return err
		}
	}
	if err := a.writeCheck(render.NewCheckReport(dumps, result, o.writeBaseline, a.problems), o); err != nil {
		return err
	}
	for _, note := range result.Notes {
		a.notef("%s", note)
	}
	if result.Count(check.Unknown) > 0 {
		a.incomplete = true
	}
	if result.Count(check.Breach) > 0 {
		return errFound
	}
	return nil
}

func (a *app) writeCheck(r *render.CheckReport, o *checkFlags) error {
	switch o.junit {
	case "":
	case "-":
		return a.write(r, render.JUnit)
	default:
		if err := a.writeReport(o.junit, r, render.JUnit); err != nil {
			return err
		}
	}
	if err := a.write(r, o.output.format); err != nil || !o.github {
		return err
	}
	return a.write(r, render.GitHub)
}

// writeReport writes a report to a file.
func (a *app) writeReport(name string, r render.Report, f render.Format) error {
	return writeFile(name, func(w io.Writer) error { return a.writeTo(w, r, f, render.Style{}) })
}

// countForCheck counts the handles of a dump. What goes wrong is in the
// result, so that the other dumps are still checked; the error is that of ctx.
func (a *app) countForCheck(ctx context.Context, c *check.Gate, name string) (*check.Dump, error) {
	d, err := a.open(ctx, name)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		// The report names the dump beside the error.
		return &check.Dump{File: name, Err: withoutName(name, err)}, nil
	}
	defer d.Close()
	return c.Count(ctx, d.File, name)
}

func readBaseline(name string) (*check.Baseline, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, openError(name, err)
	}
	defer f.Close()
	b, err := check.ReadBaseline(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// writeFile writes a file that replaces an older one. The older one stays as it
// is until the new one is whole: a full disk must not cost a baseline.
func writeFile(name string, write func(io.Writer) error) error {
	target := name
	if fi, err := os.Stat(name); err != nil || fi.Mode().IsRegular() {
		target = name + ".new"
	}
	f, err := os.Create(target)
	if err != nil {
		return openError(name, err)
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if target != name {
		if err == nil {
			err = os.Rename(target, name)
		} else {
			os.Remove(target) // what is half is of no use
		}
	}
	if err != nil {
		return openError(name, err)
	}
	return nil
}
