package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
)

const pebLong = `Show what the process keeps about itself, as !peb does: command line, folder,
image, flags, heaps, and the loader's list of modules. Of a 32-bit process of a
64-bit Windows, both halves are shown. Times are in UTC.

The environment is left out, as passwords live in it; --environment shows it.
What a dump holds of all that depends on how it was written; what is missing is
said.`

func (a *app) pebCommand() *cobra.Command {
	var environment bool
	var o output
	cmd := &cobra.Command{
		Use:   "peb DUMP",
		Short: "command line, folder, flags and environment of the process: !peb",
		Long:  pebLong,
		Args:  cobra.ExactArgs(1),
		RunE: runE(func(ctx context.Context, args []string) error {
			return a.peb(ctx, args[0], environment, o.format)
		}),
	}
	cmd.Flags().BoolVar(&environment, "environment", false, "show the environment, too")
	o.register(cmd, render.JSON)
	return cmd
}

func (a *app) peb(ctx context.Context, name string, environment bool, format render.Format) error {
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	pebs, err := analysis.ReadPEBs(d.File)
	if err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	for i := range pebs {
		for _, err := range pebs[i].Problems {
			a.complain(d.name, err)
		}
	}
	r := render.NewPEBReport(render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), pebs, environment)
	a.notes(format, r.Notes...)
	return a.write(r, format)
}
