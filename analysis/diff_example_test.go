package analysis_test

import (
	"bytes"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// handlesOf returns the handles of a dump in memory.
func handlesOf(d dumptest.Dump) analysis.HandleSource {
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		panic(err)
	}
	return hd.Only
}

// Which handles have come and gone between two dumps of one process?
func ExampleDiffHandles() {
	old := handlesOf(dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 0x4, Type: "Event", GrantedAccess: 0x1f0003},
		{Value: 0x8, Type: "File", Name: `\Device\Null`, GrantedAccess: 0x120089},
	}}})
	new := handlesOf(dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 0x4, Type: "Event", GrantedAccess: 0x1f0003},
		{Value: 0x8, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019},
		{Value: 0xc, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019},
	}}})
	d := analysis.DiffHandles(old, new)
	for _, g := range d.Groups {
		fmt.Printf("%+d %s\n", g.Growth(), g.HandleKind)
	}
	fmt.Println(d.Total.Reused, "value reused")
	for h := range d.Removed() {
		fmt.Printf("removed %#x %s\n", h.Handle, h.ObjectName)
	}
	// Output:
	// +2 Key \REGISTRY\MACHINE (access 0x20019)
	// -1 File \Device\Null (access 0x120089)
	// +0 Event without name (access 0x1f0003)
	// 1 value reused
	// removed 0x8 \Device\Null
}
