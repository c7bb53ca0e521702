package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

const exceptionLong = `Show the exception that a dump was written for: its code and what its parameters
mean, the exceptions within it, the registers then, and the stack from there.

Of STATUS_INVALID_HANDLE it names the handle, where its parameter or the handle
trace tells which it is, and what the list of handles and the trace know of it.`

// exceptionFlags are the options of the command.
type exceptionFlags struct {
	maxFrames limitFlag
	symbols   symbolFlags
	output
}

func (a *app) exceptionCommand() *cobra.Command {
	o := &exceptionFlags{}
	cmd := &cobra.Command{
		Use:   "exception DUMP",
		Short: "the exception, its registers and its stack: .exr -1, .ecxr",
		Long:  exceptionLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.exception(ctx, args[0], o) }),
	}
	o.maxFrames.registerFrames(cmd.Flags())
	o.symbols.register(cmd.Flags())
	o.register(cmd, render.JSON)
	return cmd
}

func (a *app) exception(ctx context.Context, name string, o *exceptionFlags) error {
	q, err := a.stackQuery(ctx, name, &o.symbols)
	if err != nil {
		return err
	}
	defer q.Close()
	d := q.dump
	if q.exception == nil {
		if _, err = d.Exception(); errors.Is(err, minidump.ErrNoStream) {
			err = analysis.MissingException(d.File)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	facts := render.ExceptionFacts{Dump: q.header, MaxFrames: o.maxFrames.of(o.format), Exception: q.exception}
	if memory, _ := d.Memory(); memory != nil {
		var problem error
		facts.Nested, problem = analysis.NestedExceptions(memory, &facts.Exception.Exception, d.PointerSize())
		if !errors.Is(problem, minidump.ErrNotCaptured) {
			q.problem(problem)
		}
	}
	notes, err := q.faulting(ctx, &facts)
	if err != nil {
		return err
	}
	if err := q.invalidHandle(ctx, &facts); err != nil {
		return err
	}
	if err := q.nameException(ctx, &facts); err != nil {
		return err
	}
	r := render.NewExceptionReport(facts)
	if r.Notes = notes; r.Thread == nil {
		r.Notes = append(r.Notes, "the thread of the exception is not in the dump's list of threads, so that there is no stack")
	}
	if err := a.write(r, o.format); err != nil {
		return err
	}
	a.notes(o.format, r.Notes...)
	return nil
}

// faulting unwinds the stack of the exception's thread. notes say what it lacks.
func (q *stackQuery) faulting(ctx context.Context, facts *render.ExceptionFacts) (notes []string, err error) {
	for i := range q.threads {
		if q.threads[i].ThreadID != facts.Exception.ThreadID {
			continue
		}
		found, err := q.unwind(ctx, []int{i})
		if err != nil {
			return nil, err
		}
		facts.Stack, facts.Frames, facts.Frames32 = &found.stacks[0], found.frames[0], found.frames32[0]
		facts.Thread = q.names[facts.Exception.ThreadID]
		return q.stackNotes(found), nil
	}
	return nil, nil
}

// invalidHandle finds out which handle was not valid, if that is what the
// exception says.
func (q *stackQuery) invalidHandle(ctx context.Context, facts *render.ExceptionFacts) error {
	if facts.Exception.ExceptionCode != minidump.StatusInvalidHandle {
		return nil
	}
	trace, err := htrace.Read(ctx, q.dump.File, "")
	if trace == nil && ctx.Err() != nil {
		return err
	}
	q.problem(err)
	h, ok := htrace.FindInvalidHandle(&facts.Exception.Exception, trace)
	if !ok {
		return nil
	}
	facts.Handle, facts.Trace = &h, trace
	if facts.System, err = htrace.NewSystemModules(q.session.Modules().List(), nil, nil, nil); err != nil {
		return err
	}
	facts.System.RuntimeCode = q.session.RuntimeCode()
	list, err := analysis.ReadHandles(q.dump.File)
	if err != nil {
		q.problem(err)
		return nil
	}
	open := false
	facts.Listed = &open
	err = list.Select(analysis.HandleFilter{OneHandle: true, Handle: h.Handle}).Walk(ctx, minidump.HandleTypeName|minidump.HandleObjectName, func(h *minidump.Handle) bool {
		found := *h
		open, facts.HandleIs = true, &found
		return false
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	q.problem(err)
	return nil
}

// nameException names all addresses of the report but those of the stack.
func (q *stackQuery) nameException(ctx context.Context, facts *render.ExceptionFacts) (err error) {
	addrs := []minidump.VA{facts.Exception.ExceptionAddress}
	for i := range facts.Nested {
		addrs = append(addrs, facts.Nested[i].ExceptionAddress)
	}
	if facts.Handle != nil {
		for _, i := range facts.Handle.Life {
			addrs = append(addrs, facts.Trace.Operation(i).Frames...)
		}
	}
	facts.Names, err = q.session.Resolve(ctx, addrs)
	return err
}
