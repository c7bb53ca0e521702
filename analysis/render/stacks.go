package render

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/analysis/waits"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A StackReport is the answer of "dumpscan stacks": the stacks of threads.
type StackReport struct {
	Dump      DumpHeader       `json:"dump"`
	Exception *ThreadException `json:"exception,omitempty"`
	Threads   []StackThread    `json:"threads"` // in the order of the file; none with --unique
	Groups    []StackGroup     `json:"groups,omitempty"`
	Chains    []WaitChain      `json:"chains,omitempty"` // threads that wait for each other
	Omitted   int              `json:"omitted,omitempty"`
	Notes     []string         `json:"notes"`
	Complaints
}

// A ThreadName is a thread as one refers to it.
type ThreadName struct {
	Index int    `json:"index"` // in the file, from 0; the number that debuggers give it
	ID    uint32 `json:"id"`
	Name  string `json:"name,omitempty"`
}

// A ThreadStack is the stack of a thread.
type ThreadStack struct {
	ThreadName
	Faulting bool `json:"faulting"` // the dump was written for its exception, and the stack is that from there
	Calls
}

// A StackThread is a thread with its stack, and what it waits for.
type StackThread struct {
	ThreadStack
	Wait *ThreadWait `json:"wait,omitempty"`
}

// A StackGroup is the threads whose stacks are equal.
type StackGroup struct {
	Count   int          `json:"count"`
	Members []ThreadName `json:"threads"`
	Calls
}

// Calls are the stack of a thread; of a WOW64 process two.
type Calls struct {
	CallStack
	Stack32 *CallStack `json:"stack32,omitempty"` // that of the 32-bit code
}

// A CallStack is the frames of a stack, the innermost first.
type CallStack struct {
	Frames  []StackFrame `json:"frames"`
	Omitted int          `json:"framesOmitted,omitempty"`
	Stopped string       `json:"stopped"` // why it ends
}

// A StackFrame is a function that was active. The address, with its module,
// offset, function, displacement and line, is that of the code that ran: of
// callers the last byte of the call, one before the return address. The text
// names the return address, as WinDbg does.
type StackFrame struct {
	Address      Hex          `json:"address"`
	Return       Hex          `json:"returnAddress,omitempty"`
	StackPointer Hex          `json:"stackPointer"`
	Module       string       `json:"module"` // "" outside all modules
	Offset       Hex          `json:"offset"` // from the base of the module
	Function     string       `json:"function"`
	Displacement Hex          `json:"displacement"`
	File         string       `json:"file,omitempty"`
	Line         int          `json:"line,omitempty"`
	Trust        unwind.Trust `json:"trust"`   // how the frame was found
	Symbols      symbol.Trust `json:"symbols"` // how its name was, as Frame.trust
	Inline       bool         `json:"inline"`
	// Outside says what an address is that lies in no module; see symbol.Outside.
	Outside symbol.Outside `json:"outside,omitempty"`

	at    symbol.Location // of pc
	pc    Hex             // where the frame goes on
	exact bool            // at names the function
}

// StackFacts are what a [StackReport] is made of.
type StackFacts struct {
	Dump      DumpHeader
	Exception *ThreadException
	Stacks    []unwind.ThreadStack
	Frames    [][]unwind.NamedFrame // of each of Stacks
	Frames32  [][]unwind.NamedFrame // of the Stack32 of each
	Names     map[uint32]string     // of threads, by id
	Waits     *waits.Waits          // nil if they are not known
	Unique    bool
	Limit     int // threads or groups; 0 is all
	MaxFrames int // of each stack; 0 is all
}

