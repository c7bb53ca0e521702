package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		share float64
		want  string
	}{{1, "████"}, {0.5, "██"}, {0.28, "█▏"}, {0, ""}, {2, "████"}, {-1, ""}} {
		if got := Bar(tt.share, 4); got != tt.want {
			t.Errorf("Bar(%v) = %q, want %q", tt.share, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	const text = "yes; 302 handles, without names (Crashpad never writes names)"
	for _, tt := range []struct {
		width, indent int
		text, want    string
	}{
		{0, 0, text, text},
		{80, 15, text, text},
		{76, 15, text, text},
		{75, 15, text, "yes; 302 handles, without names (Crashpad never writes\n               names)"},
		{40, 15, text, "yes; 302 handles, without\n               names (Crashpad never\n               writes names)"},
		{34, 15, text, text}, // too narrow for prose
		{30, 0, "dumpscan handles /very/long/path/of/a/file.dmp 0 ff Key", "dumpscan handles\n/very/long/path/of/a/file.dmp\n0 ff Key"},
		{30, 2, "C:\\a-word-that-is-longer-than-the-line-is x", "C:\\a-word-that-is-longer-than-the-line-is\n  x"},
	} {
		if diff := cmp.Diff(tt.want, Style{Width: tt.width}.Wrap(tt.text, tt.indent)); diff != "" {
			t.Errorf("width %d, indent %d (-want +got):\n%s", tt.width, tt.indent, diff)
		}
	}
}
