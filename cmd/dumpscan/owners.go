package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/render"
)

const ownersLong = `Find the objects in memory that hold the handles of a dump. No trace is needed,
but full memory: procdump -ma, or .dump /ma in WinDbg.

If many different handles of a type sit at the same distance behind words that
all point to one place of a module, such as a vtable, these words are the first
of objects of one class, and their module is where to look for the leak. Small
numbers look like handles; what chance may explain is not reported. That an
object holds handles does not mean that it leaks them.`

type ownersFlags struct {
	types     []string
	maxOffset int
	json      bool
}

func (a *app) ownersCommand() *cobra.Command {
	o := &ownersFlags{}
	cmd := &cobra.Command{
		Use:   "owners DUMP",
		Short: "who holds the handles: the objects in memory that have them",
		Long:  ownersLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.owners(ctx, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.types, "type", nil, "look for the owners of handles of this `type`, in any case; None: without a type; may be repeated")
	f.IntVar(&o.maxOffset, "max-offset", owners.DefaultOffset, "look for objects that begin at most so many `bytes` before a handle")
	f.BoolVar(&o.json, "json", false, "write JSON")
	return cmd
}

func (a *app) owners(ctx context.Context, name string, o *ownersFlags) error {
	if o.maxOffset < 1 || o.maxOffset > owners.MaxOffset {
		return usagef("--max-offset must be from 1 to %d", owners.MaxOffset)
	}
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()

	bar := a.progress("searching " + name)
	owners, err := owners.Find(ctx, d.File, owners.Options{
		Types: o.types, MaxOffset: o.maxOffset, Progress: bar.update,
	})
	bar.finish()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := &render.OwnersReport{
		Dump:   render.NewDumpHeader(name, analysis.DescribeHeader(d.File)),
		Owners: owners,
	}
	for _, problem := range owners.Scan.Problems {
		r.Errors = append(r.Errors, a.complaints(name, problem)...)
	}
	if o.json {
		err = r.JSON(a.stdout)
	} else {
		err = r.Text(a.stdout, a.style)
	}
	for _, note := range owners.Scan.Notes {
		a.notef("%s: %s", name, note)
	}
	return err
}
