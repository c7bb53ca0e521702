package render

import (
	"io"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
)

// BenchmarkHandleText writes the block of one handle with everything.
func BenchmarkHandleText(b *testing.B) {
	h := minidump.Handle{
		Handle: 0x7e0, TypeName: "Key", ObjectName: `\REGISTRY\MACHINE\SOFTWARE\Classes`,
		GrantedAccess: 0x20019, HandleCount: 2, PointerCount: 3,
	}
	text := NewHandleText(io.Discard, HandleTextOptions{PointerSize: 4, Flags: ShowAll})
	text.Handle(&h)
	b.SetBytes(int64(len(text.buf)))
	b.ReportAllocs()
	for b.Loop() {
		text.Handle(&h)
	}
}
