package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

const threadsLong = `List the threads of a dump, and the exception that it was written for.

A dot marks the thread that a debugger begins with, as ~ does: the one of the
exception, or else the first. A state of "alive" means that the thread may run
or wait, which the dump does not say; "suspended" that its suspend count is not
0, as a debugger suspends all threads to write a dump. The columns cpu and error (what GetLastError
returns, in decimal) are there if the dump has thread information and TEBs.

-v writes each thread as ~* does, and below it when it was created and exited,
its processor time, last error and stack. Start addresses are named with the help
of -y and -i.`

// threadsFlags are the options of the command.
type threadsFlags struct {
	name    string
	verbose bool
	limit   limitFlag
	symbols symbolFlags
	output
}

func (a *app) threadsCommand() *cobra.Command {
	o := &threadsFlags{}
	cmd := &cobra.Command{
		Use:   "threads DUMP",
		Short: "the threads of the process: ~, ~*",
		Long:  threadsLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.threads(ctx, args[0], o) }),
	}
	cmd.Flags().StringVar(&o.name, "name", "", "threads whose name has this `text`, fits this glob (* and ?), or re:EXPR")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "all that the dump says of each, as ~* and more")
	o.limit.register(cmd.Flags(), "threads", 0)
	o.symbols.register(cmd.Flags())
	o.register(cmd, render.JSON, render.CSV)
	return cmd
}

func (a *app) threads(ctx context.Context, name string, o *threadsFlags) error {
	pattern, err := namePattern(o.name)
	if err != nil {
		return err
	}
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	facts := render.ThreadFacts{
		Dump: render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), Name: pattern, Limit: int(o.limit.n),
	}
	facts.Threads, err = analysis.Threads(d.File)
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	a.complain(d.name, err)
	session, err := a.resolver(d.File, &o.symbols)
	if session == nil {
		return err
	}
	defer session.Close()
	a.complainUnlessAbsent(d.name, err)
	facts.Exception, err = analysis.ReadException(d.File, session.Modules().List())
	a.complain(d.name, err)
	if facts.Names, err = session.Resolve(ctx, threadAddresses(&facts)); err != nil {
		return err
	}
	r := render.NewThreadReport(facts)
	r.Verbose = o.verbose
	if r.Notes = analysis.ThreadNotes(d.File, facts.Threads); o.verbose {
		a.notes(o.format, r.Notes...)
	}
	a.omitted(o.format, r.Omitted, "thread")
	return a.write(r, o.format)
}

// threadAddresses are those that are to be named.
func threadAddresses(f *render.ThreadFacts) []minidump.VA {
	var addrs []minidump.VA
	for i := range f.Threads {
		if info := f.Threads[i].Info; info != nil {
			addrs = append(addrs, info.StartAddress)
		}
	}
	if f.Exception != nil {
		addrs = append(addrs, f.Exception.ExceptionAddress)
	}
	return addrs
}
