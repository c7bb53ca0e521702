package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
)

const diffLong = `Compare the handles of two dumps: for each type and each group, how many there
were in OLD, are in NEW, were added, removed and kept.

A handle is kept if value, type, name and granted access agree. A value that
both dumps have, but for different handles, was closed and opened again: it
counts as removed, added and reused.

Dumps of different processes are compared too; a note on stderr then says what
differs. No judgement is made: see dumpscan leaks and dumpscan check.`

type diffFlags struct {
	typ, name string
	handles   bool
	json, csv bool
	limit     int
}

func (a *app) diffCommand() *cobra.Command {
	o := &diffFlags{}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "the difference between two dumps: handles added, removed and kept",
		Long:  diffLong,
		Args:  cobra.ExactArgs(2),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.diff(ctx, args[0], args[1], o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.handles, "handles", false, "list the handles that were added and removed, as !handle does")
	f.Var(&once{value: &o.typ}, "type", "compare handles of this `type` only, in any case; None: without a type")
	f.StringVar(&o.name, "name", "", "compare handles only whose object's name has this `text`, fits this glob, or re:EXPR")
	f.IntVar(&o.limit, "limit", 20, "print at most this `number` of groups; 0: all")
	f.BoolVar(&o.json, "json", false, "write JSON")
	f.BoolVar(&o.csv, "csv", false, "write the groups as CSV")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.MarkFlagsMutuallyExclusive("handles", "csv")
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

	r := &render.DiffReport{
		Old: render.NewDumpHeader(oldName, old.info), New: render.NewDumpHeader(newName, new.info),
		Differs: analysis.ComparePair(old.snapshot, new.snapshot),
	}
	if r.Diff, err = analysis.DiffHandles(ctx, old.handles, new.handles); err != nil {
		return err
	}
	if !old.info.Time.IsZero() && !new.info.Time.IsZero() {
		seconds := int64(new.info.Time.Sub(old.info.Time) / time.Second)
		r.Seconds = &seconds
	}
	r.Errors = append(a.complaints(oldName, r.Diff.OldErr), a.complaints(newName, r.Diff.NewErr)...)
	r.Notes = diffNotes(r, old, new)
	if err := o.write(a, r); err != nil {
		return err
	}
	for _, note := range r.Notes {
		a.notef("%s", note)
	}
	return ctx.Err()
}

// filter builds the selection.
func (o *diffFlags) filter() (*analysis.HandleFilter, error) {
	filter := &analysis.HandleFilter{}
	if o.typ != "" {
		filter.Type = &o.typ
	}
	if o.name != "" {
		var err error
		if filter.Name, err = analysis.ParseNamePattern(o.name); err != nil {
			return nil, usageError{err}
		}
	}
	if o.limit < 0 {
		return nil, usagef("--limit must not be negative")
	}
	return filter, nil
}

func (o *diffFlags) write(a *app, r *render.DiffReport) error {
	switch {
	case o.json:
		return r.JSON(a.stdout, o.handles)
	case o.csv:
		return r.CSV(a.stdout)
	}
	if err := r.Text(a.stdout, o.limit, a.style); err != nil || !o.handles {
		return err
	}
	return r.Handles(a.stdout, a.style)
}

// A diffSide is one of the two dumps, open.
type diffSide struct {
	*dump
	snapshot *analysis.Snapshot
	info     *analysis.DumpInfo
	handles  *analysis.HandleList
}

// openSide opens a dump that must have handles.
func (a *app) openSide(ctx context.Context, name string, filter *analysis.HandleFilter) (*diffSide, error) {
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
	return &diffSide{dump: d, snapshot: s, info: s.Info, handles: list.Select(*filter)}, nil
}

// diffNotes are what a reader of the difference should know.
func diffNotes(r *render.DiffReport, old, new *diffSide) []string {
	var notes []string
	for _, d := range r.Differs {
		notes = append(notes, "these may not be dumps of one process, in this order: "+d)
	}
	if r.Diff.NameIgnored {
		notes = append(notes, "one of the dumps has no names of objects; names were not compared")
	}
	for _, side := range []*diffSide{old, new} {
		if err := side.handles.Empty(); err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", side.name, err))
		}
	}
	return notes
}
