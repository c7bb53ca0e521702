package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
)

// calls prints the calls of one stack.
func (q *htraceQuery) calls(ctx context.Context) error {
	stack, what, err := q.chooseStack()
	if err != nil {
		return err
	}
	code := q.resolver.Code(ctx)
	defer code.Close()
	decoder, err := q.callDecoder(code)
	if err != nil {
		return err
	}
	frames := q.trace.Frames(stack)
	sites := make([]unwind.CallSite, len(frames))
	errs := make([]error, len(frames))
	var targets []minidump.VA
	for i, addr := range frames {
		sites[i], errs[i] = decoder.Decode(addr)
		targets = append(targets, sites[i].Target, sites[i].Slot)
	}
	names, err := q.resolver.Resolve(ctx, targets)
	if err != nil {
		return err
	}
	var calls []render.TraceCall
	for i, addr := range frames {
		c := render.TraceCall{Return: q.names.At(addr)}
		site, err := sites[i], errs[i]
		switch {
		case errors.Is(err, minidump.ErrNotCaptured):
			c.Note = "? (its code is not in the dump)"
		case err != nil:
			c.Note = "? (" + err.Error() + ")"
		case site.Target != 0:
			c.Destination = names.At(site.Target)
		case site.Slot != 0:
			c.Note = "? (through the pointer at " + names.At(site.Slot).String() + ", which is not in the dump)"
		default:
			c.Note = "? (" + site.Instruction + ")"
		}
		calls = append(calls, c)
	}
	if q.style.Terminal {
		fmt.Fprintln(q.stdout, what)
	}
	return render.TraceCalls(q.stdout, calls, q.style)
}

// chooseStack returns the stack of HANDLE's last open, or that of the widest
// group.
func (q *htraceQuery) chooseStack() (stack int, what string, err error) {
	if q.opts.handle == 0 {
		groups := q.groups(q.opts.by())
		if len(groups) == 0 {
			return 0, "", fmt.Errorf("%s: no outstanding opens, so there is no stack to show", q.dump.name)
		}
		s := groups[0].Stacks[0]
		return s.Stack, fmt.Sprintf("the stack of %d outstanding opens", s.Count), nil
	}
	life := q.trace.Life(q.opts.handle)
	for i := len(life) - 1; i >= 0; i-- {
		if op := q.trace.Operation(life[i]); op.OperationType == minidump.OperationOpen {
			return op.Stack, fmt.Sprintf("the last open of %#x", op.Handle), nil
		}
	}
	return 0, "", fmt.Errorf("%s: the trace has no open of handle %#x", q.dump.name, q.opts.handle)
}

func (q *htraceQuery) callDecoder(code *symbol.Code) (*unwind.CallDecoder, error) {
	system, err := q.dump.SystemInfo()
	if system == nil {
		return nil, fmt.Errorf("%s: %w", q.dump.name, err)
	}
	memory, _ := q.dump.Memory()
	if memory == nil {
		memory = &minidump.Memory{} // nothing is captured
	}
	return &unwind.CallDecoder{
		Code: code, Data: memory, Arch: system.ProcessorArchitecture, Shift: code.Shift,
		Plausible: func(addr minidump.VA) bool {
			_, ok := q.system.Find(addr)
			return ok
		},
	}, nil
}
