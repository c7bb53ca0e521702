package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// explainUsage gives a command line that is wrong an answer in words of its
// own: cobra says "accepts 2 arg(s)", but not which.
func (a *app) explainUsage(root *cobra.Command) {
	root.SetUsageFunc(a.usage)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand())
	root.Args = commandArgs
	root.SuggestionsMinimumDistance = 2
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "write the completions for bash, zsh, fish or powershell"
			cmd.Args, cmd.RunE = cobra.ArbitraryArgs, noShell
		}
	}
	for _, cmd := range root.Commands() {
		check := cmd.Args
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) == nil {
				return nil
			}
			return argumentError(cmd, args)
		}
		if cmd.ValidArgsFunction == nil && (strings.Contains(cmd.Use, " DUMP") || strings.Contains(cmd.Use, " OLD")) {
			cmd.ValidArgsFunction = completeDump
		}
	}
}

// argumentError says which argument is missing or too many.
func argumentError(cmd *cobra.Command, args []string) error {
	usage := cmd.UseLine()
	_, synopsis, _ := strings.Cut(cmd.Use, " ")
	names := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(synopsis))
	if len(args) < len(names) {
		return fmt.Errorf("%s is missing; usage: %s", names[len(args)], usage)
	}
	return fmt.Errorf("%q is one argument too many; usage: %s", args[len(names)], usage)
}

// noShell answers "completion" without a shell, or with one that there are no
// completions for.
func noShell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var shells []string
	for _, sub := range cmd.Commands() {
		shells = append(shells, sub.Name())
	}
	return fmt.Errorf("there are no completions for %q; there are for %s", args[0], words.List(shells...))
}

// flagError says in plain words what is wrong with an option.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var needed *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return noOption(cmd, unknown)
	case errors.As(err, &needed):
		value, _ := pflag.UnquoteUsage(needed.GetFlag())
		return fmt.Errorf("--%s needs a value: %s", needed.GetFlag().Name, value)
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s %s: %w", invalid.GetFlag().Name, words.ShellQuote(invalid.GetValue()), errors.Unwrap(invalid))
	}
	return err
}

// noOption suggests an option for one that is not there.
func noOption(cmd *cobra.Command, err *pflag.NotExistError) error {
	name := err.GetSpecifiedName()
	if err.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("no option -%s", name)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if similar := words.Similar(name, names); similar != "" {
		return fmt.Errorf("no option --%s; did you mean --%s?", name, similar)
	}
	return fmt.Errorf("no option --%s", name)
}

// commandArgs complains about what stands in the place of the command.
func commandArgs(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	word := args[0]
	if similar := root.SuggestionsFor(word); len(similar) > 0 {
		return fmt.Errorf("no command %q; did you mean %s?", word, strings.Join(similar, " or "))
	}
	if _, err := fs.Stat(os.DirFS("."), word); err == nil || strings.ContainsAny(word, `./\`) {
		return fmt.Errorf("no command %q; if it is a dump: dumpscan handles %s", word, words.ShellQuote(word))
	}
	return fmt.Errorf("no command %q", word)
}

// helpCommand replaces cobra's, which explains the whole program to whoever
// misspells a command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "explain a command",
		Args:  cobra.MaximumNArgs(2), // help completion zsh
		ValidArgsFunction: func(help *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) == 0 {
				for _, cmd := range help.Root().Commands() {
					if cmd.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(cmd.Name(), cmd.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(help *cobra.Command, args []string) error {
			cmd, rest, err := help.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = commandArgs(help.Root(), rest)
			}
			if err != nil {
				return err
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// usage writes the synopsis of a command, its subcommands and its options.
func (a *app) usage(cmd *cobra.Command) error {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(w, "  %-*s  %s\n", cmd.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	width := 100
	if a.style.Width > 0 {
		width = min(width, a.style.Width)
	}
	fmt.Fprintf(w, "\nOptions:\n%s", plainFlags(cmd.NonInheritedFlags()).FlagUsagesWrapped(width))
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\nOptions of all commands:\n%s", plainFlags(cmd.InheritedFlags()).FlagUsagesWrapped(width))
	}
	return nil
}

// plainFlags is a copy of the flags for the help, in which a switch is "--json"
// and not "--json[=true|false]".
func plainFlags(flags *pflag.FlagSet) *pflag.FlagSet {
	plain := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(f *pflag.Flag) {
		c := *f
		if c.Value.Type() == "bool" {
			c.Value = switchValue{c.Value}
		}
		plain.AddFlag(&c)
	})
	return plain
}

// A switchValue is a boolean that is only ever switched on.
type switchValue struct{ pflag.Value }

func (switchValue) Type() string { return "boolfunc" }

var exclusive = regexp.MustCompile(`^if any flags in the group .* \[(.*)\] were all set$`)

// plainUsage says in plain words that options exclude each other. Cobra has no
// type for this error; should its text change, it is passed on as it is.
func plainUsage(err error) string {
	m := exclusive.FindStringSubmatch(err.Error())
	if m == nil {
		return err.Error()
	}
	return "--" + strings.Join(strings.Fields(m[1]), " and --") + " exclude each other"
}
