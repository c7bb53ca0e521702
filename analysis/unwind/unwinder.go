package unwind

import (
	"context"
	"errors"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// An Unwinder finds the frames of stacks. It is not safe for concurrent use.
type Unwinder struct {
	arch    minidump.ProcessorArchitecture
	memory  CodeReader // what the dump captured; stacks are read from it alone
	code    CodeReader // memory, and the image files where that lacks it
	modules *symbol.Modules
	session *symbol.Session     // nil: there are no symbols
	runtime *symbol.RuntimeCode // nil: nothing is made at run time
	calls   *CallDecoder
	mask    minidump.VA // see [addressMask]
	limit   int
	step    stepper

	rules      map[minidump.VA]symbol.FrameRule // by [Frame.Lookup]
	amd64State *amd64
	arm32State *arm32
	arm64State *arm64
	x86State   *x86
}

// maxFrames is where a stack is given up unless the caller chose another limit.
// A stack of 8 MiB, overflown by the smallest frames there are, has fewer.
const maxFrames = 1 << 19

// A stepper goes from a frame to its caller. There is one for each processor. The
// stop is "" if there is a caller; its stack pointer is checked by the Unwinder.
type stepper func(ctx context.Context, u *Unwinder, f Frame, r *Registers) (caller step, stop Stop)

// A step is the caller that a stepper found.
type step struct {
	regs      Registers
	trust     Trust
	interrupt bool // PC is where the caller was interrupted, and no return address
}

var steppers = map[minidump.ProcessorArchitecture]stepper{}

// New prepares to unwind the stacks of a dump. code is the session's. The error
// wraps [minidump.ErrNoStream] if the dump does not say which processor it is of.
func New(f *minidump.File, s *symbol.Session, code *symbol.Code) (*Unwinder, error) {
	calls, err := NewCallDecoder(f, code, s.Modules())
	if err != nil {
		return nil, err
	}
	return &Unwinder{
		arch: calls.Arch, memory: calls.Data, code: code, modules: s.Modules(), session: s, runtime: s.RuntimeCode(), calls: calls,
		mask: addressMask(f), limit: maxFrames, step: steppers[calls.Arch],
	}, nil
}

// Walk calls yield with each frame and its registers, from the innermost on, until
// that returns false, and returns why the stack ends. The pointer is valid
// during the call. The error is that of ctx.
func (u *Unwinder) Walk(ctx context.Context, start Registers, yield func(Frame, *Registers) bool) (Stop, error) {
	cur := step{regs: start, trust: TrustContext, interrupt: true}
	flat := false // the frame lies where its callee's does
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if n == u.limit {
			return StopLimit, nil
		}
		f := Frame{PC: cur.regs.PC, SP: u.sp(&cur.regs), FP: u.fp(&cur.regs), Return: !cur.interrupt, Trust: cur.trust}
		f.Function = u.start(f)
		if !yield(f, &cur.regs) {
			return "", nil
		}
		if u.step == nil {
			return StopNoArch, nil
		}
		next, stop := u.step(ctx, u, f, &cur.regs)
		if stop == StopNoUnwind && u.noImage(f.PC) {
			stop = StopNoImage
		}
		if stop != "" {
			return stop, ctx.Err()
		}
		if next.regs.PC == 0 && !next.interrupt { // else a null pointer was called
			return StopStart, nil
		}
		// A caller's frame lies above, but for a function that has none and was
		// interrupted: its caller's stack pointer may be its own on ARM.
		sp := u.sp(&next.regs)
		if sp < f.SP || sp == f.SP && (f.Return || flat) {
			return StopLoop, nil
		}
		cur, flat = next, sp == f.SP
	}
}

// noImage reports whether an address lies in a module of whose image nothing is at
// hand, neither in the dump nor in a file.
func (u *Unwinder) noImage(addr minidump.VA) bool {
	m, ok := u.modules.Find(addr)
	if !ok {
		return false
	}
	var buf [1]byte
	n, err := u.code.ReadAt(buf[:], m.BaseOfImage)
	return n == 0 && errors.Is(err, minidump.ErrNotCaptured)
}

// Stack returns the frames of a thread that has these registers.
func (u *Unwinder) Stack(ctx context.Context, c *minidump.Context) (Stack, error) {
	var s Stack
	var err error
	s.Stop, err = u.Walk(ctx, RegistersOf(c), func(f Frame, _ *Registers) bool {
		s.Frames = append(s.Frames, f)
		return true
	})
	return s, err
}

func (u *Unwinder) sp(r *Registers) minidump.VA {
	return (&minidump.Context{Arch: u.arch, R: r.R}).SP()
}

func (u *Unwinder) fp(r *Registers) minidump.VA {
	c := minidump.Context{Arch: u.arch, R: r.R}
	n := minidump.RegFP
	switch u.arch {
	case minidump.ProcessorARM64:
		n = minidump.RegFP64
	case minidump.ProcessorARM:
		n = minidump.RegArmFP
	}
	if !r.knows(n) {
		return 0
	}
	return c.FP()
}
