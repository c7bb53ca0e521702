package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

const rootLong = `dumpscan finds handle leaks in Windows minidumps (.dmp), on any operating system.

DUMP is a minidump; .gz, .zst and .zip are unpacked, FILE.zip:NAME chooses from
an archive, and - reads standard input.

Exit codes: 0 answered; 1 answered and found something (leaks, check);
2 the command line is wrong; 3 an input could not be read whole, or lacks what
was asked for.

"dumpscan help COMMAND" explains a command and its options.`

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "dumpscan COMMAND DUMP...",
		Short:         "find handle leaks in Windows minidumps",
		Long:          rootLong,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Run:           func(cmd *cobra.Command, _ []string) { cmd.Help() },
	}
	// Cobra's completions keep what they write to when they are made.
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(
		a.checkCommand(),
		a.diffCommand(),
		a.exceptionCommand(),
		a.handlesCommand(),
		a.htraceCommand(),
		a.infoCommand(),
		a.leaksCommand(),
		a.memoryCommand(),
		a.modulesCommand(),
		a.ownersCommand(),
		a.pebCommand(),
		a.stacksCommand(),
		a.streamsCommand(),
		a.symbolsCommand(),
		a.threadsCommand(),
		a.tokenCommand(),
		a.versionCommand(),
		manCommand(),
	)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.InitDefaultVersionFlag()
	root.Flags().Lookup("version").Usage = "print the version of dumpscan"
	color := colorAuto
	root.PersistentFlags().Var(&color, "color", "colour the text: `when` is auto, always or never")
	complete(root, "color", oneOf(colors))
	root.PersistentFlags().BoolVar(&a.recover, "recover", false, "rebuild a damaged directory: find the streams by their shapes")
	root.PersistentFlags().Var(&a.spool, "max-spool", "unpack at most so many bytes in all, as 500M or 20G; 0: no limit (default)")
	root.PersistentPreRun = func(*cobra.Command, []string) { a.style = styleOf(a.stdout.w, color) }
	root.PersistentFlags().BoolVar(&a.strict, "strict", false, "stop at the first problem with an input, before any output")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveDefault)
	a.explainUsage(root)
	return root
}

// windbgNumbers makes -1, which !handle and !htrace take for "all handles", a
// number that is not mistaken for a flag.
func windbgNumbers(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		if arg == "-1" && i > 0 && args[i-1] != "" && args[i-1][0] != '-' {
			arg = "ffffffffffffffff"
		}
		out[i] = arg
	}
	return out
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version of dumpscan",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			cmd.Println("dumpscan " + version())
		},
	}
}

// version is what the Go toolchain recorded: the module's version when it was
// installed by version, else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
