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

func (a *app) modulesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "modules DUMP",
		Short: "the programs and DLLs of the process: lm",
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.modules(ctx, args[0], asJSON) }),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func (a *app) modules(ctx context.Context, name string, asJSON bool) error {
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	r := &render.ModuleReport{Dump: render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File))}
	r.Modules, err = d.Modules()
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	r.Errors = append(r.Errors, a.complaints(d.name, err)...)
	if d.Has(minidump.UnloadedModuleListStream) {
		r.Unloaded, err = d.UnloadedModules()
		r.Errors = append(r.Errors, a.complaints(d.name, err)...)
	}
	if asJSON {
		return r.JSON(a.stdout)
	}
	return r.Text(a.stdout, a.style)
}

// complaints is complain for an answer that repeats its errors in JSON.
func (a *app) complaints(file string, err error) []string {
	if err == nil {
		return nil
	}
	a.complain(file, err)
	return []string{err.Error()}
}
