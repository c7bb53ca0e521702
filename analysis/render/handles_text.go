package render

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// HandleFlags choose the lines that !handle prints for each handle (its
// UMFlags).
type HandleFlags uint64

// The flags. WinDbg's default is ShowType; f and ff mean everything.
const (
	ShowType   HandleFlags = 1 << iota // the type
	ShowBasic                          // attributes, access, counts
	ShowName                           // the object's name
	ShowObject                         // object specific information
	ShowAll    = ShowType | ShowBasic | ShowName | ShowObject
)

// Parts tells what must be read of a handle to print it.
func (f HandleFlags) Parts() minidump.HandleParts {
	var p minidump.HandleParts
	if f&(ShowType|ShowBasic|ShowName) != 0 {
		p |= minidump.HandleTypeName // it decides about the names of rights, and about a file's name
	}
	if f&ShowName != 0 {
		p |= minidump.HandleObjectName
	}
	if f&ShowObject != 0 {
		p |= minidump.HandleObjectInfo
	}
	return p
}

// HandleText writes handles and summaries as WinDbg's !handle does for a
// dump.
type HandleText struct {
	w           *bufio.Writer
	pointerSize int
	flags       HandleFlags
	exact       bool
	style       Style
	buf         []byte
	access      map[accessKey]string
}

// HandleTextOptions are the options of [NewHandleText].
type HandleTextOptions struct {
	PointerSize int // of the dump, in bytes; 0 unknown, printed like 8
	Flags       HandleFlags
	// WinDbg asks for WinDbg's own behaviour where dumpscan deliberately
	// differs: types that WinDbg does not know count as None, and the name
	// of a File is not printed.
	WinDbg bool
	Style  Style
}

// NewHandleText returns a writer to w. The caller calls Flush at the end.
func NewHandleText(w io.Writer, o HandleTextOptions) *HandleText {
	return &HandleText{
		w: bufio.NewWriterSize(w, 256<<10), pointerSize: o.PointerSize,
		flags: o.Flags, exact: o.WinDbg, style: o.Style,
	}
}

// Flush writes what is buffered and returns the first error of all writing.
func (t *HandleText) Flush() error { return t.w.Flush() }

// Handle writes the block of one handle.
func (t *HandleText) Handle(h *minidump.Handle) {
	b := append(t.buf[:0], "Handle "...)
	b = append(t.appendHandle(b, h.Handle), '\n')
	if t.flags&ShowType != 0 {
		b = appendLabel(b, "  Type         \t", words.Escape(h.TypeName))
	}
	if t.flags&ShowBasic != 0 {
		b = append(b, "  Attributes   \t"...)
		b = append(appendAltHex(b, uint64(h.Attributes)), '\n')
		b = append(b, t.accessLines(h.TypeName, h.GrantedAccess)...)
		b = append(b, "  HandleCount  \t"...)
		b = append(strconv.AppendUint(b, uint64(h.HandleCount), 10), '\n')
		b = append(b, "  PointerCount \t"...)
		b = append(strconv.AppendUint(b, uint64(h.PointerCount), 10), '\n')
	}
	if t.flags&ShowName != 0 {
		b = t.appendName(b, h)
	}
	if t.flags&ShowObject != 0 {
		b = appendObject(b, h.ObjectInfo)
	}
	t.buf = b
	t.w.Write(b)
}

// appendHandle writes a value with the digits of a pointer of the dump.
func (t *HandleText) appendHandle(b []byte, h uint64) []byte {
	digits := 16
	if t.pointerSize == 4 {
		digits = 8
	}
	for shift := digits*4 - 4; shift > 0 && h>>shift == 0; shift -= 4 {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, h, 16)
}

// accessKey is what the lines about granted access depend on.
type accessKey struct {
	typeName string
	mask     uint32
}

// accessLines returns the three lines about granted access. Among millions of
// handles there are few different ones; those met lately are kept.
func (t *HandleText) accessLines(typeName string, mask uint32) string {
	const most = 1024
	key := accessKey{typeName, mask}
	lines, ok := t.access[key]
	if !ok {
		standard, specific := analysis.WinDbgAccess(typeName, mask)
		lines = fmt.Sprintf("  GrantedAccess\t0x%x:\n         %s\n         %s\n", mask, standard, specific)
		if t.access == nil || len(t.access) == most {
			t.access = make(map[accessKey]string)
		}
		t.access[key] = lines
	}
	return lines
}

