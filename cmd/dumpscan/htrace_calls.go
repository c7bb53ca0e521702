package main

import (
	"context"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// calls prints the calls of one stack.
func (q *htraceQuery) calls(ctx context.Context) error {
	stack, what, err := q.chooseStack(ctx)
	if err != nil {
		return err
	}
	code := q.resolver.Code(ctx)
	decoder, err := unwind.NewCallDecoder(q.dump.File, code, q.resolver.Modules())
	if err != nil {
		return fmt.Errorf("%s: %w", q.dump.name, err)
	}
	calls, err := decoder.Calls(ctx, q.trace.Frames(stack), q.resolver)
	if err != nil {
		return err
	}
	r := render.NewCallReport(render.NewDumpHeader(q.dump.name, q.info), what, calls)
	r.Notes = q.notes
	return q.write(r, q.opts.format())
}

// chooseStack returns the stack of HANDLE's last open, or that of the widest
// group.
func (q *htraceQuery) chooseStack(ctx context.Context) (stack int, what string, err error) {
	if !q.opts.query.OneHandle {
		groups, err := q.groups(ctx)
		if err != nil {
			return 0, "", err
		}
		if len(groups) == 0 {
			return 0, "", fmt.Errorf("%s: no outstanding opens, so there is no stack to show", q.dump.name)
		}
		s := groups[0].Stacks[0]
		return s.Stack, "the stack of " + words.Plural(s.Count, "open") + " that were never closed", nil
	}
	for i := range q.trace.Select(ctx, q.opts.query) {
		if op := q.trace.Operation(i); op.OperationType == minidump.OperationOpen {
			return op.Stack, fmt.Sprintf("the last open of %#x", op.Handle), nil
		}
	}
	return 0, "", fmt.Errorf("%s: the trace has no open of handle %#x", q.dump.name, q.opts.query.Handle)
}
