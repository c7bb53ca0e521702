package analysis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestUnreadableHandles has a list with a bad sector in it: what lies there is
// an error and no handle.
func TestUnreadableHandles(t *testing.T) {
	const n = 2000
	l := listIn(t, testdump.Damaged(t, some(n), "HandleData[1000]", 400)) // ten descriptors of 40 bytes
	seen := map[uint64]bool{}
	err := l.Walk(t.Context(), minidump.HandleAllParts, func(h *minidump.Handle) bool {
		if h.Handle == 0 {
			t.Error("a handle that could not be read is visited")
		}
		seen[h.Handle] = true
		return true
	})
	var partial *analysis.PartialError
	if !errors.As(err, &partial) || !errors.Is(err, minidump.ErrUnreadable) || !errors.Is(err, testdump.ErrBadSector) {
		t.Fatalf("error %v, want some about a bad sector", err)
	}
	// The list is read in pieces, so that a few beside the ten are lost too.
	lost := int(partial.Count())
	if lost < 10 || lost > 100 || len(seen) != n-lost || seen[4*1001] || !seen[4] || !seen[4*n] {
		t.Errorf("%d handles and %d errors of %d handles", len(seen), lost, n)
	}
	s, err := analysis.Summarize(t.Context(), l, 0)
	if s == nil || s.Total != uint64(n-lost) || err == nil {
		t.Errorf("summary %+v, error %v", s, err)
	}
	// They pass a filter that they can neither fit nor fail.
	unreadable := 0
	for h, err := range l.Select(analysis.HandleFilter{Types: []string{"Event"}}).All(0) {
		if !errors.Is(err, minidump.ErrUnreadable) {
			t.Errorf("handle %#x passes the filter", h.Handle)
		}
		unreadable++
	}
	if unreadable != lost {
		t.Errorf("%d steps for %d handles that cannot be read", unreadable, lost)
	}
	for range l.Select(analysis.HandleFilter{Unnamed: true}).All(0) {
		break // an iteration may end early
	}
}

// TestCutOffList ends the file inside the list.
func TestCutOffList(t *testing.T) {
	d := some(100)
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	d.TruncateAt = layout["HandleData[60]"] + 13
	l := listOf(t, d)
	n := 0
	err = l.Walk(t.Context(), 0, func(h *minidump.Handle) bool { n++; return true })
	var partial *analysis.PartialError
	var format *minidump.FormatError
	if n != 60 || !errors.As(err, &partial) || partial.Count() != 1 || !errors.As(err, &format) {
		t.Errorf("%d handles, want 60; error %v", n, err)
	}
	check(t, "a list that is cut off is not empty", l.Empty(), nil)
	s, err := analysis.Summarize(t.Context(), l, 0)
	if s == nil || s.Total != 60 || err == nil {
		t.Errorf("summary %+v, error %v", s, err)
	}
}

// TestInterruptedWalk cancels the context while handles are visited.
func TestInterruptedWalk(t *testing.T) {
	l := listOf(t, some(20_000))
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := l.Walk(ctx, 0, func(*minidump.Handle) bool {
		if n++; n == 5000 {
			cancel()
		}
		return true
	})
	check(t, "interrupted", err, context.Canceled)
	if n > 10_000 {
		t.Errorf("%d handles were visited, 5000 of them before the interrupt", n)
	}
	if c, err := analysis.CountKinds(canceled(), l); err == nil {
		t.Errorf("CountKinds is not interrupted: %v", c)
	}
	if d, err := analysis.DiffHandles(canceled(), l, l); d != nil || err == nil {
		t.Errorf("DiffHandles is not interrupted: %v", d)
	}
	if d, err := analysis.Describe(canceled(), testdump.Make(t, some(20_000))); err == nil {
		t.Errorf("Describe is not interrupted: %v", d)
	}
	if s, err := analysis.LoadSnapshot(canceled(), testdump.Make(t, some(20_000)), "a"); s != nil || err == nil {
		t.Errorf("LoadSnapshot is not interrupted: %v", s)
	}
}

