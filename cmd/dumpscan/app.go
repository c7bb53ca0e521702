package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumpfile"
)

// The exit codes of every command.
const (
	exitAnswered = 0 // the question is answered
	exitFound    = 1 // answered, and something was found (leaks, check)
	exitUsage    = 2 // the command line is wrong
	exitInput    = 3 // an input could not be read whole, or lacks what was asked for

	// exitInterrupted is what a shell reports for a process that a Ctrl-C has
	// ended: main ends it by the signal itself.
	exitInterrupted = 130
)

// app is what all commands share.
type app struct {
	stdin  io.Reader
	stdout *checkedWriter
	stderr io.Writer
	style  render.Style // of stdout
	// problems are what could not be read of the inputs: every answer has them
	// among its errors, stderr gets them last, and the exit code is 3.
	problems *analysis.Problems
	// incomplete says that the answer lacks a part of what was asked for,
	// although all inputs could be read.
	incomplete bool
	strict     bool                      // stop at the first problem
	cancel     context.CancelFunc        // stops the command
	noted      map[string]bool           // what was said and need not be said again
	stdinTaken bool                      // a dump was read from standard input
	recover    bool                      // rebuild directories that are damaged
	opened     map[string]*minidump.File // dumps that are open already, by name
	spool      spoolFlag
}

// errFound makes the exit code 1. It has no message: the answer is the output.
var errFound = errors.New("found")

// A usageError makes the exit code 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	interrupted := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &app{
		stdin: stdin, stdout: &checkedWriter{w: stdout}, stderr: stderr, style: styleOf(stdout, colorAuto),
		problems: &analysis.Problems{}, noted: map[string]bool{}, cancel: cancel,
	}
	root := a.root()
	root.SetArgs(windbgNumbers(args))
	cmd, err := root.ExecuteContextC(ctx)

	problems := a.problems.Lines()
	if a.strict && len(problems) > 0 && interrupted.Err() == nil {
		a.errorf("%s", problems[0])
		return exitInput
	}
	for _, line := range problems {
		a.errorf("%s", line)
	}
	complete := len(problems) == 0 && !a.incomplete
	var input inputError
	switch {
	case a.stdout.err != nil && interrupted.Err() == nil:
		a.errorf("%v", a.stdout.err)
		return exitInput
	case errors.Is(err, errFound) && complete:
		return exitFound
	case err == nil && complete:
		return exitAnswered
	case err == nil || errors.Is(err, errFound):
		return exitInput
	case errors.Is(err, context.Canceled):
		if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			fmt.Fprintln(stderr) // the terminal has written ^C
		}
		a.errorf("interrupted")
		return exitInterrupted
	case errors.As(err, &input):
		if text := input.Error(); !slices.Contains(problems, text) {
			a.errorf("%s", text)
		}
		return exitInput
	}
	// Everything else is the command line's fault, cobra's own errors too.
	a.errorf("%s", plainUsage(err))
	help := "dumpscan help"
	if cmd != root && cmd.Name() != "help" {
		help += strings.TrimPrefix(cmd.CommandPath(), root.Name())
	}
	fmt.Fprintf(stderr, "Run '%s' for usage.\n", help)
	return exitUsage
}

// A checkedWriter keeps the first error of standard output. Whatever writes there,
// help and completions too, a disk that is full is not passed over.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// An inputError makes the exit code 3.
type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

// runE makes a command's function: errors that are neither of usage nor
// errFound concern the input.
func runE(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := do(cmd.Context(), args)
		var usage usageError
		if err == nil || errors.Is(err, errFound) || errors.As(err, &usage) {
			return err
		}
		return inputError{err}
	}
}

// errorf and the two below write one line to stderr. What comes from a dump
// is made safe for a terminal.
func (a *app) errorf(format string, args ...any) { a.message("dumpscan: ", format, args...) }

// notef says what a reader of the output should know.
func (a *app) notef(format string, args ...any) { a.message("note: ", format, args...) }

func (a *app) message(prefix, format string, args ...any) {
	fmt.Fprintln(a.stderr, prefix+words.Escape(fmt.Sprintf(format, args...)))
}

// complain reports that a part of an input could not be read. The command goes
// on with the rest, unless --strict says otherwise, and ends with exit code 3.
// This is the one way into the errors of all answers. file is "" where err names
// it already.
func (a *app) complain(file string, err error) {
	if err == nil {
		return
	}
	a.problems.Add(file, err)
	if a.strict {
		a.cancel()
	}
}

