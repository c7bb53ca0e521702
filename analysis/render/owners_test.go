package render_test

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/render"
)

func ownerReport(limit int) *render.OwnersReport {
	r := render.NewOwnersReport(render.DumpHeader{File: "w3wp.dmp", PointerSize: 8}, &owners.Report{
		Sets: []owners.Set{{Type: "Key", Count: 700}, {Type: "Event", Count: 20}, {Type: "", Count: 3}},
		Owners: []owners.Owner{{
			Kind: owners.KindObject, Type: "Key", Address: 0x7ff612343080, Module: "MyCustomDll", ModuleOffset: 0x3080,
			Target: owners.TargetVtable, Class: "ns::Settings", Symbol: "MyCustomDll!const ns::Settings::`vftable'", FieldOffset: 24,
			Start: true, Width: 8, Handles: 698, Of: 700, Objects: 698, Instances: 1700, Empty: 1000,
			Referrers: []owners.Referrer{
				{Kind: owners.ReferrerLink, Address: 0x1f8, Offset: 8, Objects: 500, Of: 512},
				{Kind: owners.ReferrerGlobal, Address: 0x7ff612345000, Module: "MyCustomDll", ModuleOffset: 0x5000, Symbol: "MyCustomDll!all", Objects: 1, Of: 512},
			},
			ExpectedByChance: 0.25, Confidence: 0.999994,
			Examples: []owners.Example{{Object: 0x1f0, Handle: 0x68}, {Object: 0x2f0, Handle: 0x6c}},
		}, {
			Kind: owners.KindRecord, Type: "Event", Constant: 0x20626f6a, Text: "job ", FieldOffset: -12, Width: 8,
			Handles: 20, Of: 20, Objects: 20, Instances: 20, Confidence: 0.99,
		}, {
			Kind: owners.KindArray, Type: "", Address: 0x1f0080, Width: 4, Stride: 12, Arrays: 1,
			Handles: 20, Of: 30, Objects: 20, Instances: 21, Empty: 1, Confidence: 0.99,
		}},
		Unheld: []owners.Unheld{{Type: "Key", Handles: 2, Of: 700}, {Type: "Job", Handles: 3, Of: 3}},
		Scan: owners.Scan{
			PointerSize: 8, MaxOffset: 256, Basis: owners.BasisMemoryInfo,
			Ranges: 1, Bytes: 1 << 20, Hits: 900, Examined: 40,
			Problems: []error{errors.New("cut off")}, Notes: []string{"twice"},
		},
	}, limit)
	r.Errors = &analysis.Problems{}
	r.Errors.Add("w3wp.dmp", errors.New("cut off"))
	return r
}

