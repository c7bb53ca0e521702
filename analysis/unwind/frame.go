package unwind

import "github.com/dumpscan/dumpscan/minidump"

// A Trust says how a frame was found, and so how much it is worth.
type Trust string

// The ways to find a frame, the best first.
const (
	TrustContext Trust = "context"       // the registers that the dump holds
	TrustCFI     Trust = "cfi"           // unwind data: of the image, of code made at run time, or of a symbol file
	TrustFP      Trust = "frame pointer" // the frame pointer, on ARM the link register, as functions use them by convention; on x86 what their code does to the stack, too
	TrustScan    Trust = "scan"          // a word of the stack that is the return address of a call; it may be left over
)

// Registers are what is known of a processor's registers in one frame.
type Registers struct {
	PC minidump.VA
	// R are the general registers, numbered as in [minidump.Context].
	R [32]uint64
	// Known has a bit for each register of R whose value in this frame is known.
	// A caller's are those that its callee has to keep.
	Known uint32
}

// knows reports whether register n is known.
func (r *Registers) knows(n int) bool { return r.Known&(1<<n) != 0 }

// set gives register n a value.
func (r *Registers) set(n int, v uint64) {
	r.R[n] = v
	r.Known |= 1 << n
}

// RegistersOf takes the registers out of a context.
func RegistersOf(c *minidump.Context) Registers {
	r := Registers{PC: c.PC, R: c.R}
	if c.Flags&minidump.ContextInteger != 0 {
		switch c.Arch {
		case minidump.ProcessorARM64:
			r.Known = 1<<32 - 1
		case minidump.ProcessorX86:
			r.Known = 1<<8 - 1
		default:
			r.Known = 1<<16 - 1 // r16 to r31 of AMD64 with APX are in no CONTEXT
		}
		return r
	}
	switch c.Arch { // the control part has these
	case minidump.ProcessorX86:
		r.Known = 1<<minidump.RegSP | 1<<minidump.RegFP
	case minidump.ProcessorAMD64:
		r.Known = 1 << minidump.RegSP
	case minidump.ProcessorARM:
		r.Known = 1<<minidump.RegArmSP | 1<<minidump.RegArmLR
	case minidump.ProcessorARM64:
		r.Known = 1<<minidump.RegFP64 | 1<<minidump.RegLR64 | 1<<minidump.RegSP64
	}
	return r
}

// A Frame is one function that was active on a stack.
type Frame struct {
	PC minidump.VA // where it goes on
	SP minidump.VA // its stack pointer, "Child-SP" in WinDbg's words
	FP minidump.VA // its frame pointer register, 0 if that is not known
	// Return says that PC is a return address: the call stands before it, and
	// what PC itself lies in may be another function or line. It is false where
	// the thread was stopped or interrupted.
	Return bool
	Trust  Trust
	// Function is where its function begins, by unwind data or because it makes a
	// system call; 0 if that is not known.
	Function minidump.VA
}

// Lookup returns the address whose symbol and line are those of the frame: that
// of the last byte of the call for a return address.
func (f Frame) Lookup() minidump.VA {
	if f.Return && f.PC > 0 {
		return f.PC - 1
	}
	return f.PC
}

// A Stop says why a stack ends. All but [StopStart] mean that there may be
// more frames.
type Stop string

// The reasons to stop.
const (
	StopStart    Stop = "start of the thread"
	StopNoStack  Stop = "stack memory not captured"
	StopNoUnwind Stop = "no way to the caller known"
	StopNoImage  Stop = "no way to the caller known: the image of the module is neither in the dump nor in a file"
	StopLoop     Stop = "the stack does not go on" // the caller's stack pointer would not lie above
	StopLimit    Stop = "frame limit"
	StopNoArch   Stop = "processor not supported"
)

// A Stack is the frames of a thread, the innermost first.
type Stack struct {
	Frames []Frame
	Stop   Stop
}
