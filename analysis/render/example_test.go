package render_test

import (
	"log"
	"os"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

// In programs the handles come from analysis.HandleList.Walk.
var handles = []minidump.Handle{
	{Handle: 0x7e0, TypeName: "Key", ObjectName: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019, HandleCount: 2, PointerCount: 3},
	{Handle: 0x7e4, TypeName: "Key", GrantedAccess: 0xf003f, HandleCount: 2, PointerCount: 3},
}

func exampleReport() *render.HandlesReport {
	types := []render.TypeCount{{Type: "Key", Count: 2}}
	r := &render.HandlesReport{
		Dump:  render.DumpHeader{File: "w3wp.dmp", PointerSize: 4},
		Total: 2, Types: types,
		Text: render.HandlesText{
			Flags: analysis.ShowType | analysis.ShowName,
			Type:  "Key", OneType: true, Total: 2, Selected: types,
		},
	}
	r.Handles = render.NewHandleStream(func(visit func(*minidump.Handle) bool) error {
		for i := range handles {
			if !visit(&handles[i]) {
				break
			}
		}
		return nil
	}, nil)
	return r
}

// The same report as text, in the form of WinDbg's !handle.
func ExampleWrite() {
	if err := render.Write(os.Stdout, exampleReport(), render.Text, render.Style{}); err != nil {
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

// And for programs.
func ExampleHandlesReport() {
	if err := render.Write(os.Stdout, exampleReport(), render.JSON, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {
	//   "schema": "dumpscan.handles/2",
	//   "dump": {"file":"w3wp.dmp","pointerSize":4},
	//   "total": 2,
	//   "types": [
	//     {"type":"Key","count":2}
	//   ],
	//   "handles": [
	//     {"handle":"0x7e0","type":"Key","name":"\\REGISTRY\\MACHINE","attributes":"0x0","grantedAccess":"0x20019","access":["ReadControl","QueryValue","EnumSubKey","Notify"],"handleCount":2,"pointerCount":3},
	//     {"handle":"0x7e4","type":"Key","name":"","attributes":"0x0","grantedAccess":"0xf003f","access":["Delete","ReadControl","WriteDac","WriteOwner","QueryValue","SetValue","CreateSubKey","EnumSubKey","Notify","CreateLink"],"handleCount":2,"pointerCount":3}
	//   ],
	//   "notes": [],
	//   "errors": []
	// }
}
