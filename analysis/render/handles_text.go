package render

import (
	"bufio"
	"fmt"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// text writes the counts, the groups, or the handles and their number as WinDbg's
// !handle does for a dump.
func (r *HandlesReport) text(b *bufio.Writer, style Style) error {
	if r.Groups != nil {
		return r.groupsText(b, style)
	}
	t := newHandleText(b, r.Dump.PointerSize, r.Text)
	if r.Handles != nil {
		if err := r.Handles.each(t.handle); err != nil {
			return err
		}
	}
	switch {
	case r.Text.OneHandle && r.Handles != nil:
	case r.Text.OneType:
		fmt.Fprintf(b, "%d handles of type %s\n", r.Text.Total, words.Escape(words.Type(r.Text.Type)))
	default:
		writeSummary(b, r.Text.Total, r.Text.Selected, style)
	}
	if r.Dominant != "" {
		hint := words.Escape(r.Dominant) + ". Next:"
		// A command stays on one line, so that it can be pasted.
		if whole := hint + " " + r.Next; style.Wrap(whole, 0) == whole {
			hint = whole
		} else {
			hint = style.Wrap(hint, 0) + "\n" + r.Next
		}
		fmt.Fprintf(b, "\n%s\n", style.Bold(hint))
	}
	return nil
}

// A handleText writes handles as WinDbg's !handle does.
type handleText struct {
	w           *bufio.Writer
	pointerSize int // of the dump, in bytes; 0 unknown, printed like 8
	flags       analysis.HandleFlags
	exact       bool
	oneHandle   bool // typed is printed in place of the value
	typed       uint64
	buf         []byte
	access      map[accessKey]string
}

func newHandleText(b *bufio.Writer, pointerSize int, o HandlesText) *handleText {
	return &handleText{w: b, pointerSize: pointerSize, flags: o.Flags, exact: o.WinDbg, oneHandle: o.OneHandle, typed: o.Typed}
}

// handle writes the block of one handle.
func (t *handleText) handle(h *minidump.Handle) {
	b := append(t.buf[:0], "Handle "...)
	value := h.Handle
	if t.oneHandle {
		value = t.typed // WinDbg repeats the number, tag bits and all
	}
	b = append(t.appendHandle(b, value), '\n')
	if t.flags&analysis.ShowType != 0 {
		b = appendLabel(b, "  Type         \t", words.Escape(h.TypeName))
	}
	if t.flags&analysis.ShowBasic != 0 {
		b = append(b, "  Attributes   \t"...)
		b = append(appendAltHex(b, uint64(h.Attributes)), '\n')
		b = append(b, t.accessLines(h.TypeName, h.GrantedAccess)...)
		b = append(b, "  HandleCount  \t"...)
		b = append(strconv.AppendUint(b, uint64(h.HandleCount), 10), '\n')
		b = append(b, "  PointerCount \t"...)
		b = append(strconv.AppendUint(b, uint64(h.PointerCount), 10), '\n')
	}
	if t.flags&analysis.ShowName != 0 {
		b = t.appendName(b, h)
	}
	if t.flags&analysis.ShowObject != 0 {
		b = appendObject(b, h.ObjectInfo)
	}
	t.buf = b
	t.w.Write(b)
}

// appendHandle writes a value with the digits of a pointer of the dump.
func (t *handleText) appendHandle(b []byte, h uint64) []byte {
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
func (t *handleText) accessLines(typeName string, mask uint32) string {
	const most = 1024
	key := accessKey{typeName, mask}
	lines, ok := t.access[key]
	if !ok {
		standard, specific := analysis.WinDbgAccess(typeName, mask, !t.exact)
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
func (t *handleText) appendName(b []byte, h *minidump.Handle) []byte {
	if h.TypeName == "File" && (t.exact || h.ObjectName == "") {
		return b
	}
	return appendLabel(b, "  Name         \t", words.Escape(words.Name(h.ObjectName)))
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