// complainUnlessAbsent is for streams that a dump need not have.
func (a *app) complainUnlessAbsent(file string, err error) {
	if !errors.Is(err, minidump.ErrNoStream) {
		a.complain(file, err)
	}
}

// errStopped ends a command at its first problem, which says what is wrong.
var errStopped = errors.New("stopped at the first problem")

// stopped is asked before anything is written: with --strict it is an error if
// there is a problem.
func (a *app) stopped() error {
	if a.strict && a.problems.Len() > 0 {
		return errStopped
	}
	return nil
}

// styleOf is how text on w may look. A bar is for a terminal only, and so is
// colour, unless the option --color says otherwise; NO_COLOR
// (https://no-color.org) and a dumb terminal forbid colour otherwise.
func styleOf(w io.Writer, color colorFlag) render.Style {
	var s render.Style
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s = render.Style{Terminal: true, Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.Width = width
		}
	}
	switch color {
	case colorAlways:
		s.Color = true
	case colorNever:
		s.Color = false
	}
	return s
}

// A dump is an input that has been opened.
type dump struct {
	*minidump.File
	name string // as on the command line
	file io.Closer
}

func (d *dump) Close() error { return d.file.Close() }

// isStdin reports whether a dump is read from standard input.
func isStdin(name string) bool { return name == "-" || strings.HasPrefix(name, "-:") }

// open opens a dump in any of the forms that package dumpfile knows.
func (a *app) open(ctx context.Context, name string) (*dump, error) {
	if f := a.opened[name]; f != nil {
		return &dump{File: f, name: name, file: f}, nil
	}
	if isStdin(name) {
		if a.stdinTaken {
			return nil, usagef("- is standard input, which holds one dump only; save the other one to a file")
		}
		if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return nil, usagef("- is standard input, which is the terminal here; write < FILE or pipe a dump into the command")
		}
		a.stdinTaken = true
	}
	bar := a.progress("unpacking " + name)
	file, err := dumpfile.Open(ctx, name, dumpfile.Options{Stdin: a.stdin, Limit: a.spool.limit, Progress: bar.update})
	bar.finish()
	if err != nil {
		return nil, openError(name, err)
	}
	a.complain(name, truncated(file))
	f, err := a.read(ctx, file)
	if err != nil {
		file.Close()
		return nil, openError(name, err)
	}
	streams, err := f.Directory()
	a.complain(name, err)
	a.aboutDirectory(name, f)
	if file.Truncated() == nil {
		a.cutOff(name, f.Size(), streams)
	}
	return &dump{File: f, name: name, file: file}, nil
}

// cutOff says that the file is shorter than its directory says. Without that,
// the errors of the streams behind the end look like damage.
func (a *app) cutOff(name string, size int64, streams []minidump.DirectoryEntry) {
	end := int64(0)
	for _, s := range streams {
		if s.StreamType != minidump.UnusedStream {
			end = max(end, int64(s.RVA)+int64(s.DataSize))
		}
	}
	told := "cut off: " + name
	if end <= size || a.noted[told] {
		return // dumps of a series are opened more than once
	}
	a.noted[told] = true
	a.notef("%s: the file is cut off or damaged: it has %d bytes, its streams need %d; copy or capture it again", name, size, end)
}

// openError drops the operation that package fs puts before its errors.
func openError(name string, err error) error {
	var choice *dumpfile.ChoiceError
	if errors.As(err, &choice) {
		similar := words.Similar(choice.Wanted, choice.Names)
		switch {
		case name == "-":
			return fmt.Errorf("%s: %w (as the last argument, behind --)", name, choice)
		case choice.Wanted != "" && similar != "" && similar != choice.Wanted:
			return fmt.Errorf("%s: %w; did you mean %s?", name, choice, similar)
		}
	}
	var path *fs.PathError
	for errors.As(err, &path) {
		if path.Op != "recover" && errors.Is(err, minidump.ErrNoHeader) {
			return fmt.Errorf("%s: %w; if it is a damaged dump, %s", name, path.Err, recoverHint)
		}
		err = path.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// handles returns the handles of the dump, or an error that says why there are
// none and how to capture them.
func (d *dump) handles() (*analysis.HandleList, error) {
	list, err := analysis.ReadHandles(d.File)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	return list, nil
}
