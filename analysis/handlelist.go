package analysis

import (
	"context"
	"errors"
	"iter"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleList is the handles of a dump, or those that a filter selects. It
// keeps none of them in memory: whoever goes through it reads the dump again.
// The dump must stay open as long as the list is used.
type HandleList struct {
	data   *minidump.HandleData
	filter HandleFilter
}

// ReadHandles returns the handles of a dump. The error is a [*MissingError]
// if there are none, or that of reading the head of their list. A list that
// is there but empty is no error: see [HandleList.Empty].
func ReadHandles(f *minidump.File) (*HandleList, error) {
	data, err := f.HandleData()
	if errors.Is(err, minidump.ErrNoStream) {
		return nil, missingHandles(f, err)
	}
	if err != nil {
		return nil, err
	}
	return &HandleList{data: data}, nil
}

// Select returns the handles that pass the filter, which replaces the one that
// l may have.
func (l *HandleList) Select(filter HandleFilter) *HandleList {
	return &HandleList{data: l.data, filter: filter}
}

// Data returns the list as the dump has it.
func (l *HandleList) Data() *minidump.HandleData { return l.data }

// Empty returns an error that says what to do if the dump has a list of
// handles without any. Every process has handles: these were not captured.
func (l *HandleList) Empty() error {
	if l.data.NumberOfDescriptors > 0 {
		return nil
	}
	return emptyHandles
}

// All iterates over the handles with the given parts, and those that the
// filter needs. As in [minidump.HandleData.All] the pointer is valid until the
// next step, and an error belongs to the handle that it comes with. One of
// which nothing could be read passes every filter.
func (l *HandleList) All(parts minidump.HandleParts) iter.Seq2[*minidump.Handle, error] {
	all := l.data.Only(parts | l.filter.Parts())
	if l.filter.Everything() {
		return all
	}
	return func(yield func(*minidump.Handle, error) bool) {
		for h, err := range all {
			if (l.filter.Match(h) || errors.Is(err, minidump.ErrUnreadable)) && !yield(h, err) {
				return
			}
		}
	}
}

// Walk calls visit for the handles with the given parts, and those that the
// filter needs, until it returns false. A handle that could be read in part is
// visited too. The error is that of ctx, or a [*PartialError] about what could
// not be read so far; that the file is too short for the list is part of that.
// The pointer is valid until visit returns.
func (l *HandleList) Walk(ctx context.Context, parts minidump.HandleParts, visit func(*minidump.Handle) bool) error {
	var failed Failures
	if err := l.walk(ctx, l.data.Only(parts|l.filter.Parts()), &failed, visit); err != nil {
		return err
	}
	_, short := l.data.Len()
	failed.Note(short)
	return failed.Err()
}

// walk is Walk over a part of the list. Its error is that of ctx.
func (l *HandleList) walk(ctx context.Context, part iter.Seq2[*minidump.Handle, error], failed *Failures, visit func(*minidump.Handle) bool) error {
	every := l.filter.Everything()
	n := 0
	for h, err := range part {
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed.Note(err)
			if errors.Is(err, minidump.ErrUnreadable) {
				continue
			}
		}
		if (every || l.filter.Match(h)) && !visit(h) {
			return nil
		}
	}
	return ctx.Err()
}
