package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func key(value uint64, name string) dumptest.Handle {
	return dumptest.Handle{Value: value, Type: "Key", Name: name, GrantedAccess: 0x20019}
}

func event(value uint64) dumptest.Handle {
	return dumptest.Handle{Value: value, Type: "Event", GrantedAccess: 0x1f0003}
}

// checkInput is a dump for a test of Gate.
type checkInput struct {
	file    string
	time    time.Time
	process string
	pid     uint32
	handles []dumptest.Handle
	patches []dumptest.Patch
	err     error
}

var noon = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

func (in checkInput) count(t testing.TB, c *check.Gate) *check.Dump {
	if in.err != nil {
		return &check.Dump{File: in.file, Err: in.err}
	}
	info := &analysis.DumpInfo{Time: in.time, Process: in.process}
	if in.pid != 0 {
		info.Misc = &minidump.MiscInfo{Flags1: minidump.MiscProcessID, ProcessID: in.pid}
	}
	hd, err := testdump.Make(t, dumptest.Dump{HandleData: &dumptest.HandleData{Handles: in.handles}, Patches: in.patches}).HandleData()
	if err != nil {
		t.Fatal(err)
	}
	return c.Count(in.file, info, hd.Only)
}

// keysAndEvents makes handles: keys of two names and events without.
func keysAndEvents(a, b, events int) (handles []dumptest.Handle) {
	value := uint64(0)
	add := func(n int, make func(uint64) dumptest.Handle) {
		for range n {
			value += 4
			handles = append(handles, make(value))
		}
	}
	add(a, func(v uint64) dumptest.Handle { return key(v, `\REGISTRY\A`) })
	add(b, func(v uint64) dumptest.Handle { return key(v, `\REGISTRY\B\77`) })
	add(events, event)
	return handles
}

