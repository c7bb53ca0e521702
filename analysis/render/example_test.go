package render_test

import (
	"log"
	"os"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

// In programs the handles come from minidump.HandleData.
var handles = []minidump.Handle{
	{Handle: 0x7e0, TypeName: "Key", ObjectName: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019, HandleCount: 2, PointerCount: 3},
	{Handle: 0x7e4, TypeName: "Key", GrantedAccess: 0xf003f, HandleCount: 2, PointerCount: 3},
}

func ExampleHandleText() {
	text := render.NewHandleText(os.Stdout, render.HandleTextOptions{PointerSize: 4, Flags: render.ShowType | render.ShowName})
	for i := range handles {
		text.Handle(&handles[i])
	}
	text.TypeFooter("Key", 2)
	if err := text.Flush(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Handle 000007e0
	//   Type         	Key
	//   Name         	\REGISTRY\MACHINE
	// Handle 000007e4
	//   Type         	Key
	//   Name         	<none>
	// 2 handles of type Key
}

func ExampleHandleReport() {
	r := render.HandleReport{
		Dump:    render.DumpHeader{File: "w3wp.dmp", PointerSize: 4},
		Summary: &analysis.HandleSummary{Total: 2},
		Types:   []analysis.TypeCount{{Type: "Key", Count: 2}},
	}
	pointers := []*minidump.Handle{&handles[1]}
	if err := r.WriteHandles(os.Stdout, slices.Values(pointers), new(analysis.Failures)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {
	//   "schema": "dumpscan.handles/1",
	//   "dump": {"file":"w3wp.dmp","pointerSize":4},
	//   "total": 2,
	//   "types": [
	//     {"type":"Key","count":2}
	//   ],
	//   "handles": [
	//     {"handle":"0x7e4","type":"Key","name":"","attributes":"0x0","grantedAccess":"0xf003f","access":["Delete","ReadControl","WriteDac","WriteOwner","QueryValue","SetValue","CreateSubKey","EnumSubKey","Notify","CreateLink"],"handleCount":2,"pointerCount":3}
	//   ],
	//   "notes": [],
	//   "errors": []
	// }
}
