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

func (a *app) threadsCommand() *cobra.Command {
	var asJSON bool
	var names symbolFlags
	cmd := &cobra.Command{
		Use:   "threads DUMP",
		Short: "the threads of the process: ~",
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.threads(ctx, args[0], &names, asJSON) }),
	}
	names.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func (a *app) threads(ctx context.Context, name string, names *symbolFlags, asJSON bool) error {
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	threads, err := analysis.Threads(d.File)
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	r := &render.ThreadReport{
		Dump:    render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)),
		Threads: threads,
		Errors:  a.complaints(d.name, err),
	}
	session, err := a.resolver(d.File, names)
	if session == nil {
		return err
	}
	defer session.Close()
	if !errors.Is(err, minidump.ErrNoStream) {
		r.Errors = append(r.Errors, a.complaints(d.name, err)...)
	}
	var starts []minidump.VA
	for _, th := range threads {
		if th.Info != nil {
			starts = append(starts, th.Info.StartAddress)
		}
	}
	resolved, err := session.Resolve(ctx, starts)
	if err != nil {
		return err
	}
	r.Start = func(start minidump.VA) string { return resolved.At(start).String() }
	if asJSON {
		return r.JSON(a.stdout)
	}
	return r.Text(a.stdout, a.style)
}
