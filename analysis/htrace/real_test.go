package htrace_test

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// leakyPath is a line of the leaking program's own account.
type leakyPath struct {
	thread                              uint32
	opens, closes, badRefs, outstanding int
}

func leakyTruth(t testing.TB, path string) map[string]leakyPath {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	truth := map[string]leakyPath{}
	s := bufio.NewScanner(f)
	s.Scan() // the header: path, opener, thread, opens, closes, badrefs, ...
	for s.Scan() {
		cells := strings.Split(strings.TrimRight(s.Text(), "\r"), "\t")
		number := func(i int) int {
			n, _ := strconv.Atoi(cells[i])
			return n
		}
		thread, _ := strconv.ParseUint(cells[2], 16, 32)
		truth[cells[0]] = leakyPath{uint32(thread), number(3), number(4), number(5), number(3) - number(4)}
	}
	if len(truth) == 0 {
		t.Fatalf("%s: no paths", path)
	}
	return truth
}

// The leaking program counts what it does on each of its paths; the trace has
// to say the same, whichever way it is stored.
func TestTraceOfLeakyProgram(t *testing.T) {
	for _, name := range []string{"leaky-x64-b", "leaky-x64-c", "leaky-x64-c-heap", "leaky-x86-b", "leaky-x86-c"} {
		t.Run(name, func(t *testing.T) {
			path := "testdata/leaky/" + name
			f := testdump.Open(t, path+".dmp.gz")
			truth := leakyTruth(t, path+".paths.tsv")
			trace := readTrace(t, f, "")
			if trace.Order != htrace.OldestFirst || trace.Evidence.Reason != htrace.OrderByAnomalies {
				t.Errorf("order %s by %s, want oldest first by anomalies", trace.Order, trace.Evidence.Reason)
			}
			all := truth["(all)"]
			// A close of a handle from before the trace leaves one open more.
			want := []int{all.opens + all.closes + all.badRefs, all.opens, all.closes, all.badRefs, all.outstanding + 1}
			got := []int{trace.Len(), trace.Opens, trace.Closes, trace.BadRefs, len(trace.Outstanding)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("parsed, opens, closes, bad references, outstanding (-want +got):\n%s", diff)
			}
			checkLeakyGroups(t, f, trace, truth)
			if n := trace.CountAnomalies(htrace.DoubleClose); n != truth["ReleaseTwice"].badRefs {
				t.Errorf("%d double closes, want %d", n, truth["ReleaseTwice"].badRefs)
			}
			if n := trace.CountAnomalies(htrace.CloseWithoutOpen); n != truth["LateClose"].closes {
				t.Errorf("%d closes without open, want %d", n, truth["LateClose"].closes)
			}
		})
	}
}

// checkLeakyGroups expects one group for each path that leaks.
func checkLeakyGroups(t *testing.T, f *minidump.File, trace *htrace.Trace, truth map[string]leakyPath) {
	t.Helper()
	modules, err := f.Modules()
	if err != nil {
		t.Fatal(err)
	}
	system, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	names, err := symbol.NewModules(modules).Resolve(context.Background(), trace.Addresses())
	if err != nil {
		t.Fatal(err)
	}
	groups := trace.Group(trace.Outstanding, htrace.GroupOptions{
		By: htrace.ByStack, Blame: trace.Blame(names, system),
	})
	types := map[string]string{"CreateSettings": "Key", "Subscribe": "Event", "HandOver": "Mutant"}
	for path, typ := range types {
		i := slices.IndexFunc(groups, func(g htrace.Group) bool { return g.Threads[0].ThreadID == truth[path].thread })
		if i < 0 {
			t.Errorf("no group for %s", path)
			continue
		}
		g := groups[i]
		if g.Count != truth[path].outstanding || g.Culprit.Module != "MyCustomDll" || g.Type() != typ || len(g.Types) != 1 {
			t.Errorf("%s: %d by %s of types %v, want %d by MyCustomDll of type %s",
				path, g.Count, g.Culprit.Module, g.Types, truth[path].outstanding, typ)
		}
	}
	if len(groups) != len(types) {
		t.Errorf("%d groups, want %d", len(groups), len(types))
	}
}

func TestTraceDiffOfLeakyProgram(t *testing.T) {
	for _, arch := range []string{"x64", "x86"} {
		b := readTrace(t, testdump.Open(t, "testdata/leaky/leaky-"+arch+"-b.dmp.gz"), "")
		c := readTrace(t, testdump.Open(t, "testdata/leaky/leaky-"+arch+"-c.dmp.gz"), "")
		d := c.Diff(b)
		if d.Overlap != b.Len() || d.New != c.Len()-b.Len() || len(d.Outstanding) != len(c.Outstanding)-len(b.Outstanding) {
			t.Errorf("%s: %d in both, %d new, %d of them open", arch, d.Overlap, d.New, len(d.Outstanding))
		}
	}
}

// The two dumps from elsewhere tell their order by nothing but the types of
// reused handles.
func TestTraceOfSharedDumps(t *testing.T) {
	tests := []struct {
		path string
		want []int // parsed, opens, closes, bad references, outstanding
	}{
		{"../shared/dumps/leaky-b.dmp", []int{458, 408, 50, 0, 358}},
		{"../shared/dumps/leaky-c.dmp.gz", []int{916, 816, 100, 0, 716}},
	}
	for _, tt := range tests {
		trace := readTrace(t, testdump.Open(t, tt.path), "")
		got := []int{trace.Len(), trace.Opens, trace.Closes, trace.BadRefs, len(trace.Outstanding)}
		if diff := cmp.Diff(tt.want, got); diff != "" || trace.Order != htrace.OldestFirst {
			t.Errorf("%s: %s; parsed, opens, closes, bad references, outstanding (-want +got):\n%s", tt.path, trace.Order, diff)
		}
		for _, o := range trace.Outstanding {
			if !o.Object.Listed {
				t.Errorf("%s: %#x is not in the handle stream", tt.path, o.Handle)
			}
		}
	}
}
