package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
)

const tokenLong = `Show the tokens of a dump: the user of the process, its groups and its
privileges, and the same of threads that act for somebody else.

A dump has them if it was written with MiniDumpWithTokenInformation. WinDbg's
!token does not work on dumps of processes, so that the layout is dumpscan's, with
WinDbg's words. Names are those of users, groups and privileges that are the same
on every machine; a dump has no others.`

func (a *app) tokenCommand() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "token DUMP",
		Short: "the user, groups and privileges of the process: !token",
		Long:  tokenLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.token(ctx, args[0], &o) }),
	}
	o.register(cmd, render.JSON)
	return cmd
}

func (a *app) token(ctx context.Context, name string, o *output) error {
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	tokens, err := analysis.Tokens(d.File)
	var missing *analysis.MissingError
	if errors.As(err, &missing) || err != nil && len(tokens) == 0 {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	r := render.NewTokenReport(render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), tokens)
	a.complain(d.name, err)
	return a.write(r, o.format)
}
