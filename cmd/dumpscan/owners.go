package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

const ownersLong = `Find what holds the handles of a dump. No trace is needed, but full memory:
procdump -ma, or .dump /ma in WinDbg.

Many different handles of a type that sit at the same distance from words that
are all the same are members of objects of one class: behind a pointer to one
place of a module, such as a vtable, or beside a constant number or text.
Handles may also stand in an array, in the heap or in the variables of a module.
What points to these objects and arrays is named, too. Small numbers look like
handles; what chance may explain is not reported. That something holds handles
does not mean that it leaks them; and handles that nobody holds were dropped by
what opened them, or each stands in a variable of its own.

The name of the class is what the developers of the module need. It is read from
the dump, from image files (-i), or from symbols (-y). Objects of .NET are named
by its own description of their classes: a handle is in an object that comes with
.NET, as a rule, and so the class of the program that keeps it is named, too.`

type ownersFlags struct {
	output    output
	types     []string
	name      string
	limit     int
	maxOffset int
	symbols   symbolFlags
}

func (a *app) ownersCommand() *cobra.Command {
	o := &ownersFlags{}
	cmd := &cobra.Command{
		Use:   "owners DUMP",
		Short: "who holds the handles: the objects and arrays in memory that have them",
		Long:  ownersLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.owners(ctx, args[0], o) }),
	}
	f := cmd.Flags()
	o.output.register(cmd, render.JSON, render.CSV)
	f.StringSliceVar(&o.types, "type", nil, "look for the owners of handles of this `type`, in any case; None: without a type; several joined by commas, or repeated")
	f.StringVar(&o.name, "name", "", "look for the owners of handles whose object's name has this `text`, fits this glob (* and ?), or re:EXPR")
	f.IntVar(&o.limit, "limit", 0, "print at most this `number` of owners; 0: all")
	f.IntVar(&o.maxOffset, "max-offset", owners.DefaultOffset, "look for objects that begin at most so many `bytes` before a handle")
	o.symbols.register(f)
	return cmd
}

// options checks the flags.
func (o *ownersFlags) options() (owners.Options, error) {
	options := owners.Options{Types: o.types, MaxOffset: o.maxOffset}
	if o.maxOffset < 1 || o.maxOffset > owners.MaxOffset {
		return options, usagef("--max-offset must be from 1 to %d", owners.MaxOffset)
	}
	if o.limit < 0 {
		return options, usagef("--limit must not be negative")
	}
	if o.name != "" {
		var err error
		if options.Name, err = analysis.ParseNamePattern(o.name); err != nil {
			return options, usageError{err}
		}
	}
	return options, nil
}

func (a *app) owners(ctx context.Context, name string, o *ownersFlags) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	session, err := a.resolver(d.File, &o.symbols)
	if session == nil {
		return err
	}
	defer session.Close()
	if options.System, err = systemModules(d.File); err != nil {
		return err
	}
	options.Symbols = session

	bar := a.progress("searching " + name)
	options.Progress = bar.update
	found, err := owners.Find(ctx, d.File, options)
	bar.finish()
	var unknown *analysis.UnknownTypeError
	if errors.As(err, &unknown) {
		return usagef("--type: %w", unknown)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, problem := range found.Scan.Problems {
		a.complain(name, problem)
	}
	r := render.NewOwnersReport(render.NewDumpHeader(name, analysis.DescribeHeader(d.File)), found, o.limit)
	if err := a.write(r, o.output.format); err != nil {
		return err
	}
	if r.Omitted > 0 && o.output.format == render.CSV {
		a.notef("%s listed (--limit)", words.Of(len(r.Owners), len(found.Owners), "owner"))
	}
	for _, note := range found.Scan.Notes {
		a.notef("%s: %s", name, note)
	}
	return nil
}

// systemModules says which modules of a dump are the operating system's. A
// damaged list of modules is among the problems of a search.
func systemModules(f *minidump.File) (func(*minidump.Module) bool, error) {
	list, _ := f.Modules()
	system, err := htrace.NewSystemModules(list, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	return func(m *minidump.Module) bool {
		known, ok := system.Find(m.BaseOfImage) // of its own list
		return ok && system.IsSystem(known)
	}, nil
}
