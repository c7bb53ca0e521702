package main

import (
	"archive/zip"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
)

// A completion is what a shell offers for a word.
type completion = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective)

// completeHandles offers the values of the options of "handles".
func (a *app) completeHandles(cmd *cobra.Command) {
	a.completeTypes(cmd)
	complete(cmd, "sort", oneOf(slices.Concat(analysis.HandleOrders(), []string{"count"})))
	complete(cmd, "state", oneOf(analysis.StateWords()))
	complete(cmd, "group-by", listOf(analysis.GroupWords()))
	complete(cmd, "access", func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		types, _ := cmd.Flags().Lookup("type").Value.(*typeFlags)
		return listOf(analysis.RightNames(*types...))(cmd, args, word)
	})
}

// completeTypes offers types for --type: those that WinDbg knows and those of the
// dump, if one is named already.
func (a *app) completeTypes(cmd *cobra.Command) {
	complete(cmd, "type", func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		types := append(analysis.KnownTypes(), a.typesOf(cmd.Context(), args)...)
		slices.Sort(types)
		return listOf(slices.Compact(types))(cmd, args, word)
	})
}

// patience is how long somebody who presses Tab is kept waiting.
const patience = time.Second

// typesOf returns the types of the handles in the first dump of a command line,
// or nil if it cannot be read at once.
func (a *app) typesOf(ctx context.Context, args []string) []string {
	if len(args) == 0 || isStdin(args[0]) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d, err := a.open(ctx, args[0])
	if err != nil {
		return nil
	}
	defer d.Close()
	l, err := analysis.ReadHandles(d.File)
	if err != nil {
		return nil
	}
	var types []string
	if s, _ := analysis.Summarize(ctx, l, 0); s != nil {
		for _, t := range s.Types {
			if t.Type != "" {
				types = append(types, t.Type)
			}
		}
	}
	return types
}

// complete sets the completion of an option that the command has.
func complete(cmd *cobra.Command, option string, offer completion) {
	if err := cmd.RegisterFlagCompletionFunc(option, offer); err != nil {
		panic(err) // the option is not there: a mistake of the program
	}
}

// oneOf offers one of some words.
func oneOf(offer []string) completion {
	return cobra.FixedCompletions(offer, cobra.ShellCompDirectiveNoFileComp)
}

// listOf offers words that may be joined by commas.
func listOf(offer []string) completion {
	return func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		before := word[:strings.LastIndex(word, ",")+1]
		all := make([]string, len(offer))
		for i, w := range offer {
			all[i] = before + w
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeDump offers files, and the members of an archive behind its name and a
// colon.
func completeDump(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	archive, _, ok := strings.Cut(word, ".zip:")
	if !ok {
		return nil, cobra.ShellCompDirectiveDefault
	}
	archive += ".zip"
	z, err := zip.OpenReader(archive)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		if !f.FileInfo().IsDir() {
			names = append(names, archive+":"+f.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeHandleArgs offers what follows a dump: values of handles are too many,
// FLAGS are a few, and types those of the dump.
func (a *app) completeHandleArgs(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return completeDump(cmd, args, word)
	case 1:
		return []string{cobra.CompletionWithDesc("0", "all handles")}, cobra.ShellCompDirectiveNoFileComp
	case 2:
		return []string{
			cobra.CompletionWithDesc("ff", "everything"), cobra.CompletionWithDesc("0", "the summary"),
			cobra.CompletionWithDesc("1", "types"), cobra.CompletionWithDesc("5", "types and names"),
		}, cobra.ShellCompDirectiveNoFileComp
	case 3:
		return append(analysis.KnownTypes(), a.typesOf(cmd.Context(), args)...), cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
