package check_test

import (
	"fmt"
	"slices"
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
	cpu     uint32 // seconds; 0 unknown
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
	d := dumptest.Dump{HandleData: &dumptest.HandleData{Handles: in.handles}, Patches: in.patches}
	if d.TimeDateStamp = uint32(in.time.Unix()); in.time.IsZero() {
		d.Patches = append(slices.Clone(in.patches), dumptest.PutU32("Header", 20, 0))
	}
	if in.process != "" {
		d.Modules = []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: in.process}}
	}
	if in.pid != 0 {
		d.MiscInfo = &dumptest.MiscInfo{ProcessID: in.pid, ProcessUserTime: in.cpu}
		if d.MiscInfo.Flags1 = 1; in.cpu > 0 {
			d.MiscInfo.Flags1 |= 2
		}
	}
	dump, err := c.Count(t.Context(), testdump.Make(t, d), in.file)
	if err != nil {
		t.Fatal(err)
	}
	return dump
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
	stranger := last
	stranger.file, stranger.process = "stranger", `C:\b.exe`
	var clock []checkInput
	for i, keys := range []int{100, 400, 700} {
		clock = append(clock, checkInput{file: fmt.Sprint(i + 1), cpu: uint32(10 + i), process: `C:\a.exe`, pid: 1, handles: keysAndEvents(keys, 0, 0),
			time: noon.Add([]time.Duration{2 * time.Hour, 0, time.Hour}[i])})
	}
	const noOrder = "not every dump says when it was written: the order is uncertain, and there are no rates"
	const setBack = "the clock was set back between the dumps: they are ordered by the processor time and page faults of the process, and there are no rates"
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
			want: []string{"max Keys=5 of one: passed; Keys 0/0, 5 allowed, by  0/0", "max Job=5 of one: passed; Job 0/0, 5 allowed, by  0/0"}},
		{name: "a dump that cannot be read beside one that can", kind: max, limits: []string{"Key=6"},
			dumps: []checkInput{{file: "bad", err: minidump.ErrNotMinidump}, one},
			want: []string{`max Key=6 of bad: unknown (not a minidump)`,
				`max Key=6 of one: passed; Key 6/0, 6 allowed, by Key\REGISTRY\A 4/0`}},
		{name: "an empty list", kind: max, limits: []string{"Key=6"}, dumps: []checkInput{{file: "empty"}},
			want: []string{`max Key=6 of empty: unknown (the dump has a list of handles, but it is empty: its writer saved none; ` + analysis.CaptureHandles + `)`}},
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
			notes: []string{"the dumps were put in the order of their age: the first is first, the last last"}},
		{name: "growth without times", kind: growth, limits: []string{"Key=+40"}, dumps: []checkInput{timeless, one},
			want:  []string{`max-growth Key=+40 of timeless+one: unknown (` + noOrder + `)`},
			notes: []string{noOrder}},
		{name: "the clock was set back after the first", kind: growth, limits: []string{"Key=+50", "Key=+600"}, dumps: clock,
			want: []string{`max-growth Key=+50 of 1+3: breach; Key 700/100, 50 allowed, by Key\REGISTRY\A 700/100`,
				`max-growth Key=+600 of 1+3: passed; Key 700/100, 600 allowed, by Key\REGISTRY\A 700/100`},
			notes: []string{setBack}},
		{name: "rate, the clock was set back", kind: rate, limits: []string{"Key=50/h"}, dumps: clock,
			want:  []string{`max-rate Key=50/h of 1+3: unknown (a rate needs the time between the dumps: ` + setBack + `)`},
			notes: []string{setBack}},
		{name: "growth, one of three cannot be read", kind: growth, limits: []string{"Key=+50", "Key=+49"},
			dumps: []checkInput{first, {file: "bad", err: minidump.ErrNotMinidump}, last},
			want: []string{`max-growth Key=+50 of first+last: unknown (the others are within the limit, but bad: not a minidump)`,
				`max-growth Key=+49 of first+last: breach; Key 53/3, 49 allowed, by Key\REGISTRY\A 52/2`}},
		{name: "growth between processes", kind: growth, limits: []string{"Key=+49"}, dumps: []checkInput{first, other},
			want: []string{`max-growth Key=+49 of first+other: unknown (the dumps are not of one process: process id 1 and 2; --force measures between runs of one program nevertheless)`}},
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
			want: []string{`max-rate 25/h of first+timeless: unknown (` + noOrder + `)`}, notes: []string{noOrder}},
		{name: "rate of one dump twice", kind: rate, limits: []string{"25/h"}, dumps: []checkInput{first, first},
			want:  []string{`max-rate 25/h of first: unknown (growth needs two dumps: first is the same dump as first and left out)`},
			notes: []string{"first is the same dump as first and left out"}},
		{name: "other programs, forced", kind: growth, limits: []string{"Key=+49"}, dumps: []checkInput{first, stranger}, force: true,
			want: []string{`max-growth Key=+49 of first+stranger: unknown (the dumps are not of one process: main module a.exe and b.exe)`}},
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

