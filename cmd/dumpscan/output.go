package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis/render"
)

// An output is the format that a command line asks for. The zero value is text.
type output struct{ format render.Format }

// outputFlags are the options that choose a format.
var outputFlags = map[render.Format]string{
	render.JSON:     "write JSON",
	render.CSV:      "write CSV",
	render.Markdown: "write Markdown, for a ticket",
	render.Folded:   "write folded stacks for flame-graph tools",
}

// register adds the options for the formats that a command has beside text. It
// returns their names, of which only one may be given.
func (o *output) register(cmd *cobra.Command, formats ...render.Format) []string {
	o.format = render.Text
	var names []string
	for _, f := range formats {
		name := string(f)
		cmd.Flags().BoolFunc(name, outputFlags[f], func(string) error {
			o.format = f
			return nil
		})
		names = append(names, name)
	}
	if len(names) > 1 {
		cmd.MarkFlagsMutuallyExclusive(names...)
	}
	return names
}

// write writes a report to stdout.
func (a *app) write(r render.Report, f render.Format) error {
	return a.writeTo(a.stdout, r, f, a.style)
}

// writeTo writes a report with all problems there are. Some are found while the
// records are written: with --strict these are gone through once before, so that
// nothing is written if there is a problem.
func (a *app) writeTo(w io.Writer, r render.Report, f render.Format, style render.Style) error {
	if c, ok := r.(render.Complainer); ok {
		c.Complain(a.problems)
	}
	if a.strict {
		if err := a.stopped(); err != nil {
			return err
		}
		if err := render.Write(io.Discard, r, f, style); err != nil {
			return err
		}
		if err := a.stopped(); err != nil {
			return err
		}
	}
	return render.Write(w, r, f, style)
}
