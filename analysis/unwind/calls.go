package unwind

import (
	"context"
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Call is one frame of a stack with the call that led from it to the next
// inner frame.
type Call struct {
	Return symbol.Location // the return address
	// Destination is where the call went. Its Address is 0 if that is not known,
	// and Note says why.
	Destination symbol.Location
	// Note is the call in the assembler's words if it does not say where it goes,
	// "call rdi", or else what is missing: "its code is not in the dump".
	Note string
}

// NewCallDecoder prepares to decode the calls in a dump. code is the session's,
// and modules are those of the dump: a call goes into one of them, if the bytes
// allow that. The error wraps [minidump.ErrNoStream] if the dump does not say
// which processor it is of.
func NewCallDecoder(f *minidump.File, code *symbol.Code, modules *symbol.Modules) (*CallDecoder, error) {
	system, err := f.SystemInfo()
	if system == nil {
		return nil, err
	}
	memory, _ := f.Memory()
	if memory == nil {
		memory = &minidump.Memory{} // nothing is captured
	}
	return &CallDecoder{
		Code: code, Data: memory, Arch: system.ProcessorArchitecture, Shift: code.Shift,
		Plausible: func(addr minidump.VA) bool {
			_, ok := modules.Find(addr)
			return ok
		},
	}, nil
}

// Calls decodes the calls of a stack, whose innermost frame comes first, and
// names their ends. The error is that of ctx.
func (d *CallDecoder) Calls(ctx context.Context, stack []minidump.VA, names symbol.Resolver) ([]Call, error) {
	sites := make([]CallSite, len(stack))
	errs := make([]error, len(stack))
	addrs := make([]minidump.VA, 0, 3*len(stack))
	for i, addr := range stack {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sites[i], errs[i] = d.Decode(addr)
		addrs = append(addrs, addr)
		for _, end := range []minidump.VA{sites[i].Target, sites[i].Slot} {
			if end != 0 {
				addrs = append(addrs, end)
			}
		}
	}
	resolved, err := names.Resolve(ctx, addrs)
	if err != nil {
		return nil, err
	}
	calls := make([]Call, len(stack))
	for i, addr := range stack {
		c := Call{Return: resolved.At(addr)}
		switch site := sites[i]; {
		case errors.Is(errs[i], minidump.ErrNotCaptured):
			c.Note = "its code is not in the dump"
		case errs[i] != nil:
			c.Note = errs[i].Error()
		case site.Target != 0:
			c.Destination = resolved.At(site.Target)
		case site.Slot != 0:
			c.Note = fmt.Sprintf("through the pointer at %s, which is not in the dump", resolved.At(site.Slot).Place())
		default:
			c.Note = site.Instruction
		}
		calls[i] = c
	}
	return calls, nil
}