func TestReadHandles(t *testing.T) {
	const elsewhere = 0x8201
	breakpad := []dumptest.RawStream{{Type: 0x47670009, Data: []byte("maps")}}
	empty := dumptest.Dump{NoSystemInfo: true}
	for _, tt := range []struct {
		name string
		dump dumptest.Dump
		want string
	}{
		{"not asked for", dumptest.Dump{}, "no handles in this dump: it was written without MiniDumpWithHandleData; " + analysis.CaptureHandles},
		{"not saved", dumptest.Dump{Flags: dumptest.WithHandleData},
			"no handles in this dump: handle data was asked for (MiniDumpWithHandleData), but the writer saved none; " + analysis.CaptureHandles},
		{"another writer", dumptest.Dump{Version: 0xa793, Streams: breakpad},
			"no handles in this dump: its writer, breakpad, saved none; " + analysis.CaptureHandles},
		{"another system", dumptest.Dump{Version: 0xa793, SystemInfo: &dumptest.SystemInfo{PlatformID: elsewhere}},
			"no handles in this dump: it is a dump of a process on Linux, where there are no Windows handles"},
		{"no streams at all", empty,
			"no handles in this dump: its directory is empty: the writer failed, or was interrupted; " + analysis.CaptureHandles},
		{"no directory", dumptest.Dump{TruncateAt: 40}, "no handles in this dump: its directory, which would list them, is cut off"},
	} {
		l, err := analysis.ReadHandles(testdump.Make(t, tt.dump))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || l != nil {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		var missing *analysis.MissingError
		if !errors.As(err, &missing) || !errors.Is(err, minidump.ErrNoStream) {
			t.Errorf("%s: error %#v", tt.name, err)
		}
	}
	const none = "the dump has a list of handles, but it is empty: its writer saved none; " + analysis.CaptureHandles
	if err := listOf(t, handles()).Empty(); err == nil || err.Error() != none {
		t.Errorf("error %v, want %s", err, none)
	}
	// What is there but too short is damage, and nothing is missing.
	short := handles(dumptest.Handle{Value: 4})
	short.Patches = []dumptest.Patch{dumptest.PutU32("Directory", 12+4, 8)}
	var missing *analysis.MissingError
	if _, err := analysis.ReadHandles(testdump.Make(t, short)); err == nil || errors.As(err, &missing) {
		t.Errorf("error %v", err)
	}
}

func TestHandleNotes(t *testing.T) {
	crashpad := handles(dumptest.Handle{Value: 4, GrantedAccess: 0x804}, dumptest.Handle{Value: 8, GrantedAccess: 0x804})
	crashpad.HandleData.Style, crashpad.Version = dumptest.Crashpad, 0xa793
	crashpad.Streams = []dumptest.RawStream{{Type: 0x43500001, Data: make([]byte, 64)}}
	// Of a dump that only looks like one, with a name at the last handle or without.
	guess := func(name string, n int) dumptest.Dump {
		d := handles(make([]dumptest.Handle, n)...)
		for i := range d.HandleData.Handles {
			d.HandleData.Handles[i] = dumptest.Handle{Value: uint64(4 * i), Type: "Key"}
		}
		d.HandleData.Handles[n-1].Name = name
		d.HandleData.Style, d.Version = dumptest.Crashpad, 0xa793
		return d
	}
	twice := handles(dumptest.Handle{Value: 4, Type: "Key"})
	twice.Directory.Leading = []dumptest.DirectoryEntry{{Type: dumptest.HandleDataStream, Of: "HandleData"}}
	for _, tt := range []struct {
		name string
		dump dumptest.Dump
		want []string
	}{
		{"nothing to say", handles(dumptest.Handle{Value: 4, Type: "Key"}), nil},
		{"empty", handles(), []string{"the dump has a list of handles, but it is empty: its writer saved none; " + analysis.CaptureHandles}},
		{"crashpad", crashpad, []string{
			"written by Crashpad, which never writes names of objects",
			"2 handles without a type but with access 0x804: probably EtwRegistration, which cannot be duplicated; counted as None",
		}},
		{"perhaps crashpad", guess("", 3), []string{"probably written by Crashpad, which never writes names of objects"}},
		{"not crashpad", guess(`\K`, 3), nil},
		{"not crashpad, as a late handle shows", guess(`\K`, 2000), nil},
	} {
		f := testdump.Make(t, tt.dump)
		l := listIn(t, f)
		s, err := analysis.Summarize(t.Context(), l, minidump.HandleObjectName)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, analysis.HandleNotes(f, l, s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	f := testdump.Make(t, twice)
	l := listIn(t, f)
	notes := analysis.HandleNotes(f, l, &analysis.HandleSummary{})
	if len(notes) != 1 || len(f.Ignored()) != 1 {
		t.Errorf("two lists: notes %q", notes)
	}
}
