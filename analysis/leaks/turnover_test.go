package leaks_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// dumpOf writes a dump with the given values for each of some handles.
func dumpOf(file string, hour uint32, groups map[*dumptest.Handle][]uint64) shot {
	var handles []dumptest.Handle
	for h, values := range groups {
		for _, v := range values {
			one := *h
			one.Value = v
			handles = append(handles, one)
		}
	}
	slices.SortFunc(handles, func(a, b dumptest.Handle) int { return int(a.Value) - int(b.Value) })
	return shot{file, dumptest.Dump{
		TimeDateStamp: epoch + 3600*hour,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 9, ProcessCreateTime: epoch - 60},
		HandleData:    &dumptest.HandleData{Handles: handles},
	}.Bytes()}
}

// upTo is the values step, 2*step ... up to n of them, from start on.
func upTo(start, n uint64) (values []uint64) {
	for i := range n {
		values = append(values, start+4*i)
	}
	return values
}

func TestTurnover(t *testing.T) {
	key, event, running, gone := plainKey, autoEvent, runningThread, exitedThread
	shots := []shot{
		// Five dumps: the second is the one for Early.
		dumpOf("0", 0, map[*dumptest.Handle][]uint64{&key: upTo(0x1000, 50), &event: upTo(0x4000, 30), &running: upTo(0x8000, 60)}),
		// 40 new keys, 10 of them at values of events that were closed.
		dumpOf("1", 1, map[*dumptest.Handle][]uint64{&key: slices.Concat(upTo(0x1000, 80), upTo(0x4000, 10)), &event: upTo(0x4028, 20), &running: upTo(0x8000, 60)}),
		dumpOf("2", 2, map[*dumptest.Handle][]uint64{&key: slices.Concat(upTo(0x1000, 120), upTo(0x4000, 10)), &event: upTo(0x4028, 20), &running: upTo(0x8000, 30), &gone: upTo(0x8078, 30)}),
		// The first 5 of all are closed, and so is one of those opened early.
		dumpOf("3", 3, map[*dumptest.Handle][]uint64{&key: slices.Concat(upTo(0x1014, 155), upTo(0x4004, 9)), &event: upTo(0x4028, 20), &gone: upTo(0x8000, 60)}),
		dumpOf("4", 4, map[*dumptest.Handle][]uint64{&key: slices.Concat(upTo(0x1014, 195), upTo(0x4004, 9)), &event: upTo(0x4028, 20), &gone: upTo(0x8000, 60)}),
	}
	r := findLeaks(t, shots)
	if diff := cmp.Diff([]string{"process: Key without name"}, accused(r)); diff != "" {
		t.Fatal(diff)
	}
	got := *r.Findings[0].Group.Turnover
	want := leaks.Turnover{
		Opened: 150 + 9, Closed: 5, Born: 40 + 40 + 40 + 40, Gone: 6, OneOf: 1,
		Early: 40, Kept: 39, EarlyAt: 1, Survivors: slices.Concat(upTo(0x10c8, 150), upTo(0x4004, 9)),
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(leaks.Turnover{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Growth by 20 is named if hardly any handle was closed, and not if that many
// come and go anyway.
func TestStandsOut(t *testing.T) {
	key := plainKey
	for _, c := range []struct {
		closed uint64
		want   leaks.Severity
	}{{0, leaks.SeveritySuspect}, {40, leaks.SeverityInfo}} {
		r := findLeaks(t, []shot{
			dumpOf("0", 0, map[*dumptest.Handle][]uint64{&key: upTo(0x1000, 80)}),
			dumpOf("1", 1, map[*dumptest.Handle][]uint64{&key: upTo(0x1000+4*c.closed, 90)}),
			dumpOf("2", 2, map[*dumptest.Handle][]uint64{&key: upTo(0x1000+8*c.closed, 100)}),
		})
		if r.Verdict.Severity != c.want {
			t.Errorf("%d closed: %s: %s", c.closed, r.Verdict.Severity, r.Verdict.Sentence)
		}
	}
}
