package render

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// An ExceptionReport is the answer of "dumpscan exception": what the dump was
// written for, the registers then, and the stack from there.
type ExceptionReport struct {
	Dump      DumpHeader       `json:"dump"`
	Exception ExceptionDetail  `json:"exception"`
	Nested    []ExceptionLevel `json:"nested"`
	Handle    *ExceptionHandle `json:"handle,omitempty"`
	Registers []RegisterValue  `json:"registers"`
	Thread    *ThreadStack     `json:"thread,omitempty"`
	Next      string           `json:"next,omitempty"`
	Command   []string         `json:"command,omitempty"`
	Notes     []string         `json:"notes"`
	Complaints
}

// An ExceptionDetail is the exception of the dump with the meaning of its
// parameters.
type ExceptionDetail struct {
	ThreadException
	Flags   Hex           `json:"flags"` // EXCEPTION_*; bit 0: the process could not go on
	Access  *MemoryAccess `json:"access,omitempty"`
	Meaning string        `json:"meaning,omitempty"`
}

// A MemoryAccess is an access to memory that failed.
type MemoryAccess struct {
	Kind    analysis.AccessKind `json:"kind"` // "read", "write" or "execute"
	Address Hex                 `json:"address"`
}

// An ExceptionLevel is an exception within an exception.
type ExceptionLevel struct {
	Code       Hex    `json:"code"`
	Name       string `json:"name"`
	Flags      Hex    `json:"flags"`
	Address    Hex    `json:"address"`
	Place      string `json:"place"`
	Parameters []Hex  `json:"parameters"`
}

// A RegisterValue is a register by its name.
type RegisterValue struct {
	Name  string `json:"name"`
	Value Hex    `json:"value"`

	bits int
}

// An ExceptionHandle is the handle that STATUS_INVALID_HANDLE is about.
type ExceptionHandle struct {
	Handle   Hex    `json:"handle"`
	Evidence string `json:"evidence"` // why it is taken for that one
	// Open says whether the value is a handle in the dump; absent if the dump has
	// no list of handles.
	Open       *bool            `json:"open,omitempty"`
	Type       string           `json:"type,omitempty"`
	Name       string           `json:"name,omitempty"`
	Operations []TraceOperation `json:"operations"` // of the trace, the newest first

	places []string // of the operations
}

// ExceptionFacts are what an [ExceptionReport] is made of.
type ExceptionFacts struct {
	Dump      DumpHeader
	Exception *analysis.ExceptionFact
	Nested    []minidump.Exception
	Names     symbol.Names // of the addresses of the exceptions, and of Trace's frames
	Stack     *unwind.ThreadStack
	Frames    []unwind.NamedFrame
	Frames32  []unwind.NamedFrame // of Stack32
	Thread    string              // its name
	MaxFrames int                 // 0 is all

	Handle   *htrace.InvalidHandle // nil if it is not known, or the exception is another
	Trace    *htrace.Trace         // may be nil
	System   *htrace.SystemModules
	Listed   *bool            // see ExceptionHandle.Open
	HandleIs *minidump.Handle // if it is open
}

// NewExceptionReport makes a report of an exception.
func NewExceptionReport(f ExceptionFacts) *ExceptionReport {
	e := f.Exception
	r := &ExceptionReport{Dump: f.Dump, Exception: ExceptionDetail{
		ThreadException: *NewThreadException(e, f.Names.At(e.ExceptionAddress)),
		Flags:           Hex(e.ExceptionFlags), Meaning: e.Meaning(),
	}}
	if a, ok := e.Access(); ok {
		r.Exception.Access = &MemoryAccess{a.Kind, Hex(a.Address)}
	}
	for _, n := range f.Nested {
		r.Nested = append(r.Nested, ExceptionLevel{
			Code: Hex(n.ExceptionCode), Name: n.ExceptionCode.Name(e.Platform), Flags: Hex(n.ExceptionFlags),
			Address: Hex(n.ExceptionAddress), Place: f.Names.At(n.ExceptionAddress).Place(), Parameters: hexes(n.ExceptionInformation),
		})
	}
	if s := f.Stack; s != nil {
		r.Thread = &ThreadStack{
			ThreadName: ThreadName{s.Index, s.ThreadID, f.Thread}, Faulting: s.Faulting, Calls: newCalls(s, f.Frames, f.Frames32, f.MaxFrames),
		}
		if s.Context != nil {
			for _, reg := range s.Context.Registers() {
				r.Registers = append(r.Registers, RegisterValue{reg.Name, Hex(reg.Value), reg.Bits})
			}
		}
	}
	if f.Handle != nil {
		r.Handle = f.handle()
		if len(r.Handle.Operations) > 0 {
			r.Next, r.Command = "the stacks of its operations", []string{"dumpscan", "htrace", f.Dump.File, words.Hex(f.Handle.Handle)}
		}
	}
	return r
}

