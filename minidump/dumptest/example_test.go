package dumptest_test

import (
	"fmt"
	"io"
	"slices"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A dump with two handles, as dbghelp would have written it.
func Example() {
	dump := dumptest.Dump{
		Flags: dumptest.WithHandleData,
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 0x7e0, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019},
			{Value: 0x7e4, Type: "Event", GrantedAccess: 0x1f0003,
				Info: []dumptest.ObjectInformation{dumptest.EventInformation{AutoReset: true}}},
		}},
	}
	data := dump.Bytes()
	fmt.Printf("%s, %d bytes\n", data[:4], len(data))
	// Output: MDMP, 336 bytes
}

// The same bytes go wrong where a test wants them to.
func ExamplePatch() {
	dump := dumptest.Dump{
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}},
		Patches:    []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, 0xffffffff)},
	}
	layout, err := dump.Layout()
	if err != nil {
		fmt.Println(err)
		return
	}
	stream := dump.Bytes()[layout["HandleData"]:]
	fmt.Printf("count % x, one descriptor: %v\n", stream[8:12], len(stream) == 16+40)
	// Output: count ff ff ff ff, one descriptor: true
}

// Ten million handles come from a function and are never held.
func ExampleGenerateHandles() {
	dump := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(100_000, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(4 + 4*i), Type: "Key", GrantedAccess: 0x20019}
		}),
	}}
	n, err := dump.WriteTo(io.Discard)
	fmt.Println(n, err)
	// Output: 5200134 <nil>
}

// A dump with 8 GiB of memory, for counting what a reader reads of it.
func ExampleReader() {
	dump := dumptest.Dump{Memory64: []dumptest.MemoryRange{{Start: 0x10000, Size: 8 << 30}}}
	r, err := dump.Reader()
	if err != nil {
		fmt.Println(err)
		return
	}
	header := make([]byte, 32)
	if _, err := r.ReadAt(header, 0); err != nil {
		fmt.Println(err)
	}
	fmt.Println(r.Size()>>30, "GiB,", r.BytesRead(), "bytes read")
	// Output: 8 GiB, 32 bytes read
}

// Layout names every place that a patch can aim at.
func ExampleDump_Layout() {
	dump := dumptest.Dump{Threads: []dumptest.Thread{{ThreadID: 1}}}
	layout, err := dump.Layout()
	if err != nil {
		fmt.Println(err)
		return
	}
	var names []string
	for name := range layout {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Println(names)
	// Output: [Directory Directory[0] Directory[1] End Header SystemInfo ThreadList ThreadList[0]]
}
