package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the manual pages, for packagers.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "write the manual pages to a directory",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			// A fixed date keeps the pages the same from build to build.
			date := time.Unix(0, 0).UTC()
			cmd.Root().DisableAutoGenTag = true // a line with the date
			err := doc.GenManTree(cmd.Root(), &doc.GenManHeader{
				Title: "DUMPSCAN", Section: "1", Source: "dumpscan", Date: &date,
			}, args[0])
			if err != nil {
				return inputError{err}
			}
			return nil
		},
	}
}
