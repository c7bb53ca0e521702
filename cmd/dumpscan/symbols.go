package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/symbol/symserver"
	"github.com/dumpscan/dumpscan/minidump"
)

const symbolsLong = `List the modules with their identities, and where their names come from.

Names are looked for in this order, and matched by identity, never by name alone
unless --loose:

  pdb     a PDB of the same GUID and age
  sym     a Breakpad .sym file of the same identifier
  dwarf   DWARF or COFF symbols of the image (MinGW builds)
  export  the nearest exported function: a guess that misleads when the
          displacement is large
  module  module and offset

A full-memory dump holds the images: it gives exports without any file.

PATH is written as in _NT_SYMBOL_PATH: folders, symbol stores, srv*CACHE*URL and
cache*DIR, separated by semicolons. A server is asked only if PATH or the
environment names it.

--manifest lists the files to fetch on another machine, as URLs if PATH names a
server, else as paths in a symbol store. It asks no server:

  dumpscan symbols w3wp.dmp --manifest -y https://msdl.microsoft.com/download/symbols`

// symbolFlags are the options of all commands that print addresses.
type symbolFlags struct {
	symbols, images          string
	loose, rawNames, offline bool
}

// register adds the options to a command.
func (o *symbolFlags) register(f *pflag.FlagSet) {
	f.StringVarP(&o.symbols, "symbols", "y", os.Getenv("_NT_SYMBOL_PATH"), "look for PDB and .sym files in this `path`, else in _NT_SYMBOL_PATH")
	f.StringVarP(&o.images, "images", "i", os.Getenv("_NT_EXECUTABLE_IMAGE_PATH"), "look for programs and DLLs in this `path`, else in _NT_EXECUTABLE_IMAGE_PATH")
	f.BoolVar(&o.loose, "loose", false, "take symbols and images by their name although they are of another build")
	f.BoolVar(&o.rawNames, "raw-names", false, "print decorated C++ names as they are")
	f.BoolVar(&o.offline, "offline", false, "ask no symbol servers, use what is in their caches")
	// Values of the environment are no part of the documentation.
	f.Lookup("symbols").DefValue, f.Lookup("images").DefValue = "", ""
}

// resolver prepares to name the addresses of a dump. The caller closes it. An
// error wraps minidump.ErrNoStream if the dump lists no modules; a damaged list
// is an error too, and in both cases there is a session that knows the rest.
func (a *app) resolver(f *minidump.File, o *symbolFlags) (*symbol.Session, error) {
	session, err := symbol.NewResolver(f, symbol.Options{
		SymbolPath: o.symbols, ImagePath: o.images,
		Loose: o.loose, RawNames: o.rawNames, Offline: o.offline,
		Fetcher: &symserver.Client{}, Progress: a.downloads(),
		Damaged: func(path string, err error) { a.notef("%s: %v", path, err) },
		Limited: func(what string) { a.notef("%s", what) },
	})
	if session == nil {
		return nil, usageError{err}
	}
	a.absentFolders("-y", o.symbols)
	a.absentFolders("-i", o.images)
	return session, err
}

// absentFolders says which folders of a symbol path do not exist: what is not
// there is not missed in silence.
func (a *app) absentFolders(flag, path string) {
	for _, dir := range symbol.MissingFolders(path) {
		if !a.noted[dir] {
			a.noted[dir] = true
			a.notef("%s: no folder %s", flag, dir)
		}
	}
}

// downloads shows each download as a bar.
func (a *app) downloads() func(symbol.Progress) {
	var mu sync.Mutex
	bars := map[string]*progress{}
	return func(p symbol.Progress) {
		mu.Lock()
		defer mu.Unlock()
		bar := bars[p.URL]
		if bar == nil {
			bar = a.progress("fetching " + p.URL)
			bars[p.URL] = bar
		}
		bar.update(p.Done, p.Total)
		if p.End {
			bar.finish()
			delete(bars, p.URL)
		}
	}
}

func (a *app) symbolsCommand() *cobra.Command {
	var o symbolFlags
	var manifest bool
	var out output
	cmd := &cobra.Command{
		Use:   "symbols DUMP",
		Short: "where the names of each module come from, and what is missing",
		Long:  symbolsLong,
		Args:  cobra.ExactArgs(1),
		RunE: runE(func(ctx context.Context, args []string) error {
			o.offline = o.offline || manifest
			return a.symbols(ctx, args[0], &o, manifest, out.format)
		}),
	}
	o.register(cmd.Flags())
	cmd.Flags().BoolVar(&manifest, "manifest", false, "list the files to fetch on another machine")
	out.register(cmd, render.JSON)
	return cmd
}

func (a *app) symbols(ctx context.Context, name string, o *symbolFlags, manifest bool, format render.Format) error {
	d, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer d.Close()
	session, err := a.resolver(d.File, o)
	if session == nil {
		return err
	}
	defer session.Close()
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	header := render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File))
	a.complain(d.name, err)
	if manifest {
		return a.manifest(ctx, session, header, format)
	}
	modules, err := session.Inspect(ctx)
	if err != nil {
		return err
	}
	r := render.NewSymbolReport(header, modules)
	if o.symbols == "" && o.images == "" {
		r.Notes = a.notes(format, "no files were looked for; name symbols with -y, or in _NT_SYMBOL_PATH")
	}
	return a.write(r, format)
}

// manifest lists the files to fetch, or says why there are none.
func (a *app) manifest(ctx context.Context, s *symbol.Session, header render.DumpHeader, format render.Format) error {
	files, err := s.Manifest(ctx)
	if err != nil {
		return err
	}
	r := render.NewSymbolManifest(header, files)
	if len(files) == 0 {
		modules, err := s.Inspect(ctx)
		if err != nil {
			return err
		}
		r.Notes = a.notes(format, symbol.NothingToFetch(modules))
	}
	return a.write(r, format)
}

// notes writes notes to stderr, unless the answer is JSON, which has them.
func (a *app) notes(f render.Format, notes ...string) []string {
	if f != render.JSON {
		for _, n := range notes {
			a.notef("%s", n)
		}
	}
	return notes
}