// appendName writes the name. WinDbg prints none for files, whose names it
// does not ask for; a dump that has one should not hide it.
func (t *HandleText) appendName(b []byte, h *minidump.Handle) []byte {
	if h.TypeName == "File" && (t.exact || h.ObjectName == "") {
		return b
	}
	name := "<none>"
	if h.ObjectName != "" {
		name = words.Escape(h.ObjectName)
	}
	return appendLabel(b, "  Name         \t", name)
}

func appendLabel(b []byte, label, value string) []byte {
	return append(append(append(b, label...), value...), '\n')
}

// appendAltHex is C's %#x: no prefix for zero.
func appendAltHex(b []byte, n uint64) []byte {
	if n == 0 {
		return append(b, '0')
	}
	return strconv.AppendUint(append(b, "0x"...), n, 16)
}

func appendObject(b []byte, infos []minidump.ObjectInformation) []byte {
	const none = "  No object specific information available\n"
	if len(infos) == 0 {
		return append(b, none...)
	}
	o := analysis.DecodeObject(infos)
	if !o.Known() {
		return append(b, none...)
	}
	b = append(b, "  Object specific information\n"...)
	if e := o.Event; e != nil {
		b = appendLabel(b, "    Event Type ", choose(e.ManualReset, "Manual Reset", "Auto Reset"))
		b = appendLabel(b, "    Event is ", choose(e.Set, "Set", "Waiting"))
	}
	if m := o.Mutant; m != nil {
		if m.HasCount {
			b = appendLabel(b, "    Mutex is ", choose(m.Owned, "Owned", "Free"))
		}
		if m.HasOwner {
			b = fmt.Appendf(b, "    Mutant Owner %x.%x\n", m.OwnerPID, m.OwnerTID)
		}
	}
	if s := o.Semaphore; s != nil {
		b = fmt.Appendf(b, "    Semaphore Count %d\n    Semaphore Limit %d\n", s.CurrentCount, s.MaximumCount)
	}
	if s := o.Section; s != nil {
		b = fmt.Appendf(b, "    Section base address %x\n    Section attributes ", uint64(s.BaseAddress))
		b = append(appendAltHex(b, uint64(s.AllocationAttributes)), '\n')
	}
	if th := o.Thread; th != nil {
		b = fmt.Appendf(b, "    Thread Id   %x.%x\n    Priority    %d\n    Base Priority %d\n",
			th.ProcessID, th.ThreadID, th.Priority, th.BasePriority)
	}
	if p := o.Process; p != nil {
		b = fmt.Appendf(b, "    Process Id  %d\n    Parent Process  %d\n    Base Priority %d\n",
			p.ProcessID, p.ParentProcessID, p.BasePriority)
	}
	return b
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// TypeFooter writes the line below a listing of one type.
func (t *HandleText) TypeFooter(typeName string, count uint64) {
	if typeName == "" {
		typeName = "None"
	}
	fmt.Fprintf(t.w, "%d handles of type %s\n", count, words.Escape(typeName))
}

// Summary writes the number of handles and the table of types. On a terminal
// each count has a bar beside it.
func (t *HandleText) Summary(s *analysis.HandleSummary, types []analysis.TypeCount) {
	fmt.Fprintf(t.w, "%d Handles\n", s.Total)
	if len(types) == 0 {
		return
	}
	fmt.Fprintf(t.w, "%-24s\tCount\n", "Type")
	digits := 0
	for _, c := range types {
		digits = max(digits, len(strconv.FormatUint(c.Count, 10)))
	}
	// Type and tab take 32 columns; two separate the count from the bar.
	width := min(t.style.Width-32-digits-3, 40)
	for _, c := range types {
		name := c.Type
		if name == "" {
			name = "None"
		}
		fmt.Fprintf(t.w, "%-24s\t%d", words.Escape(name), c.Count)
		if t.style.Terminal && width >= 10 {
			if bar := Bar(float64(c.Count)/float64(s.Total), width); bar != "" {
				fmt.Fprintf(t.w, "%*s  %s", digits-len(strconv.FormatUint(c.Count, 10)), "", t.style.Warn(bar))
			}
		}
		t.w.WriteByte('\n')
	}
}
