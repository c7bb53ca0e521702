package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

const diffLong = `Compare the handles of two dumps: for each type and each group, how many there
were in OLD, are in NEW, were added, removed, and are the same.

A handle is the same if value, type, name and granted access agree, and the ids
of threads and processes where both dumps have them. One that was closed, and
whose value was used again for a like object, looks the same. A value that both
dumps have, but for different handles, was closed and opened again: it counts as
removed, added and reused.

With --holders the memory of both dumps, which must be full, is searched for the
objects that hold the handles, as dumpscan owners does, and these are compared.
Where an object has what no other of its class has (a serial number, a time of
creation, a name), and this is equal in both dumps, the handle has stayed; where
it differs, or the object is elsewhere, the handle was replaced, or handed on. Of
handles in plain arrays, or in objects that nothing distinguishes, it is not known.
The names of classes are read from the dump, from image files (-i), or from
symbols (-y).

Dumps of different processes are compared too; a note on stderr then says what
differs. No judgement is made: see dumpscan leaks and dumpscan check.`

type diffFlags struct {
	selection
	handles bool
	holders bool
	symbols symbolFlags
	limit   limitFlag
	output  output
}

func (a *app) diffCommand() *cobra.Command {
	o := &diffFlags{}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "the difference between two dumps: handles added, removed and the same",
		Long:  diffLong,
		Args:  cobra.ExactArgs(2),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.diff(ctx, args[0], args[1], o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.handles, "handles", false, "list the handles that were added and removed, as !handle does")
	f.BoolVar(&o.holders, "holders", false, "compare the objects that hold the handles: which of the same values are the same handles")
	o.selection.register(f, "compare only")
	o.limit.register(f, "groups", 20)
	o.symbols.register(f)
	o.output.register(cmd, render.JSON, render.CSV)
	cmd.MarkFlagsMutuallyExclusive("handles", string(render.CSV))
	a.completeTypes(cmd)
	return cmd
}

func (a *app) diff(ctx context.Context, oldName, newName string, o *diffFlags) error {
	filter, err := o.filter()
	if err != nil {
		return err
	}
	old, err := a.openSide(ctx, oldName, filter)
	if err != nil {
		return err
	}
	defer old.Close()
	new, err := a.openSide(ctx, newName, filter)
	if err != nil {
		return err
	}
	defer new.Close()
	if err := checkTypes(ctx, o.types, old.handles, new.handles); err != nil {
		return err
	}
	d, err := analysis.DiffHandles(ctx, old.handles, new.handles)
	if err != nil {
		return err
	}
	a.complain(oldName, d.OldErr)
	a.complain(newName, d.NewErr)
	var ids *owners.Identities
	if o.holders {
		if ids, err = a.identify(ctx, o, old, new); err != nil {
			return err
		}
		if err := d.Follow(ctx, func(h *minidump.Handle) analysis.Fate { return ids.Fate(h.Handle) }); err != nil {
			return err
		}
	}
	r := o.report(ctx, d, ids, old, new)
	if err := a.write(r, o.output.format); err != nil {
		return err
	}
	for _, note := range r.Notes {
		a.notef("%s", note)
	}
	if r.Omitted > 0 && o.output.format == render.CSV {
		a.notef("%s listed (--limit)", words.Of(len(r.Groups), len(r.Groups)+r.Omitted, "group"))
	}
	return nil
}

// report describes a difference.
func (o *diffFlags) report(ctx context.Context, d *analysis.HandleDiff, ids *owners.Identities, old, new *diffSide) *render.DiffReport {
	limit := o.limit.forData()
	if o.output.format == render.Text {
		limit = o.limit.forText()
	}
	r := render.NewDiffReport(d, ids, int(limit))
	r.Old, r.New = render.NewDumpHeader(old.name, old.info), render.NewDumpHeader(new.name, new.info)
	r.Differs = analysis.ComparePair(old.snapshot, new.snapshot)
	if !old.info.Time.IsZero() && !new.info.Time.IsZero() {
		seconds := int64(new.info.Time.Sub(old.info.Time) / time.Second)
		r.Seconds = &seconds
	}
	r.Notes = analysis.DiffNotes(d, old.snapshot, new.snapshot)
	if o.handles {
		stream := func(handles iter.Seq[*minidump.Handle]) *render.HandleStream {
			return render.NewHandleStream(func(visit func(*minidump.Handle) bool) error {
				handles(visit)
				return ctx.Err() // what could not be read is known
			}, nil)
		}
		r.Added, r.Removed = stream(d.Added(ctx)), stream(d.Removed(ctx))
	}
	return r
}

// A diffSide is one of the two dumps, open.
type diffSide struct {
	*dump
	snapshot *analysis.Snapshot
	info     *analysis.DumpInfo
	handles  *analysis.HandleList
}

// openSide opens a dump that must have handles.
func (a *app) openSide(ctx context.Context, name string, filter analysis.HandleFilter) (*diffSide, error) {
	d, err := a.open(ctx, name)
	if err != nil {
		return nil, err
	}
	list, err := d.handles()
	if err != nil {
		d.Close()
		return nil, err
	}
	s := analysis.NewSnapshot(d.File, name)
	return &diffSide{dump: d, snapshot: s, info: s.Info, handles: list.Select(filter)}, nil
}

// identify searches both dumps for the holders of handles, and compares them.
func (a *app) identify(ctx context.Context, o *diffFlags, old, new *diffSide) (*owners.Identities, error) {
	if differs := analysis.ComparePair(old.snapshot, new.snapshot); len(differs) > 0 {
		return nil, usagef("--holders needs two dumps of one process, the older one first: %s", differs[0])
	}
	types := analysis.HandleFilter{Types: o.types}
	var sides [2]owners.Side
	for i, side := range [...]*diffSide{old, new} {
		system, err := systemModules(side.File)
		if err != nil {
			return nil, err
		}
		session, err := a.resolver(side.File, &o.symbols)
		if session == nil {
			return nil, err
		}
		defer session.Close()
		bar := a.progress("searching " + side.name)
		options := owners.Options{Symbols: session, System: system, Progress: bar.update}
		if len(types.Types) > 0 { // which one of the dumps may lack
			options.Group = func(h *minidump.Handle) (string, bool) { return "", types.Match(h) }
		}
		found, err := owners.Find(ctx, side.File, options)
		bar.finish()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", side.name, err)
		}
		for _, problem := range found.Scan.Problems {
			a.complain(side.name, problem)
		}
		sides[i] = owners.Side{File: side.File, Report: found, System: system}
	}
	return owners.Identify(ctx, sides[0], sides[1])
}
