package minidump_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// lost is a dump whose head is zeroed.
func lost(d dumptest.Dump) []byte {
	data := d.Bytes()
	clear(data[:32+12*int(data[8])])
	return data
}

func recoverBytes(t *testing.T, data []byte) *minidump.File {
	t.Helper()
	f, err := minidump.Recover(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func handleList(names ...string) *dumptest.HandleData {
	d := &dumptest.HandleData{}
	for i, name := range names {
		d.Handles = append(d.Handles, dumptest.Handle{Value: uint64(4 + 4*i), Type: "Event", Name: name})
	}
	return d
}

// TestRecoverPart zeroes one entry of a directory that is whole otherwise: all
// that it still lists stays as it is.
func TestRecoverPart(t *testing.T) {
	d := everything()
	entries, _ := recoverBytes(t, d.Bytes()).Directory()
	for i, e := range entries {
		data := d.Bytes()
		clear(data[32+12*i:][:12])
		f := recoverBytes(t, data)
		after, _ := f.Directory()
		found := f.Recovered()
		if len(after)-len(found) != len(entries)-1 || len(found) > 1 || len(found) == 1 && found[0].StreamType != e.StreamType {
			t.Errorf("without %v: %d entries of %d, recovered %+v", e.StreamType, len(after), len(entries), found)
		}
		if e.StreamType == minidump.HandleDataStream && (len(found) != 1 || found[0].DirectoryEntry != e) {
			t.Errorf("the handles were not found: %+v", found)
		}
	}
}

// TestRecoverRivals: of two lists of handles the one with more names is taken,
// and the other one is mentioned.
func TestRecoverRivals(t *testing.T) {
	long, short := handleList("a", "bb", "cc", "dd"), handleList("x")
	for _, two := range [][2]*dumptest.HandleData{{long, short}, {short, long}} {
		d := dumptest.Dump{HandleData: two[0], MiscInfo: &dumptest.MiscInfo{ProcessID: 8}}
		first := d.Bytes()
		// The second list is that of a dump as long as the first one.
		second := dumptest.Dump{HandleData: two[1], Skew: len(first)}.Bytes()
		data := append(first, second[min(len(first), len(second)):]...)
		clear(data[:32+12*int(data[8])])
		f := recoverBytes(t, data)
		hd, err := f.HandleData()
		if err != nil || hd.NumberOfDescriptors != 4 {
			t.Errorf("%+v, %v; want the list of 4 handles", hd, err)
		}
		for _, s := range f.Recovered() {
			if s.StreamType == minidump.HandleDataStream && s.Rivals != 1 {
				t.Errorf("%+v, want a rival", s)
			}
		}
	}
}

// TestRecoverWrongNames: a list whose strings do not decode is none.
func TestRecoverWrongNames(t *testing.T) {
	d := dumptest.Dump{HandleData: handleList("a", "b", "c"), Modules: []dumptest.Module{{Base: 0x10000, Size: 0x1000, Name: `C:\a.exe`}}}
	for i := range 3 {
		d.Patches = append(d.Patches,
			dumptest.PutU32(fmt.Sprintf("HandleData[%d].TypeName", i), 0, 0x10001+uint32(i)),
			dumptest.PutU32(fmt.Sprintf("HandleData[%d].ObjectName", i), 0, 0x7fffffff))
	}
	f := recoverBytes(t, lost(d))
	if f.Has(minidump.HandleDataStream) || !f.Has(minidump.ModuleListStream) {
		t.Errorf("recovered %+v", f.Recovered())
	}
}

// TestRecoverBehind finds a dump that begins in the middle of a file.
func TestRecoverBehind(t *testing.T) {
	d := everything().Bytes()
	f := recoverBytes(t, append([]byte("some other text, "), d...))
	whole := recoverBytes(t, d)
	if want, got := contents(whole), contents(f); got != want || len(f.Recovered()) > 0 {
		t.Errorf("recovered %+v\n%s", f.Recovered(), cmp.Diff(want, got))
	}
	if _, err := f.Directory(); err == nil || !strings.Contains(err.Error(), "begins at file offset 0x11") {
		t.Errorf("Directory: %v", err)
	}
}

// TestRecoverCut: the handles that a file still has are found, and how many were
// declared is known.
func TestRecoverCut(t *testing.T) {
	d := dumptest.Dump{HandleData: handleList("a", "b", "c", "d")}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	f := recoverBytes(t, lost(d)[:layout["HandleData[2]"]+5])
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := hd.Len(); n != 2 || err == nil || hd.NumberOfDescriptors != 4 {
		t.Errorf("%d of %d handles, %v", n, hd.NumberOfDescriptors, err)
	}
}

func TestRecoverCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := everything().Bytes()
	if f, err := minidump.Recover(ctx, bytes.NewReader(data), int64(len(data))); f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", f, err)
	}
}

// TestRecoverHostile: a file that looks like a stream at each of its bytes takes
// no longer than its size justifies.
func TestRecoverHostile(t *testing.T) {
	header := []byte{16, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}
	thread := make([]byte, 48)
	copy(thread, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0x20})
	thread[17], thread[40], thread[41], thread[44] = 0x10, 0xd0, 4, 40
	for _, unit := range [][]byte{header, thread, {1, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0}} {
		data := bytes.Repeat(unit, 4<<20/len(unit))
		r := &counted{ReaderAt: bytes.NewReader(data)}
		minidump.Recover(t.Context(), r, int64(len(data)))
		if most := 64 * int64(len(data)) * 13; r.n > most {
			t.Errorf("% x: %d bytes read of a file of %d", unit[:8], r.n, len(data))
		}
	}
}

