package analysis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
)

// proc is a process in the order of testdump.Process's fields.
func proc(file, program string, pid, created, time, cpu uint32, keys int) testdump.Process {
	return testdump.Process{File: file, Program: program, PID: pid, Created: created, Time: time, CPU: cpu, Keys: keys}
}

// snapshots counts the handles of dumps.
func snapshots(t testing.TB, dumps []testdump.Process) []*analysis.Snapshot {
	t.Helper()
	var out []*analysis.Snapshot
	for _, d := range dumps {
		snap, err := analysis.LoadSnapshot(t.Context(), testdump.Make(t, d.Dump()), d.File)
		if err != nil {
			t.Fatalf("%s: %v", d.File, err)
		}
		out = append(out, snap)
	}
	return out
}

func TestBuildSeries(t *testing.T) {
	for _, c := range []struct {
		name  string
		dumps []testdump.Process
		force bool
		want  []string // "files: notes", a line for each process
	}{
		{"in order of time", []testdump.Process{
			proc("b", "a.exe", 1, 10, 7200, 9, 2), proc("a", "a.exe", 1, 10, 3600, 5, 1), proc("c", "a.exe", 1, 10, 9000, 12, 3),
		}, false, []string{"a b c"}},
		{"another process id", []testdump.Process{proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "a.exe", 2, 10, 90, 1, 1)}, false, []string{"a", "b"}},
		{"restarted", []testdump.Process{proc("b", "a.exe", 1, 70, 90, 1, 1), proc("a", "a.exe", 2, 10, 60, 1, 1)}, false, []string{"b restarted", "a"}},
		{"side by side", []testdump.Process{proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "a.exe", 1, 20, 90, 1, 1)}, false, []string{"a", "b"}},
		{"another start, forced", []testdump.Process{proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "a.exe", 1, 20, 90, 1, 2)}, true,
			[]string{"a b; differ: started 2023-11-14T22:13:30Z and 2023-11-14T22:13:40Z"}},
		{"another program", []testdump.Process{proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "b.exe", 1, 10, 90, 1, 1)}, true, []string{"a", "b"}},
		{"start rounded in another way", []testdump.Process{proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "A.EXE", 1, 11, 90, 1, 1)}, false, []string{"a b"}},
		{"nothing but the process id", []testdump.Process{proc("b", "", 1, 0, 90, 0, 2), proc("a", "a.exe", 1, 10, 60, 1, 1)}, false, []string{"a b"}},
		{"clock set back", []testdump.Process{
			proc("a", "a.exe", 1, 10, 7200, 50, 1), proc("b", "a.exe", 1, 10, 3600, 90, 2), proc("c", "a.exe", 1, 10, 4000, 130, 3),
		}, false, []string{"a b c; the clock was set back between the dumps: they are ordered by the processor time and page faults of the process, and there are no rates"}},
		{"no time", []testdump.Process{proc("b", "a.exe", 1, 10, 0, 0, 2), proc("a", "a.exe", 1, 10, 60, 0, 1)}, false,
			[]string{"b a; not every dump says when it was written: the order is uncertain, and there are no rates"}},
		{"no time, but processor time", []testdump.Process{proc("b", "a.exe", 1, 10, 0, 9, 2), proc("a", "a.exe", 1, 10, 60, 5, 1)}, false,
			[]string{"a b; not every dump says when it was written: they are ordered by the processor time and page faults of the process, and there are no rates"}},
		{"a copy", []testdump.Process{proc("a", "a.exe", 1, 10, 60, 1, 5), proc("copy", "a.exe", 1, 10, 60, 1, 5)}, false, []string{"a; copy is the same dump as a and left out"}},
		{"within a second", []testdump.Process{proc("b", "a.exe", 1, 10, 60, 1, 5), proc("a", "a.exe", 1, 10, 60, 1, 4)}, false,
			[]string{"a b; a and b were written within one second: there are no rates"}},
	} {
		var got []string
		for _, s := range analysis.BuildSeries(snapshots(t, c.dumps), c.force) {
			var files []string
			for _, snap := range s.Snapshots {
				files = append(files, snap.File)
			}
			line := strings.Join(files, " ")
			if s.Earlier != nil {
				line += " restarted"
			}
			for _, n := range s.Notes {
				line += "; " + n
			}
			for _, d := range s.Forced {
				line += "; differ: " + d
			}
			got = append(got, line)
			if n := len(s.Snapshots); n > 1 && len(s.Notes) == 0 && len(s.Hours) != n {
				t.Errorf("%s: no hours", c.name)
			}
			if len(s.Notes) > 0 && s.Span() != 0 {
				t.Errorf("%s: a span of %v although the clock is not to be trusted", c.name, s.Span())
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestSnapshotIdentity(t *testing.T) {
	s := snapshots(t, []testdump.Process{proc("x", "", 7, 0, 60, 0, 1)})[0]
	if got, want := s.ProcessIdentity.String(), "process (7)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"main module", "start time"}, s.Unknown()); diff != "" {
		t.Error(diff)
	}
	if want := time.Unix(testdump.Epoch+60, 0).UTC(); !s.Time.Equal(want) {
		t.Errorf("time %v, want %v", s.Time, want)
	}
}

// TestOneOrder has three dumps with 100, 400 and 700 keys, the clock set back
// after the first. Whoever compares any of them must see the same order.
func TestOneOrder(t *testing.T) {
	dumps := []testdump.Process{
		proc("a", "a.exe", 1, 10, 7200, 50, 100), proc("b", "a.exe", 1, 10, 3600, 90, 400), proc("c", "a.exe", 1, 10, 4000, 130, 700),
	}
	for _, given := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		var some []testdump.Process
		for _, i := range given {
			some = append(some, dumps[i])
		}
		all := analysis.BuildSeries(snapshots(t, some), false)
		if len(all) != 1 || len(all[0].Snapshots) != 3 {
			t.Fatalf("%d series", len(all))
		}
		for i, want := range []uint64{100, 400, 700} {
			if got := all[0].Snapshots[i].Kinds.Total; got != want {
				t.Errorf("given as %v, dump %d has %d keys, want %d", given, i, got, want)
			}
		}
	}
	// Pairs have the order of the series.
	snaps := snapshots(t, dumps)
	for i, earlier := range snaps {
		for j, later := range snaps {
			differ := analysis.ComparePair(earlier, later)
			if i > j != (len(differ) > 0) {
				t.Errorf("%s before %s: %q", earlier.File, later.File, differ)
			}
		}
	}
}

func TestComparePair(t *testing.T) {
	const older = "by the processor time and page faults of the process the second dump is the older one"
	const first, second = "the first was written at 2023-11-14 23:13:20 UTC", "the second at 2023-11-14 22:14:20 UTC"
	for _, tt := range []struct {
		name           string
		earlier, later testdump.Process
		want           []string
	}{
		{"in order", proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "a.exe", 1, 10, 3600, 2, 1), nil},
		{"the other way", proc("a", "a.exe", 1, 10, 3600, 2, 1), proc("b", "a.exe", 1, 10, 60, 1, 1), []string{first + ", " + second}},
		{"no processor time", proc("a", "a.exe", 1, 0, 3600, 0, 1), proc("b", "a.exe", 1, 0, 60, 0, 1), []string{first + ", " + second}},
		{"the clock was set back", proc("a", "a.exe", 1, 10, 3600, 5, 1), proc("b", "a.exe", 1, 10, 60, 90, 1), nil},
		{"the clock was set back, the other way", proc("a", "a.exe", 1, 10, 60, 90, 1), proc("b", "a.exe", 1, 10, 3600, 5, 1), []string{older}},
		{"in the same second", proc("a", "a.exe", 1, 10, 60, 9, 1), proc("b", "a.exe", 1, 10, 60, 5, 1), []string{older}},
		{"nothing decides", proc("b", "a.exe", 1, 10, 60, 5, 1), proc("a", "a.exe", 1, 10, 60, 5, 2), nil},
		{"no time, but processor time", proc("a", "a.exe", 1, 10, 0, 9, 1), proc("b", "a.exe", 1, 10, 60, 5, 1), []string{older}},
		{"no time, and processor time of one", proc("a", "a.exe", 1, 10, 60, 9, 1), proc("b", "a.exe", 1, 0, 0, 0, 1), nil},
		{"no time", proc("a", "a.exe", 1, 10, 60, 0, 1), proc("b", "a.exe", 1, 10, 0, 0, 1), nil},
		{"another process", proc("a", "a.exe", 1, 10, 60, 1, 1), proc("b", "b.exe", 2, 100, 3600, 2, 1), []string{
			"main module a.exe and b.exe", "process id 1 and 2", "started 2023-11-14T22:13:30Z and 2023-11-14T22:15:00Z"}},
	} {
		earlier := analysis.NewSnapshot(testdump.Make(t, tt.earlier.Dump()), tt.earlier.File)
		later := analysis.NewSnapshot(testdump.Make(t, tt.later.Dump()), tt.later.File)
		if diff := cmp.Diff(tt.want, analysis.ComparePair(earlier, later)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
