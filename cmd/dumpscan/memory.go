package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

const memoryLong = `Show how a process uses its memory, or what some of it holds.

With DUMP alone it is the summary of the address space, as !address -summary
writes it: what is free, reserved and committed, images, stacks, heaps, and the
largest block of each. That takes a dump with the list of all regions
(MiniDumpWithFullMemoryInfo); of another one it is the memory in the dump that is
summed up.

With ADDRESS it is the memory there, in one of the formats of WinDbg:

  dumpscan memory w3wp.dmp 7ff6` + "`" + `12340000               db
  dumpscan memory w3wp.dmp ntdll+1f000 L8 --format dd  dd ntdll+1f000 L8
  dumpscan memory w3wp.dmp 53d86f000 200 --format dps  pointers, with names

ADDRESS is a hexadecimal number, the name of a module, or a sum of such. LENGTH
is a number of bytes in hexadecimal, or of values behind an L; without it as much
is shown as by WinDbg. The formats are db (bytes and ASCII), dw, dd, dc (with
ASCII), dq and dp (values of 2, 4, 4, 8 bytes, pointers), dps, dds and dqs (one a
line, with the names of where they lead), da and du (a text up to its NUL). Bytes
that are not in the dump are ??.`

// memoryFlags are the options of the command.
type memoryFlags struct {
	format  string
	symbols symbolFlags
	output
}

func (a *app) memoryCommand() *cobra.Command {
	o := &memoryFlags{}
	cmd := &cobra.Command{
		Use:   "memory DUMP [ADDRESS [LENGTH]]",
		Short: "the address space, or memory at an address: !address -summary, db, dd, dps, du",
		Long:  memoryLong,
		Args:  cobra.RangeArgs(1, 3),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.memory(ctx, args, o) }),
	}
	cmd.Flags().StringVar(&o.format, "format", string(analysis.ShowBytes), "show memory as this `command` does: "+strings.Join(analysis.MemoryFormats(), ", "))
	o.symbols.register(cmd.Flags())
	o.register(cmd, render.JSON, render.CSV)
	complete(cmd, "format", oneOf(analysis.MemoryFormats()))
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp // addresses are too many
		}
		return completeDump(cmd, args, word)
	}
	return cmd
}

func (a *app) memory(ctx context.Context, args []string, o *memoryFlags) error {
	format, err := analysis.ParseMemoryFormat(o.format)
	if err != nil {
		return usagef("--format: %w", err)
	}
	if len(args) > 1 && o.output.format == render.CSV {
		return usagef("memory at an address has no CSV; --json has its values")
	}
	d, err := a.open(ctx, args[0])
	if err != nil {
		return err
	}
	defer d.Close()
	if len(args) == 1 {
		return a.addressSpace(d, o.output.format)
	}
	return a.memoryAt(ctx, d, format, args[1:], o)
}

// addressSpace sums the address space up.
func (a *app) addressSpace(d *dump, format render.Format) error {
	space, err := analysis.DescribeMemory(d.File)
	if err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	for _, err := range space.Problems {
		a.complain(d.name, err)
	}
	r := render.NewMemoryReport(render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), space)
	a.notes(format, r.Notes...)
	return a.write(r, format)
}

// memoryAt shows memory at an address.
func (a *app) memoryAt(ctx context.Context, d *dump, format analysis.MemoryFormat, args []string, o *memoryFlags) error {
	session, err := a.resolver(d.File, &o.symbols)
	if session == nil {
		return err
	}
	defer session.Close()
	a.complainUnlessAbsent(d.name, err)
	at, err := analysis.ParseAddress(args[0], session.Modules().List())
	if err != nil {
		return usagef("ADDRESS: %w", err)
	}
	pointer := d.PointerSize()
	if pointer == 0 {
		pointer = 8 // of a dump that does not say
	}
	length := uint64(0)
	if len(args) > 1 {
		if length, err = format.ParseMemoryLength(args[1], pointer); err != nil {
			return usagef("LENGTH: %w", err)
		}
	}
	memory, err := d.Memory()
	if memory == nil {
		return fmt.Errorf("%s: %w", d.name, analysis.MissingMemory(d.File, err))
	}
	a.complain(d.name, err)
	view, err := analysis.ReadMemoryView(memory, format, at, length, pointer)
	a.complain(d.name, err)
	var names symbol.Names
	if format.Symbols() {
		if names, err = session.Resolve(ctx, view.Pointers()); err != nil {
			return err
		}
	}
	r := render.NewMemoryDump(render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), view, names)
	return a.write(r, o.output.format)
}