// A counted counts the bytes that are read.
type counted struct {
	io.ReaderAt
	n int64
}

func (c *counted) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, off)
	c.n += int64(n)
	return n, err
}

// FuzzRecover: what is recovered lies in the file, can be read, and is the same
// twice; random changes of a dump that is whole never make it panic.
func FuzzRecover(f *testing.F) {
	f.Add(everything().Bytes(), true)
	f.Add(everything().Bytes(), false)
	f.Add(lost(dumptest.Dump{HandleData: handleList("a", "b"), PointerSize: 4}), false)
	f.Add([]byte("MDMP"), false)
	f.Fuzz(func(t *testing.T, data []byte, zero bool) {
		if zero {
			clear(data[:min(len(data), 512)])
		}
		d, err := minidump.Recover(t.Context(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			var format *minidump.FormatError
			if d != nil || !errors.Is(err, minidump.ErrNotMinidump) && !errors.As(err, &format) {
				t.Fatalf("%v, %v", d, err)
			}
			return
		}
		last := uint32(0)
		for _, s := range d.Recovered() {
			if int64(s.RVA) >= d.Size() || s.RVA < last || s.References < 1 || s.Rivals < 0 {
				t.Errorf("%+v in a file of %d bytes, after %#x", s, d.Size(), last)
			}
			last = s.RVA
			if !d.Has(s.StreamType) {
				t.Errorf("%v is not in the directory", s.StreamType)
			}
		}
		again, err := minidump.Recover(t.Context(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d.Recovered(), again.Recovered()); diff != "" {
			t.Errorf("twice is not the same:\n%s", diff)
		}
		contents(d)
	})
}

// TestRecoverShapes says what is found of each type, and what is not: a list that
// is empty, or threads of which nothing is known, have no shape of their own.
func TestRecoverShapes(t *testing.T) {
	t.Parallel()
	context := dumptest.ContextAMD64(0x401000, 0x10010, 0)
	modules := []dumptest.Module{{Base: 0x400000, Size: 0x2000, Name: `C:\w3wp.exe`}}
	for _, tt := range []struct {
		name string
		d    dumptest.Dump
		want []minidump.StreamType
	}{
		{"nothing but a system", dumptest.Dump{}, []minidump.StreamType{minidump.SystemInfoStream}},
		{"odd offsets", dumptest.Dump{Skew: 3, Modules: modules, HandleData: handleList("a")},
			[]minidump.StreamType{minidump.SystemInfoStream, minidump.ModuleListStream, minidump.HandleDataStream}},
		{"padded counts", dumptest.Dump{Modules: modules, CountPadding: true, Padding: 0xcc, Threads: []dumptest.Thread{{ThreadID: 7, Context: context}}},
			[]minidump.StreamType{minidump.SystemInfoStream, minidump.ThreadListStream, minidump.ModuleListStream}},
		{"an empty list beside another", dumptest.Dump{HandleData: &dumptest.HandleData{}, Modules: modules},
			[]minidump.StreamType{minidump.SystemInfoStream, minidump.ModuleListStream, minidump.HandleDataStream}},
		{"an exception with its thread", dumptest.Dump{
			Threads:   []dumptest.Thread{{ThreadID: 7, Context: context}, {ThreadID: 8, Context: context}},
			Exception: &dumptest.Exception{ThreadID: 7, ExceptionCode: 0xc0000005, Context: context},
		}, []minidump.StreamType{minidump.SystemInfoStream, minidump.ThreadListStream, minidump.ExceptionStream}},
		{"an exception without its thread", dumptest.Dump{
			Threads:   []dumptest.Thread{{ThreadID: 7, Context: context}, {ThreadID: 8, Context: context}},
			Exception: &dumptest.Exception{ThreadID: 9, ExceptionCode: 0xc0000005, Context: context},
		}, []minidump.StreamType{minidump.SystemInfoStream, minidump.ThreadListStream}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := recoverBytes(t, lost(tt.d))
			var got []minidump.StreamType
			intact := recoverBytes(t, tt.d.Bytes())
			entries, _ := intact.Directory()
			for _, s := range f.Recovered() {
				got = append(got, s.StreamType)
				if !slices.Contains(entries, s.DirectoryEntry) {
					t.Errorf("%+v is not where it was: %+v", s, entries)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRecoverKeeps: a directory that leads to streams that confirm nothing is no
// reason to look for others.
func TestRecoverKeeps(t *testing.T) {
	d := dumptest.Dump{
		SystemInfo: &dumptest.SystemInfo{CPU: make([]byte, 24)},
		Memory64:   []dumptest.MemoryRange{{Start: 0x2000, Data: []byte("late")}, {Start: 0x1000, Data: []byte("early")}},
		HandleData: &dumptest.HandleData{},
		Threads:    []dumptest.Thread{},
		Patches:    []dumptest.Patch{dumptest.PutU32("SystemInfo", 24, 0)},
	}
	if f := recoverBytes(t, d.Bytes()); len(f.Recovered()) > 0 {
		t.Errorf("recovered %+v", f.Recovered())
	} else if _, err := f.Directory(); err != nil {
		t.Error(err)
	}
}
