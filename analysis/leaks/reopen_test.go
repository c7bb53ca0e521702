package leaks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump"
)

// Three dumps, the clock set back after the first: the processor time decides,
// and growth is from the first to the last.
func TestClockSetBack(t *testing.T) {
	var shots []shot
	for i, p := range []testdump.Process{{Time: 7200, CPU: 50, Keys: 100}, {Time: 3600, CPU: 90, Keys: 400}, {Time: 5400, CPU: 130, Keys: 700}} {
		p.Program, p.PID, p.Created = "app.exe", 7, 10
		shots = append(shots, shot{fmt.Sprintf("%d.dmp", i+1), p.Dump().Bytes()})
	}
	slices.Reverse(shots)
	r := findLeaks(t, shots)
	g := find(t, r, "steady-growth").Group
	if diff := cmp.Diff([]uint64{100, 400, 700}, g.Counts); diff != "" || g.Net() != 600 || g.Rate != nil {
		t.Errorf("net %d, rate %v (-want +got)\n%s", g.Net(), g.Rate, diff)
	}
	if len(r.Notes) == 0 || !strings.Contains(r.Notes[0], "the clock was set back between the dumps") {
		t.Errorf("notes %q", r.Notes)
	}
}

// However many dumps there are, and whatever is looked for in them, two at most
// are open at a time, and each is closed.
func TestTwoDumpsOpen(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	p.start(1)
	many := p.series(80, time.Minute, func(int) { p.open("leak", classesKey, 10) })
	heaps := files("leaky/leaky-x64-a.dmp.gz", "leaky/leaky-x64-b.dmp.gz", "leaky/leaky-x64-c-heap.dmp.gz")(t)
	for name, shots := range map[string][]shot{"80 dumps": many, "trace and memory": heaps} {
		open, most, opened := 0, 0, 0
		reopen := opens(shots)
		o := leaks.Options{Owners: leaks.HuntAlways, Open: func(ctx context.Context, file string) (*minidump.File, func() error, error) {
			f, _, err := reopen(ctx, file)
			open, opened = open+1, opened+1
			most = max(most, open)
			return f, func() error { open--; return nil }, err
		}}
		r, err := leaks.Find(t.Context(), snapshots(t, shots), o)
		if err != nil || !r.Verdict.Leak {
			t.Fatalf("%s: %v, %v", name, r, err)
		}
		if open != 0 || most > 2 || opened < len(shots) {
			t.Errorf("%s: opened %d times, %d at a time, %d still open", name, opened, most, open)
		}
	}
}

// A dump that has gone since its handles were counted is no dump without
// handles, from which a leak could be acquitted.
func TestDumpGone(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	shots := p.series(3, time.Hour, func(int) { p.open("leak", classesKey, 500) })
	o := leaks.Options{Open: opens(shots[:2])}
	r, err := leaks.Find(t.Context(), snapshots(t, shots), o)
	if r != nil || err == nil || !strings.HasPrefix(err.Error(), "a.exe-02.dmp: it could be read once, but not again: ") {
		t.Errorf("%v, error %v", r, err)
	}
	// Without Open the names are those of files.
	_, err = leaks.Find(t.Context(), snapshots(t, shots), leaks.Options{})
	if err == nil || strings.Count(err.Error(), "a.exe-00.dmp") != 1 {
		t.Errorf("error %v", err)
	}
	// What is only looked up for evidence is a problem, and the verdict stands.
	r, err = leaks.Find(t.Context(), snapshots(t, []shot{traced("a", 300, 0, 0)}), o)
	if err != nil || len(r.Processes[0].Problems) == 0 || r.Processes[0].Problems[0].File != "a" {
		t.Errorf("%+v, error %v", r, err)
	}
}

func TestCanceledOnTheWay(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	grown := p.series(3, time.Hour, func(int) { p.open("leak", classesKey, 500) })
	for name, shots := range map[string][]shot{"following handles": grown, "naming": {traced("a", 300, 0, 0)}} {
		ctx, cancel := context.WithCancel(t.Context())
		reopen := opens(shots)
		o := leaks.Options{}
		if name == "naming" {
			o.Open = reopen
			o.Resolver = func(*minidump.File) (leaks.ResolveCloser, error) {
				return &resolver{resolve: func(ctx context.Context) error { cancel(); return ctx.Err() }}, nil
			}
		} else {
			o.Open = func(ctx context.Context, file string) (*minidump.File, func() error, error) {
				cancel()
				return reopen(ctx, file)
			}
		}
		if r, err := leaks.Find(ctx, snapshots(t, shots), o); r != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, error %v", name, r, err)
		}
		cancel()
	}
}
