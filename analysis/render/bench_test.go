package render

import (
	"bufio"
	"io"
	"testing"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

var benchHandle = minidump.Handle{
	Handle: 0x7e0, TypeName: "Key", ObjectName: `\REGISTRY\MACHINE\SOFTWARE\Classes`,
	GrantedAccess: 0x20019, HandleCount: 2, PointerCount: 3,
}

// BenchmarkHandleText writes the block of one handle with everything.
func BenchmarkHandleText(b *testing.B) {
	text := newHandleText(bufio.NewWriter(io.Discard), 4, HandlesText{Flags: analysis.ShowAll})
	text.handle(&benchHandle)
	b.SetBytes(int64(len(text.buf)))
	b.ReportAllocs()
	for b.Loop() {
		text.handle(&benchHandle)
	}
}

// BenchmarkHandleJSON writes a handle as JSON; CSV has its own.
func BenchmarkHandleJSON(b *testing.B) { benchmarkHandles(b, JSON) }

func BenchmarkHandleCSV(b *testing.B) { benchmarkHandles(b, CSV) }

func benchmarkHandles(b *testing.B, format Format) {
	b.ReportAllocs()
	r := &HandlesReport{}
	r.Handles = NewHandleStream(func(visit func(*minidump.Handle) bool) error {
		for b.Loop() {
			visit(&benchHandle)
		}
		return nil
	}, nil)
	if err := Write(io.Discard, r, format, Style{}); err != nil {
		b.Fatal(err)
	}
}
