package main

import (
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
	return render.Write(a.stdout, r, f, a.style)
}