// NewStackReport makes a report of stacks.
func NewStackReport(f StackFacts) *StackReport {
	r := &StackReport{Dump: f.Dump, Exception: f.Exception, Chains: newWaitChains(f.Waits)}
	name := func(i int) ThreadName {
		s := &f.Stacks[i]
		return ThreadName{s.Index, s.ThreadID, f.Names[s.ThreadID]}
	}
	call := func(i int) Calls {
		var frames32 []unwind.NamedFrame
		if f.Frames32 != nil {
			frames32 = f.Frames32[i]
		}
		return newCalls(&f.Stacks[i], f.Frames[i], frames32, f.MaxFrames)
	}
	if f.Unique {
		groups := unwind.Unique(f.Stacks)
		if f.Limit > 0 {
			groups, r.Omitted = limitRows(groups, f.Limit)
		}
		for _, g := range groups {
			row := StackGroup{Count: len(g.Threads), Calls: call(g.Threads[0])}
			for _, i := range g.Threads {
				row.Members = append(row.Members, name(i))
			}
			r.Groups = append(r.Groups, row)
		}
		return r
	}
	for i := range f.Stacks {
		if f.Limit > 0 && i == f.Limit {
			r.Omitted = len(f.Stacks) - i
			break
		}
		stack := ThreadStack{ThreadName: name(i), Faulting: f.Stacks[i].Faulting, Calls: call(i)}
		r.Threads = append(r.Threads, StackThread{ThreadStack: stack})
	}
	r.addWaits(f.Waits)
	return r
}

func newCalls(s *unwind.ThreadStack, frames, frames32 []unwind.NamedFrame, most int) Calls {
	c := Calls{CallStack: newCallStack(s, frames, most)}
	if s.Stack32 != nil {
		c32 := newCallStack(&unwind.ThreadStack{Stack: *s.Stack32}, frames32, most)
		c.Stack32 = &c32
	}
	return c
}

func newCallStack(s *unwind.ThreadStack, frames []unwind.NamedFrame, most int) CallStack {
	c := CallStack{Frames: []StackFrame{}, Stopped: string(s.Stop)}
	if s.Err != nil {
		c.Stopped = s.Err.Error()
	}
	if most > 0 && len(frames) > most {
		frames, c.Omitted = frames[:most], len(frames)-most
	}
	for i := range frames {
		c.Frames = append(c.Frames, newStackFrame(&frames[i]))
	}
	return c
}

func newStackFrame(f *unwind.NamedFrame) StackFrame {
	row := StackFrame{
		Address: Hex(f.PC), StackPointer: Hex(f.SP), Module: f.At.Module, Offset: Hex(f.At.Offset),
		Function: f.At.Function, Displacement: Hex(f.At.Displacement), File: f.At.File, Line: f.At.Line,
		Trust: f.Trust, Symbols: f.At.Trust, Inline: f.Inline, Outside: f.At.Outside, at: f.At, pc: Hex(f.PC), exact: f.Exact,
	}
	if f.Return {
		row.Return = row.Address
		row.Address--
		if row.Module != "" {
			row.Offset--
		}
		if row.Function != "" && !f.Inline {
			row.Displacement--
		}
	}
	return row
}

// place is where the frame goes on, as WinDbg writes it, with the words of htrace for what is in no module.
func (f *StackFrame) place() string {
	switch {
	case f.exact: // else it may be the nearest export that is another function
		return f.at.String()
	case f.Outside == "":
		return f.at.Place()
	}
	return f.at.Place() + " " + f.Outside.Name()
}

func (r *StackReport) schema() string { return "dumpscan.stacks/1" }

// text writes each stack in the spirit of WinDbg's "kn".
func (r *StackReport) text(b *bufio.Writer, style Style) error {
	if e := r.Exception; e != nil {
		fmt.Fprintf(b, "%s\n\n", style.labelled(style.Alarm, "exception:", words.Escape(e.sentence())))
	}
	writeWaitChains(b, r.Chains, style)
	for i := range r.Threads {
		t := &r.Threads[i]
		if i > 0 {
			fmt.Fprintln(b)
		}
		line := "thread " + t.String()
		if t.Faulting {
			line += ", from the exception on"
		}
		fmt.Fprintln(b, style.Bold(words.Escape(line)))
		if err := t.Calls.text(b, r.Dump.PointerSize, style); err != nil {
			return err
		}
		if t.Wait != nil {
			fmt.Fprintln(b, style.Wrap(words.Escape(t.Wait.sentence), 0))
		}
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		if i > 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintln(b, style.Bold(words.Escape(g.title())))
		if err := g.Calls.text(b, r.Dump.PointerSize, style); err != nil {
			return err
		}
	}
	if r.Omitted > 0 {
		fmt.Fprintf(b, "\n%s\n", words.More(r.Omitted, r.rows()))
	}
	return nil
}