// What was not read of the first dump may make growth of what is none, what was
// not read of the last may hide some.
func TestPartialGrowth(t *testing.T) {
	more := []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, 1000)} // than there are
	for _, c := range []struct {
		name        string
		first, last []dumptest.Patch
		limit       string
		want        check.Status
		reason      string
	}{
		{"both whole, too much", nil, nil, "Key=+49", check.Breach, ""},
		{"both whole, enough", nil, nil, "Key=+50", check.Passed, ""},
		{"the first in part, too much", more, nil, "Key=+49", check.Unknown, "not everything of first could be read, so that growth from it proves nothing: HandleDataStream: "},
		{"the first in part, enough", more, nil, "Key=+50", check.Unknown, "what could be read of first is within the limit, but not everything could: HandleDataStream: "},
		{"the last in part, too much", nil, more, "Key=+49", check.Breach, ""},
		{"the last in part, enough", nil, more, "Key=+50", check.Unknown, "what could be read of last is within the limit, but not everything could: HandleDataStream: "},
	} {
		l, err := check.ParseLimit(check.LimitGrowth, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		gate := &check.Gate{Limits: []check.Limit{l}}
		r := gate.Run([]*check.Dump{
			checkInput{file: "first", time: noon, handles: keysAndEvents(2, 0, 0), patches: c.first}.count(t, gate),
			checkInput{file: "last", time: noon.Add(time.Hour), handles: keysAndEvents(52, 0, 0), patches: c.last}.count(t, gate),
		}).Results[0]
		if r.Status != c.want || !strings.HasPrefix(r.Reason, c.reason) {
			t.Errorf("%s: %s (%s), want %s (%s)", c.name, r.Status, r.Reason, c.want, c.reason)
		}
	}
}

func TestNoDumps(t *testing.T) {
	l, err := check.ParseLimit(check.LimitGrowth, "Key=+1")
	if err != nil {
		t.Fatal(err)
	}
	gate := &check.Gate{Limits: []check.Limit{l}}
	one := checkInput{file: "one", handles: keysAndEvents(2, 0, 0)}.count(t, gate)
	for _, dumps := range [][]*check.Dump{nil, {one}} {
		r := gate.Run(dumps).Results[0]
		if r.Status != check.Unknown || r.Reason != "growth needs two dumps" || len(r.Files) != len(dumps) {
			t.Errorf("%d dumps: %+v", len(dumps), r)
		}
	}
}

// A limit for a type that nobody knows guards nothing.
func TestCheckTypes(t *testing.T) {
	gate := &check.Gate{}
	dumps := []*check.Dump{
		checkInput{handles: []dumptest.Handle{{Value: 4, Type: "IRTimer"}}}.count(t, gate),
		checkInput{err: minidump.ErrNotMinidump}.count(t, gate),
	}
	for text, want := range map[string]string{
		"Key=3": "", "none=3": "", "irtimer=3": "", "total=3": "", "each=3": "", "3": "",
		"Kye=3":     `--max Kye=3: no handle is of type "Kye", and WinDbg does not know such a type; did you mean Key?`,
		"IRTimre=3": `--max IRTimre=3: no handle is of type "IRTimre", and WinDbg does not know such a type; did you mean IRTimer?`,
		"Widget=3":  `--max Widget=3: no handle is of type "Widget", and WinDbg does not know such a type`,
	} {
		l, err := check.ParseLimit(check.LimitCount, text)
		if err != nil {
			t.Fatal(err)
		}
		gate.Limits = []check.Limit{l}
		got := ""
		if err := gate.CheckTypes(dumps); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