// outcome writes results in a form that is easy to compare: "max Key=1:
// breach: Key 5/0 of 1 by NAME 4/0".
func outcome(r *check.Report) []string {
	var lines []string
	for _, result := range r.Results {
		name := "baseline"
		if result.Limit != nil {
			name = fmt.Sprintf("%s %s", result.Limit.Kind, result.Limit)
		}
		line := fmt.Sprintf("%s of %s: %s", name, strings.Join(result.Files, "+"), result.Status)
		if result.Reason != "" {
			line += " (" + result.Reason + ")"
		}
		for _, m := range result.Measures {
			line += fmt.Sprintf("; %s %d/%d, %d allowed, by %s%s %d/%d", m.Subject, m.Count, m.Base, m.Allowed,
				m.Cause.Type, m.Cause.Name, m.Cause.Count, m.Cause.Base)
			if m.PerHour != 0 {
				line += fmt.Sprintf(", %g/h", m.PerHour)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestCheck(t *testing.T) {
	one := checkInput{file: "one", handles: keysAndEvents(4, 2, 5)}
	first := checkInput{file: "first", time: noon, process: `C:\a.exe`, pid: 1, handles: keysAndEvents(2, 1, 10)}
	last := checkInput{file: "last", time: noon.Add(2 * time.Hour), process: `C:\a.exe`, pid: 1, handles: keysAndEvents(52, 1, 3)}
	other := checkInput{file: "other", time: noon.Add(2 * time.Hour), process: `C:\a.exe`, pid: 2, handles: last.handles}
	timeless := checkInput{file: "timeless", handles: last.handles}
	unnamed := checkInput{file: "unnamed", handles: []dumptest.Handle{event(4)}}
	broken := checkInput{file: "broken", handles: keysAndEvents(4, 0, 0),
		patches: []dumptest.Patch{{Anchor: "HandleData[1]", Off: 12, Bytes: []byte{0xff, 0xff, 0xff, 0x7f}}}}
	const max, growth, rate = check.LimitCount, check.LimitGrowth, check.LimitRate

	for _, test := range []struct {
		name   string
		kind   check.LimitKind
		limits []string
		dumps  []checkInput
		force  bool
		want   []string
		notes  []string
	}{
		{name: "a count at its limit passes, one above does not", kind: max, limits: []string{"key=6", "Key=5"},
			dumps: []checkInput{one},
			want: []string{`max key=6 of one: passed; Key 6/0, 6 allowed, by Key\REGISTRY\A 4/0`,
				`max Key=5 of one: breach; Key 6/0, 5 allowed, by Key\REGISTRY\A 4/0`}},
		{name: "total", kind: max, limits: []string{"total=10"}, dumps: []checkInput{one},
			want: []string{`max total=10 of one: breach; total 11/0, 10 allowed, by Event 5/0`}},
		{name: "each finds every type, the worst first", kind: max, limits: []string{"each=4", "5", "7"}, dumps: []checkInput{one},
			want: []string{`max each=4 of one: breach; Key 6/0, 4 allowed, by Key\REGISTRY\A 4/0; Event 5/0, 4 allowed, by Event 5/0`,
				`max 5 of one: breach; Key 6/0, 5 allowed, by Key\REGISTRY\A 4/0`,
				`max 7 of one: passed; Key 6/0, 7 allowed, by Key\REGISTRY\A 4/0`}},
		{name: "names", kind: max, limits: []string{`Key:\registry\b*=1`, `total:\REGISTRY=5`, `each:\REGISTRY=5`, `Event:x=0`},
			dumps: []checkInput{one},
			want: []string{`max Key:\registry\b*=1 of one: breach; Key:\registry\b* 2/0, 1 allowed, by Key\REGISTRY\B\77 2/0`,
				`max total:\REGISTRY=5 of one: breach; total:\REGISTRY 6/0, 5 allowed, by Key\REGISTRY\A 4/0`,
				`max each:\REGISTRY=5 of one: breach; Key:\REGISTRY 6/0, 5 allowed, by Key\REGISTRY\A 4/0`,
				`max Event:x=0 of one: passed; Event:x 0/0, 0 allowed, by  0/0`}},
		{name: "names in a dump without", kind: max, limits: []string{`Key:x=1`, `Event=1`}, dumps: []checkInput{unnamed},
			want: []string{`max Key:x=1 of unnamed: unknown (the dump has no names of objects)`,
				`max Event=1 of unnamed: passed; Event 1/0, 1 allowed, by Event 1/0`}},
		{name: "a type that nobody knows", kind: max, limits: []string{"Keys=5", "Job=5"}, dumps: []checkInput{one},
			want:  []string{"max Keys=5 of one: passed; Keys 0/0, 5 allowed, by  0/0", "max Job=5 of one: passed; Job 0/0, 5 allowed, by  0/0"},
			notes: []string{`Keys=5: no handle is of type "Keys", which WinDbg does not know either; is it spelled right?`}},
		{name: "a dump that cannot be read beside one that can", kind: max, limits: []string{"Key=6"},
			dumps: []checkInput{{file: "bad", err: minidump.ErrNotMinidump}, one},
			want: []string{`max Key=6 of bad: unknown (not a minidump)`,
				`max Key=6 of one: passed; Key 6/0, 6 allowed, by Key\REGISTRY\A 4/0`}},
		{name: "an empty list", kind: max, limits: []string{"Key=6"}, dumps: []checkInput{{file: "empty"}},
			want: []string{`max Key=6 of empty: unknown (there are no handles in the list: its writer saved none; ` + analysis.CaptureHandles + `)`}},
		{name: "a broken handle proves a breach, but not its absence", kind: max, limits: []string{"Key=3", "Key=4"}, dumps: []checkInput{broken},
			want: []string{`max Key=3 of broken: breach; Key 4/0, 3 allowed, by Key\REGISTRY\A 3/0`,
				`max Key=4 of broken: unknown (what could be read of broken is within the limit, but not everything could: HandleDataStream: ` +
					`file offset 0x7fffffff: string outside the file of 454 bytes); Key 4/0, 4 allowed, by Key\REGISTRY\A 3/0`}},

		{name: "growth", kind: growth, limits: []string{"Key=+50", "Key=+49", "Event=0", "total=+42", "each=+49", "Key=+1666%", "Key=+1667%"},
			dumps: []checkInput{first, last},
			want: []string{`max-growth Key=+50 of first+last: passed; Key 53/3, 50 allowed, by Key\REGISTRY\A 52/2`,
				`max-growth Key=+49 of first+last: breach; Key 53/3, 49 allowed, by Key\REGISTRY\A 52/2`,
				`max-growth Event=0 of first+last: passed; Event 3/10, 0 allowed, by Event 3/10`,
				`max-growth total=+42 of first+last: breach; total 56/13, 42 allowed, by Key\REGISTRY\A 52/2`,
				`max-growth each=+49 of first+last: breach; Key 53/3, 49 allowed, by Key\REGISTRY\A 52/2`,
				`max-growth Key=+1666% of first+last: breach; Key 53/3, 49 allowed, by Key\REGISTRY\A 52/2`,
				`max-growth Key=+1667% of first+last: passed; Key 53/3, 50 allowed, by Key\REGISTRY\A 52/2`}},
		{name: "growth, dumps out of order", kind: growth, limits: []string{"Key=+49"}, dumps: []checkInput{last, first},
			want:  []string{`max-growth Key=+49 of first+last: breach; Key 53/3, 49 allowed, by Key\REGISTRY\A 52/2`},
			notes: []string{"the dumps were put in the order of their time stamps: the first is first, the last last"}},
		{name: "growth without times goes by the order given", kind: growth, limits: []string{"Key=+40"}, dumps: []checkInput{timeless, one},
			want: []string{`max-growth Key=+40 of timeless+one: passed; Key 6/53, 40 allowed, by Key\REGISTRY\B\77 2/1`}},
		{name: "growth between processes", kind: growth, limits: []string{"Key=+49"}, dumps: []checkInput{first, other},
			want: []string{`max-growth Key=+49 of first+other: unknown (the dumps are not of one process: process id 1 and 2; --force measures nevertheless)`}},
		{name: "forced", kind: growth, limits: []string{"Key=+49"}, dumps: []checkInput{first, other}, force: true,
			want: []string{`max-growth Key=+49 of first+other: breach; Key 53/3, 49 allowed, by Key\REGISTRY\A 52/2`}},
		{name: "growth, a dump that cannot be read", kind: growth, limits: []string{"Key=+49"}, dumps: []checkInput{first, {file: "bad", err: minidump.ErrNotMinidump}},
			want: []string{`max-growth Key=+49 of first+bad: unknown (bad: not a minidump)`}},

		{name: "rate", kind: rate, limits: []string{"25/h", "24/h", "Key=600/d", "Key=599/d", "Key=1/min", "Event=0/s"}, dumps: []checkInput{first, last},
			want: []string{`max-rate 25/h of first+last: passed; Key 53/3, 0 allowed, by Key\REGISTRY\A 52/2, 25/h`,
				`max-rate 24/h of first+last: breach; Key 53/3, 0 allowed, by Key\REGISTRY\A 52/2, 25/h`,
				`max-rate Key=600/d of first+last: passed; Key 53/3, 0 allowed, by Key\REGISTRY\A 52/2, 25/h`,
				`max-rate Key=599/d of first+last: breach; Key 53/3, 0 allowed, by Key\REGISTRY\A 52/2, 25/h`,
				`max-rate Key=1/min of first+last: passed; Key 53/3, 0 allowed, by Key\REGISTRY\A 52/2, 25/h`,
				`max-rate Event=0/s of first+last: passed; Event 3/10, 0 allowed, by Event 3/10, -3.5/h`}},
		{name: "rate without a time", kind: rate, limits: []string{"25/h"}, dumps: []checkInput{first, timeless},
			want: []string{`max-rate 25/h of first+timeless: unknown (a rate needs the times of both dumps, and one has none)`}},
		{name: "rate of one dump twice", kind: rate, limits: []string{"25/h"}, dumps: []checkInput{first, first},
			want: []string{`max-rate 25/h of first+first: unknown (a rate needs dumps of different times, and these were written in the same second)`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &check.Gate{Force: test.force}
			for _, text := range test.limits {
				l, err := check.ParseLimit(test.kind, text)
				if err != nil {
					t.Fatal(err)
				}
				c.Limits = append(c.Limits, l)
			}
			var dumps []*check.Dump
			for _, in := range test.dumps {
				dumps = append(dumps, in.count(t, c))
			}
			r := c.Run(dumps)
			if diff := cmp.Diff(test.want, outcome(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, r.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			n := r.Count(check.Passed) + r.Count(check.Breach) + r.Count(check.Unknown)
			if n != len(r.Results) {
				t.Errorf("%d results have a status, of %d", n, len(r.Results))
			}
		})
	}
}
