package render

import (
	"encoding/json"
	"io"
	"testing"
)

// TestWrite: a format that a report does not have is an error, and JSON is one
// object whatever is in it.
func TestWrite(t *testing.T) {
	for _, tt := range []struct {
		report Report
		format Format
		want   string
	}{
		{&InfoReport{}, CSV, "dumpscan.info/2 has no such form"},
		{&HandlesReport{}, Markdown, "dumpscan.handles/2 has no such form"},
		{&DiffReport{}, "html", `there is no format "html"`},
	} {
		if err := Write(io.Discard, tt.report, tt.format, Style{}); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
	for _, r := range []Report{&InfoReport{}, &HandlesReport{}, &DiffReport{}} {
		var object map[string]any
		if err := json.Unmarshal([]byte(write(t, r, JSON, Style{})), &object); err != nil {
			t.Errorf("%s: %v", r.schema(), err)
		}
		if object["schema"] != r.schema() {
			t.Errorf("schema %v, want %s", object["schema"], r.schema())
		}
		for name, value := range object {
			if value == nil {
				t.Errorf("%s: %s is null", r.schema(), name)
			}
		}
	}
	if err := Write(brokenPipe{}, &HandlesReport{}, JSON, Style{}); err != io.ErrClosedPipe {
		t.Errorf("error %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStyle(t *testing.T) {
	color := Style{Color: true}
	for got, want := range map[string]string{
		color.Bold("x"): "\x1b[1mx\x1b[0m", color.Dim("x"): "\x1b[2mx\x1b[0m", color.Alarm("x"): "\x1b[1;31mx\x1b[0m",
		color.Warn("x"): "\x1b[33mx\x1b[0m", color.Good("x"): "\x1b[32mx\x1b[0m", color.Bold(""): "", Style{}.Alarm("y"): "y",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
