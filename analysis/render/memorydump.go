package render

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A MemoryDump is the answer of "dumpscan memory DUMP ADDRESS": memory in one of
// WinDbg's formats.
type MemoryDump struct {
	Dump     DumpHeader `json:"dump"`
	Format   string     `json:"format"` // "db", "dps" ...
	Address  Hex        `json:"address"`
	Bytes    int        `json:"bytes"`
	Captured int        `json:"capturedBytes"`
	Rows     memoryRows `json:"rows"`
	Notes    []string   `json:"notes"`
	Complaints
}

// A MemoryRow is a line of a [MemoryDump].
type MemoryRow struct {
	Address Hex      `json:"address"`
	Data    string   `json:"data"`             // two digits for each byte, "??" if it was not captured
	Values  []string `json:"values,omitempty"` // of 2 bytes and more, "0x1234"; "" if it was not captured
	Text    string   `json:"text,omitempty"`   // of da and du; of db and dc the ASCII
	Frame   *Frame   `json:"frame,omitempty"`  // where the value of a dps leads, if into a module
}

// memoryRows are the rows, which are made when they are written: there may be
// millions.
type memoryRows struct {
	view  *analysis.MemoryView
	names symbol.Names
}

// NewMemoryDump makes a report of a view; names are those of its values, if the
// format has them.
func NewMemoryDump(dump DumpHeader, v *analysis.MemoryView, names symbol.Names) *MemoryDump {
	return &MemoryDump{
		Dump: dump, Format: string(v.Format), Address: Hex(v.Address), Bytes: len(v.Data), Captured: v.Captured(),
		Rows: memoryRows{v, names},
	}
}

func (r *MemoryDump) schema() string { return "dumpscan.memory.dump/2" }

// rowSizes are the bytes of a line of each format; 0 is one value.
var rowSizes = map[analysis.MemoryFormat]int{
	analysis.ShowBytes: 16, analysis.ShowWords: 16, analysis.ShowDwords: 16, analysis.ShowDwordChars: 16,
	analysis.ShowQwords: 16, analysis.ShowPointers: 16, analysis.ShowASCII: 32, analysis.ShowUnicode: 64,
}

// each calls do with the place of each line in the data.
func (r memoryRows) each(do func(off, end int)) {
	size := rowSizes[r.view.Format]
	if size == 0 {
		size = r.unit()
	}
	n := len(r.view.Data)
	for off, end := 0, 0; off < n; off = end {
		end = min(off+size, n)
		if r.view.Format == analysis.ShowUnicode && end < n && r.view.Data[end-1]&0xfc == 0xd8 {
			end += 2 // a character of two halves stays in one line
		}
		do(off, end)
	}
	if n == 0 && r.view.Format.Text() {
		do(0, 0) // an empty text is a line
	}
}

func (r memoryRows) unit() int { return r.view.Format.Unit(r.view.PointerSize) }

// elements calls element with each row, for JSON.
func (r memoryRows) elements(element func(any)) {
	r.each(func(off, end int) {
		v := r.view
		row := MemoryRow{Address: Hex(v.Address + minidump.VA(off)), Data: r.digits(off, end)}
		switch {
		case v.Format.Text():
			row.Text = r.text(off, end)
		case v.Format == analysis.ShowBytes, v.Format == analysis.ShowDwordChars:
			row.Text = r.ascii(off, end)
		}
		if v.Format != analysis.ShowBytes && !v.Format.Text() {
			for ; off < end; off += r.unit() {
				text := ""
				if n, ok := v.Value(off, r.unit()); ok {
					text = words.Hex(n)
					if at := r.names.At(minidump.VA(n)); v.Format.Symbols() && at.Module != "" {
						f := newFrame(at)
						row.Frame = &f
					}
				}
				row.Values = append(row.Values, text)
			}
		}
		element(row)
	})
}

// digits are the bytes in hexadecimal.
func (r memoryRows) digits(off, end int) string {
	text := []byte(hex.EncodeToString(r.view.Data[off:end]))
	for i := off; i < end; i++ {
		if !r.view.Has(i, 1) {
			copy(text[2*(i-off):], "??")
		}
	}
	return string(text)
}

// ascii are the bytes as WinDbg shows them: a dot for what is not printable.
func (r memoryRows) ascii(off, end int) string {
	text := []byte(strings.Repeat(".", end-off))
	for i := off; i < end; i++ {
		switch c := r.view.Data[i]; {
		case !r.view.Has(i, 1):
			text[i-off] = '?'
		case c >= 0x20 && c < 0x7f:
			text[i-off] = c
		}
	}
	return string(text)
}

// text is a part of a text.
func (r memoryRows) text(off, end int) string {
	if r.view.Format == analysis.ShowUnicode {
		return minidump.DecodeUTF16(r.view.Data[off:end])
	}
	text := make([]rune, 0, end-off)
	for _, c := range r.view.Data[off:end] {
		text = append(text, rune(c)) // Latin-1; what is no text shows as such
	}
	return string(text)
}

// text writes the memory as the command of WinDbg does.
func (r *MemoryDump) text(b *bufio.Writer, _ Style) error {
	rows := r.Rows
	rows.each(func(off, end int) {
		b.WriteString(tick(rows.view.PointerSize, uint64(rows.view.Address)+uint64(off)))
		b.WriteByte(' ')
		switch f := rows.view.Format; {
		case f.Text():
			fmt.Fprintf(b, " \"%s\"", words.Escape(rows.text(off, end)))
		case f == analysis.ShowBytes:
			rows.writeBytes(b, off, end)
		default:
			rows.writeValues(b, off, end)
		}
		b.WriteByte('\n')
	})
	return nil
}

// writeBytes writes a line of db: a hyphen stands between the eighth and the
// ninth byte.
func (r memoryRows) writeBytes(b *bufio.Writer, off, end int) {
	digits := r.digits(off, end)
	for i := range rowSizes[analysis.ShowBytes] {
		switch {
		case i >= end-off:
			b.WriteString("   ")
			continue
		case i == 8:
			b.WriteByte('-')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(digits[2*i : 2*i+2])
	}
	b.WriteString("  " + r.ascii(off, end))
}

// writeValues writes the values of a line, and what belongs to them.
func (r memoryRows) writeValues(b *bufio.Writer, off, end int) {
	unit := r.unit()
	for at := off; at < end; at += unit {
		b.WriteByte(' ')
		n, ok := r.view.Value(at, unit)
		switch {
		case !ok && unit == 8:
			b.WriteString("????????`????????")
		case !ok:
			b.WriteString(strings.Repeat("?", 2*unit))
		case unit == 8:
			b.WriteString(tick(8, n))
		default:
			fmt.Fprintf(b, "%0*x", 2*unit, n)
		}
		if at := r.names.At(minidump.VA(n)); ok && r.view.Format.Symbols() && at.Module != "" {
			b.WriteString(" " + words.Escape(at.String()))
			if at.Line > 0 {
				b.WriteString(words.Escape(fmt.Sprintf(" [%s @ %d]", at.File, at.Line)))
			}
		}
	}
	if r.view.Format == analysis.ShowDwordChars {
		b.WriteString("  " + r.ascii(off, end))
	}
}

// tick writes an address with the digits of a pointer of so many bytes, and a
// backtick between the halves of 64 bits.
func tick(size int, n uint64) string {
	if size == 4 {
		return fmt.Sprintf("%08x", n)
	}
	return fmt.Sprintf("%08x`%08x", n>>32, uint32(n))
}