// handle describes the handle that the exception is about.
func (f *ExceptionFacts) handle() *ExceptionHandle {
	h := &ExceptionHandle{Handle: Hex(f.Handle.Handle), Evidence: f.Handle.Evidence, Open: f.Listed, Operations: []TraceOperation{}}
	if f.HandleIs != nil {
		h.Type, h.Name = f.HandleIs.TypeName, f.HandleIs.ObjectName
	}
	for _, i := range f.Handle.Life {
		op := f.Trace.Operation(i)
		h.Operations = append(h.Operations, newTraceOperation(&op, f.Names))
		place := "at no known place"
		if c := f.System.Culprit(op.Frames); c.Frame >= 0 && c.Frame < len(op.Frames) {
			place = "at " + f.Names.At(op.Frames[c.Frame]).Place()
		}
		h.places = append(h.places, place)
	}
	return h
}

func (r *ExceptionReport) schema() string { return "dumpscan.exception/1" }

// text says what happened, as ".exr -1" and ".ecxr" do, and where.
func (r *ExceptionReport) text(b *bufio.Writer, style Style) error {
	e := &r.Exception
	fmt.Fprintln(b, style.labelled(style.Alarm, "exception:", words.Escape(e.sentence())))
	if e.Meaning != "" {
		fmt.Fprintln(b, style.Wrap(words.Escape(e.Meaning), 0))
	}
	if e.Flags&1 != 0 {
		fmt.Fprintln(b, "flags 0x1: the process could not go on (noncontinuable)")
	}
	if e.Meaning == "" && len(e.Parameters) > 0 {
		fmt.Fprintf(b, "parameters: %s\n", words.Escape(hexList(e.Parameters)))
	}
	for i := range r.Nested {
		n := &r.Nested[i]
		fmt.Fprintf(b, "within it: %s (%s) at %s\n", words.Escape(n.Name), words.Hex(n.Code), words.Escape(n.Place))
	}
	r.Handle.text(b, style)
	writeRegisters(b, r.Registers)
	if r.Thread != nil {
		fmt.Fprintf(b, "\n%s\n", style.Bold(words.Escape("thread "+r.Thread.String())))
		if err := r.Thread.Calls.text(b, r.Dump.PointerSize, style); err != nil {
			return err
		}
	}
	if r.Next != "" {
		fmt.Fprintf(b, "\nnext: %s: %s\n", r.Next, words.Escape(words.Command(r.Command...)))
	}
	return nil
}

// text says what is known of the handle.
func (h *ExceptionHandle) text(b *bufio.Writer, style Style) {
	if h == nil {
		return
	}
	s := fmt.Sprintf("the handle is %s (%s); ", words.Hex(h.Handle), h.Evidence)
	switch {
	case h.Open == nil:
		s += "the dump has no list of handles"
	case *h.Open:
		s += "it is open in the dump: " + words.Kind(h.Type, h.Name)
	default:
		s += "it is not open in the dump"
	}
	fmt.Fprintln(b, style.Wrap(words.Escape(s), 0))
	const most = 8
	for i := range h.Operations {
		if i == most {
			fmt.Fprintf(b, "  %s\n", words.More(len(h.Operations)-i, "operation"))
			break
		}
		op := &h.Operations[i]
		fmt.Fprintf(b, "  %-6s by thread %d (%s) %s\n", words.Escape(op.Operation), op.ThreadID, words.Hex(op.ThreadID), words.Escape(h.places[i]))
	}
}

// hexList is "0x1, 0x2".
func hexList(numbers []Hex) string {
	var list []string
	for _, n := range numbers {
		list = append(list, words.Hex(n))
	}
	return strings.Join(list, ", ")
}

// writeRegisters writes the registers three to a line, those of one width below
// each other, as WinDbg's "r" does.
func writeRegisters(b *bufio.Writer, registers []RegisterValue) {
	if len(registers) == 0 {
		return
	}
	fmt.Fprintln(b)
	column, width := 0, registers[0].bits
	for _, r := range registers {
		perLine := 3
		if r.bits < 64 {
			perLine = 6
		}
		if column > 0 && (column == perLine || r.bits != width) {
			fmt.Fprintln(b)
			column = 0
		}
		if column > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(b, "%3s=%0*x", r.Name, r.bits/4, uint64(r.Value))
		column, width = column+1, r.bits
	}
	fmt.Fprintln(b)
}
