package render

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// TraceText writes operations as WinDbg's !htrace does.
type TraceText struct {
	w      *bufio.Writer
	digits int
	names  symbol.Names
	lines  map[minidump.VA]string // of frames: the same ones come again and again
	buf    []byte
}

const traceSeparator = "--------------------------------------\n"

// NewTraceText returns a writer to w for a dump with pointers of the given
// size, 4 or 8 bytes; 0 unknown is like 8.
func NewTraceText(w io.Writer, pointerSize int, names symbol.Names) *TraceText {
	digits := 16
	if pointerSize == 4 {
		digits = 8
	}
	return &TraceText{
		w: bufio.NewWriterSize(w, 64<<10), digits: digits,
		names: names, lines: map[minidump.VA]string{},
	}
}

// List writes what "!htrace HANDLE MAX_TRACES" prints: the newest operation
// first, those of one handle if handle is not 0, not more than limit of them if
// that is not 0.
func (x *TraceText) List(t *htrace.Trace, handle uint64, limit int) error {
	dumped := 0
	for i := t.Len() - 1; i >= 0 && (limit == 0 || dumped < limit); i-- {
		op := t.Operation(i)
		if handle != 0 && op.Handle != handle {
			continue
		}
		x.operation(&op)
		dumped++
	}
	x.w.WriteString(traceSeparator)
	fmt.Fprintf(x.w, "Parsed 0x%X stack traces.\nDumped 0x%X stack traces.\n", t.Len(), dumped)
	return x.w.Flush()
}

// Diff writes what "!htrace -diff" prints, not more than limit operations if
// that is not 0.
func (x *TraceText) Diff(t *htrace.Trace, d *htrace.Diff, limit int) error {
	x.w.WriteString("Handle tracing information snapshot successfully taken.\n")
	fmt.Fprintf(x.w, "0x%x new stack traces since the previous snapshot.\n", d.New)
	if d.New > 0 {
		x.w.WriteString("Ignoring handles that were already closed...\n")
	}
	if len(d.Outstanding) == 0 {
		x.w.WriteString("No outstanding handles opened since the previous snapshot were detected.\n")
		return x.w.Flush()
	}
	x.w.WriteString("Outstanding handles opened since the previous snapshot:\n")
	displayed := 0
	for i := range d.Outstanding {
		if limit > 0 && displayed == limit {
			break
		}
		op := t.Operation(d.Outstanding[i].Position)
		x.operation(&op)
		displayed++
	}
	x.w.WriteString(traceSeparator)
	fmt.Fprintf(x.w, "Displayed 0x%x stack traces for outstanding handles opened since the previous snapshot.\n", displayed)
	return x.w.Flush()
}

func (x *TraceText) operation(op *htrace.Operation) {
	b := append(x.buf[:0], traceSeparator...)
	b = append(x.number(append(b, "Handle = "...), op.Handle), " - "...)
	b = append(append(b, op.OperationType.String()...), "\nThread ID = "...)
	b = append(x.number(b, uint64(op.ThreadID)), ", Process ID = "...)
	b = append(x.number(b, uint64(op.ProcessID)), "\n\n"...)
	for _, addr := range op.Frames {
		line, ok := x.lines[addr]
		if !ok {
			line = x.frame(addr)
			x.lines[addr] = line
		}
		b = append(b, line...)
	}
	x.buf = b
	x.w.Write(b)
}

// frame is a line such as "0x77ca310c: ntdll!ZwDuplicateObject+0x0000000c". An
// address in no module has its whole value as displacement from nothing.
func (x *TraceText) frame(addr minidump.VA) string {
	l := x.names.At(addr)
	name, displacement := "", uint64(addr)
	switch {
	case l.Function != "":
		name, displacement = l.Module+"!"+l.Function, l.Displacement
	case l.Module != "":
		name, displacement = l.Module, l.Offset
	}
	b := append(x.number(nil, uint64(addr)), ": "...)
	b = append(append(b, words.Escape(name)...), '+')
	return string(append(x.number(b, displacement), '\n'))
}

// number appends 0x and as many digits as a pointer has.
func (x *TraceText) number(b []byte, n uint64) []byte {
	var digits [16]byte
	text := strconv.AppendUint(digits[:0], n, 16)
	b = append(b, "0x"...)
	for i := len(text); i < x.digits; i++ {
		b = append(b, '0')
	}
	return append(b, text...)
}
