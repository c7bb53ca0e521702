package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// modulesFlags are the options of the command.
type modulesFlags struct {
	name    string
	verbose bool
	limit   limitFlag
	output
}

const modulesLong = `List the programs and DLLs of a dump, those that are unloaded by now last.

-v writes all that the dump says of each, as lmv does for modules whose images
it does not find. Times are in UTC; a reproducible build has a hash in the place
of its time, which shows as a time without sense.`

func (a *app) modulesCommand() *cobra.Command {
	o := &modulesFlags{}
	cmd := &cobra.Command{
		Use:   "modules DUMP",
		Short: "the programs and DLLs of the process: lm, lmv",
		Long:  modulesLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.modules(ctx, args[0], o) }),
	}
	cmd.Flags().StringVar(&o.name, "name", "", "modules whose path has this `text`, fits this glob (* and ?), or re:EXPR")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "all that the dump says of each, as lmv")
	o.limit.register(cmd.Flags(), "modules", 0)
	o.register(cmd, render.JSON, render.CSV)
	return cmd
}

func (a *app) modules(ctx context.Context, name string, o *modulesFlags) error {
	pattern, err := namePattern(o.name)
	if err != nil {
		return err
	}
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	modules, err := d.Modules()
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	a.complain(d.name, err)
	var unloaded []minidump.UnloadedModule
	if d.Has(minidump.UnloadedModuleListStream) {
		unloaded, err = d.UnloadedModules()
		a.complain(d.name, err)
	}
	if pattern != nil {
		modules = fitting(modules, pattern, func(m *minidump.Module) string { return m.ModuleName })
		unloaded = fitting(unloaded, pattern, func(m *minidump.UnloadedModule) string { return m.ModuleName })
	}
	r := render.NewModuleReport(render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), modules, unloaded, int(o.limit.n))
	r.Verbose = o.verbose
	a.omitted(o.format, r.Omitted, "module")
	return a.write(r, o.format)
}

// namePattern reads --name; nil is every name.
func namePattern(text string) (*analysis.NamePattern, error) {
	if text == "" {
		return nil, nil
	}
	p, err := analysis.ParseNamePattern(text)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

// fitting are the elements whose path or file name a pattern fits.
func fitting[T any](list []T, pattern *analysis.NamePattern, path func(*T) string) []T {
	var fit []T
	for i := range list {
		if p := path(&list[i]); pattern.Match(p) || pattern.Match(analysis.BaseName(p)) {
			fit = append(fit, list[i])
		}
	}
	return fit
}

// omitted says on stderr what --limit leaves out of CSV, which has no room for
// that. Text and JSON say it themselves.
func (a *app) omitted(f render.Format, n int, noun string) {
	if f == render.CSV && n > 0 {
		a.notef("--limit leaves %s out", words.Plural(n, noun))
	}
}