func ExampleOwnersReport() {
	if err := render.Write(os.Stdout, ownerReport(1), render.Text, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 698 of 700 Key handles sit at +0x18 of objects whose first word is MyCustomDll+0x3080 (ns::Settings)
	//   class       ns::Settings
	//   symbol      MyCustomDll!const ns::Settings::`vftable'
	//   objects     698 of 1,700; of the others, 1,000 empty; at 0x1f0, 0x2f0 …
	//   led to by   a pointer at +0x8 of the objects themselves leads to 500 of 512 that were followed
	//               the variable MyCustomDll!all leads to 1 of 512 that were followed
	//   evidence    by chance about 0.25 to be expected; confidence 99.9994 %
	//
	// … and 2 more owners
	//
	// no owner found: Job (3)
	// searched 1.0 MiB in 1 range: private and writable memory, and the variables of modules
}

func ExampleOwnersReport_json() {
	if err := render.Write(os.Stdout, ownerReport(1), render.JSON, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {
	//   "schema": "dumpscan.owners/2",
	//   "dump": {"file":"w3wp.dmp","pointerSize":8},
	//   "owners": [
	//     {"type":"Key","kind":"object","module":"MyCustomDll","moduleOffset":"0x3080","address":"0x7ff612343080","target":"vtable","class":"ns::Settings","symbol":"MyCustomDll!const ns::Settings::`vftable'","fieldOffset":24,"wordOffset":0,"start":true,"width":8,"handles":698,"of":700,"objects":698,"instances":1700,"empty":1000,"expectedByChance":0.25,"confidence":0.999994,"referrers":[{"kind":"link","address":"0x1f8","fieldOffset":8,"objects":500,"of":512},{"kind":"global","address":"0x7ff612345000","module":"MyCustomDll","moduleOffset":"0x5000","symbol":"MyCustomDll!all","objects":1,"of":512}],"examples":[{"object":"0x1f0","handle":"0x68"},{"object":"0x2f0","handle":"0x6c"}]}
	//   ],
	//   "omitted": 2,
	//   "unheld": [
	//     {"type":"Key","handles":2,"of":700},
	//     {"type":"Job","handles":3,"of":3}
	//   ],
	//   "sets": [
	//     {"type":"Key","count":700},
	//     {"type":"Event","count":20},
	//     {"type":"","count":3}
	//   ],
	//   "scan": {"pointerSize":8,"maxOffset":256,"basis":"memory info","ranges":1,"bytes":1048576,"hits":900,"examined":40},
	//   "notes": [
	//     "twice"
	//   ],
	//   "errors": [
	//     "w3wp.dmp: cut off"
	//   ]
	// }
}

func ExampleOwnersReport_csv() {
	if err := render.Write(os.Stdout, ownerReport(0), render.CSV, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// type,kind,module,moduleOffset,address,target,class,classModule,keeper,keeperModule,symbol,constant,text,fieldOffset,wordOffset,width,stride,handles,of,objects,instances,empty,expectedByChance,confidence
	// Key,object,MyCustomDll,0x3080,0x7ff612343080,vtable,ns::Settings,,,,MyCustomDll!const ns::Settings::`vftable',,,24,0,8,0,698,700,698,1700,1000,0.25,0.999994
	// Event,record,,,,,,,,,,0x20626f6a,job ,-12,0,8,0,20,20,20,20,0,0,0.99
	// ,array,,,0x1f0080,,,,,,,,,0,0,4,12,20,30,20,21,1,0,0.99
}

// managedReport has objects of .NET.
func managedReport() *render.OwnersReport {
	return render.NewOwnersReport(render.DumpHeader{File: "w3wp.dmp", PointerSize: 8}, &owners.Report{
		Sets: []owners.Set{{Type: "File", Count: 70}},
		Owners: []owners.Owner{{
			Kind: owners.KindObject, Type: "File", Address: 0x1b836a60, Target: owners.TargetClass,
			Class: "Microsoft.Win32.SafeHandles.SafeFileHandle", ClassModule: "System.Private.CoreLib.dll", FieldOffset: 8, Start: true,
			Width: 8, Handles: 60, Of: 70, Objects: 60, Instances: 60, Confidence: 0.99998,
			Keeper: "Orders.Journal", KeeperModule: "orders.dll",
			Referrers: []owners.Referrer{{
				Kind: owners.ReferrerObject, Address: 0x26fcd40, Class: "System.IO.FileStream", ClassModule: "System.Private.CoreLib.dll",
				Offset: 32, Objects: 60, Of: 60,
			}},
			Chain: []owners.Referrer{
				{Kind: owners.ReferrerArray, Address: 0x26fd000, Class: "System.IO.FileStream[]", ClassModule: "System.Private.CoreLib.dll", Stride: 8, Objects: 60, Of: 60},
				{Kind: owners.ReferrerObject, Address: 0x26fe008, Class: "Orders.Journal", ClassModule: "orders.dll", Offset: 8, Objects: 1, Of: 1},
			},
			Examples: []owners.Example{{Object: 0x26fcd18, Handle: 0x118}},
		}},
		Scan: owners.Scan{PointerSize: 8, MaxOffset: 256, Basis: owners.BasisMemoryInfo, Ranges: 1, Bytes: 1 << 20},
	}, 0)
}

func ExampleOwnersReport_managed() {
	for _, format := range []render.Format{render.Text, render.CSV} {
		if err := render.Write(os.Stdout, managedReport(), format, render.Style{}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 60 of 70 File handles sit at +0x8 of objects of Microsoft.Win32.SafeHandles.SafeFileHandle (System.Private.CoreLib.dll), kept by Orders.Journal (orders.dll)
	//   objects     60; at 0x26fcd18 …
	//   led to by   a pointer at +0x20 of objects of System.IO.FileStream (System.Private.CoreLib.dll) leads to 60 of 60 that were followed
	//   those by    System.IO.FileStream[] (System.Private.CoreLib.dll) at 0x26fd000 leads to 60 of 60 that were followed
	//               a pointer at +0x8 of objects of Orders.Journal (orders.dll) leads to 1 of 1 that were followed
	//   evidence    by chance about 0 to be expected; confidence 99.998 %
	//
	// searched 1.0 MiB in 1 range: private and writable memory, and the variables of modules
	// type,kind,module,moduleOffset,address,target,class,classModule,keeper,keeperModule,symbol,constant,text,fieldOffset,wordOffset,width,stride,handles,of,objects,instances,empty,expectedByChance,confidence
	// File,object,,,0x1b836a60,class,Microsoft.Win32.SafeHandles.SafeFileHandle,System.Private.CoreLib.dll,Orders.Journal,orders.dll,,,,8,0,8,0,60,70,60,60,0,0,0.99998
}

func TestManagedJSON(t *testing.T) {
	var got struct{ Owners []map[string]any }
	if err := json.Unmarshal([]byte(written(t, managedReport(), render.JSON)), &got); err != nil {
		t.Fatal(err)
	}
	o := got.Owners[0]
	for name, want := range map[string]any{
		"target": "class", "class": "Microsoft.Win32.SafeHandles.SafeFileHandle", "classModule": "System.Private.CoreLib.dll",
		"keeper": "Orders.Journal", "keeperModule": "orders.dll",
		"referrers": []any{map[string]any{
			"kind": "object", "address": "0x26fcd40", "class": "System.IO.FileStream", "classModule": "System.Private.CoreLib.dll",
			"fieldOffset": 32.0, "objects": 60.0, "of": 60.0}},
		"chain": []any{
			map[string]any{"kind": "array", "address": "0x26fd000", "class": "System.IO.FileStream[]", "classModule": "System.Private.CoreLib.dll",
				"stride": 8.0, "objects": 60.0, "of": 60.0},
			map[string]any{"kind": "object", "address": "0x26fe008", "class": "Orders.Journal", "classModule": "orders.dll", "fieldOffset": 8.0, "objects": 1.0, "of": 1.0},
		},
	} {
		if diff := cmp.Diff(want, o[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Of what is no object the text does not say so.
func TestOwnerPlaces(t *testing.T) {
	for target, want := range map[owners.Target]string{
		owners.TargetVtable: "objects", owners.TargetMemory: "objects", owners.TargetClass: "objects",
		owners.TargetCode: "places", owners.TargetData: "places", owners.TargetModule: "places",
	} {
		r := render.NewOwnersReport(render.DumpHeader{}, &owners.Report{
			Sets:   []owners.Set{{Type: "\x1b[1m", Count: 9}},
			Owners: []owners.Owner{{Kind: owners.KindObject, Type: "\x1b[1m", Module: "a", Target: target, Handles: 9, Of: 9, Objects: 9, Instances: 9}},
		}, 0)
		text := written(t, r, render.Text)
		if !strings.Contains(text, "\n  "+want+" ") || !strings.HasPrefix(text, "9 of 9 <U+001B>[1m handles sit at +0x0 ") {
			t.Errorf("%s: %q", target, text)
		}
	}
}

func TestOwnersNothing(t *testing.T) {
	r := render.NewOwnersReport(render.DumpHeader{}, &owners.Report{}, 0)
	if diff := cmp.Diff("the dump has no such handles\n", written(t, r, render.Text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text := written(t, r, render.JSON)
	if strings.Contains(text, "null") || strings.Contains(text, "omitted") || !json.Valid([]byte(text)) {
		t.Error(text)
	}
}
