package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
)

func (a *app) infoCommand() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "info DUMP",
		Short: "who wrote the dump, of what, when, and which questions it can answer: vertarget, ||",
		Args:  cobra.ExactArgs(1),
		RunE: runE(func(ctx context.Context, args []string) error {
			d, err := a.open(ctx, args[0])
			if err != nil {
				return err
			}
			defer d.Close()
			info, err := analysis.Describe(ctx, d.File)
			if err != nil {
				return err
			}
			for _, err := range info.Problems {
				a.complain(d.name, err)
			}
			return a.write(render.NewInfoReport(d.name, info), o.format)
		}),
	}
	o.register(cmd, render.JSON)
	return cmd
}
