package minidump_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestMemoryLists(t *testing.T) {
	d := dumptest.Dump{
		Memory:   []dumptest.MemoryRange{{Start: 0x30000, Data: []byte("third")}, {Start: 0x10000, Data: []byte("first")}},
		Memory64: []dumptest.MemoryRange{{Start: 0x60000, Data: []byte("12")}, {Start: 0x50000, Size: 0x1000}},
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	f := build(t, d)
	list, err := f.MemoryList()
	want := []minidump.MemoryDescriptor{
		{StartOfMemoryRange: 0x30000, Memory: minidump.Location{DataSize: 5, RVA: uint32(layout["MemoryList[0].Data"])}},
		{StartOfMemoryRange: 0x10000, Memory: minidump.Location{DataSize: 5, RVA: uint32(layout["MemoryList[1].Data"])}},
	}
	if d := cmp.Diff(want, list); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	list64, err := f.Memory64List()
	want64 := &minidump.Memory64List{
		NumberOfMemoryRanges: 2, BaseRVA: uint64(layout["Memory64List[0].Data"]),
		Ranges: []minidump.MemoryDescriptor64{{StartOfMemoryRange: 0x60000, DataSize: 2}, {StartOfMemoryRange: 0x50000, DataSize: 0x1000}},
	}
	if d := cmp.Diff(want64, list64); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	f = build(t, dumptest.Dump{})
	if _, err := f.MemoryList(); !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without: %v", err)
	}
	if l, err := f.Memory64List(); l != nil || !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without: %+v, %v", l, err)
	}
	d.Patches = []dumptest.Patch{dumptest.DeclareCount(dumptest.Memory64ListStream, 9)}
	if l, err := build(t, d).Memory64List(); len(l.Ranges) != 2 || err == nil || !strings.Contains(err.Error(), "9 memory ranges of 16 bytes declared") {
		t.Errorf("more than there are: %+v, %v", l, err)
	}
}

// TestWholeDirectory keeps the entries that mean nothing.
func TestWholeDirectory(t *testing.T) {
	d := dumptest.Dump{NoSystemInfo: true, Streams: []dumptest.RawStream{{Type: 0xfff0, Data: []byte{1}}}, Directory: dumptest.Directory{
		Leading: []dumptest.DirectoryEntry{{}}, Unused: 2,
	}}
	all, err := build(t, d).WholeDirectory()
	if err != nil || len(all) != 4 || all[0].StreamType != 0 || all[1].StreamType != 0xfff0 || all[3] != (minidump.DirectoryEntry{}) {
		t.Errorf("%+v, %v", all, err)
	}
	d.Patches = []dumptest.Patch{dumptest.PutU32("Header", 8, 1000)}
	all, err = build(t, d).WholeDirectory()
	if len(all) < 4 || err == nil || !strings.Contains(err.Error(), "1000 directory entries of 12 bytes declared") {
		t.Errorf("%+v, %v", all, err)
	}
}