// rows is what the rows of the report are.
func (r *StackReport) rows() string {
	if len(r.Groups) > 0 {
		return "stack"
	}
	return "thread"
}

// String is `0, id 1a2b (6699), "worker"`.
func (t ThreadName) String() string {
	s := fmt.Sprintf("%d, id %x (%d)", t.Index, t.ID, t.ID)
	if t.Name != "" {
		s += fmt.Sprintf(", %q", t.Name)
	}
	return s
}

// titleMembers is how many threads the title of a group lists.
const titleMembers = 16

// title is "23 threads: 1, 4, 5", by their numbers.
func (g *StackGroup) title() string {
	if g.Count == 1 {
		return "thread " + g.Members[0].String()
	}
	s := words.Plural(g.Count, "thread") + ": "
	for i, m := range g.Members {
		if i == titleMembers {
			return s + " and " + words.Count(g.Count-i) + " more"
		}
		if i > 0 {
			s += ", "
		}
		s += strconv.Itoa(m.Index)
	}
	return s
}

// guessed is what WinDbg warns of before the first frame that may be wrong.
const guessed = "a frame found by scan is a guess, a word of the stack that may be left over, and those behind it rest on that"

func (c *Calls) text(b *bufio.Writer, pointerSize int, style Style) error {
	if err := c.CallStack.text(b, pointerSize, style); err != nil || c.Stack32 == nil {
		return err
	}
	fmt.Fprintln(b, style.Bold("its 32-bit code, as after !sw"))
	return c.Stack32.text(b, 4, style)
}

func (c *CallStack) text(b *bufio.Writer, pointerSize int, style Style) error {
	if len(c.Frames) == 0 {
		fmt.Fprintf(b, "no frames: %s\n", words.Escape(c.Stopped))
		return nil
	}
	t := Table{
		Header: []string{" #", "child-sp", "retaddr", "found by", "call site", "source"},
		Drop:   []string{"retaddr", "child-sp", "source"}, Whole: true, Style: style,
	}
	for i := 0; i < len(c.Frames); i++ {
		f := &c.Frames[i]
		if n := c.repeated(i); n > shownRepeats {
			t.Row("", "", "", "", "… "+words.Count(n)+" more of the same", "")
			i += n - 1
			continue
		}
		t.Row(fmt.Sprintf("%02x", i), pointer(pointerSize, f.StackPointer), c.returnTo(i, pointerSize), f.found(), f.place(), f.at.Source())
	}
	if err := t.Write(b); err != nil {
		return err
	}
	if slices.ContainsFunc(c.Frames, func(f StackFrame) bool { return f.Trust == unwind.TrustScan }) {
		fmt.Fprintln(b, style.Warn(guessed))
	}
	if c.Omitted > 0 {
		fmt.Fprintln(b, words.More(c.Omitted, "frame"))
	} else if c.Stopped != string(unwind.StopStart) {
		fmt.Fprintf(b, "the stack ends here: %s\n", words.Escape(c.Stopped))
	}
	return nil
}

// shownRepeats is how many frames of a recursion that are all the same are written
// behind the first.
const shownRepeats = 3

// repeated is how many frames from i on are the same as the one before, but for the
// last of them.
func (c *CallStack) repeated(i int) (n int) {
	if i == 0 {
		return 0
	}
	last := &c.Frames[i-1]
	for _, f := range c.Frames[i:] {
		if f.pc != last.pc || f.Inline || last.Inline || f.Trust != c.Frames[i].Trust {
			break
		}
		n++
	}
	return n - 1
}

// returnTo is where frame i returns to: what the next one that is not inlined
// goes on with.
func (c *CallStack) returnTo(i, pointerSize int) string {
	if c.Frames[i].Inline {
		return "(inline)"
	}
	for _, f := range c.Frames[i+1:] {
		return pointer(pointerSize, f.pc)
	}
	return ""
}

// found is how a frame was found.
func (f *StackFrame) found() string {
	if f.Inline {
		return "inline"
	}
	return string(f.Trust)
}
