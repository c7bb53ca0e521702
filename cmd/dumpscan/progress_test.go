package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		what        string
		done, total int64
		width       int
		want        string
	}{
		{"unpacking a.gz", 1 << 20, 4 << 20, 50, "unpacking a.gz  ████░░░░░░░░░░░░   25 % of 4.0 MiB"},
		{"unpacking a.gz", 4 << 20, 4 << 20, 50, "unpacking a.gz  ████████████████  100 % of 4.0 MiB"},
		{"unpacking a.gz", 9 << 20, 4 << 20, 50, "unpacking a.gz  ████████████████  100 % of 4.0 MiB"}, // the file grows
		{"unpacking a.gz", 0, 4 << 20, 50, "unpacking a.gz  ░░░░░░░░░░░░░░░░    0 % of 4.0 MiB"},
		{"unpacking a.gz", 1 << 20, 4 << 20, 38, "unpacking a.gz   25 % of 4.0 MiB"}, // no room for a bar
		{"unpacking a.gz", 1 << 20, 4 << 20, 10, "unpacking "},
		{"unpacking -", 1 << 20, -1, 80, "unpacking -  1.0 MiB"},
		{"unpacking -", 1 << 20, -1, -1, ""},
	} {
		if diff := cmp.Diff(tt.want, progressLine(tt.what, tt.done, tt.total, tt.width)); diff != "" {
			t.Errorf("%d of %d in %d columns (-want +got):\n%s", tt.done, tt.total, tt.width, diff)
		}
	}
}

// TestProgress: nothing is drawn for short work, and nothing stays behind.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, width: 60, what: "unpacking", next: time.Now().Add(time.Hour)}
	p.update(1, 2)
	p.finish()
	if b.Len() > 0 {
		t.Errorf("short work draws %q", b.String())
	}
	p.next = time.Time{}
	p.update(1000, 2000)
	p.update(1001, 2000) // too soon
	if n := strings.Count(b.String(), "\r"); n != 1 {
		t.Errorf("drawn %d times: %q", n, b.String())
	}
	p.next = time.Time{}
	p.update(5, -1) // a shorter line
	p.finish()
	screen := ""
	for part := range strings.SplitSeq(b.String(), "\r") {
		old := []rune(screen)
		screen = part + string(old[min(len(old), len([]rune(part))):])
	}
	if strings.TrimSpace(screen) != "" {
		t.Errorf("left behind: %q", screen)
	}
	(&progress{next: time.Time{}}).update(1, 2) // no terminal
}
