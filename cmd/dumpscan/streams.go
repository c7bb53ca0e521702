package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

const streamsLong = `List the streams of a dump and what they hold, as .dumpdebug does.

Under the line of each stream stands what WinDbg shows of it; of the streams that
WinDbg shows nothing of, facts of dumpscan. --windbg leaves these out.

--raw writes the bytes of one stream, by its name (TokenStream, token) or number
(19, 0x13), as they stand in the file.`

// streamsFlags are the options of the command.
type streamsFlags struct {
	raw      string
	rawGiven bool
	out      string
	windbg   bool
	output
}

func (a *app) streamsCommand() *cobra.Command {
	o := &streamsFlags{}
	cmd := &cobra.Command{
		Use:   "streams DUMP",
		Short: "the streams of the dump and what they hold: .dumpdebug",
		Long:  streamsLong,
		Args:  cobra.ExactArgs(1),
	}
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		o.rawGiven = cmd.Flags().Changed("raw")
		return a.streams(ctx, args[0], o)
	})
	cmd.Flags().StringVar(&o.raw, "raw", "", "write the bytes of the stream of this `type`, a name or a number")
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "write what --raw asks for to this `file`, not to standard output")
	cmd.Flags().BoolVar(&o.windbg, "windbg", false, "exactly what WinDbg prints")
	o.register(cmd, render.JSON)
	cmd.MarkFlagsMutuallyExclusive("raw", "windbg", "json")
	complete(cmd, "raw", a.completeStreams)
	return cmd
}

func (a *app) streams(ctx context.Context, name string, o *streamsFlags) error {
	var raw minidump.StreamType
	switch {
	case o.rawGiven && o.raw == "":
		return usagef("--raw is the name or the number of a stream")
	case o.raw == "" && o.out != "":
		return usagef("-o is where --raw writes to, which is not there")
	case o.raw != "":
		var ok bool
		if raw, ok = minidump.ParseStreamType(o.raw); !ok {
			return unknownStream(o.raw)
		}
		if f, ok := a.stdout.w.(*os.File); ok && o.out == "" && term.IsTerminal(int(f.Fd())) {
			return usagef("standard output is the terminal, and a stream is no text; name a file with -o")
		}
	}
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	if o.raw != "" {
		return a.rawStream(d, raw, o.out)
	}
	info := analysis.Streams(d.File)
	r := render.NewStreamsReport(render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), info)
	a.complain(d.name, info.Problem)
	if o.windbg {
		o.format = render.WinDbg
	}
	return a.write(r, o.format)
}

// rawStream writes the bytes of a stream to a file, or to standard output.
func (a *app) rawStream(d *dump, t minidump.StreamType, out string) error {
	r, err := d.Stream(t)
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, analysis.MissingStream(d.File, t, err))
	}
	a.complain(d.name, err) // what is there is written all the same
	write := func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	}
	if err := a.stopped(); err != nil {
		return err
	}
	if out == "" {
		return write(a.stdout)
	}
	return writeFile(out, write)
}

// unknownStream says that there is no stream of a name, and perhaps which one was
// meant.
func unknownStream(name string) error {
	var names []string
	for _, t := range minidump.KnownStreams() {
		names = append(names, t.String(), strings.TrimSuffix(t.String(), "Stream"))
	}
	if similar := words.Similar(name, names); similar != "" {
		return usagef("--raw %s: did you mean %s?", name, similar)
	}
	return usagef("--raw %s: it is neither the name nor the number of a stream", name)
}

// completeStreams offers the streams of the dump, or without one all that have a
// name.
func (a *app) completeStreams(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, t := range a.streamsOf(cmd.Context(), args) {
		names = append(names, t.String())
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) streamsOf(ctx context.Context, args []string) []minidump.StreamType {
	if len(args) == 0 || isStdin(args[0]) {
		return minidump.KnownStreams()
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d, err := a.open(ctx, args[0])
	if err != nil {
		return nil
	}
	defer d.Close()
	entries, _ := d.Directory() // those that can be read are on offer
	var types []minidump.StreamType
	for _, e := range entries {
		types = append(types, e.StreamType)
	}
	return types
}
