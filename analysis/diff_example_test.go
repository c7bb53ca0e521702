package analysis_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// open opens a dump in memory. Programs call minidump.Open with a path instead,
// or dumpfile.Open, which unpacks.
func open(d dumptest.Dump) *minidump.File {
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// Which handles have come and gone between two dumps of one process?
func ExampleDiffHandles() {
	old, err := analysis.ReadHandles(open(dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 0x4, Type: "Event", GrantedAccess: 0x1f0003},
		{Value: 0x8, Type: "File", Name: `\Device\Null`, GrantedAccess: 0x120089},
	}}}))
	if err != nil {
		log.Fatal(err)
	}
	new, err := analysis.ReadHandles(open(dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 0x4, Type: "Event", GrantedAccess: 0x1f0003},
		{Value: 0x8, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019},
		{Value: 0xc, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019},
	}}}))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	d, err := analysis.DiffHandles(ctx, old, new)
	if err != nil {
		log.Fatal(err) // interrupted; what could not be read is in d
	}
	for _, g := range d.Groups {
		fmt.Printf("%+d %s\n", g.Growth(), g.HandleKind)
	}
	fmt.Println(d.Total.Reused, "value reused")
	for h := range d.Removed(ctx) {
		fmt.Printf("removed %#x %s\n", h.Handle, h.ObjectName)
	}
	// Output:
	// +2 Key \REGISTRY\MACHINE (access 0x20019)
	// -1 File \Device\Null (access 0x120089)
	// +0 Event without name (access 0x1f0003)
	// 1 value reused
	// removed 0x8 \Device\Null
}
