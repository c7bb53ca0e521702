package leaks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A dumpReader opens the dumps of a series again for what their snapshots do
// not hold, two at most at a time: several thousand dumps need no more open files than
// one.
type dumpReader struct{ open analysis.OpenFunc }

// openFile is the OpenFunc for dumps that are plain files.
func openFile(_ context.Context, file string) (*minidump.File, func() error, error) {
	f, err := minidump.Open(file)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // whoever reports it names the file
		}
		return nil, nil, err
	}
	return f, f.Close, nil
}

// use calls do with the open dump of a snapshot.
func (r *dumpReader) use(ctx context.Context, s *analysis.Snapshot, do func(*minidump.File) error) error {
	f, done, err := r.open(ctx, s.File)
	if err == nil {
		err = do(f)
		if closeErr := done(); err == nil {
			err = closeErr
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// with is use for what a verdict can do without: what goes wrong is noted in
// the process's Problems, and only the error of ctx is returned.
func (r *dumpReader) with(ctx context.Context, p *Process, s *analysis.Snapshot, do func(*minidump.File) error) error {
	err := r.use(ctx, s, do)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.problem(s, err)
	return nil
}

// handles calls visit for all handles of a dump, with the parts that decide
// about their kind. The error is that of ctx, or says that the dump could not
// be opened again: as if it had no handles, all of them would seem closed.
func (r *dumpReader) handles(ctx context.Context, s *analysis.Snapshot, visit func(*minidump.Handle)) error {
	err := r.use(ctx, s, func(f *minidump.File) error { return walk(ctx, f, visit) })
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: it could be read once, but not again: %w", s.File, err)
	}
	return err
}

// evidence is handles for what a verdict can do without.
func (r *dumpReader) evidence(ctx context.Context, p *Process, s *analysis.Snapshot, visit func(*minidump.Handle)) error {
	return r.with(ctx, p, s, func(f *minidump.File) error { return walk(ctx, f, visit) })
}

// walk calls visit for all handles. What cannot be read is in the snapshot's
// Problems.
func walk(ctx context.Context, f *minidump.File, visit func(*minidump.Handle)) error {
	l, err := analysis.ReadHandles(f)
	if err != nil {
		return err
	}
	l.Walk(ctx, analysis.KindParts, func(h *minidump.Handle) bool {
		visit(h)
		return true
	})
	return nil
}

// dumpArg is the name of a dump as a command takes it: not one that looks like
// an option, and a placeholder for standard input, which cannot be read again.
func dumpArg(file string) string {
	switch {
	case file == "-" || strings.HasPrefix(file, "-:"):
		return "FILE"
	case strings.HasPrefix(file, "-"):
		return "./" + file
	}
	return file
}
