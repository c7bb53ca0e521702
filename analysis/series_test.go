package analysis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// misc is a dump of a process with the given identity and so many keys.
type misc struct {
	file, program string
	pid           uint32
	created, time uint32 // seconds after epoch; 0 unknown
	cpu           uint32
	keys          int
}

func (m misc) shot() shot {
	d := dumptest.Dump{
		TimeDateStamp: epoch + m.time,
		MiscInfo:      &dumptest.MiscInfo{ProcessId: m.pid, ProcessUserTime: m.cpu},
		HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(m.keys, func(i int) dumptest.Handle {
			h := plainKey
			h.Value = uint64(4 * (i + 1))
			return h
		})},
	}
	if m.time == 0 {
		d.Patches = []dumptest.Patch{dumptest.PutU32("Header", 20, 0)} // TimeDateStamp
	}
	if m.program != "" {
		d.Modules = []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: `C:\bin\` + m.program}}
	}
	d.MiscInfo.ProcessCreateTime = epoch + m.created
	if m.created == 0 {
		d.MiscInfo.Flags1 = 1 // the process id alone
	}
	return shot{m.file, d.Bytes()}
}

func TestBuildSeries(t *testing.T) {
	for _, c := range []struct {
		name  string
		dumps []misc
		force bool
		want  []string // "files: notes", a line for each process
	}{
		{"in order of time", []misc{
			{"b", "a.exe", 1, 10, 7200, 9, 2}, {"a", "a.exe", 1, 10, 3600, 5, 1}, {"c", "a.exe", 1, 10, 9000, 12, 3},
		}, false, []string{"a b c"}},
		{"another process id", []misc{{"a", "a.exe", 1, 10, 60, 1, 1}, {"b", "a.exe", 2, 10, 90, 1, 1}}, false, []string{"a", "b"}},
		{"restarted", []misc{{"b", "a.exe", 1, 70, 90, 1, 1}, {"a", "a.exe", 2, 10, 60, 1, 1}}, false, []string{"b restarted", "a"}},
		{"side by side", []misc{{"a", "a.exe", 1, 10, 60, 1, 1}, {"b", "a.exe", 1, 20, 90, 1, 1}}, false, []string{"a", "b"}},
		{"another start, forced", []misc{{"a", "a.exe", 1, 10, 60, 1, 1}, {"b", "a.exe", 1, 20, 90, 1, 2}}, true,
			[]string{"a b; differ: started 2023-11-14T22:13:30Z and 2023-11-14T22:13:40Z"}},
		{"another program", []misc{{"a", "a.exe", 1, 10, 60, 1, 1}, {"b", "b.exe", 1, 10, 90, 1, 1}}, true, []string{"a", "b"}},
		{"start rounded in another way", []misc{{"a", "a.exe", 1, 10, 60, 1, 1}, {"b", "A.EXE", 1, 11, 90, 1, 1}}, false, []string{"a b"}},
		{"nothing but the process id", []misc{{"b", "", 1, 0, 90, 0, 2}, {"a", "a.exe", 1, 10, 60, 1, 1}}, false, []string{"a b"}},
		{"clock set back", []misc{
			{"a", "a.exe", 1, 10, 7200, 50, 1}, {"b", "a.exe", 1, 10, 3600, 90, 2}, {"c", "a.exe", 1, 10, 4000, 130, 3},
		}, false, []string{"a b c; the clock was set back between the dumps: they are ordered by the processor time and page faults of the process, and there are no rates"}},
		{"no time", []misc{{"b", "a.exe", 1, 10, 0, 0, 2}, {"a", "a.exe", 1, 10, 60, 0, 1}}, false,
			[]string{"b a; not every dump tells when it was written: the order is uncertain, and there are no rates"}},
		{"no time, but processor time", []misc{{"b", "a.exe", 1, 10, 0, 9, 2}, {"a", "a.exe", 1, 10, 60, 5, 1}}, false,
			[]string{"a b; not every dump tells when it was written: they are ordered by the processor time and page faults of the process, and there are no rates"}},
		{"a copy", []misc{{"a", "a.exe", 1, 10, 60, 1, 5}, {"copy", "a.exe", 1, 10, 60, 1, 5}}, false, []string{"a; copy is the same dump as a and left out"}},
		{"within a second", []misc{{"b", "a.exe", 1, 10, 60, 1, 5}, {"a", "a.exe", 1, 10, 60, 1, 4}}, false,
			[]string{"a b; a and b were written within one second: there are no rates"}},
	} {
		var shots []shot
		for _, m := range c.dumps {
			shots = append(shots, m.shot())
		}
		var got []string
		for _, s := range analysis.BuildSeries(snapshots(t, shots), c.force) {
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
	s := snapshots(t, []shot{misc{"x", "", 7, 0, 60, 0, 1}.shot()})[0]
	if got, want := s.ProcessIdentity.String(), "process (7)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"main module", "start time"}, s.Unknown()); diff != "" {
		t.Error(diff)
	}
	if want := time.Unix(epoch+60, 0).UTC(); !s.Time.Equal(want) {
		t.Errorf("time %v, want %v", s.Time, want)
	}
}
