package unwind

import (
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A NamedFrame is a frame with its names.
type NamedFrame struct {
	Frame
	// At is the place of PC: of a return address the function and line are those
	// of the call before it, while the address and the distances are its own, as
	// WinDbg prints them. Its Inlined is empty.
	At symbol.Location
	// Inline says that this is no frame of its own: the compiler put the function
	// into the one of the next frame that is not inline, with whose registers it
	// runs.
	Inline bool
	// Exact says that At names the function that PC is in. It is false if that is
	// the nearest export below it, which may be another one.
	Exact bool
}

// Name names the frames of the threads' stacks, each list as the frames of one
// stack, with a frame for every inlined call. Stack32 is left to a call of its
// own: see [Stacks32]. The error is that of ctx.
func Name(ctx context.Context, names symbol.Resolver, stacks []ThreadStack) ([][]NamedFrame, error) {
	var addrs []minidump.VA
	for i := range stacks {
		for _, f := range stacks[i].Frames {
			addrs = append(addrs, f.Lookup())
		}
	}
	resolved, err := names.Resolve(ctx, addrs)
	if err != nil {
		return nil, err
	}
	named := make([][]NamedFrame, len(stacks))
	for i := range stacks {
		for _, f := range stacks[i].Frames {
			named[i] = appendNamed(named[i], f, resolved.At(f.Lookup()))
		}
	}
	return named, nil
}

// appendNamed adds a frame and before it the calls that were inlined there.
func appendNamed(list []NamedFrame, f Frame, at symbol.Location) []NamedFrame {
	exact := at.Function != "" && (at.Trust != symbol.TrustExport || f.Lookup()-minidump.VA(at.Displacement) == f.Function)
	inlined := at.Inlined
	at.Inlined = nil
	if f.Return {
		at.Address++
		if at.Module != "" {
			at.Offset++
		}
		at.Others = slices.Clone(at.Others)
		for i := range at.Others {
			at.Others[i].Offset++
		}
		if at.Function != "" {
			at.Displacement++
		}
	}
	for _, in := range inlined {
		in := symbol.Location{
			Address: at.Address, Module: at.Module, Offset: at.Offset,
			Function: in.Function, File: in.File, Line: in.Line, Trust: at.Trust,
		}
		list = append(list, NamedFrame{Frame: f, At: in, Inline: true, Exact: true})
	}
	return append(list, NamedFrame{Frame: f, At: at, Exact: exact})
}

// Stacks32 returns the stacks of 32-bit code as those of threads, for [Name]. A
// thread without one has no frames.
func Stacks32(stacks []ThreadStack) []ThreadStack {
	list := make([]ThreadStack, len(stacks))
	for i := range stacks {
		if s := stacks[i].Stack32; s != nil {
			list[i].Stack = *s
		}
	}
	return list
}
