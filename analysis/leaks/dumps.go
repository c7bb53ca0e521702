package leaks

import (
	"context"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A dumpReader opens the dumps of a series again for what their snapshots do
// not hold, one at a time: several thousand dumps need no more open files than
// one.
type dumpReader struct{ open analysis.OpenFunc }

// openFile is the OpenFunc for dumps that are plain files.
func openFile(_ context.Context, file string) (*minidump.File, func() error, error) {
	f, err := minidump.Open(file)
	if err != nil {
		return nil, nil, err
	}
	return f, f.Close, nil
}

// with calls do with the open dump of a snapshot. What goes wrong is noted in
// the process's Problems; only the error of ctx is returned.
func (r *dumpReader) with(ctx context.Context, p *Process, s *analysis.Snapshot, do func(*minidump.File) error) error {
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
	p.problem(s, err)
	return nil
}

// handles calls visit for all handles of a dump, with the parts that decide
// about their kind.
func (r *dumpReader) handles(ctx context.Context, p *Process, s *analysis.Snapshot, visit func(*minidump.Handle)) error {
	return r.with(ctx, p, s, func(f *minidump.File) error {
		l, err := analysis.ReadHandles(f)
		if err != nil {
			return err
		}
		l.Walk(ctx, analysis.KindParts, func(h *minidump.Handle) bool {
			visit(h)
			return true
		}) // what cannot be read is in the snapshot's Problems
		return nil
	})
}
