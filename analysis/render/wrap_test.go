package render

import "testing"

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		width        int
		indent, text string
		want         string
	}{
		{0, "", "one two three", "one two three"},
		{13, "", "one two three", "one two three"},
		{12, "", "one two three", "one two\nthree"},
		{7, "  ", "one two three", "one two\n  three"},
		{6, "  ", "one two three", "one\n  two\n  three"},
		{8, "", "a/very/long/path here", "a/very/long/path\nhere"},
		{8, "", "in a/very/long/path", "in\na/very/long/path"},
		{8, "    ", "a/very/long/path b/very/long/path", "a/very/long/path\n    b/very/long/path"},
		{5, "", "äöü äö", "äöü\näö"},
	} {
		if got := (Style{Width: tt.width}).wrap(tt.text, tt.indent); got != tt.want {
			t.Errorf("width %d: %q, want %q", tt.width, got, tt.want)
		}
	}
}
