package render

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A TraceListing is the text of WinDbg's !htrace: of "!htrace HANDLE
// MAX_TRACES", or of "!htrace -diff" if Diff is set.
type TraceListing struct {
	Dump       DumpHeader       `json:"dump"`
	Parsed     int              `json:"parsed"`        // operations in the trace
	Diff       bool             `json:"diff"`          // Operations are opens that were not closed
	New        int              `json:"new,omitempty"` // of a diff: operations since the earlier dump
	Operations *TraceOperations `json:"operations"`    // as in a [TraceReport], the newest first
}

func (l *TraceListing) schema() string { return "dumpscan.htrace.listing/1" }

const traceSeparator = "--------------------------------------\n"

// windbg writes the text as cdb-10 does today. Three things differ from what
// older descriptions of the command say: bad references have words of their
// own, an empty line stands before the last separator of a listing, and -diff
// has no separator there.
func (l *TraceListing) windbg(b *bufio.Writer) error {
	x := &traceText{w: b, digits: 16, names: l.Operations.names, lines: map[minidump.VA]string{}}
	if l.Dump.PointerSize == 4 {
		x.digits = 8
	}
	if l.Diff {
		return l.diff(x)
	}
	n := 0
	for op := range l.Operations.all() {
		x.operation(&op)
		n++
	}
	b.WriteString("\n" + traceSeparator)
	fmt.Fprintf(b, "Parsed 0x%X stack traces.\nDumped 0x%X stack traces.\n", l.Parsed, n)
	return nil
}

// csv writes a row for each operation. The frames are separated by " < " from
// the innermost outwards.
func (l *TraceListing) csv(b *bufio.Writer) error {
	header := []string{"position", "handle", "operation", "threadId", "processId", "outstanding", "frames"}
	id := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	return writeCSV(b, header, func(row func(...string)) {
		for op := range l.Operations.all() {
			_, open := l.Operations.trace.Open(op.Position)
			var frames []string
			for _, f := range named(op.Frames, l.Operations.names) {
				frames = append(frames, f.String())
			}
			row(strconv.Itoa(op.Position), words.Hex(op.Handle), op.OperationType.String(), id(op.ThreadID), id(op.ProcessID),
				strconv.FormatBool(open), words.CSVCell(strings.Join(frames, " < ")))
		}
	})
}

func (l *TraceListing) diff(x *traceText) error {
	x.w.WriteString("Handle tracing information snapshot successfully taken.\n")
	fmt.Fprintf(x.w, "0x%x new stack traces since the previous snapshot.\n", l.New)
	if l.New > 0 {
		x.w.WriteString("Ignoring handles that were already closed...\n")
	}
	n := 0
	for op := range l.Operations.all() {
		if n == 0 {
			x.w.WriteString("Outstanding handles opened since the previous snapshot:\n")
		}
		x.operation(&op)
		n++
	}
	if n == 0 {
		x.w.WriteString("No outstanding handles opened since the previous snapshot were detected.\n")
		return nil
	}
	fmt.Fprintf(x.w, "Displayed 0x%x stack traces for outstanding handles opened since the previous snapshot.\n", n)
	return nil
}

// traceText writes operations as !htrace does.
type traceText struct {
	w      *bufio.Writer
	digits int // of a pointer
	names  symbol.Names
	lines  map[minidump.VA]string // of frames: the same ones come again and again
	buf    []byte
}

func (x *traceText) operation(op *htrace.Operation) {
	b := append(x.buf[:0], traceSeparator...)
	b = append(x.number(append(b, "Handle = "...), op.Handle), " - "...)
	if op.OperationType == minidump.OperationBadRef {
		b = append(b, "*** BAD REFERENCE ***"...)
	} else {
		b = append(b, op.OperationType.String()...)
	}
	b = append(b, "\nThread ID = "...)
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
func (x *traceText) frame(addr minidump.VA) string {
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
func (x *traceText) number(b []byte, n uint64) []byte {
	var digits [16]byte
	text := strconv.AppendUint(digits[:0], n, 16)
	b = append(b, "0x"...)
	for i := len(text); i < x.digits; i++ {
		b = append(b, '0')
	}
	return append(b, text...)
}
