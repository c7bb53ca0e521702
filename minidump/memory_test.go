package minidump_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestMemoryThatCannotBeRead fails in the memory itself.
func TestMemoryThatCannotBeRead(t *testing.T) {
	d := dumptest.Dump{Memory: []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("0123456789")}}}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	at := layout["MemoryList[0].Data"]
	m, err := openFaulty(t, faulty{data: d.Bytes(), bad: at + 6, end: at + 7}).Memory()
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	var format *minidump.FormatError
	n, err := m.ReadAt(p, 0x10002)
	if n != 4 || string(p[:n]) != "2345" || !errors.Is(err, errBadSector) || !errors.As(err, &format) || format.Off != at+2 {
		t.Errorf("ReadAt: %q, %v", p[:n], err)
	}
	n, err = m.ReadRange(p[:6], m.Ranges()[0], 3)
	if n != 3 || string(p[:n]) != "345" || !errors.Is(err, errBadSector) || !errors.As(err, &format) || format.Off != at+3 {
		t.Errorf("ReadRange: %q, %v", p[:n], err)
	}
	n, err = m.ReadRange(p[:3], m.Ranges()[0], 3)
	if n != 3 || string(p[:n]) != "345" || err != nil {
		t.Errorf("ReadRange: %q, %v", p[:n], err)
	}
	for va, want := range map[minidump.VA]bool{0xffff: false, 0x10000: true, 0x10009: true, 0x1000a: false} {
		if m.Contains(va) != want {
			t.Errorf("Contains(%s) = %v", va, !want)
		}
	}
	if end := m.Ranges()[0].End(); end != 0x1000a {
		t.Errorf("End: %s", end)
	}
}

// TestMemoryListsThatCannotBeRead fails in the lists. The offset of a range of
// Memory64List is known only if all before it are.
func TestMemoryListsThatCannotBeRead(t *testing.T) {
	var ranges []dumptest.MemoryRange
	for i := range 1000 {
		ranges = append(ranges, dumptest.MemoryRange{Start: uint64(i) << 12, Data: []byte{byte(i), byte(i >> 8)}})
	}
	for _, tt := range []struct {
		name   string
		dump   dumptest.Dump
		anchor string
		list   minidump.StreamType
		header int64
	}{
		{"MemoryList", dumptest.Dump{Memory: ranges}, "MemoryList", minidump.MemoryListStream, 4},
		{"Memory64List", dumptest.Dump{Memory64: ranges}, "Memory64List", minidump.Memory64ListStream, 16},
	} {
		layout, err := tt.dump.Layout()
		if err != nil {
			t.Fatal(err)
		}
		first := layout[tt.anchor] + tt.header
		m, err := openFaulty(t, faulty{data: tt.dump.Bytes(), bad: first + 500*16, end: first + 500*16 + 1}).Memory()
		var format *minidump.FormatError
		if !errors.Is(err, errBadSector) || !errors.As(err, &format) || format.Stream != tt.list {
			t.Errorf("%s: %v", tt.name, err)
		}
		n := len(m.Ranges())
		if most := 1000; tt.list == minidump.Memory64ListStream && n != 500 || tt.list == minidump.MemoryListStream && (n <= 600 || n >= most) {
			t.Errorf("%s: %d ranges", tt.name, n)
		}
		for _, r := range m.Ranges() {
			p := make([]byte, 2)
			if _, err := m.ReadRange(p, r, 0); err != nil || p[0] != byte(r.Start>>12) || p[1] != byte(r.Start>>20) {
				t.Fatalf("%s: range %s reads % x, %v", tt.name, r.Start, p, err)
			}
		}
		// The header alone.
		if _, err := openFaulty(t, faulty{data: tt.dump.Bytes(), bad: layout[tt.anchor], end: layout[tt.anchor] + 1}).Memory(); !errors.Is(err, errBadSector) {
			t.Errorf("%s without its header: %v", tt.name, err)
		}
	}
}

