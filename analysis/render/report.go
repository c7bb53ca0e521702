package render

import (
	"bufio"
	"fmt"
	"io"
)

// A Report is a finished answer: plain values, and no resolver, open file or
// function. Only where there may be millions of records does it hold an
// iterator of them. [Write] writes it.
type Report interface {
	// schema names the contract of the JSON form and its version.
	schema() string
}

// A Format is a form in which reports are written.
type Format string

// The formats. Not every report has each.
const (
	Text     Format = "text"     // for people
	JSON     Format = "json"     // for programs; every report has it
	CSV      Format = "csv"      // for spreadsheets
	Markdown Format = "markdown" // for tickets
	JUnit    Format = "junit"    // for build servers
	GitHub   Format = "github"   // annotations of GitHub Actions
	WinDbg   Format = "windbg"   // as WinDbg prints it
	Folded   Format = "folded"   // stacks for flame graphs
	Pprof    Format = "pprof"    // a profile for "go tool pprof"
)

// A report has a format if it has its method.
type (
	texter interface {
		text(*bufio.Writer, Style) error
	}
	csver      interface{ csv(*bufio.Writer) error }
	markdowner interface{ markdown(*bufio.Writer) error }
	juniter    interface{ junit(*bufio.Writer) error }
	githuber   interface{ github(*bufio.Writer) error }
	windbger   interface{ windbg(*bufio.Writer) error }
	folder     interface{ folded(*bufio.Writer) error }
	pprofer    interface{ pprof(*bufio.Writer) error }
)

// writers has a row for each format. It is the only place that chooses.
var writers = map[Format]func(*bufio.Writer, Report, Style) error{
	Text:     styled(texter.text),
	JSON:     func(b *bufio.Writer, r Report, _ Style) error { return writeJSON(b, r) },
	CSV:      plain(csver.csv),
	Markdown: plain(markdowner.markdown),
	JUnit:    plain(juniter.junit),
	GitHub:   plain(githuber.github),
	WinDbg:   plain(windbger.windbg),
	Folded:   plain(folder.folded),
	Pprof:    plain(pprofer.pprof),
}

// Write writes a report in a format. style is for text alone.
func Write(w io.Writer, r Report, f Format, style Style) error {
	write, ok := writers[f]
	if !ok {
		return fmt.Errorf("there is no format %q", f)
	}
	b := bufio.NewWriterSize(w, 256<<10)
	if err := write(b, r, style); err != nil {
		b.Flush() // what is there may be of use
		return err
	}
	return b.Flush()
}

// styled is the writer of a format for people.
func styled[T any](write func(T, *bufio.Writer, Style) error) func(*bufio.Writer, Report, Style) error {
	return func(b *bufio.Writer, r Report, s Style) error {
		x, ok := r.(T)
		if !ok {
			return fmt.Errorf("%s has no such form", r.schema())
		}
		return write(x, b, s)
	}
}

// plain is the writer of a format that looks the same everywhere.
func plain[T any](write func(T, *bufio.Writer) error) func(*bufio.Writer, Report, Style) error {
	return styled(func(x T, b *bufio.Writer, _ Style) error { return write(x, b) })
}
