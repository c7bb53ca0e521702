package minidump_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// Sizes of header and descriptors that cannot be cost no handle, and are said. So
// do sizes that nobody writes but that fit.
func TestHandleLayout(t *testing.T) {
	const declared = "declared, which cannot be in a stream of"
	list := func(style dumptest.HandleStyle, size int) *dumptest.HandleData {
		return &dumptest.HandleData{Style: style, DescriptorSize: size, Handles: []dumptest.Handle{
			{Value: 4, Type: "Key", Name: `\K`}, {Value: 0}, {Value: 8, Type: "Event"}, {Value: 0, Type: "Key"},
		}}
	}
	entry := func(n uint32) []dumptest.Patch {
		return []dumptest.Patch{dumptest.DeclareEntrySize(dumptest.HandleDataStream, n)}
	}
	header := func(n uint32) []dumptest.Patch {
		return []dumptest.Patch{dumptest.DeclareHeaderSize(dumptest.HandleDataStream, n)}
	}
	for _, tt := range []struct {
		what    string
		list    *dumptest.HandleData
		patches []dumptest.Patch
		doubt   string // part of the error of Len
	}{
		{"as Windows writes it", list(dumptest.DbgHelp, 0), nil, ""},
		{"as Crashpad writes it", list(dumptest.Crashpad, 0), nil, ""},
		{"33 bytes each", list(dumptest.DbgHelp, 33), nil, ""},
		{"45 bytes each", list(dumptest.DbgHelp, 45), nil, ""},
		{"4097 bytes each", list(dumptest.DbgHelp, 4097), nil, ""},
		{"0 declared", list(dumptest.DbgHelp, 0), entry(0), "descriptors of 0 bytes " + declared},
		{"1 declared", list(dumptest.DbgHelp, 0), entry(1), "descriptors of 1 bytes " + declared},
		{"31 declared", list(dumptest.DbgHelp, 0), entry(31), "descriptors of 31 bytes " + declared},
		{"33 declared", list(dumptest.DbgHelp, 0), entry(33), "descriptors of 33 bytes " + declared},
		{"41 declared", list(dumptest.DbgHelp, 0), entry(41), "descriptors of 41 bytes " + declared},
		{"no end declared", list(dumptest.DbgHelp, 0), entry(1<<32 - 1), "descriptors of 4294967295 bytes " + declared},
		{"0 declared of 32", list(dumptest.Crashpad, 0), entry(0), "descriptors of 0 bytes " + declared},
		{"31 declared of 32", list(dumptest.Crashpad, 0), entry(31), "descriptors of 31 bytes " + declared},
		{"no header", list(dumptest.DbgHelp, 0), header(0), "header of 0 bytes and handle descriptors of 40 bytes " + declared},
		{"neither", list(dumptest.DbgHelp, 0), append(entry(0), header(1)...), "header of 1 bytes and handle descriptors of 0 bytes " + declared},
	} {
		f := build(t, dumptest.Dump{HandleData: tt.list, Patches: tt.patches})
		data, err := f.HandleData()
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		var got []uint64
		var types []string
		for h, err := range data.All() {
			if err != nil {
				t.Errorf("%s: %v", tt.what, err)
			}
			got, types = append(got, h.Handle), append(types, h.TypeName)
		}
		if diff := cmp.Diff([]uint64{4, 0, 8, 0}, got); diff != "" {
			t.Errorf("%s: handles (-want +got):\n%s", tt.what, diff)
		}
		if diff := cmp.Diff([]string{"Key", "", "Event", "Key"}, types); diff != "" {
			t.Errorf("%s: types (-want +got):\n%s", tt.what, diff)
		}
		n, err := data.Len()
		if n != 4 || (err == nil) != (tt.doubt == "") || err != nil && !strings.Contains(err.Error(), tt.doubt) {
			t.Errorf("%s: %d handles, %v", tt.what, n, err)
		}
		if style := tt.list.Style; data.HasObjectInfo() != (style == dumptest.DbgHelp && tt.list.DescriptorSize != 33) {
			t.Errorf("%s: object information %v", tt.what, data.HasObjectInfo())
		}
	}
}

// A file that ends before its list of handles says how many it had: by the head
// of the list, or else by the directory.
func TestHandlesBehindEnd(t *testing.T) {
	d := dumptest.Dump{SystemInfo: &dumptest.SystemInfo{}, HandleData: &dumptest.HandleData{Handles: make([]dumptest.Handle, 7)}}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	at := layout["HandleData"]
	for _, tt := range []struct {
		end        int64
		style      dumptest.HandleStyle
		open, read string // parts of errors
	}{
		{at, dumptest.DbgHelp, "before the list of handles: its 296 bytes are about 7 handles of 40 bytes each", ""},
		{at - 20, dumptest.DbgHelp, "about 7 handles of 40 bytes each", ""},
		{at + 8, dumptest.DbgHelp, "about 7 handles of 40 bytes each", ""},
		{at + 16, dumptest.DbgHelp, "", "7 handle descriptors of 40 bytes declared, but the file ends after 0"},
		{at + 16 + 95, dumptest.DbgHelp, "", "7 handle descriptors of 40 bytes declared, but the file ends after 2"},
		{at + 4, dumptest.Crashpad, "about 7 handles of 32 bytes each", ""},
	} {
		d.HandleData.Style, d.TruncateAt = tt.style, tt.end
		f := build(t, d)
		data, err := f.HandleData()
		if tt.open != "" {
			if data != nil || err == nil || !strings.Contains(err.Error(), tt.open) {
				t.Errorf("%d bytes: %v", tt.end-at, err)
			}
			continue
		}
		if err != nil || data.NumberOfDescriptors != 7 {
			t.Errorf("%d bytes: %+v, %v", tt.end-at, data, err)
			continue
		}
		if _, err := data.Len(); err == nil || !strings.Contains(err.Error(), tt.read) {
			t.Errorf("%d bytes: %v", tt.end-at, err)
		}
	}
	// A stream of nonsense is not counted.
	d.TruncateAt, d.HandleData.Style = 0, dumptest.DbgHelp
	d.Patches = []dumptest.Patch{dumptest.PutU32("Directory", 12+8, 4)} // its second entry: inside the header
	if _, err := build(t, d).HandleData(); err == nil || strings.Contains(err.Error(), "about") || !strings.Contains(err.Error(), minidump.HandleDataStream.String()) {
		t.Errorf("a list in the header of the file: %v", err)
	}
}

// Each part of a handle that cannot be read is an error.
func TestHandleErrors(t *testing.T) {
	d := dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key", Name: `\K`}}}}
	for _, off := range []int64{8, 12, 32} { // type, name and object information
		d.Patches = append(d.Patches, dumptest.PutU32("HandleData[0]", off, 0xffffff00))
	}
	data, err := build(t, d).HandleData()
	if err != nil {
		t.Fatal(err)
	}
	for h, err := range data.All() {
		parts, ok := err.(minidump.Errors)
		if !ok || len(parts) != 3 || h.Handle != 4 {
			t.Errorf("handle %#x: %v", h.Handle, err)
		}
	}
}