// TestMemoryErrors: with both lists wrong both are said, and what is there can
// be used.
func TestMemoryErrors(t *testing.T) {
	d := dumptest.Dump{
		Memory:   []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("one")}, {Start: 0x20000, Data: []byte("two")}},
		Memory64: []dumptest.MemoryRange{{Start: 0x30000, Data: []byte("three")}, {Start: 0x40000, Data: []byte("four")}},
	}
	for _, tt := range []struct {
		name    string
		patches []dumptest.Patch
		want    []string // of the error
		missing uint64
		starts  []minidump.VA
	}{
		{"nothing", nil, nil, 0, []minidump.VA{0x10000, 0x20000, 0x30000, 0x40000}},
		{"a count", []dumptest.Patch{dumptest.DeclareCount(dumptest.MemoryListStream, 3)},
			[]string{"MemoryListStream: ", "3 memory ranges of 16 bytes declared"}, 0, []minidump.VA{0x10000, 0x20000, 0x30000, 0x40000}},
		{"both counts", []dumptest.Patch{dumptest.DeclareCount(dumptest.MemoryListStream, 3), dumptest.DeclareCount(dumptest.Memory64ListStream, 4)},
			[]string{"Memory64ListStream: ", "4 memory ranges", "; MemoryListStream: ", "3 memory ranges"}, 0, []minidump.VA{0x10000, 0x20000, 0x30000, 0x40000}},
		{"an RVA behind the file", []dumptest.Patch{dumptest.PutU32("MemoryList", 4+12, 0xfffffff0)},
			[]string{"MemoryListStream: ", "3 bytes of captured memory are missing"}, 3, []minidump.VA{0x20000, 0x30000, 0x40000}},
		{"a size", []dumptest.Patch{dumptest.PutU64("Memory64List", 16+16+8, 104)},
			[]string{"Memory64ListStream: ", "100 bytes of captured memory are missing"}, 100, []minidump.VA{0x10000, 0x20000, 0x30000, 0x40000}},
		{"a size in each", []dumptest.Patch{dumptest.PutU64("Memory64List", 16+16+8, 104), dumptest.PutU32("MemoryList", 4+12, 0xfffffff0)},
			[]string{"100 bytes of captured memory are missing; ", "3 bytes of captured memory are missing"}, 103, []minidump.VA{0x20000, 0x30000, 0x40000}},
		{"sizes that wrap around", []dumptest.Patch{dumptest.PutU64("Memory64List", 16+8, math.MaxUint64-0x30000), dumptest.PutU64("Memory64List", 16+16+8, math.MaxUint64-0x40000)},
			[]string{"the file is cut off: more captured memory is missing than an address space has"}, math.MaxUint64, []minidump.VA{0x10000, 0x20000, 0x30000}},
		{"a base behind the file", []dumptest.Patch{dumptest.PutU64("Memory64List", 8, 1<<63)},
			[]string{"9 bytes of captured memory are missing"}, 9, []minidump.VA{0x10000, 0x20000}},
	} {
		d.Patches = tt.patches
		m, err := build(t, d).Memory()
		if m == nil || (err == nil) != (tt.want == nil) {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", tt.name, err, want)
			}
		}
		var starts []minidump.VA
		for _, r := range m.Ranges() {
			starts = append(starts, r.Start)
		}
		if diff := cmp.Diff(tt.starts, starts); diff != "" || m.Missing() != tt.missing {
			t.Errorf("%s: %d missing, want %d (-want +got):\n%s", tt.name, m.Missing(), tt.missing, diff)
		}
	}
	if m, err := build(t, dumptest.Dump{}).Memory(); m != nil || !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("no memory: %v, %v", m, err)
	}
	d.Patches = []dumptest.Patch{dumptest.ResizeStream(1, 3)} // MemoryList
	if m, err := build(t, d).Memory(); m == nil || err == nil || errors.Is(err, minidump.ErrNoStream) || len(m.Ranges()) != 2 {
		t.Errorf("a list that is too short: %v, %v", m, err)
	}
}

// TestMemoryAtTheEnd of the address space, and at its start.
func TestMemoryAtTheEnd(t *testing.T) {
	m, err := build(t, dumptest.Dump{Memory: []dumptest.MemoryRange{
		{Start: 0xfffffffffffffff0, Data: []byte("0123456789abcdef+more")}, {Start: 0, Data: []byte("null")}, {Start: 8}, {Start: 0x1000, Data: []byte("x")},
	}}).Memory()
	if err != nil || len(m.Ranges()) != 3 || !m.Contains(0x1000) {
		t.Fatalf("%+v, %v", m.Ranges(), err)
	}
	p := make([]byte, 16)
	if n, err := m.ReadAt(p, 0xfffffffffffffff0); n != 16 || err != nil || string(p) != "0123456789abcdef" {
		t.Errorf("%q, %v", p[:n], err)
	}
	p = make([]byte, 17)
	if n, err := m.ReadAt(p, 0xfffffffffffffff0); n != 16 || !errors.Is(err, minidump.ErrNotCaptured) {
		t.Errorf("around the end: %q, %v", p[:n], err)
	}
	if n, err := m.ReadAt(p[:4], 0); n != 4 || err != nil || string(p[:4]) != "null" {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n, err := m.ReadAt(nil, 0x999); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
}
