package htrace_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
)

func TestTraceDiff(t *testing.T) {
	tests := []struct {
		name, earlier, later string
		overlap, overwritten int
		outstanding          string
	}{
		{name: "continued", earlier: "o4 o8", later: "o4 o8 c8 oc o10", overlap: 2, outstanding: "4:10 3:c"},
		{name: "same dump", earlier: "o4 c4 o4", later: "o4 c4 o4", overlap: 3},
		{name: "ring", earlier: "o4 o8 oc", later: "oc c4 o10", overlap: 1, overwritten: 2, outstanding: "2:10"},
		{name: "no overlap", earlier: "o4 o8", later: "c8 o10", overwritten: 2, outstanding: "1:10"},
		{name: "equal handle, other stack", earlier: "o4/1", later: "o4/2 c4/2 o8/2", overwritten: 1, outstanding: "2:8"},
		{name: "equal handle, other process", earlier: "o4", later: "o4@9", overwritten: 1, outstanding: "0:4"},
		{name: "first trace empty", later: "o4", outstanding: "0:4"},
		{name: "second trace empty", earlier: "o4", overwritten: 1},
		{name: "self-similar", earlier: "o4 c4 o4 c4 o4", later: "o4 c4 o4 c4 o4 c4 o8", overlap: 5, outstanding: "6:8"},
		{name: "longest end", earlier: "o8 o4 c4 o4 c4", later: "o4 c4 o4 c4 o4 c4", overlap: 4, overwritten: 1},
		{name: "closed later", earlier: "o4", later: "o4 o8 c4 c8", overlap: 1},
		{name: "reused value", earlier: "o4", later: "o4 c4 o4", overlap: 1, outstanding: "2:4(1 earlier)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			earlier := readTrace(t, traceDump(t, traceOps(t, tt.earlier), ""), htrace.OldestFirst)
			later := readTrace(t, traceDump(t, traceOps(t, tt.later), ""), htrace.OldestFirst)
			d := later.Diff(earlier)
			got := *d
			got.Outstanding = nil
			want := htrace.Diff{
				New: later.Len() - tt.overlap, Overlap: tt.overlap, Earlier: earlier.Len(), Overwritten: tt.overwritten,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			trace := &htrace.Trace{Outstanding: d.Outstanding}
			if text := outstandingText(trace); text != tt.outstanding {
				t.Errorf("outstanding %q, want %q", text, tt.outstanding)
			}
		})
	}
}

// The search for the overlap gives what trying every length gives.
func FuzzTraceDiff(f *testing.F) {
	f.Add("aabaa", "abaab")
	f.Add("abababab", "ababac")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 60 || len(b) > 60 {
			return
		}
		letters := func(s string) []string {
			var words []string
			for i := range len(s) {
				words = append(words, []string{"o4", "c4", "o8", "o4/2"}[s[i]%4])
			}
			return words
		}
		early, late := letters(a), letters(b)
		want := 0
		for n := range min(len(early), len(late)) + 1 {
			if slices.Equal(early[len(early)-n:], late[:n]) {
				want = n
			}
		}
		read := func(words []string) *htrace.Trace {
			return readTrace(t, traceDump(t, traceOps(t, strings.Join(words, " ")), ""), htrace.OldestFirst)
		}
		if got := read(late).Diff(read(early)).Overlap; got != want {
			t.Errorf("overlap of %v and %v is %d, want %d", early, late, got, want)
		}
	})
}
